"""Policy ``p2p``: what keeps GPUs, NICs and NVMe disks from talking to each other directly.

One finding for each switch, and for each root complex, whose ports redirect; a verdict for single pairs on request.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lspci_parse.linux.acs import registers, unreadable
from lspci_parse.linux.peers import LEVELS, path, peers, redirects, unread
from lspci_parse.model.address import Address
from lspci_parse.model.display import listed, short
from lspci_parse.policies.acs_fix import at_boot, at_once
from lspci_parse.policies.group_remedies import READ_ALL
from lspci_parse.policies.model import Breach, Remedy
from lspci_parse.topology.tree import DOWNSTREAM, ROOT_PORT, UPSTREAM, BusKind, BusNumber, Topology

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lspci_parse.linux.peers import PeerPath

_Meeting: TypeAlias = Address | BusNumber

_GROUPS_GROW: Final = (
    "what is below these ports can reach each other past the IOMMU, and IOMMU groups grow at the next boot: no "
    "pass-through of single devices"
)
_ON_ITS_LIST: Final = "unless the CPU or the host bridge is on its list"


def p2p(tree: Topology) -> Iterator[Breach]:
    """Yield what redirects traffic between peers, one finding for each switch or root complex."""
    ways = _Ways(tree)
    yield from _hidden_ways(ways)
    for meeting, ports in ways.ports.items():
        yield from _unknown(tree, ports)
        redirecting = [port for port in ports if redirects(tree, port)]
        if redirecting:
            yield _redirecting(ways, meeting, redirecting)


def redirecting_ports(tree: Topology) -> list[Address]:
    """Return the ports of switches that redirect traffic between peers."""
    ways = _Ways(tree)
    return [
        port
        for meeting, ports in ways.ports.items()
        if isinstance(meeting, Address)
        for port in ports
        if redirects(tree, port)
    ]


def pair(tree: Topology, one: Address, other: Address) -> Breach:
    """Return what becomes of traffic between two devices: a remark, a warning, or not known."""
    way = path(tree, one, other)
    names = peers(tree)
    who = " and ".join(f"{names.get(device, 'device')} {short(device)}" for device in (one, other))
    title = f"{who}: {way.level}, {LEVELS[way.level]}"
    if way.redirecting:
        title += f"; redirected at {listed(way.redirecting)}"
    devices = (one, other, *way.ports)
    remedies = (
        tuple(_remedies(tree, list(way.redirecting), [one, other])) if way.common and way.redirecting else ()
    )
    if way.unknown or way.level == "?":
        why = f"What {listed(way.unknown)} does cannot be read." if way.unknown else _nodes(way)
        return Breach(
            one, "warning", title, f"{_meeting_words(way)} {why}", devices, (READ_ALL,), known=False
        )
    blocked = bool(way.redirecting) and way.common is not None
    detail = f"{_meeting_words(way)} {_nodes(way)} {_verdict(way)}"
    return Breach(
        one, "warning" if blocked or way.level == "SYS" else "info", title, detail, devices, remedies
    )


def _meeting_words(way: PeerPath) -> str:
    where = f"at {short(way.common)}" if way.common is not None else "in the root complex"
    between = f", over {listed(way.ports)}" if way.ports else ""
    return f"Their ways meet {where}{between}."


def _nodes(way: PeerPath) -> str:
    if None in way.nodes or -1 in way.nodes:
        return "The dump does not tell the NUMA node of both."
    return (
        f"NUMA nodes {way.nodes[0]} and {way.nodes[1]}."
        if way.nodes[0] != way.nodes[1]
        else (f"Both are on NUMA node {way.nodes[0]}.")
    )


def _verdict(way: PeerPath) -> str:
    """Say what Linux's P2PDMA and NVIDIA's peer memory do with a pair (``calc_map_type_and_dist``)."""
    if way.common is not None and not way.redirecting:
        return "Linux's P2PDMA and NVIDIA's nvidia-peermem use the direct way: traffic turns round in the switch."
    if way.common is not None:
        return (
            f"Traffic goes up to the root complex. Linux's P2PDMA refuses the pair, {_ON_ITS_LIST}; nvidia-peermem "
            "does not look, and is as slow as the way, or fails where the IOMMU translates."
        )
    return (
        f"Traffic goes through the host bridge in any case. Linux's P2PDMA refuses the pair, {_ON_ITS_LIST}; "
        "nvidia-peermem works, slower than below a switch"
        f"{', and across sockets slower still' if way.level == 'SYS' else ''}."
    )


class _Ways:
    """The ways between peers.

    Attributes:
        tree: the devices.
        peers: GPUs, NICs and the like, with what they are.
        below: the peers below each bridge and on each root bus, in order.
        ports: the ports between peers, by the switch or root bus where the ways meet.
    """

    def __init__(self, tree: Topology) -> None:
        self.tree = tree
        self.peers = peers(tree)
        self.below: dict[_Meeting, list[Address]] = {}
        for address in self.peers:
            places: tuple[_Meeting, ...] = (*tree.ancestors(address), tree.root(address).number)
            for place in places:
                self.below.setdefault(place, []).append(address)
        self.ports: dict[_Meeting, list[Address]] = {}
        for port in sorted(above for above in self.below if isinstance(above, Address)):
            meeting = self._meeting(port)
            if meeting is not None and _is_port(tree, port):
                self.ports.setdefault(meeting, []).append(port)

    def _meeting(self, port: Address) -> _Meeting | None:
        """Return where the peers below a port meet others: the topmost switch, or the root bus."""
        switches = [
            above for above in self.tree.ancestors(port) if self.tree.devices[above].port_type == UPSTREAM
        ]
        places: list[_Meeting] = [*switches[-1:], self.tree.root(port).number]
        return next((place for place in places if len(self.below[place]) > len(self.below[port])), None)

    def listed(self, devices: Iterable[Address], count: int) -> str:
        """Name the first few of ``count`` peers."""
        shown = [f"{self.peers[device]} {short(device)}" for device in islice(devices, 4)]
        return ", ".join(shown) + (f" and {count - 4} more" if count > 4 else "")


def _is_port(tree: Topology, address: Address) -> bool:
    return tree.devices[address].port_type in (ROOT_PORT, DOWNSTREAM) or bool(
        unreadable(tree.devices[address])
    )


def _hidden_ways(ways: _Ways) -> Iterator[Breach]:
    """Tell of peers whose ways up the dump does not show: it is plain, or holds a part of the host."""
    hidden = [peer for peer in ways.peers if ways.tree.root(peer).kind is BusKind.UNKNOWN]
    if hidden and len(ways.peers) > 1:
        yield Breach(
            hidden[0],
            "warning",
            f"whether traffic of {ways.listed(hidden, len(hidden))} is redirected cannot be told",
            f"The bridge above {short(hidden[0])} is not in the dump, or its buses are not printed.",
            tuple(hidden),
            (READ_ALL,),
            known=False,
        )


def _unknown(tree: Topology, ports: list[Address]) -> Iterator[Breach]:
    hidden = [(port, reason) for port in ports if (reason := unread(tree, port))]
    if hidden:
        yield Breach(
            hidden[0][0],
            "warning",
            f"whether {len(hidden)} ports redirect peer-to-peer traffic cannot be told",
            f"{short(hidden[0][0])}: {hidden[0][1]}.",
            tuple(port for port, _ in hidden),
            (READ_ALL,),
            known=False,
        )


def _redirecting(ways: _Ways, meeting: _Meeting, ports: list[Address]) -> Breach:
    tree, all_ = ways.tree, ways.below[meeting]
    switch = isinstance(meeting, Address)
    where = f"the switch at {short(meeting)}" if isinstance(meeting, Address) else "the root complex"
    below = dict.fromkeys(peer for port in ports for peer in ways.below[port])
    rest = [peer for peer in all_ if peer not in below]
    between = (
        f"between {ways.listed(below, len(below))} below and {ways.listed(rest, len(rest))}"
        if rest
        else f"among {ways.listed(below, len(below))}"
    )
    detail = (
        f"Traffic {between}, which could meet in {where}, goes up to the "
        f"{'root complex' if switch else 'IOMMU'} first. {_flags_by_port(tree, ports)} "
    )
    if switch:
        detail += f"Linux's own peer-to-peer transfers (P2PDMA) refuse such a pair, {_ON_ITS_LIST}."
    else:
        detail += "Between root ports Linux allows it on host bridges that it knows only, whatever ACS says."
    source = "where SrcValid alone is on, as NVIDIA's guide looks for, nothing is redirected"
    return Breach(
        ports[0],
        "warning" if switch else "info",
        f"{where} redirects peer-to-peer traffic at {listed(ports)}",
        f"{detail} ({source[0].upper()}{source[1:]}.)",
        (*ports, *(peer for peer in all_ if peer in below)),
        # Between root ports redirection costs nothing: the way leads through the root complex anyhow.
        tuple(_remedies(tree, ports, list(below))) if switch else (),
    )


def _flags_by_port(tree: Topology, ports: list[Address]) -> str:
    found: dict[str, list[Address]] = {}
    for port in ports:
        found.setdefault(" ".join(redirects(tree, port)), []).append(port)
    return "; ".join(f"{flags} on at {listed(where)}" for flags, where in found.items()) + "."


def _middle_way(capable: Mapping[str, Any]) -> str:
    """Return the flags of ``config_acs`` that keep the isolation and let translated requests pass.

    They stand from DirectTrans to SrcValid. ``x`` is the firmware's value and not Linux's (``__pci_config_acs``), so
    each flag that isolates is named, as far as the port has it.
    """
    order = ("UpstreamFwd", "CmpltRedir", "ReqRedir", None, "SrcValid")
    return "1x" + "".join("1" if name is not None and capable.get(name) else "x" for name in order)


def _remedies(tree: Topology, ports: list[Address], devices: list[Address]) -> Iterator[Remedy]:
    able = [port for port in ports if registers(tree.devices[port].capability("acs"))[0].get("DirectTrans")]
    if able and any(tree.devices[device].capability("ats") is not None for device in devices):
        capable, _ = registers(tree.devices[able[0]].capability("acs"))
        more = f", and each other of {listed(able)} likewise" if len(able) > 1 else ""
        yield Remedy(
            f"keep the isolation and let translated requests pass: ATS on the devices, and DirectTrans on the ports "
            f"(pci=config_acs={_middle_way(capable)}@{able[0]}{more}, Linux 6.12 and newer)",
            "drivers must use ATS for it; a device that lies about translated addresses is not held back; vendors "
            "publish values for their platforms",
        )
    yield Remedy(
        f"boot with {at_boot(ports)} (all ports between these peers; a ';' wants quotes in GRUB's files)",
        f"{_GROUPS_GROW}; from Linux 6.11 on SrcValid and UpstreamFwd go off with it",
    )
    yield Remedy(
        f"at once: {'; '.join(at_once(tree, ports))}",
        "lost at boot, at resume, at a function's reset and, from Linux 7.0, when a driver binds; groups that were "
        "made at boot do not show it",
    )
