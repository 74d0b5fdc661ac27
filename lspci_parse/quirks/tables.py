"""The tables of ``data/``: ACS quirks, DMA alias quirks, and names for dumps that print no ids.

A dump without ids (lspci without ``-nn``) shows names only; devices are then told by their names in pci.ids.
"""

from __future__ import annotations

import re
import struct
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from lspci_parse.topology import DOWNSTREAM, INTEGRATED, ROOT_PORT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lspci_parse.model import Address, Device
    from lspci_parse.quirks.kernel import Kernel

_DATA: Final = Path(__file__).parent.with_name("data")
_PORTS: Final = {"root": ROOT_PORT, "downstream": DOWNSTREAM, "integrated": INTEGRATED}
_UNNAMED: Final = re.compile(r"(?P<vendor>.+) Device (?P<device>[0-9a-f]{4})")
_NUMBER: Final = re.compile(r" #?\d+$")
_VMD: Final = frozenset({"201d", "28c0", "467f", "4c3d", "7d0b", "9a0b", "a77f", "ad0b"})


def table(name: str) -> Iterator[list[str]]:
    """Yield the rows of one of the package's tables, without comments and head line; ``-`` is an empty field."""
    text = (_DATA / f"{name}.tsv").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    next(lines)
    for line in lines:
        yield ["" if field == "-" else field for field in line.split("\t")]


class Identity(NamedTuple):
    """What is known of a device's vendor and device number.

    Attributes:
        vendors: the vendor's ids; several where vendors share a name; none where it is not known.
        device: four hex digits, or ``None`` where only ``name`` is known.
        name: the name as printed, vendor first.
    """

    vendors: tuple[str, ...]
    device: str | None
    name: str


def identify(device: Device) -> Identity:
    """Return the ids of a device, from hex dump or name where need be (``Intel Corporation Device a195``)."""
    if device.ids.vendor is not None and device.ids.device is not None:
        return Identity((device.ids.vendor,), device.ids.device, device.name)
    # A virtual function answers with ffff here.
    if len(device.config) >= 4 and device.config[:2] != b"\xff\xff":
        vendor, number = struct.unpack_from("<HH", device.config)
        return Identity((f"{vendor:04x}",), f"{number:04x}", device.name)
    return _named(device.name)


@lru_cache(1 << 12)
def _named(name: str) -> Identity:
    match = _UNNAMED.fullmatch(name)
    if match is not None:
        return Identity(_vendors().get(match["vendor"], ()), match["device"], name)
    return Identity(_vendor_of(name), None, name)


@cache
def _vendors() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for vendor, names in table("vendors"):
        for name in names.split("; "):
            found[name] = (*found.get(name, ()), vendor)
    return found


def _vendor_of(name: str) -> tuple[str, ...]:
    """Find the vendor whose name ``name`` begins with; the longest counts."""
    words = name.split(" ")
    for count in range(len(words) - 1, 0, -1):
        found = _vendors().get(" ".join(words[:count]))
        if found is not None:
            return found
    return ()


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
    for vendor, devices, rule, ports, since, absent, function, names in table("acs-quirks"):
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
    for vendor, devices, effect, subsystems, names in table("dma-alias-quirks"):
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


@cache
def class_ids() -> dict[str, str]:
    """Return class ids (two or four hex digits) by class name in small letters."""
    return {name.lower(): number for number, name in table("classes")}


def class_id(device: Device) -> str:
    """Return a device's class as four hex digits (``0604``), from its name if need be; empty if not known."""
    if device.class_.id is not None:
        return device.class_.id
    found = class_ids().get((device.class_.name or "").lower(), "")
    return found if len(found) != 2 else f"{found}00"


def is_vmd(device: Device) -> bool:
    """Tell an Intel Volume Management Device (its ids: pci.ids and the kernel's vmd driver)."""
    if device.driver == "vmd" or "Volume Management Device" in device.name:
        return True
    return device.ids.vendor == "8086" and device.ids.device in _VMD
