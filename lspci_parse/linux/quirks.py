"""The tables of ``data/``: ACS quirks, DMA alias quirks, and names for dumps that print no ids.

A dump without ids (lspci without ``-nn``) shows names only; devices are then told by their names in pci.ids.
"""

from __future__ import annotations

import re
import struct
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from lspci_parse.lspci.pci_ids import Identity, _vendors, identify, table
from lspci_parse.topology.tree import DOWNSTREAM, INTEGRATED, ROOT_PORT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lspci_parse.linux.kernel import Kernel
    from lspci_parse.model.address import Address
    from lspci_parse.model.device import Device
_PORTS: Final = {"root": ROOT_PORT, "downstream": DOWNSTREAM, "integrated": INTEGRATED}
_NUMBER: Final = re.compile(r" #?\d+$")


class Target(NamedTuple):
    """The devices that a row of either table is about.

    Attributes:
        vendor: four hex digits.
        devices: device numbers; ``None`` for all of the vendor.
        names: names in pci.ids, vendor first and without a port's number.
        shared: those of ``names`` that devices outside the row have too.
    """

    vendor: str
    devices: frozenset[int] | None
    names: frozenset[str]
    shared: frozenset[str]

    def match(self, identity: Identity) -> str | None:
        """Return how a device is known as one of the row: ``id``, ``name`` or ``shared name``; else ``None``."""
        if self.vendor not in identity.vendors:
            return None
        if identity.device is not None:
            return "id" if self.devices is None or int(identity.device, 16) in self.devices else None
        if self.devices is None:
            return "name"
        for name in (identity.name, _NUMBER.sub("", identity.name)):
            if name in self.names:
                return "shared name" if name in self.shared else "name"
        return None


class AcsQuirk(NamedTuple):
    """A row of ``acs-quirks.tsv``.

    Attributes:
        target: the devices it is about.
        rule: ``isolated``, ``denied``, ``amd-southbridge``, ``intel-pch``, ``intel-spt`` or ``no-srcvalid``.
        ports: Express port types it holds for; empty for any function, also conventional ones.
        since: oldest release seen with it.
        absent: newest older release seen without it, or ``None``.
        function: the kernel function that decides.
    """

    target: Target
    rule: str
    ports: frozenset[str]
    since: tuple[int, int]
    absent: tuple[int, int] | None
    function: str

    @property
    def since_text(self) -> str:
        """``since`` as a release is written."""
        return f"{self.since[0]}.{self.since[1]}"

    def holds(self, kernel: Kernel) -> bool:
        """Tell whether ``kernel`` has the row; between the bounds known, or by a fix, it is taken to have it."""
        return self.absent is None or kernel.version > self.absent or kernel.maintained

    def certain(self, kernel: Kernel) -> bool:
        """Tell whether the bounds known say so; older stable releases may have a row earlier."""
        return kernel.version >= self.since


class AliasQuirk(NamedTuple):
    """A row of ``dma-alias-quirks.tsv``.

    Attributes:
        target: the devices it is about.
        effect: see the table's head.
        subsystems: pairs of subsystem ids it holds for; empty for all.
    """

    target: Target
    effect: str
    subsystems: frozenset[str]

    def functions(self, address: Address) -> frozenset[tuple[int, int]]:
        """Return device and function numbers, on the bus of ``address``, whose id its DMA may bear."""
        kind, _, value = self.effect.partition(":")
        if kind == "function":
            return frozenset({(address.device, int(value))} - {address[2:]})
        if kind == "devfn":
            pairs = (text.split(".") for text in value.split(","))
            return frozenset((int(device, 16), int(function)) for device, function in pairs)
        if kind in ("slots", "bus"):
            return frozenset((device, f) for device in range(32) for f in range(int(value or 8)))
        return frozenset()


_Row = TypeVar("_Row", AcsQuirk, AliasQuirk)


def _target(vendor: str, devices: str, names: str) -> Target:
    numbers: set[int] = set()
    for part in devices.split(",") if devices != "any" else ():
        first, _, last = part.partition("-")
        numbers |= set(range(int(first, 16), int(last or first, 16) + 1))
    prefixes = [name for name, ids in _vendors().items() if vendor in ids]
    plain = [name for name in names.split("; ") if name]
    full = frozenset(f"{prefix} {name.rstrip('?')}" for prefix in prefixes for name in plain)
    shared = frozenset(f"{prefix} {name[:-1]}" for prefix in prefixes for name in plain if name.endswith("?"))
    return Target(vendor, None if devices == "any" else frozenset(numbers), full, shared)


def _version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)


@cache
def acs_quirks() -> dict[str, tuple[AcsQuirk, ...]]:
    """Return the ACS quirks by vendor, in the order in which the kernel looks at them."""
    found: dict[str, tuple[AcsQuirk, ...]] = {}
    for vendor, devices, rule, ports, since, absent, function, names in table("linux/acs-quirks"):
        types = frozenset(_PORTS[port] for port in ports.split(",") if port != "any")
        bounds = _version(since), _version(absent) if absent else None
        row = AcsQuirk(_target(vendor, devices, names), rule, types, *bounds, function)
        found[vendor] = (*found.get(vendor, ()), row)
    return found


@lru_cache(1 << 12)
def acs_rows(identity: Identity) -> tuple[tuple[AcsQuirk, str], ...]:
    """Return the ACS quirks that are about a device, and how it is known as one of each (``Target.match``)."""
    return tuple(_about(identity, acs_quirks()))


@lru_cache(1 << 12)
def _alias_rows(identity: Identity) -> tuple[tuple[AliasQuirk, str], ...]:
    return tuple(_about(identity, _alias_quirks()))


def _about(identity: Identity, rows: Mapping[str, Iterable[_Row]]) -> Iterator[tuple[_Row, str]]:
    for vendor in identity.vendors:
        for row in rows.get(vendor, ()):
            how = row.target.match(identity)
            if how is not None:
                yield row, how


@cache
def _alias_quirks() -> dict[str, tuple[AliasQuirk, ...]]:
    found: dict[str, tuple[AliasQuirk, ...]] = {}
    for vendor, devices, effect, subsystems, names in table("linux/dma-alias-quirks"):
        row = AliasQuirk(_target(vendor, devices, names), effect, frozenset(subsystems.split(",")) - {""})
        found[vendor] = (*found.get(vendor, ()), row)
    return found


def alias_quirk(device: Device) -> tuple[AliasQuirk, bool] | None:
    """Return the DMA alias quirk of a device, and whether it surely has it; ``None`` if it has none."""
    for row, how in _alias_rows(identify(device)):
        subsystem = _subsystem(device) if row.subsystems else None
        if subsystem is None or subsystem in row.subsystems:
            return row, how != "shared name" and (subsystem is not None or not row.subsystems)
    return None


def _subsystem(device: Device) -> str | None:
    if device.ids.subvendor is not None and device.ids.subdevice is not None:
        return f"{device.ids.subvendor}:{device.ids.subdevice}"
    if len(device.config) >= 0x30:
        vendor, number = struct.unpack_from("<HH", device.config, 0x2C)
        return f"{vendor:04x}:{number:04x}"
    return None
