"""The tables of ``data/``: ACS quirks, DMA alias quirks, and names for dumps that print no ids.

A dump without ids (lspci without ``-nn``) shows names only; devices are then told by their names in pci.ids.
"""

from __future__ import annotations

import re
import struct
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from lspci_parse.lspci.package_data import package_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.model.device import Device

_UNNAMED: Final = re.compile(r"(?P<vendor>.+) Device (?P<device>[0-9a-f]{4})")
_VMD: Final = frozenset({"201d", "28c0", "467f", "4c3d", "7d0b", "9a0b", "a77f", "ad0b"})


def table(name: str) -> Iterator[list[str]]:
    """Yield the rows of one of the package's tables, without comments and head line; ``-`` is an empty field."""
    text = package_data(f"{name}.tsv").decode()
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
    for vendor, names in table("lspci/vendors"):
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


@cache
def class_ids() -> dict[str, str]:
    """Return class ids (two or four hex digits) by class name in small letters."""
    return {name.lower(): number for number, name in table("lspci/classes")}


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


def is_amd_iommu(device: Device) -> bool:
    """Tell the function of an AMD IOMMU (class 0806; virtio-iommu has that class, too)."""
    return class_id(device) == "0806" and bool({"1002", "1022"} & set(identify(device).vendors))
