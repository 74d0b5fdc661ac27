"""Devices that talk to each other directly: how near two of them are, and which ports send their traffic up.

The levels are those of ``nvidia-smi topo -m``, for any vendor. A port between two devices with ReqRedir, CmpltRedir or
EgressCtrl on sends their traffic up to the root complex (drivers/pci/p2pdma.c: ``pci_bridge_has_acs_redir``,
``calc_map_type_and_dist``).
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from lspci_parse.linux.acs import registers, unreadable
from lspci_parse.lspci.completeness import is_incomplete
from lspci_parse.lspci.pci_ids import class_id
from lspci_parse.topology.tree import DOWNSTREAM, ROOT_PORT, UPSTREAM, BusKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lspci_parse.model.address import Address
    from lspci_parse.topology.tree import Topology

Level: TypeAlias = Literal["PIX", "PXB", "PHB", "NODE", "SYS", "?"]
LEVELS: Final[Mapping[Level, str]] = {
    "PIX": "below one switch, or one port",
    "PXB": "below one root port, over several switches",
    "PHB": "over one host bridge",
    "NODE": "over several host bridges of one NUMA node",
    "SYS": "over the link between NUMA nodes",
    "?": "not known: the dump shows no bridge above, or no NUMA node",
}
REDIRECTING: Final = ("ReqRedir", "CmpltRedir", "EgressCtrl")
"""Flags that send peer-to-peer traffic up. SrcValid alone does not."""
KINDS: Final = {"02": "NIC", "03": "GPU", "0108": "NVMe disk", "12": "accelerator"}
"""Classes that talk peer to peer, and what they are called."""
_MANAGEMENT: Final = ("ASPEED", "Matrox", "Nuvoton", "Hewlett", "Emulex Corporation ServerView")
"""Makers of the graphics of management controllers, which take part in nothing."""


class PeerPath(NamedTuple):
    """The way between two devices.

    Attributes:
        a, b: the devices.
        level: how near they are.
        common: the bridge where their ways meet, ``None`` where that is the root complex.
        ports: the root and downstream ports on the way, without the one where the ways meet.
        redirecting: those of them that send the traffic up.
        unknown: those of which the dump does not tell.
        nodes: the NUMA nodes of both, ``None`` where not printed.
    """

    a: Address
    b: Address
    level: Level
    common: Address | None
    ports: tuple[Address, ...] = ()
    redirecting: tuple[Address, ...] = ()
    unknown: tuple[Address, ...] = ()
    nodes: tuple[int | None, int | None] = (None, None)


def peers(tree: Topology) -> dict[Address, str]:
    """Return the GPUs, NICs, NVMe disks and accelerators of a host with what they are; no virtual functions."""
    return {address: kind for address in sorted(tree.devices) if (kind := _kind(tree, address))}


def _kind(tree: Topology, address: Address) -> str | None:
    device = tree.devices[address]
    if device.is_bridge or address in tree.virtual or (device.port_type is None and not unreadable(device)):
        return None
    number = class_id(device)
    if number.startswith("03") and device.name.startswith(_MANAGEMENT):
        return None
    return KINDS.get(number) or KINDS.get(number[:2])


def paths(tree: Topology, devices: Sequence[Address]) -> Iterator[PeerPath]:
    """Yield the way between each two of some devices."""
    return (path(tree, a, b) for a, b in combinations(devices, 2))


def path(tree: Topology, a: Address, b: Address) -> PeerPath:
    """Return the way between two devices."""
    up_a, up_b = (tuple(tree.ancestors(device)) for device in (a, b))
    common = next((bridge for bridge in up_a if bridge in up_b), None)
    between = [
        bridge for up in (up_a, up_b) for bridge in (up[: up.index(common)] if common is not None else up)
    ]
    ports = tuple(bridge for bridge in between if tree.devices[bridge].port_type in (ROOT_PORT, DOWNSTREAM))
    hidden = [bridge for bridge in between if unread(tree, bridge)]
    nodes = (tree.devices[a].numa_node, tree.devices[b].numa_node)
    return PeerPath(
        a, b, _level(tree, a, b, common, between), common, ports,
        tuple(port for port in ports if redirects(tree, port)), tuple(hidden), nodes,
    )  # fmt: skip


def redirects(tree: Topology, port: Address) -> list[str]:
    """Return the flags that are on at a port and send traffic between peers up."""
    _, control = registers(tree.devices[port].capability("acs"))
    return [flag for flag in REDIRECTING if control.get(flag)]


def unread(tree: Topology, port: Address) -> str | None:
    """Return why it is not known whether a port redirects, ``None`` if it is."""
    acs = tree.devices[port].capability("acs")
    if acs is None or not (is_incomplete(acs.get("ACSCtl")) or "ACSCtl" not in acs):
        return unreadable(tree.devices[port])
    return f"its ACS registers are {'damaged' if acs.registers else 'not printed'}"


def _level(
    tree: Topology, a: Address, b: Address, common: Address | None, between: Sequence[Address]
) -> Level:
    roots = [tree.root(device) for device in (a, b)]
    if common is not None:
        switches = [bridge for bridge in (*between, common) if tree.devices[bridge].port_type == UPSTREAM]
        return "PIX" if len(switches) <= 1 else "PXB"
    if BusKind.UNKNOWN in (root.kind for root in roots):
        return "?"
    if roots[0].number == roots[1].number:
        return "PHB"
    nodes = [tree.devices[device].numa_node for device in (a, b)]
    if None in nodes or -1 in nodes:
        return "?"
    return "NODE" if nodes[0] == nodes[1] else "SYS"
