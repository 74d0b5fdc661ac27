"""Several outputs of lspci in one text: those that complete each other are one host."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import starmap
from typing import TYPE_CHECKING, Any, Final

from lspci_parse.model.device import Ids, NamedId
from lspci_parse.model.dump import Dump
from lspci_parse.model.fields import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lspci_parse.model.address import Address
    from lspci_parse.model.device import Device

    Found = tuple[Device, int]
    """A device and the number of its first line."""

_ADDED: Final = (
    "prog_if", "driver", "modules", "iommu_group", "numa_node", "physical_slot", "label", "subsystem", "config"
)  # fmt: skip
"""What one output may say of a device and another leaves out."""


def joined(dumps: Sequence[Dump]) -> tuple[Dump, ...]:
    """Return the hosts, or the times, that the outputs of one text show, in the order printed.

    Outputs of different devices are one host's (``lspci -s A``, ``lspci -s B``). So are two of the same device where
    one adds to the other, such as a list and the device in full, or its hex dump. Where they contradict each other
    a second host begins.

    Args:
        dumps: what ``parse_all`` returned.
    """
    hosts: list[dict[Address, Found]] = []
    for dump in dumps:
        devices = {device.address: (device, at) for device, at in zip(dump.devices, dump.lines, strict=True)}
        last = hosts[-1] if hosts else {}
        shared = last.keys() & devices.keys()
        if not hosts or not all(_agree(last[address][0], devices[address][0]) for address in shared):
            hosts.append(devices)
        else:
            last.update(
                {
                    address: _merged(last[address], found) if address in shared else found
                    for address, found in devices.items()
                }
            )
    return tuple(dumps) if len(hosts) == len(dumps) else tuple(_dump(host, dumps[0]) for host in hosts)


def newest(hosts: Sequence[Dump]) -> Dump:
    """Return the last of several hosts, of those that were printed in the greatest detail."""
    return max(enumerate(hosts), key=lambda host: (_depth(host[1]), host[0]))[1]


def _depth(dump: Dump) -> int:
    """Return 0 for a list, 1 for the output of ``-v``, 2 for more."""
    if any("Control" in device.registers for device in dump):
        return 2
    return int(any(device.registers or device.capabilities for device in dump))


def _dump(host: dict[Address, Found], like: Dump) -> Dump:
    devices, lines = zip(*host.values(), strict=True)
    return Dump(devices, lines, like.source, like.outside, like.text, like.printed_by)


def _agree(a: Device, b: Device) -> bool:
    """Whether two outputs may show one device at one time."""
    alike = a.name == b.name or "" in (a.name, b.name) or None not in (*a.ids[:2], *b.ids[:2])
    known = (*zip(a.ids, b.ids, strict=True), *zip(a.class_, b.class_, strict=True), (a.prog_if, b.prog_if))
    if not alike or a.revision != b.revision or not all(starmap(_same, known)):
        return False
    if not all(_same(getattr(a, name) or None, getattr(b, name) or None) for name in _ADDED):
        return False
    if a.registers and a.registers.keys() == b.registers.keys() and a.driver != b.driver:
        return False  # both were printed in the same detail
    return _consistent(a.registers, b.registers) and _consistent(
        dict(a.capability_paths()), dict(b.capability_paths())
    )


def _same(a: Any, b: Any) -> bool:
    return a == b or None in (a, b)


def _consistent(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether what both hold is the same."""
    for name in a.keys() & b.keys():
        one, other = a[name], b[name]
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            if not _consistent(one, other):
                return False
        elif one != other:
            return False
    return True


def _merged(one: Found, other: Found) -> Found:
    """Return the device that says more, with what only the other says."""
    (less, less_at), (more, at) = sorted((other, one), key=_detail)
    added = {name: getattr(more, name) or getattr(less, name) for name in _ADDED if name != "numa_node"}
    added |= {
        name: value if (value := getattr(more, name)) is not None else getattr(less, name)
        for name in ("numa_node", "iommu_group")
    }
    ids = Ids(*(a or b for a, b in zip(more.ids, less.ids, strict=True)))
    class_ = NamedId(*(a or b for a, b in zip(more.class_, less.class_, strict=True)))
    unread = tuple(Line(line + less_at - at, text) for line, text in less.unrecognised)
    name = more.name or less.name
    return more._replace(
        name=name, ids=ids, class_=class_, unrecognised=(*unread, *more.unrecognised), **added
    ), at


def _detail(found: Found) -> tuple[int, int, int]:
    device, _ = found
    return len(device.capabilities), len(device.registers), -len(device.config)
