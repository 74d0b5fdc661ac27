"""Policy ``vfio``: what stands between a host and one IOMMU group per device.

A group is what VFIO hands to a guest (``Documentation/driver-api/vfio.rst``): all its functions, except bridges,
go together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.linux.acs import Reason
from lspci_parse.lspci.pci_ids import class_id
from lspci_parse.model.display import short
from lspci_parse.policies.model import Breach, Remedy
from lspci_parse.topology.tree import DOWNSTREAM, ROOT_PORT, UPSTREAM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lspci_parse.findings.model import Severity
    from lspci_parse.linux.acs import Isolation
    from lspci_parse.linux.groups.model import Group, Groups
    from lspci_parse.model.address import Address
    from lspci_parse.topology.tree import Topology

_PORTS: Final = (ROOT_PORT, DOWNSTREAM)
_FIRMWARE: Final = Remedy(
    "look in BIOS setup for ACS and PCIe isolation (with some vendors below the chipset's or the northbridge's "
    "settings), and for a newer BIOS",
    "a new BIOS changes other settings too",
)
_OVERRIDE_RISK: Final = (
    "a patch that mainline does not carry; it isolates nothing: a guest's device can read and write the memory of "
    "the devices beside it past the IOMMU"
)


_MOST: Final = 8
_NO_CURE: Final = {
    "bridge": Remedy(
        "use PCI Express cards: an IOMMU cannot tell devices below a conventional bridge from each other"
    ),
    "alias": Remedy("pass the functions through together: they really share a DMA requester id"),
    "vmd": Remedy(
        "switch Volume Management Device off in BIOS setup",
        "RAID volumes that it manages are lost to the system, and so may be the boot disk",
    ),
}


def vfio(tree: Topology, groups: Groups, isolation: Isolation) -> Iterator[Breach]:
    """Yield what joins functions that could be passed through alone."""
    if groups.off is not None:
        yield Breach(
            None,
            "critical",
            "there are no IOMMU groups",
            f"{groups.off}; VFIO needs them.",
            remedies=(
                Remedy(
                    "boot with intel_iommu=on (AMD: without amd_iommu=off), VT-d or AMD-Vi switched on in BIOS setup",
                    "DMA is translated, unless iommu=pt is given too",
                ),
            ),
        )
    yield from _differences(groups)
    if groups.undecided:
        devices = tuple(entry.device for entry in groups.undecided)
        yield Breach(
            devices[0],
            "warning",
            f"the groups of {len(devices)} functions cannot be told",
            f"{short(devices[0])}: {groups.undecided[0].why}.",
            devices,
            (Remedy("take the dump as root, of all devices: lspci -vvv"),),
        )
    elsewhere = _good_slots(tree, groups, isolation)
    for group in groups.groups:
        if len(group.devices) > 1:
            yield _shared(tree, isolation, group, elsewhere)
    yield from _leaky_switches(tree, groups, isolation)


def _differences(groups: Groups) -> Iterator[Breach]:
    for difference in groups.disagreements:
        devices = tuple(device for part in difference.parts for device in part)
        detail = "What is said below of these functions is of the prediction. It takes for granted: "
        yield Breach(
            devices[0],
            "info",
            f"recorded groups are not the predicted ones ({difference.text})",
            f"{detail}{'; '.join(groups.assumptions)}.",
            devices,
        )


def _shared(tree: Topology, isolation: Isolation, group: Group, elsewhere: list[Remedy]) -> Breach:
    severity, meaning = _meaning(tree, group)
    why = list(_reasons(isolation, group))
    if len(why) > _MOST:
        why[_MOST:] = [f"and {len(why) - _MOST} more"]
    culprits = {culprit: join.how for join in group.joined_by for culprit in join.culprits}
    return Breach(
        group.devices[0],
        severity,
        f"one IOMMU group holds {len(group.devices)} functions: {_listed(group.devices)}",
        f"{meaning} Why they are together: {'; '.join(why)}.",
        group.devices,
        (*(elsewhere if severity == "critical" else ()), *_remedies(tree, isolation, culprits)),
    )


def _meaning(tree: Topology, group: Group) -> tuple[Severity, str]:
    """Judge a group by what a guest could want of it: all but bridges (to buses, to the host, to legacy ports)."""
    guests = [device for device in group.devices if not class_id(tree.devices[device]).startswith("06")]
    if len({guest[:3] for guest in guests}) > 1:
        return "critical", f"{_listed(guests)} can only be passed through together."
    if len(guests) > 1:
        alone = f"{_listed(guests)} are functions of one slot and can only be passed through together."
    else:
        alone = "Bridges stay with the host and do not keep the rest of a group from being passed through."
    joined = {
        device for join in group.joined_by if join.how == "slot" for device in (join.device, *join.culprits)
    }
    ports = _ports(tree, sorted(joined))
    if len(ports) > 1:
        return "warning", f"{alone} But whatever is plugged in below {_listed(ports)} goes along with it."
    return "info", alone


def _reasons(isolation: Isolation, group: Group) -> Iterator[str]:
    """Say what joins a group: each reason once, with the functions it is true of."""
    found: dict[str, dict[Address, None]] = {}
    slots = {join.device for join in group.joined_by if join.how == "slot"}
    for join in group.joined_by:
        if join.how == "path":
            for culprit in join.culprits:
                if culprit not in slots:
                    found.setdefault(isolation[culprit].sentence, {})[culprit] = None
        else:
            found.setdefault(join.why, {})[join.device] = None
    return (f"{_listed(list(devices))}: {why}" for why, devices in found.items())


def _ports(tree: Topology, devices: Iterable[Address]) -> list[Address]:
    return [device for device in devices if tree.devices[device].port_type in _PORTS]


def _listed(devices: Sequence[Address]) -> str:
    return ", ".join(map(short, devices[:_MOST])) + (" ..." if len(devices) > _MOST else "")


def _remedies(tree: Topology, isolation: Isolation, culprits: Mapping[Address, str]) -> Iterator[Remedy]:
    """Yield what can be done about the functions that join others, each thing once."""
    verdicts = [isolation[culprit] for culprit, how in culprits.items() if how in ("path", "slot")]
    off = [verdict.device for verdict in verdicts if verdict.reason is Reason.FLAGS_OFF]
    lacking = [verdict.device for verdict in verdicts if verdict.reason is Reason.NO_CAPABILITY]
    if off:
        flags = ";".join(f"xx111x1@{device}" for device in off)
        several = (
            "; several devices in one parameter from 6.15, quoted in GRUB's files" if len(off) > 1 else ""
        )
        yield Remedy(
            f"boot with pci=config_acs={flags} (Linux 6.12 and newer{several}), without "
            "pci=disable_acs_redir= for them; take setpci lines for them out of boot scripts",
            "peer-to-peer traffic of GPUs and NICs below them goes through the root complex and gets slow",
        )
    if any(tree.devices[device].is_bridge for device in lacking):
        yield _FIRMWARE
    for quirk in dict.fromkeys(verdict.quirk for verdict in verdicts if verdict.quirk is not None):
        yield Remedy(f"another kernel: in this one {quirk.function} does not count it as isolated")
    for how in dict.fromkeys(culprits.values()):
        if how in _NO_CURE:
            yield _NO_CURE[how]
    if lacking:
        ports = _ports(tree, lacking)
        options = ["downstream"] * bool(ports) + ["multifunction"] * (len(ports) < len(lacking))
        yield Remedy(
            f"kernel parameter pcie_acs_override={','.join(options)} (ACS override patch)", _OVERRIDE_RISK
        )


def _good_slots(tree: Topology, groups: Groups, isolation: Isolation) -> list[Remedy]:
    """Name ports below which a card gets a group of its own; none, if there are none."""
    good = [
        port
        for port in _ports(tree, tree.devices)
        if all(isolation[above].isolated for above in (port, *tree.ancestors(port)))
        and not any(tree.devices[child].is_bridge for child in tree.children(port))
        and (group := groups.of(port)) is not None
        and len(group.devices) == 1
    ]
    if not good:
        return []
    # A free port is of more use than one with a card in it.
    good.sort(key=lambda port: (bool(tree.children(port)), port))
    slots = ((port, tree.devices[port].physical_slot) for port in good[:4])
    labels = ", ".join(f"{short(port)}{f' (slot {slot})' if slot else ''}" for port, slot in slots)
    risk = "slots differ in lanes, and in which socket they hang on"
    return [Remedy(f"move a card below a port that isolates: {labels}", risk)]


def _leaky_switches(tree: Topology, groups: Groups, isolation: Isolation) -> Iterator[Breach]:
    """Yield switches whose downstream ports do not isolate though Linux makes separate groups below them.

    Each port is judged by the path above it, so nobody asks whether its neighbours let traffic pass between them
    (``pci_device_group``; known upstream, not mended up to Linux 7.1.5).
    """
    for address, device in tree.devices.items():
        if device.port_type != UPSTREAM:
            continue
        ports = [
            port
            for port in tree.children(address)
            if tree.devices[port].port_type == DOWNSTREAM and tree.children(port)
        ]
        bad = [port for port in ports if isolation[port].isolated is False]
        if not bad or len({groups.number.get(port) for port in ports}) < 2:
            continue
        yield Breach(
            address,
            "warning",
            f"the switch at {short(address)} does not keep apart what Linux puts into separate groups",
            f"At {_listed(bad)} peer-to-peer traffic is not redirected, so devices below the switch can reach each "
            "other past the IOMMU. Linux judges each port by the path above it and misses this.",
            tuple(ports),
            tuple(
                r for r in _remedies(tree, isolation, dict.fromkeys(bad, "path")) if r.risk != _OVERRIDE_RISK
            ),
        )
