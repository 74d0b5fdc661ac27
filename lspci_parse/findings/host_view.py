"""One host as rules see it: its dump, topology, log, groups and verdicts. It knows of no other host."""

from __future__ import annotations

import errno
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from lspci_parse.errors import LspciError
from lspci_parse.evidence.log import Log
from lspci_parse.evidence.log_facts import Complaint, DomainEvent, FirmwareMissing, GroupEvent
from lspci_parse.linux.groups.absence import absence
from lspci_parse.linux.groups.prediction import boot_of, groups, isolation_of
from lspci_parse.lspci.visibility import Visibility
from lspci_parse.model.display import named, short
from lspci_parse.topology.tree import topology

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lspci_parse.evidence.host import Host
    from lspci_parse.evidence.log_facts import ProbeFailure
    from lspci_parse.evidence.machine_facts import Dmi
    from lspci_parse.linux.acs import Isolation
    from lspci_parse.linux.groups.model import Absence, Groups
    from lspci_parse.model.address import Address
    from lspci_parse.model.device import Device


class Refusal(NamedTuple):
    """A device that could not get its IOMMU domain, or could not join its group.

    Attributes:
        event: what the log says.
        device: the device; of a line that names none, the one that was added last.
        told: the line names the device.
        group: the group's number in the log, ``None`` where the log does not show it.
        others: the group's other members at that moment: by the log, else by the prediction.
        predicted: ``others`` are predicted.
    """

    event: DomainEvent | GroupEvent
    device: Address
    told: bool
    group: int | None
    others: tuple[Address, ...]
    predicted: bool


class Healthy(NamedTuple):
    """What a healthy host tells of this one.

    Attributes:
        dmi: its machine and BIOS.
        lost_acs: the functions here whose ACS capability it has and this host is known to lack.
    """

    dmi: Dmi | None
    lost_acs: frozenset[Address]


class HostView:
    """One host; what is costly is made when first asked for.

    Args:
        host: the host.
        healthy: what a healthy host beside it tells, for explanations; ``None`` when there is none.
    """

    def __init__(self, host: Host, healthy: Healthy | None = None) -> None:
        self.host = host
        self.healthy = healthy
        self.log = host.own_log or Log(())
        self.tree = topology(host.dump)

    def device(self, address: Address) -> Device | None:
        """Return the device at an address, ``None`` if the dump does not have it."""
        return self.tree.devices.get(address)

    def named(self, address: Address) -> str:
        """Return a device's address with what it is."""
        device = self.device(address)
        if device is None:
            return f"{short(address)} (not in the dump)" if self.tree.devices else short(address)
        return named(device)

    def ancestors(self, address: Address) -> tuple[Address, ...]:
        """Return the bridges above a device, nearest first; none of one that the dump does not have."""
        return tuple(self.tree.ancestors(address)) if address in self.tree.devices else ()

    @cached_property
    def isolation(self) -> Isolation:
        """The verdicts of the host's own kernel, with its command line and what its log tells."""
        return isolation_of(self.host)

    @cached_property
    def visible(self) -> Visibility:
        """What the dump is able to show."""
        return Visibility(self.host.dump)

    @cached_property
    def complaints(self) -> Mapping[Address, Sequence[Complaint]]:
        """What drivers complained of, by device, in the order of the log."""
        found: dict[Address, list[Complaint]] = {}
        missing = (
            Complaint(fact.line, fact.address, fact.driver, f"Direct firmware load for {fact.file} failed")
            for fact in self.log.of(FirmwareMissing)
        )
        for complaint in sorted((*self.log.of(Complaint), *missing), key=lambda fact: fact.line):
            found.setdefault(complaint.address, []).append(complaint)
        return found

    @cached_property
    def shows_drivers(self) -> bool:
        """Whether the dump shows drivers; one printed from a hex dump shows none."""
        return any(device.driver for device in self.host.dump)

    @cached_property
    def windows(self) -> bool:
        """Whether the dump is from Windows, whose drivers are files."""
        return any((device.driver or "").lower().endswith(".sys") for device in self.host.dump)

    @property
    def rolled_back(self) -> bool:
        """Whether the kernel gave up all groups again (its log says so)."""
        return self.log.rollback is not None

    @property
    def shows_groups(self) -> bool:
        """Whether the dump shows IOMMU groups."""
        return any(device.iommu_group is not None for device in self.host.dump)

    @cached_property
    def absent(self) -> Absence | None:
        """Why the host has no IOMMU groups; ``None`` where it has some, or where nothing tells."""
        return absence(self.host, boot_of(self.host))

    @property
    def iommu_off(self) -> bool:
        """Whether the host is known to have made no IOMMU groups at all."""
        return self.absent is not None and self.absent.cause != "given up"

    def given(self, *parameters: str) -> str | None:
        """Return the first of some kernel parameters that is given, ``None`` if none is or that is not known."""
        cmdline = self.host.cmdline
        return next((text for text in parameters if cmdline is not None and text in cmdline), None)

    @cached_property
    def groups(self) -> Groups | None:
        """The groups Linux makes, of a host without any those with its IOMMU on; ``None`` if the dump cannot tell."""
        try:
            found = groups(self.host)
        except LspciError:
            return None
        return found if found.groups else found.with_iommu

    @cached_property
    def refusals(self) -> tuple[Refusal, ...]:
        """The devices that could not get a domain or join their group, in the order of the log."""
        events = self.log.of(GroupEvent)
        found: list[DomainEvent | GroupEvent] = [event for event in events if event.action == "refused"]
        found += [event for event in self.log.of(DomainEvent) if event.kind == "private-failed"]
        refusals = (self._refusal(event, events) for event in sorted(found, key=lambda event: event.line))
        return tuple(refusal for refusal in refusals if refusal is not None)

    def _refusal(self, event: DomainEvent | GroupEvent, events: Iterable[GroupEvent]) -> Refusal | None:
        member: dict[Address, int] = {}
        last: Address | None = None
        for earlier in events:
            if earlier.line < event.line and earlier.action == "added":
                member[earlier.address] = earlier.group
                last = earlier.address
        device = event.address or last
        if device is None:
            return None
        group = event.group if isinstance(event, GroupEvent) else member.get(device)
        told = event.address is not None
        if group is not None:
            others = _others(device, group, member)
            return Refusal(event, device, told, group, others, predicted=False)
        predicted = self.groups.of(device) if self.groups is not None else None
        others = tuple(sorted(set(predicted.devices) - {device})) if predicted is not None else ()
        return Refusal(event, device, told, None, others, predicted=True)

    @cached_property
    def probes_without_domain(self) -> tuple[ProbeFailure, ...]:
        """Failed probes for want of memory after the set-up of the IOMMU was given up."""
        rollback = self.log.rollback
        failures = self.log.probe_failures.values() if rollback is not None else ()
        return tuple(
            failure
            for failure in failures
            if failure.error == -errno.ENOMEM and rollback is not None and rollback.line < failure.line
        )

    @cached_property
    def refusal_behind_rollback(self) -> Refusal | None:
        """The refusal that made the kernel give up the set-up of the IOMMU, if the log shows both."""
        rollback = self.log.rollback
        if rollback is None or rollback.failure is None:
            return None
        return next((refusal for refusal in self.refusals if refusal.event == rollback.failure), None)


def _others(device: Address, group: int, member: Mapping[Address, int]) -> tuple[Address, ...]:
    return tuple(sorted(other for other, number in member.items() if number == group and other != device))
