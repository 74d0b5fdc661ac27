"""What a dump is able to show. A fact that a dump does not print is absent, or it is not known.

Not known: capabilities under ``<access denied>``, everything of a function that answers with all ones, registers
in a ``-v`` dump, fields that the release does not print, extended capabilities where extended configuration
space is unreadable on the whole host, and whatever follows the place where a text was cut off.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from lspci_parse.lspci.completeness import is_missing
from lspci_parse.lspci.releases import differs, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from lspci_parse.model.device import Device
    from lspci_parse.model.dump import Dump, Releases
    from lspci_parse.model.fields import Capability


class Detail(IntEnum):
    """How much lspci was asked for."""

    NAMES = 0
    """Plain ``lspci`` or ``-k``."""
    TITLES = 1
    """``-v``: a summary of the header, and the titles of capabilities."""
    REGISTERS = 2
    """``-vv`` and ``-vvv``."""


_EVERYWHERE: Final = frozenset(("address", "class", "name", "revision", "ids"))
_KERNEL: Final[dict[str, Callable[[Device], Any]]] = {
    "driver": lambda device: device.driver,
    "modules": lambda device: device.modules or None,
    "iommu_group": lambda device: device.iommu_group,
    "numa_node": lambda device: device.numa_node,
    "physical_slot": lambda device: device.physical_slot,
    "label": lambda device: device.label,
}
"""Facts that the kernel's sysfs adds. A dump in which no device has one was not able to show it."""


_SIZED: Final = re.compile(r"Region|Expansion ROM|.* behind bridge/")
"""Header lines whose size the kernel tells."""


class Visibility:
    """What one dump is able to show."""

    def __init__(self, dump: Dump) -> None:
        self.dump = dump
        self.detail = max((_detail(device) for device in dump), default=Detail.NAMES)

    @cached_property
    def releases(self) -> Releases:
        """The lspci releases that could have printed the dump."""
        return self.dump.lspci

    @cached_property
    def extended_readable(self) -> bool:
        """Whether extended configuration space (offset 0x100 and above) is readable on this host.

        Linux reads it through memory-mapped access that firmware describes in the MCFG table; without it no
        PCI Express function shows a capability there.
        """
        readable = [device for device in self.dump if device.capability("exp") is not None]
        return not readable or any(cap.extended for device in readable for cap in device.capabilities)

    @cached_property
    def access_denied(self) -> bool:
        """Whether lspci ran without the rights to read capabilities."""
        return any(device.access_denied for device in self.dump)

    @cached_property
    def _kernel_facts(self) -> frozenset[str]:
        found = {
            name for name, get in _KERNEL.items() if any(get(device) is not None for device in self.dump)
        }
        if any(
            "size" in value
            for device in self.dump
            for value in device.registers.values()
            if hasattr(value, "get")
        ):
            found.add("size")
        return frozenset(found)

    def knows_capability(self, device: Device, capability: Capability, other: Visibility) -> bool:
        """Whether ``device`` would show ``capability``, which ``other`` shows, had it one like it."""
        if device.access_denied or device.dead or device.cut or device.chain or self.detail < Detail.TITLES:
            return False
        if capability.extended and not self.extended_readable:
            return False
        if capability.kind == "unknown" or _holds_unread(device, capability):
            return False
        return self._prints(capability.kind, other)

    def knows(self, device: Device, path: str, other: Visibility) -> bool:
        """Whether ``device`` would show the fact at ``path``, which ``other`` shows, had it one.

        For a fact inside a capability this holds where the device has the capability.
        """
        top = path.partition("/")[0]
        if top in _EVERYWHERE:
            return True
        if device.dead or device.cut or path == "dsn/Serial" or _lost(device, path):
            return False
        if top in _KERNEL:
            return top in self._kernel_facts and not _resembles_unread(device, top)
        if path.endswith("/size") and _SIZED.match(path):
            return "size" in self._kernel_facts
        if top == "Flags":
            return self.detail == Detail.TITLES
        return self.detail >= Detail.REGISTERS and self._prints(path, other)

    def _prints(self, path: str, other: Visibility) -> bool:
        # Finding out the release takes a look at the whole text; most paths are the same in all of them.
        return not differs(path) or printable(path, self.releases, other.releases) is True


_TITLE: Final = re.compile(r"Capabilit|\[[0-9a-f]{2,3}(?: v\d+)?\]").search


def _holds_unread(device: Device, capability: Capability) -> bool:
    """Whether a capability may be one whose title was not read: it stands at the same place, or at none known."""
    unread = [other for other in device.capabilities if other.kind == "unknown" or not other.name]
    if any(other.offset in (None, capability.offset) for other in unread):
        return True
    known = {other.offset for other in device.capabilities}
    places = [found for _, text in device.unrecognised if (found := _TITLE(text))]
    return len(places) > len(unread) and capability.offset not in known


_LABELS: Final = {
    "driver": "Kernel driver in use",
    "modules": "Kernel modules",
    "iommu_group": "IOMMU group",
    "numa_node": "NUMA node",
    "physical_slot": "Physical Slot",
    "label": "DeviceName",
}
"""How lspci begins the lines of what sysfs adds."""


def _resembles_unread(device: Device, name: str) -> bool:
    """Whether a line that was not read may be the one that tells a fact: it begins like it, or lost its value."""
    label = _LABELS[name]
    if any(text.strip().startswith(label[:_ALIKE]) for _, text in device.unrecognised):
        return True
    lines = (line.strip() for line in device.text.split("\n") if line.lstrip().startswith(label[:5]))
    return any(f"{label}:".startswith(line) for line in lines)


_ALIKE: Final = 8
"""Characters by which the beginnings of these lines differ from those of others."""


def _lost(device: Device, path: str) -> bool:
    """Whether a fact may have stood in the part of a register that the text has lost."""
    top, *below = path.split("/")
    entries = dict(device.capability_paths()).get(top)
    return is_missing(device.registers, (top, *below)) if entries is None else is_missing(entries, below)


def _detail(device: Device) -> Detail:
    if "Control" in device.registers or "Status" in device.registers:
        return Detail.REGISTERS
    if device.registers or device.capabilities:
        return Detail.TITLES
    return Detail.NAMES
