"""The tree: Dump -> Device -> Capability -> Register -> value.

Everything here is immutable, so equal pieces of text share one object. Equality is meaning: two devices are
equal when they say the same thing, whatever line or spelling said it. ``str()`` of a dump or a device is the
text it was read from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, ItemsView, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeAlias, Union

Value: TypeAlias = Union[bool, int, str, tuple["Value", ...], "Register", None]
"""A flag, a number, a word or hex string, nothing, a list, or a nested group of fields."""

_ADDRESS: Final = re.compile(r"(?ai)(?:([\da-f]{4,8}):)?([\da-f]{1,2}):([\da-f]{1,2})\.([0-7])").fullmatch


class Address(NamedTuple):
    """Where a PCI function sits: ``domain:bus:device.function`` (PCI Firmware Specification, segment group).

    Domains wider than 16 bits exist: Linux numbers the buses behind Intel VMD from 0x10000.
    """

    domain: int
    bus: int
    device: int
    function: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``00:1c.5`` or ``0000:00:1c.5``; a missing domain is 0.

        Raises:
            ValueError: ``text`` is not an address.
        """
        match = _ADDRESS(text)
        if match is not None:
            domain, bus, device, function = match.groups("0")
            found = cls(int(domain, 16), int(bus, 16), int(device, 16), int(function))
            if found.device < 32:
                return found
        raise ValueError(f"not a PCI address: {text!r} (expected domain:bus:device.function)")

    def __str__(self) -> str:
        return f"{self.domain:04x}:{self.bus:02x}:{self.device:02x}.{self.function}"

    @property
    def slot(self) -> str:
        """The address without its domain, as lspci prints it on most machines: ``00:1c.5``."""
        return f"{self.bus:02x}:{self.device:02x}.{self.function}"


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


class Ids(NamedTuple):
    """Vendor and device numbers as four hex digits; ``None`` where lspci printed names only."""

    vendor: str | None = None
    device: str | None = None
    subvendor: str | None = None
    subdevice: str | None = None


class NamedId(NamedTuple):
    """A number as hex digits and its name; either may be unknown."""

    id: str | None
    name: str | None


class Device(NamedTuple):
    """One PCI function as lspci printed it. Two are equal when all but ``unrecognised`` and ``text`` are equal.

    Attributes:
        address: where it sits.
        slot: the address as printed, with or without domain.
        class_: class name and four-digit class id (PCI Code and ID Assignment Specification).
        name: vendor and device name as printed, without ids, revision and prog-if.
        ids: four-digit ids, known from ``-nn`` or ``-n``.
        revision: two hex digits; ``00`` is never printed, so it is also what an absent one means.
        prog_if: programming interface id and name, or ``None``.
        registers: header lines in the order printed: registers (``Control``, ``Bus``, ``Region 0`` ...), and
            values of lines that hold nothing but one (``Latency``).
        capabilities: in the order printed.
        driver: the bound kernel driver, or ``None``.
        modules: kernel modules that claim the device.
        iommu_group: as recorded by the kernel; ``None`` when not printed.
        numa_node: ``None`` when not printed.
        physical_slot: label of the slot, free text.
        label: the firmware's name for the device (``DeviceName:``), free text.
        subsystem: name of the subsystem, free text.
        access_denied: lspci ran without the rights to read the capabilities.
        chain: ``looped`` or ``broken`` when the list of capabilities does not end, else ``None``.
        dead: the function does not answer (all ones: ``rev ff`` and header type 7f).
        cut: the text ends in the middle of the device.
        config: bytes of configuration space from a hex dump (``-x`` to ``-xxxx``), else ``b""``.
        unrecognised: lines that no rule knows, those inside capabilities too.
        text: the lines it was read from.
    """

    address: Address
    slot: str
    class_: NamedId
    name: str
    ids: Ids = Ids()
    revision: str = "00"
    prog_if: NamedId | None = None
    registers: Mapping[str, Any] = {}
    capabilities: tuple[Capability, ...] = ()
    driver: str | None = None
    modules: tuple[str, ...] = ()
    iommu_group: int | None = None
    numa_node: int | None = None
    physical_slot: str | None = None
    label: str | None = None
    subsystem: str | None = None
    access_denied: bool = False
    chain: str | None = None
    dead: bool = False
    cut: bool = False
    config: bytes = b""
    unrecognised: tuple[Line, ...] = ()
    text: str = ""

    def __eq__(self, other: object) -> bool:
        return self[:-2] == other[:-2] if isinstance(other, Device) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((self.address, self.name, self.revision))

    def __repr__(self) -> str:
        return f"<Device {self.slot}>"

    def __str__(self) -> str:
        return self.text

    def capability(self, kind: str) -> Capability | None:
        """Return the first capability of ``kind``, or ``None``."""
        for capability in self.capabilities:
            if capability.kind == kind:
                return capability
        return None

    def capability_paths(self) -> Iterator[tuple[str, Capability]]:
        """Yield each capability with its unique name: ``vndr``, ``vndr#2`` ..."""
        seen: dict[str, int] = {}
        for capability in self.capabilities:
            count = seen[capability.kind] = seen.get(capability.kind, 0) + 1
            yield capability.kind if count == 1 else f"{capability.kind}#{count}", capability

    @property
    def is_bridge(self) -> bool:
        """Whether the function has buses behind it (header type 1 or 2: it prints a ``Bus:`` line)."""
        return "Bus" in self.registers

    @property
    def port_type(self) -> str | None:
        """The Express type (``Root Port``, ``Endpoint`` ...), or ``None`` for a conventional function."""
        express = self.capability("exp")
        return None if express is None else express.get("Type")


class Releases(NamedTuple):
    """The range of lspci releases that could have printed a dump; ``None`` is an open end."""

    min: str | None = None
    max: str | None = None


class Dump:
    """One lspci output. Two are equal when their devices are.

    Args:
        devices: in the order printed.
        lines: the number of each device's first line, counted from 1, in the order of ``devices``.
        source: the name of the file, or ``None``.
        outside: lines that stand outside every device and are not lspci's (prompts, logs, warnings).
        text: the whole input.
        printed_by: finds the releases that could have printed the dump.
    """

    def __init__(  # noqa: PLR0913 - a dump has this many parts
        self,
        devices: tuple[Device, ...],
        lines: tuple[int, ...] = (),
        source: str | None = None,
        outside: tuple[Line, ...] = (),
        text: str = "",
        printed_by: Callable[[Dump], Releases] = lambda _: Releases(),
    ) -> None:
        self.devices: Final = devices
        self.lines: Final = lines
        self.source: Final = source
        self.outside: Final = outside
        self.text: Final = text
        self._printed_by: Final = printed_by

    def __setattr__(self, name: str, value: object) -> None:
        if name in vars(self):
            raise AttributeError(f"a dump is read-only: {name}")
        super().__setattr__(name, value)

    def __eq__(self, other: object) -> bool:
        return self.devices == other.devices if isinstance(other, Dump) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.devices)

    def __repr__(self) -> str:
        return f"<Dump of {len(self)} devices>"

    def __str__(self) -> str:
        return self.text

    def __iter__(self) -> Iterator[Device]:
        return iter(self.devices)

    def __len__(self) -> int:
        return len(self.devices)

    def __contains__(self, slot: object) -> bool:
        return self._find(slot) is not None

    def __getitem__(self, slot: str | Address) -> Device:
        """Return the device at ``slot`` (``00:1c.5`` or ``0000:00:1c.5``).

        Raises:
            KeyError: no device of the dump has that address.
        """
        device = self._find(slot)
        if device is None:
            raise KeyError(str(slot))
        return device

    def _find(self, slot: object) -> Device | None:
        try:
            address = Address.parse(slot) if isinstance(slot, str) else slot
        except ValueError:
            return None
        return self._by_address.get(address) if isinstance(address, Address) else None

    @cached_property
    def _by_address(self) -> dict[Address, Device]:
        return {device.address: device for device in reversed(self.devices)}

    @cached_property
    def lspci(self) -> Releases:
        """The range of lspci releases that could have printed the dump."""
        return self._printed_by(self)

    @cached_property
    def unrecognised(self) -> tuple[Line, ...]:
        """Lines inside devices that no rule knows, with their numbers in the input."""
        return tuple(
            Line(first + line - 1, text)
            for first, device in zip(self.lines, self.devices, strict=True)
            for line, text in device.unrecognised
        )
