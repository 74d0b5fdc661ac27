"""The tree: Dump -> Device -> Capability -> Register -> value.

Everything here is immutable, so equal pieces of text share one object. Equality is meaning: two devices are
equal when they say the same thing, whatever line or spelling said it. ``str()`` of a dump or a device is the
text it was read from.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, Union

Value: TypeAlias = Union[bool, int, str, tuple["Value", ...], "Register", None]
"""A flag, a number, a word or hex string, nothing, a list, or a nested group of fields."""


class _Fields(Mapping[str, Any]):
    """An ordered, immutable mapping with a name. Names are unique: a repeated one is stored as ``Name#2``."""

    __slots__ = ("_fields", "name")
    name: str
    _fields: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self._fields[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    # A comparison asks these a hundred thousand times; Mapping's own lead through __getitem__.
    def get(self, key: str, default: Any = None) -> Any:
        """Return a field, or ``default`` where there is none."""
        return self._fields.get(key, default)

    def items(self) -> ItemsView[str, Any]:
        """Return names and fields."""
        return self._fields.items()


class Register(_Fields):
    """One labelled line with its continuation lines (``ACSCtl:``): an ordered mapping of field to value.

    ``name`` is the newest lspci release's label. A nested register is a group of fields inside a register,
    such as ``AtomicOpsCap`` in ``DevCap2``.
    """

    __slots__ = ()

    def __init__(self, name: str, fields: Mapping[str, Value]) -> None:
        self.name = name
        self._fields = dict(fields)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Register):
            return NotImplemented
        return self.name == other.name and self._fields == other._fields

    def __hash__(self) -> int:
        return hash((self.name, tuple(self._fields)))

    def __repr__(self) -> str:
        return f"Register({self.name!r}, {self._fields!r})"

    def __str__(self) -> str:
        return " ".join(_spell(name, value) for name, value in self._fields.items())


def _spell(name: str, value: Value) -> str:
    """Write a field the way lspci does: ``SrcValid+``, ``Speed=8GT/s``, ``PME(D0+ D3hot+)``."""
    if isinstance(value, bool):
        return f"{name}{'+' if value else '-'}"
    if isinstance(value, Register):
        return f"{name}({value})"
    if isinstance(value, tuple):
        return f"{name}={','.join(map(str, value))}"
    return f"{name}={value}"


class Capability(_Fields):
    """One ``Capabilities: [offset vN]`` section: an ordered mapping of register name to register.

    Fields that lspci prints on the title line itself stand beside the registers
    (``capability("msi")["Enable"]``).

    Args:
        kind: the name that setpci knows, in lower case and without its prefix (``exp``, ``acs``); for ids that
            setpci does not name, after the constant in Linux's ``pci_regs.h`` (``doe``); for ids that lspci
            prints as numbers and nobody names, ``cap2b`` or ``ecap0037``.
        name: the title as printed.
        offset: where it stands in configuration space, in bytes, or ``None`` where lspci does not say.
        version: the capability's version, or ``None`` (standard capabilities, and ``-v``).
        extended: whether it stands in extended configuration space (offset 0x100 and above).
        entries: title fields and registers, in the order printed.
        unrecognised: lines inside that no rule knows, numbered from the title line as 1.
    """

    __slots__ = ("extended", "kind", "offset", "unrecognised", "version")

    def __init__(  # noqa: PLR0913 - a capability has this many parts
        self,
        kind: str,
        name: str,
        *,
        offset: int | None = None,
        version: int | None = None,
        extended: bool = False,
        entries: Mapping[str, Value] | None = None,
        unrecognised: Sequence[Line] = (),
    ) -> None:
        self.kind = kind
        self.name = name
        self.offset = offset
        self.version = version
        self.extended = extended
        self.unrecognised = tuple(unrecognised)
        self._fields = dict(entries or {})

    def _meaning(self) -> tuple[object, ...]:
        return (self.kind, self.offset, self.version, self.extended, self._fields)

    def __eq__(self, other: object) -> bool:
        return self._meaning() == other._meaning() if isinstance(other, Capability) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.kind, self.offset, self.version))

    def __repr__(self) -> str:
        return f"<Capability {self.kind} at {self.where}>"

    @property
    def where(self) -> str:
        """Offset and version as lspci prints them: ``[148 v1]``."""
        if self.offset is None:
            return "[]"
        width = 3 if self.extended else 2
        version = "" if self.version is None else f" v{self.version}"
        return f"[{self.offset:0{width}x}{version}]"

    @property
    def registers(self) -> dict[str, Register]:
        """The entries that are registers, without the fields of the title line."""
        return {name: value for name, value in self._fields.items() if isinstance(value, Register)}


class Line(NamedTuple):
    """A line of text and its number, counted from 1 (inside a device: from the device's first line)."""

    line: int
    text: str
