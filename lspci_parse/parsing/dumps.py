"""Devices in the order printed: where one output of lspci ends and the next begins, and their places."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from lspci_parse.model.fields import Register

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lspci_parse.model.address import Address
    from lspci_parse.model.device import Device
    from lspci_parse.model.fields import Line

    Found = tuple[int, Device]
    """A device and the number of its first line."""

_MAX_BUSES: Final = 1 << 16


def split_dumps(found: Sequence[Found], between: Sequence[Line]) -> Iterator[Sequence[Found]]:
    """Yield the devices of each output: a new one begins where an address comes again.

    Where other lines stand somewhere between the two (a prompt, a command), it begins behind the last of them.

    Args:
        found: devices in the order printed.
        between: lines that are neither a device's nor lspci's, in the order of their numbers.
    """
    keys = [device.slot if "/" in device.slot else device.address for _, device in found]
    if len(set(keys)) == len(keys):
        yield found
        return
    numbers = [line.line for line in between]
    start = broken = 0
    seen: set[Address | str] = set()
    for at, key in enumerate(keys):
        if at and bisect_left(numbers, found[at - 1][0]) < bisect_left(numbers, found[at][0]):
            broken = at
        if key in seen:
            end = broken if broken > start and key not in keys[broken:at] else at
            yield found[start:end]
            start, seen = end, set(keys[end:at])
        seen.add(key)
    yield found[start:]


def placed(devices: Sequence[Device]) -> tuple[Device, ...]:
    """Return the devices of one output, each at its bus.

    ``lspci -P`` prints the path to a device (``00:1c.0/00.0``) and not its bus: that is the secondary bus of the
    bridge above, where the bridge's ``Bus:`` line was printed (``-v``). Else the bus is that of the path's root.
    """
    if not any("/" in device.slot for device in devices):
        return tuple(devices)
    buses: dict[str, int] = {}
    for device in devices:
        place(device, buses)
    return tuple(place(device, buses) for device in devices)


def place(device: Device, buses: dict[str, int]) -> Device:
    """Return the device at the bus below the bridge that its path names, and note the bus below it."""
    bus = device.registers.get("Bus")
    secondary = bus.get("secondary") if isinstance(bus, Register) else None
    if isinstance(secondary, int):
        if len(buses) >= _MAX_BUSES:
            buses.clear()
        buses[device.slot] = secondary
    parent, _, last = device.slot.rpartition("/")
    if ":" in last or parent not in buses:
        return device
    return device._replace(address=device.address._replace(bus=buses[parent]))
