"""The tree: Dump -> Device -> Capability -> Register -> value.

Everything here is immutable, so equal pieces of text share one object. Equality is meaning: two devices are
equal when they say the same thing, whatever line or spelling said it. ``str()`` of a dump or a device is the
text it was read from.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from lspci_parse.errors import LspciError
from lspci_parse.model.address import Address
from lspci_parse.model.fields import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lspci_parse.model.device import Device


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
        self.printed_by: Final = printed_by

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
        return self.printed_by(self)

    @cached_property
    def unrecognised(self) -> tuple[Line, ...]:
        """Lines inside devices that no rule knows, with their numbers in the input."""
        return tuple(
            Line(first + line - 1, text)
            for first, device in zip(self.lines, self.devices, strict=True)
            for line, text in device.unrecognised
        )


def find(dump: Dump, device: str) -> Address:
    """Return the address of a device that a user named.

    Raises:
        LspciError: it is no address, or the dump has no such device; near ones are named.
    """
    try:
        address = Address.parse(device)
    except ValueError:
        raise LspciError(f"{device!r} is no address; expected such as 31:00.0") from None
    if address in dump:
        return address
    near = [str(one.address) for one in dump if one.address[:2] == address[:2]]
    near = near or get_close_matches(str(address), [str(one.address) for one in dump], 3, 0.8)
    hint = f"; near it are {', '.join(near[:3])}" if near else ""
    raise LspciError(f"the dump has no device {address}{hint}", dump.source)
