"""The machine as a picture: root complexes, ports, switches and devices, as data for the page's template."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lspci_parse.errors import LspciError
from lspci_parse.linux.groups.prediction import groups, isolation_of
from lspci_parse.model.display import kind, short
from lspci_parse.topology.links import ABOVE, asleep, link
from lspci_parse.topology.tree import DOWNSTREAM, ROOT_PORT, Topology, topology

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lspci_parse.evidence.host import Host
    from lspci_parse.findings.report import Comparison
    from lspci_parse.linux.acs import Isolation
    from lspci_parse.model.address import Address
    from lspci_parse.model.device import Device

_PALETTE = 8
"""Colours that groups have in turn; the number beside tells those of one colour apart."""


class Node(NamedTuple):
    """One function as the page draws it.

    Attributes:
        slot: its address, short.
        what: what it is, such as ``Root Port``.
        name: its name as printed.
        driver: the bound driver, empty if none.
        link: the link to it, such as ``8GT/s x16``; empty if none.
        lanes: lanes of that link, for the width of the line.
        slow: the link is narrower or slower than its ends can, and the device is awake.
        acs: ``on``, ``off``, ``none`` or ``unknown``; empty where ACS has no meaning.
        acs_words: the same in words.
        group: the number of its IOMMU group, empty if not known; ``colour`` goes with it, from 1; 0 for a group of one.
        severity: the worst finding about it, empty if none.
        marks: what became of it, of two hosts: ``missing``, ``new``, ``moved`` ...
        children: what hangs below.
    """

    slot: str
    what: str
    name: str
    driver: str
    link: str
    lanes: int
    slow: bool
    acs: str
    acs_words: str
    group: str
    colour: int
    severity: str
    marks: tuple[str, ...]
    children: tuple[Node, ...]


class Board(NamedTuple):
    """One host: its root complexes by NUMA node, and how many devices it has."""

    label: str
    source: str
    devices: int
    nodes: tuple[tuple[str, tuple[tuple[str, tuple[Node, ...]], ...]], ...]
    groups: tuple[str, ...]


def board(label: str, host: Host, comparison: Comparison | None, *, side: str) -> Board:
    """Return the picture of a host.

    Args:
        label: what the page calls it: ``A``, ``B`` or empty for one host alone.
        host: the host.
        comparison: what was found, for marks and colours.
        side: ``a`` or ``b``: whose addresses findings are looked up by.
    """
    maker = _Maker(host, comparison, side)
    tree = maker.tree
    nodes: dict[str, list[tuple[str, tuple[Node, ...]]]] = {}
    for bus in tree.buses.values():
        if tree.parent(bus.devices[0]) is not None:
            continue
        numbers = [n for address in bus.devices if (n := tree.devices[address].numa_node) is not None]
        node = f"NUMA node {min(numbers)}" if numbers else ""
        top = tuple(maker.node(address) for address in bus.devices)
        nodes.setdefault(node, []).append((str(bus.number), top))
    ordered = tuple((name, tuple(buses)) for name, buses in sorted(nodes.items()))
    return Board(
        label, host.source, len(host.dump), ordered, tuple(sorted(maker.names.values(), key=_number))
    )


def _number(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isdecimal() else (1 << 30, text)


_MARKS = {
    "device-missing": "missing",
    "device-new": "new",
    "device-moved": "moved",
    "device-replaced": "replaced",
    "device-dead": "dead",
    "not-answering": "dead",
    "link-degraded": "degraded",
    "link-narrow": "degraded",
    "acs-lost": "lost ACS",
    "acs-off": "ACS off",
    "acs-gained": "gained ACS",
    "driver-missing": "no driver",
    "capability-lost": "lost a capability",
}


class _Maker:
    def __init__(self, host: Host, comparison: Comparison | None, side: str) -> None:
        self.tree: Topology = topology(host.dump)
        self.isolation: Isolation = isolation_of(host)
        self.names = _groups(host)
        shared: dict[str, int] = {}
        for name in self.names.values():
            shared[name] = shared.get(name, 0) + 1
        several = [name for name, count in shared.items() if count > 1]
        self.colours = {name: number % _PALETTE + 1 for number, name in enumerate(several)}
        self.severity: dict[Address, str] = {}
        self.marks: dict[Address, dict[str, None]] = {}
        for finding in comparison.findings if comparison is not None else ():
            address = finding.a if side == "a" else finding.b
            for device in filter(None, (address, *(finding.devices if side == "b" else ()))):
                if device == address or finding.rule == "device-missing":
                    self.severity.setdefault(device, finding.severity)
                if device == address and finding.rule in _MARKS:
                    self.marks.setdefault(device, {})[_MARKS[finding.rule]] = None

    def node(self, address: Address) -> Node:
        device = self.tree.devices[address]
        state, words = self._acs(device)
        now = None if device.port_type in ABOVE else link(device, "LnkSta")
        group = self.names.get(address, "")
        return Node(
            short(address), kind(device), device.name, device.driver or "",
            "" if now is None else str(now), 0 if now is None else now.width, self._slow(device), state, words,
            group, self.colours.get(group, 0), self.severity.get(address, ""), tuple(self.marks.get(address, ())),
            tuple(self.node(child) for child in self.tree.children(address)),
        )  # fmt: skip

    def _acs(self, device: Device) -> tuple[str, str]:
        verdict = self.isolation[device.address]
        if device.port_type not in (ROOT_PORT, DOWNSTREAM):
            return "", ""
        if verdict.isolated is None:
            return "unknown", verdict.summary
        if verdict.isolated:
            return "on", verdict.summary
        return ("off" if verdict.present else "none"), verdict.summary

    def _slow(self, device: Device) -> bool:
        now, able = link(device, "LnkSta"), link(device, "LnkCap")
        upper = self.tree.parent(device.address)
        above = None if upper is None else link(self.tree.devices[upper], "LnkCap")
        if now is None or able is None or above is None or device.port_type in ABOVE or asleep(device):
            return False
        return now.width < min(able.width, above.width) or now.speed < min(able.speed, above.speed)


def _groups(host: Host) -> Mapping[Address, str]:
    """Return the number of each function's group: the kernel's, else its place in the prediction."""
    if host.recorded:
        return {address: str(number) for address, number in host.recorded.items()}
    try:
        found = groups(host)
    except LspciError:
        return {}
    return {address: str(index) for address, index in (found.with_iommu or found).number.items()}
