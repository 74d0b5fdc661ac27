"""PCI Express links: what a link register says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from lspci_parse.model.device import Device

ABOVE: Final = ("Root Port", "Downstream Port", "PCI/PCI-X to PCI-Express Bridge")
"""Express types whose link is the one below them (PCI Express Base Specification 7.5.3.2)."""


class Link(NamedTuple):
    """Speed in GT/s and width in lanes."""

    speed: float
    width: int

    def __str__(self) -> str:
        return f"{self.speed:g}GT/s x{self.width}"


def asleep(device: Device) -> bool:
    """Whether a device is in a low-power state, in which links slow down and interrupts may be off."""
    power = device.capability("pm")
    return power is not None and power.get("Status", {}).get("State", "D0") != "D0"


def link(device: Device, register: str) -> Link | None:
    """Return what ``LnkSta`` (the link as it runs) or ``LnkCap`` (what this end can do) says.

    ``None`` where the device has no such register, or no speed or width in it: a port without a card says x0.
    """
    express = device.capability("exp")
    fields = None if express is None else express.get(register)
    if fields is None:
        return None
    speed = re.match(r"[\d.]+", fields.get("Speed", ""))
    if speed is None or not fields.get("Width"):
        return None
    return Link(float(speed[0]), fields["Width"])
