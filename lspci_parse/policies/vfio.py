"""Policy ``vfio``: what stands between a host and one IOMMU group per device.

A group is the unit of ownership (``Documentation/driver-api/vfio.rst``): VFIO gives one of its functions to a guest
only while no driver of the host does DMA with another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.linux.ownership import holder
from lspci_parse.lspci.pci_ids import class_id
from lspci_parse.model.display import short
from lspci_parse.policies.group_remedies import (
    FOR_ABSENCE,
    OVERRIDE_RISK,
    READ_ALL,
    group_remedies,
    slots_that_isolate,
)
from lspci_parse.policies.model import Breach, Remedy
from lspci_parse.topology.tree import DOWNSTREAM, ROOT_PORT, UPSTREAM, BusKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lspci_parse.findings.model import Severity
    from lspci_parse.linux.acs import Isolation
    from lspci_parse.linux.groups.model import Group, Groups
    from lspci_parse.linux.kernel import Kernel
    from lspci_parse.model.address import Address
    from lspci_parse.topology.tree import Topology

_PORTS: Final = (ROOT_PORT, DOWNSTREAM)
_MOST: Final = 8


def vfio(tree: Topology, groups: Groups, isolation: Isolation, kernel: Kernel) -> Iterator[Breach]:
    """Yield what joins functions that could be passed through alone.

    Args:
        tree: the devices.
        groups: the host's groups, recorded and predicted.
        isolation: the verdicts that ``groups`` stands on.
        kernel: the release whose rules about drivers hold.
    """
    if groups.absent is not None:
        remedies = FOR_ABSENCE[groups.absent.cause]
        detail = f"{groups.absent.why}; VFIO needs them."
        yield Breach(None, "critical", "there are no IOMMU groups", detail, remedies=remedies)
    if groups.other_rules is not None and not groups.recorded:
        yield _unknown("the groups are not predicted", groups.other_rules, ())
    judged = groups.with_iommu or groups
    yield from _differences(groups)
    recorded = judged.recorded or {}
    undecided = [entry for entry in judged.undecided if entry.device not in recorded]
    if undecided:
        devices = tuple(entry.device for entry in undecided)
        title = f"the groups of {len(devices)} functions cannot be told"
        yield _unknown(title, f"{short(devices[0])}: {undecided[0].why}", devices)
    yield from _Judge(tree, groups, isolation, kernel).breaches()
    yield from _leaky_switches(tree, judged, isolation)


def _unknown(title: str, why: str, devices: tuple[Address, ...]) -> Breach:
    remedies = (READ_ALL,) if devices else ()
    return Breach(
        devices[0] if devices else None, "warning", title, f"{why}.", devices, remedies, known=False
    )


def _differences(groups: Groups) -> Iterator[Breach]:
    if groups.switched_off_since:
        ports = groups.switched_off_since
        parts = " and ".join(entry.text for entry in groups.disagreements if entry.kind == "together")
        yield Breach(
            ports[0],
            "warning",
            f"ACS was switched off after the groups were made: {_listed(ports)}",
            f"The kernel makes groups once, and made them with ACS on ({parts}); the dump shows it off. What is "
            "below can now reach its neighbours past the IOMMU, though their groups are apart.",
            ports,
            (Remedy("take setpci lines for these ports out of boot scripts and services, then reboot"),),
        )
    for difference in groups.disagreements:
        if difference.kind == "together" and groups.switched_off_since:
            continue
        devices = tuple(device for part in difference.parts for device in part)
        yield Breach(
            devices[0],
            "info",
            f"recorded groups are not the predicted ones ({difference.text})",
            f"The recorded ones count. The prediction takes for granted: {'; '.join(groups.assumptions)}.",
            devices,
        )


class _Judge:
    """What the groups of a host mean for guests; ``supposed`` if it has none, and would have these."""

    def __init__(self, tree: Topology, groups: Groups, isolation: Isolation, kernel: Kernel) -> None:
        self.tree, self.isolation, self.kernel = tree, isolation, kernel
        self.groups = groups.with_iommu or groups
        self.supposed = groups.with_iommu is not None
        self.shows_drivers = any(device.driver for device in tree.devices.values())

    def breaches(self) -> Iterator[Breach]:
        shared = [group for group in self.groups.actual if len(self._known(group)) > 1]
        built_in = [group for group in shared if self._is_built_in(group)]
        elsewhere = slots_that_isolate(self.tree, self.groups, self.isolation)
        yield from (self._shared(group, elsewhere) for group in shared if group not in built_in)
        if built_in:
            yield self._of_the_chipset(built_in)

    def _known(self, group: Group) -> list[Address]:
        """Return the members that the dump shows."""
        return [device for device in group.devices if device in self.tree.devices]

    def _is_built_in(self, group: Group) -> bool:
        """Tell a group of functions of one slot of a root bus, none a port to something else."""
        members = self._known(group)
        return len({member[:3] for member in members}) == 1 and not any(
            self.tree.bus(member).kind is not BusKind.ROOT
            or self.tree.children(member)
            or self._is_port(member)
            for member in members
        )

    def _is_port(self, device: Address) -> bool:
        return self.tree.devices[device].port_type in _PORTS

    def _of_the_chipset(self, groups: Sequence[Group]) -> Breach:
        members = [self._known(group) for group in groups]
        devices = tuple(device for group in members for device in group)
        which = "; ".join(map(_listed, members[:_MOST])) + (" ..." if len(members) > _MOST else "")
        count = "one group holds" if len(members) == 1 else f"{len(members)} groups hold"
        return Breach(
            devices[0],
            "info",
            f"{count} functions of the chipset: {which}",
            f"They are functions of one slot each. {self._owned(devices)}",
            devices,
        )

    def _shared(self, group: Group, elsewhere: list[Remedy]) -> Breach:
        members = self._known(group)
        severity, meaning = self._meaning(group, members)
        why = list(_reasons(self.isolation, group)) or [
            "the kernel recorded it, and the dump does not tell why"
        ]
        if len(why) > _MOST:
            why[_MOST:] = [f"and {len(why) - _MOST} more"]
        culprits = {culprit: join.how for join in group.joined_by for culprit in join.culprits}
        cures = group_remedies(self.tree, self.isolation, culprits) if severity != "info" else ()
        holds = "with the IOMMU on, one group would hold" if self.supposed else "one IOMMU group holds"
        return Breach(
            members[0],
            severity,
            f"{holds} {len(members)} functions: {_listed(members)}",
            f"{meaning} Why they are together: {'; '.join(why)}.",
            tuple(members),
            (*(elsewhere if severity == "critical" else ()), *cures),
        )

    def _meaning(self, group: Group, members: list[Address]) -> tuple[Severity, str]:
        """Judge a group by what a guest could want of it: all but bridges (to buses, to the host, to legacy ports)."""
        guests = [device for device in members if not class_id(self.tree.devices[device]).startswith("06")]
        owned = self._owned(members)
        if len({guest[:3] for guest in guests}) > 1:
            apart = f"{_listed(guests)} cannot go to different guests, nor one to a guest while the host uses another."
            return "critical", f"{apart} {owned}"
        alone = f"{_listed(guests)} are functions of one slot. " if len(guests) > 1 else ""
        joined = {
            device
            for join in group.joined_by
            if join.how == "slot"
            for device in (join.device, *join.culprits)
        }
        ports = [device for device in sorted(joined) if self._is_port(device)]
        if len(ports) > 1:
            return (
                "warning",
                f"{alone}Whatever is plugged in below {_listed(ports)} belongs to it, too. {owned}",
            )
        return "info", f"{alone}{owned}"

    def _owned(self, members: Iterable[Address]) -> str:
        """Name the members whose driver keeps VFIO from giving another one away."""
        if not self.shows_drivers:
            return "Which of them a driver holds is not in the dump (lspci -k)."
        held = [
            (device, driver)
            for device in members
            if (driver := holder(self.tree.devices[device], self.kernel)) is not None
        ]
        if not held:
            return "No driver of the host holds any of them now."
        names = [f"{short(device)} ({driver})" for device, driver in held]
        more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
        return f"Drivers that must let go before a guest can have one of the others: {', '.join(names[:_MOST])}{more}."


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


def _listed(devices: Sequence[Address]) -> str:
    return ", ".join(map(short, devices[:_MOST])) + (" ..." if len(devices) > _MOST else "")


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
        cures = group_remedies(tree, isolation, dict.fromkeys(bad, "path"))
        yield Breach(
            address,
            "warning",
            f"the switch at {short(address)} does not keep apart what Linux puts into separate groups",
            f"At {_listed(bad)} peer-to-peer traffic is not redirected, so devices below the switch can reach each "
            "other past the IOMMU. Linux judges each port by the path above it and misses this.",
            tuple(ports),
            tuple(remedy for remedy in cures if remedy.risk != OVERRIDE_RISK),
        )
