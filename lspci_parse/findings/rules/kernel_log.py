"""What the evidence of one host tells: rules that need no second host, and how one leads to the other.

Each rule is an entry and one function; a rule without evidence is silent, so a chain reaches as far as the
evidence does.
"""

from __future__ import annotations

import errno
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final, TypeVar

from lspci_parse.evidence.log_facts import (
    AerReport,
    Bandwidth,
    DmaFault,
    DomainEvent,
    LinkEvent,
    ReservedMemory,
    Unassigned,
)
from lspci_parse.findings.explanation import (
    advise,
    explain_refusal,
    explain_request,
    functions_above,
    unisolated_in,
)
from lspci_parse.findings.model import Cause, Finding, Found, Severity
from lspci_parse.findings.rule import HOST, rule
from lspci_parse.findings.rules.links import sleep_of_link
from lspci_parse.model.display import listed, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lspci_parse.evidence.log_facts import ProbeFailure
    from lspci_parse.findings.host_view import HostView, Refusal
    from lspci_parse.model.address import Address

AddressFact = TypeVar("AddressFact", DmaFault, LinkEvent, AerReport, Bandwidth)


def _here(
    name: str,
    severity: Severity,
    device: Address | None,
    path: str,
    value: object,
    title: str,
    detail: str,
    remedy: str = "",
) -> Finding:
    """Return a finding about this host alone."""
    return Finding(name, severity, None, device, path, None, value, title, detail, remedy)


# ----------------------------------------------------------------------------------------- a driver that failed


@rule("probe-failed", "critical", "a driver refused a device", needs=HOST)
def probe_failed(view: HostView) -> Iterator[Found]:
    """Find failed probes; those for want of memory after the IOMMU's set-up was given up are explained."""
    for address, failure in sorted(view.log.probe_failures.items()):
        device = view.device(address)
        driver = None if device is None else device.driver
        error = f"error {failure.error} ({errno.errorcode.get(-failure.error, 'unknown')})"
        starved = failure in view.probes_without_domain
        detail, remedy, causes = _starved(view) if starved else _failed(view, failure)
        first = "" if starved or not _said(view, failure) else f": {_said(view, failure)[0][:_LONGEST_QUOTE]}"
        if driver is not None:
            detail = f"{driver} drives the device now, so a later attempt succeeded. {detail}".rstrip()
        yield Found(
            _here(
                "probe-failed", "critical" if driver is None else "warning", address, "driver/probe",
                f"{failure.driver}: {error}",
                f"{view.named(address)}: {failure.driver} failed to probe it, {error}{first}", detail, remedy,
            ),
            causes,
        )  # fmt: skip


Explanation = tuple[str, str, list[Cause]]
"""Why a probe failed, what to try, and which findings cause it."""


def _starved(view: HostView) -> Explanation:
    """Explain a probe that failed for want of memory after the set-up of the IOMMU was given up."""
    rollback = view.log.rollback
    line = "" if rollback is None else f" (log line {rollback.line})"
    text = (
        f"The set-up of the IOMMU had been rolled back{line}, so the driver's first DMA allocation found no domain: "
        "that is inferred from the error, which does not mean that memory ran out, and the order of the log."
    )
    causes = [Cause("iommu-rolled-back")]
    culprit = view.refusal_behind_rollback
    if culprit is None:
        return f"{text} Why it was rolled back, the log does not show.", "", causes
    text += f" It was rolled back because {_could_not(view, culprit)} (log line {culprit.event.line})."
    return f"{text} {explain_refusal(view, culprit)}", advise(view, culprit), causes


_LONGEST_QUOTE: Final = 120
"""Characters of a driver's line that a title quotes."""


def _said(view: HostView, failure: ProbeFailure) -> Sequence[str]:
    """Return what a driver said before it failed: its own lines, or of a log without them its complaints."""
    complaints = view.complaints.get(failure.address, ())
    return failure.said or [complaint.text for complaint in complaints if complaint.line < failure.line]


def _failed(view: HostView, failure: ProbeFailure) -> Explanation:
    """Explain a failed probe by the driver's own words: what it complained of first, the rest follows from it."""
    said = _said(view, failure)
    last = f"; its last: '{said[-1]}'" if len(said) > 1 and said[-1] != said[0] else ""
    text = f"The driver's first complaint: '{said[0]}'{last}." if said else ""
    if failure.error == -errno.ENOMEM and not view.log.complete:
        text += " The log has lost its beginning, where a failed set-up of the IOMMU would stand."
    remedy = "Compare the driver's messages, its version and the firmware's with a machine where it works."
    return (
        text.strip(),
        remedy,
        [
            Cause("resource-unassigned", failure.address),
            Cause("firmware-missing", failure.address),
        ],
    )


def _could_not(view: HostView, refusal: Refusal) -> str:
    group = f" in group {refusal.group}" if refusal.group is not None else ""
    return f"{view.named(refusal.device)} could not get its domain{group}"


@rule("iommu-rolled-back", "critical", "the kernel gave up the set-up of IOMMU groups", needs=HOST)
def iommu_rolled_back(view: HostView) -> Iterator[Found]:
    """Find the removal of all devices from their groups."""
    rollback = view.log.rollback
    if rollback is None:
        return
    count = len(rollback.removed)
    yield Found(
        _here(
            "iommu-rolled-back", "critical", None, "iommu_group", f"{count} devices removed",
            f"the set-up of the IOMMU was rolled back: {count} devices left their groups again",
            "Linux adds devices to groups one after the other, and one refusal makes it remove them all (log line "
            f"{rollback.line}). Without groups nothing can be passed through with VFIO.",
        ),
        [] if view.refusal_behind_rollback is None else [Cause("iommu-refused", view.refusal_behind_rollback.device)],
    )  # fmt: skip


@rule("iommu-refused", "critical", "a device could not get its IOMMU domain, or join its group", needs=HOST)
def iommu_refused(view: HostView) -> Iterator[Found]:
    """Find refused devices. Where a failed probe tells the whole story, the rest of it stands here."""
    for device, refusal in {refusal.device: refusal for refusal in view.refusals}.items():
        told_before = bool(view.probes_without_domain) and view.refusal_behind_rollback == refusal
        words = explain_request(view, refusal)
        yield Found(
            _here(
                "iommu-refused", "critical", device, "iommu_group/domain",
                refusal.event.text if isinstance(refusal.event, DomainEvent) else f"error {refusal.event.error}",
                _could_not(view, refusal),
                words if told_before else f"{explain_refusal(view, refusal)} {words}",
                "" if told_before else advise(view, refusal),
            ),
            [_shared_group(view, refusal)],
        )  # fmt: skip


def _shared_group(view: HostView, refusal: Refusal) -> Cause:
    """Return the link to what makes a refused device's group a shared one: of two hosts, the merge or the lost ACS."""
    functions = functions_above(view, refusal)
    lost = [Cause(name, function) for function in functions for name in ("acs-lost", "acs-off")]
    merged = Cause("groups-merged", refusal.device, otherwise=tuple(lost))
    return Cause("group-shared", refusal.device, otherwise=(merged,))


@rule("resource-unassigned", "warning", "no address space for a device whose driver failed", needs=HOST)
def resource_unassigned(view: HostView) -> Iterator[Found]:
    """Find BARs without addresses, of devices whose probe failed: many devices work without some of theirs."""
    concerned = {above for failed in view.log.probe_failures for above in (failed, *view.ancestors(failed))}
    lost: dict[Address, dict[str, None]] = {}
    for fact in view.log.of(Unassigned):
        if fact.address in concerned:
            lost.setdefault(fact.address, {})[_room(fact.text)] = None
    for address, names in lost.items():
        rooms = ", ".join(names)
        windows = any(name.endswith("window") for name in names)
        yield Found(
            _here(
                "resource-unassigned", "warning", address, "resources", rooms,
                f"{view.named(address)}: no address space for {rooms}",
                "The window of the host bridge or of the bridge above is too small for what is behind this bridge."
                if windows else
                "The kernel found no room for it in the window of the bridge above, so the driver cannot reach it.",
                "Compare 'Above 4G decoding' in BIOS setup, on boards without one the ranges of the host bridge in the "
                "device tree; try pci=realloc.",
            ),
            [Cause("resource-unassigned", above) for above in view.ancestors(address)[:1]],
        )  # fmt: skip


_BRIDGE_WINDOWS: Final = {
    "BAR 13": "its I/O window",
    "BAR 14": "its memory window",
    "BAR 15": "its prefetchable window",
}
"""What the numbers of resources beyond the BARs and the ROM mean of a bridge (``PCI_BRIDGE_RESOURCES``)."""


def _room(text: str) -> str:
    """Return what found no room: ``BAR 0``, ``its memory window``."""
    found = re.match(r"(?:VF )?(?:BAR \d+|ROM|bridge window)", text)
    name = "a region" if found is None else found[0]
    return "its window" if name == "bridge window" else _BRIDGE_WINDOWS.get(name, name)


# ----------------------------------------------------------------------------- the group, from the dump alone


@rule(
    "group-shared",
    "warning",
    "a refused device shares its IOMMU group",
    needs=HOST,
    told_by=("groups-merged",),
)
def group_shared(view: HostView) -> Iterator[Found]:
    """Find the groups of refused devices that others share, and why."""
    for device, refusal in {refusal.device: refusal for refusal in view.refusals}.items():
        if not refusal.others:
            continue
        group = view.groups.of(device) if view.groups is not None else None
        why = dict.fromkeys(join.why for join in (group.joined_by if group is not None else ()))
        yield Found(
            _here(
                "group-shared", "warning", device, "iommu_group", listed((device, *refusal.others), 99),
                f"{listed((device, *refusal.others))} share one IOMMU group",
                f"As the dump tells it: {'; '.join(why)}." if why else "",
            ),
            [Cause("acs-missing", blamed) for blamed in unisolated_in(view, refusal)],
        )  # fmt: skip


@rule(
    "acs-missing",
    "warning",
    "a function without ACS joins the group of a refused device",
    needs=HOST,
    told_by=("acs-lost", "acs-off"),
)
def acs_missing(view: HostView) -> Iterator[Found]:
    """Find the functions whose missing isolation makes a refused device's group a shared one."""
    for address in sorted({address for refusal in view.refusals for address in unisolated_in(view, refusal)}):
        verdict = view.isolation[address]
        yield Found(
            _here(
                "acs-missing", "warning", address, "acs", verdict.summary,
                f"{view.named(address)} does not isolate: {verdict.summary}", f"{verdict.sentence}.",
                "Compare with a healthy machine of the model: lspci-parse diff HEALTHY THIS.",
            )
        )  # fmt: skip


# ------------------------------------------------------------------------------------------- other log entries


def _by_device(facts: Iterable[AddressFact]) -> dict[Address, list[AddressFact]]:
    found: defaultdict[Address, list[AddressFact]] = defaultdict(list)
    for fact in facts:
        found[fact.address].append(fact)
    return dict(sorted(found.items()))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


@rule("dma-fault", "warning", "the IOMMU refused a device's access to memory", needs=HOST)
def dma_fault(view: HostView) -> Iterator[Found]:
    """Find devices that reached for memory that is not theirs."""
    for address, faults in _by_device(view.log.of(DmaFault)).items():
        yield Found(
            _here(
                "dma-fault", "warning", address, "iommu/faults", faults[0].text,
                f"{view.named(address)}: the IOMMU refused its DMA {_times(len(faults))}"
                f"{', to memory that firmware reserved' if _reserved(view, faults) else ''}",
                f"The first time at log line {faults[0].line}. A driver or firmware uses an address that was not, or "
                f"is no longer, mapped for the device.{_reserved(view, faults)}",
                "Update driver and firmware; for a device that BIOS uses too, look for RMRR in the kernel log.",
            )
        )  # fmt: skip


_FAULT_ADDRESS: Final = re.compile(r"(?:fault addr|address=)\s*(?:0x)?([0-9a-f]+)")


def _reserved(view: HostView, faults: Iterable[DmaFault]) -> str:
    """Say that a fault hit memory that firmware reserved for a device (RMRR)."""
    for fault in faults:
        found = _FAULT_ADDRESS.search(fault.text)
        place = -1 if found is None else int(found[1], 16)
        for memory in view.log.of(ReservedMemory):
            if memory.start <= place <= memory.end:
                return (
                    f" The address {place:#x} lies in memory that firmware reserved for DMA ({memory.start:#x} to "
                    f"{memory.end:#x}, RMRR): firmware uses the device, and the kernel did not map it for it."
                )
    return ""


@rule("link-lost", "warning", "a link went down, was contained, or a device no longer answers", needs=HOST)
def link_lost(view: HostView) -> Iterator[Found]:
    """Find ports whose link went and devices that were not to be reached."""
    lost = (
        fact
        for fact in view.log.of(LinkEvent)
        if fact.kind in ("contained", "inaccessible") or fact.text.startswith("Link Down")
    )
    for address, events in _by_device(lost).items():
        yield Found(
            _here(
                "link-lost", "warning", address, "link", events[0].text,
                f"{view.named(address)}: {events[0].text} ({_times(len(events))})",
                f"The first time at log line {events[0].line}. What is below may have been away since."
                f"{sleep_of_link(view, address)}",
                "Check seating, cable, riser and power of the card; a device in D3cold may need pcie_port_pm=off.",
            )
        )  # fmt: skip


def _sleepless_first(view: HostView, address: Address) -> str:
    """Return what to try where the link of a device, or below a port, may sleep; empty where it is not known to."""
    below = view.tree.children(address) if address in view.tree.devices else ()
    if not any(sleep_of_link(view, end) for end in (address, *below)):
        return ""
    return (
        "Try without link power management first: pcie_aspm.policy=performance, or link/l1_aspm in sysfs. Then check "
        "seating, cable and riser."
    )


@rule("aer-reported", "warning", "PCI Express error reports in the kernel log", needs=HOST)
def aer_reported(view: HostView) -> Iterator[Found]:
    """Find devices with error reports; corrected ones cost time only."""
    for address, reports in _by_device(view.log.of(AerReport)).items():
        bad = [report for report in reports if report.severity.startswith("Uncorrect")]
        kinds = dict.fromkeys(kind for report in bad or reports for kind in report.kinds)
        what = f"{(bad or reports)[0].severity} {', '.join(kinds)}".strip()
        yield Found(
            _here(
                "aer-reported", "warning" if bad else "info", address, "aer/log", what,
                f"{view.named(address)} has reported errors {_times(len(reports))}: {what}",
                f"The first time at log line {reports[0].line}, from the {reports[0].layer}."
                f"{sleep_of_link(view, address)}",
                _sleepless_first(view, address)
                or "Check the link (seating, cable, riser) if physical or data link layer are named; else driver and "
                "firmware.",
            )
        )  # fmt: skip


@rule(
    "bandwidth-limited",
    "info",
    "a link on the way to a device is slower than the device",
    needs=HOST,
    told_by=("link-degraded",),
)
def bandwidth_limited(view: HostView) -> Iterator[Found]:
    """Find devices whose way to the processor carries less than they could take."""
    for address, found in _by_device(view.log.of(Bandwidth)).items():
        fact = found[-1]
        if fact.limited_by is not None:
            yield Found(
                _here(
                    "bandwidth-limited", "info", address, "bandwidth", f"{fact.gbps} Gb/s",
                    f"{view.named(address)} gets {fact.gbps} Gb/s, not {fact.capable_gbps} Gb/s",
                    f"The link below {short(fact.limited_by)} runs as {fact.link}; the device can {fact.capable_link}.",
                    "Check the slot's width, and the BIOS settings for its speed and bifurcation.",
                )
            )  # fmt: skip
