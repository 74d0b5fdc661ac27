"""How findings speak of devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lspci_parse.model.address import Address
    from lspci_parse.model.device import Device


def short(address: Address) -> str:
    """Return ``00:1c.5``, with the domain where it is not 0."""
    return address.slot if address.domain == 0 else str(address)


def kind(device: Device) -> str:
    """Return what a device is in a few words: its port type, else its class."""
    if device.is_bridge and device.port_type:
        return device.port_type
    return device.class_.name or f"class {device.class_.id}"


def named(device: Device) -> str:
    """Return ``00:1c.5 (Root Port)``."""
    return f"{short(device.address)} ({kind(device)})"


def counted(number: int, noun: str) -> str:
    """Return ``1 device``, ``2 devices``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(addresses: Iterable[Address], most: int = 8) -> str:
    """Return ``00:1c.0, 00:1c.5 and 2 more``."""
    slots = [short(address) for address in sorted(addresses)]
    if len(slots) > most:
        return f"{', '.join(slots[:most])} and {len(slots) - most} more"
    return " and ".join(filter(None, (", ".join(slots[:-1]), slots[-1]))) if slots else "none"


def said(value: Any) -> str:
    """Write a value for people: ``on``, ``not there``, ``4096``."""
    if value is None:
        return "not there"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Mapping):
        return " ".join(f"{name}={said(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return " | ".join(said(item) for item in value)
    return str(value)
