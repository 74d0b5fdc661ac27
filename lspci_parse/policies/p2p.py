"""Policy ``p2p``: which ports keep GPUs, NICs and NVMe disks from talking to each other directly.

A bridge on the way between two devices with ReqRedir, CmpltRedir or EgressCtrl on sends their traffic up to the
root complex (drivers/pci/p2pdma.c: ``pci_bridge_has_acs_redir``).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lspci_parse.linux.acs import registers, unreadable
from lspci_parse.lspci.completeness import is_incomplete
from lspci_parse.lspci.pci_ids import class_id
from lspci_parse.model.address import Address
from lspci_parse.model.display import short
from lspci_parse.policies.group_remedies import READ_ALL
from lspci_parse.policies.model import Breach, Remedy
from lspci_parse.topology.tree import DOWNSTREAM, ROOT_PORT, UPSTREAM, BusKind, BusNumber, Topology

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lspci_parse.model.device import Device

_Meeting: TypeAlias = Address | BusNumber

REDIRECTING: Final = ("ReqRedir", "CmpltRedir", "EgressCtrl")
"""Flags that send peer-to-peer traffic up. SrcValid alone does not."""

_BITS: Final = ("SrcValid", "TransBlk", "ReqRedir", "CmpltRedir", "UpstreamFwd", "EgressCtrl", "DirectTrans")
_PEERS: Final = {"02": "NIC", "03": "GPU", "0108": "NVMe disk", "12": "accelerator"}
_MOST: Final = 32
_GROUPS_GROW: Final = (
    "what is below these ports can reach each other past the IOMMU, and IOMMU groups grow at the next boot: no "
    "pass-through of single devices"
)


def p2p(tree: Topology) -> Iterator[Breach]:
    """Yield ports that redirect traffic between peers, switch by switch."""
    ways = _Ways(tree)
    yield from _hidden_ways(ways)
    for meeting, ports in ways.ports.items():
        yield from _unknown(tree, ports)
        redirecting = [port for port in ports if _flags(tree, port)]
        for port in redirecting:
            yield _redirecting(ways, port, meeting, redirecting)


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
        self.peers = {address: kind for address in sorted(tree.devices) if (kind := _peer(tree, address))}
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


def _peer(tree: Topology, address: Address) -> str | None:
    """Return what kind of peer a function is, or ``None``; virtual functions go the way of their physical one."""
    device = tree.devices[address]
    if device.is_bridge or address in tree.virtual or (device.port_type is None and not unreadable(device)):
        return None
    number = class_id(device)
    return _PEERS.get(number) or _PEERS.get(number[:2])


def _is_port(tree: Topology, address: Address) -> bool:
    return tree.devices[address].port_type in (ROOT_PORT, DOWNSTREAM) or bool(
        unreadable(tree.devices[address])
    )


def _flags(tree: Topology, port: Address) -> list[str]:
    _, control = registers(tree.devices[port].capability("acs"))
    return [flag for flag in REDIRECTING if control.get(flag)]


def _unreadable(device: Device) -> str | None:
    acs = device.capability("acs")
    if acs is None or not (is_incomplete(acs.get("ACSCtl")) or "ACSCtl" not in acs):
        return unreadable(device)
    return f"its ACS registers are {'damaged' if acs.registers else 'not printed'}"


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
    hidden = [(port, reason) for port in ports if (reason := _unreadable(tree.devices[port]))]
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


def _redirecting(ways: _Ways, port: Address, meeting: _Meeting, ports: list[Address]) -> Breach:
    tree, mine, all_ = ways.tree, ways.below[port], ways.below[meeting]
    own = set(mine)
    rest = ways.listed((peer for peer in all_ if peer not in own), len(all_) - len(mine))
    switch = isinstance(meeting, Address)
    where = f"the switch at {short(meeting)}" if isinstance(meeting, Address) else "the root complex"
    detail = (
        f"Traffic between {ways.listed(mine, len(mine))} below it and {rest}, which could meet in {where}, goes up "
        f"to the {'root complex' if switch else 'IOMMU'} first."
    )
    if switch:
        detail += (
            " Linux's own peer-to-peer transfers (P2PDMA) refuse such a pair, unless the CPU or the host bridge is on "
            "its list."
        )
    else:
        detail += " Between root ports Linux allows it on host bridges that it knows only, whatever ACS says."
    return Breach(
        port,
        "warning" if switch else "info",
        f"{short(port)} redirects peer-to-peer traffic: {' '.join(_flags(tree, port))} on",
        detail,
        (port, *mine),
        # Between root ports redirection costs nothing: the way leads through the root complex anyhow.
        tuple(_remedies(tree, port, ports, mine)) if switch else (),
    )


def _middle_way(capable: Mapping[str, Any]) -> str:
    """Return the flags of ``config_acs`` that keep the isolation and let translated requests pass.

    They stand from DirectTrans to SrcValid. ``x`` is the firmware's value and not Linux's (``__pci_config_acs``), so
    each flag that isolates is named, as far as the port has it.
    """
    order = ("UpstreamFwd", "CmpltRedir", "ReqRedir", None, "SrcValid")
    return "1x" + "".join("1" if name is not None and capable.get(name) else "x" for name in order)


def _remedies(tree: Topology, port: Address, ports: list[Address], peers: list[Address]) -> Iterator[Remedy]:
    capable, control = registers(tree.devices[port].capability("acs"))
    if capable.get("DirectTrans") and any(tree.devices[peer].capability("ats") is not None for peer in peers):
        yield Remedy(
            f"keep the isolation and let translated requests pass: ATS on the devices, and DirectTrans on this port "
            f"(pci=config_acs={_middle_way(capable)}@{port}, Linux 6.12 and newer)",
            "drivers must use ATS for it; a device that lies about translated addresses is not held back; vendors "
            "publish values for their platforms",
        )
    named = ";".join(map(str, ports))
    yield Remedy(
        f"boot with pci=disable_acs_redir={named} (all ports between these peers; a ';' wants quotes in GRUB's files)",
        f"{_GROUPS_GROW}; from Linux 6.11 on SrcValid and UpstreamFwd go off with it",
    )
    value = sum(1 << bit for bit, name in enumerate(_BITS) if control.get(name) and name not in REDIRECTING)
    yield Remedy(
        f"at once: setpci -s {port} ECAP_ACS+0x6.w={value:04x}",
        "lost at boot, at resume, at a function's reset and, from Linux 7.0, when a driver binds; groups that were "
        "made at boot do not show it",
    )
