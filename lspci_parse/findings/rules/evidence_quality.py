"""Rules about the evidence itself: does the log belong to the dump, is it whole, do they agree about groups."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING

from lspci_parse.evidence.log import foreign
from lspci_parse.findings.model import Finding, Found, Severity
from lspci_parse.findings.rule import HOST, rule
from lspci_parse.model.display import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lspci_parse.findings.host_view import HostView
    from lspci_parse.model.address import Address


def _about(name: str, severity: Severity, path: str, *words: str) -> Found:
    """Return a finding about the host's evidence; ``words`` are title, detail and remedy."""
    title, detail, remedy = (*words, "")[:3]
    return Found(Finding(name, severity, None, None, path, None, title, title, detail, remedy))


@rule("log-foreign", "warning", "the kernel log is another machine's", needs=HOST, of_evidence=True)
def log_foreign(view: HostView) -> Iterator[Found]:
    """Find a log that names other devices than the dump."""
    log = view.host.log
    if view.host.foreign_log and log is not None:
        yield _about(
            "log-foreign", "warning", "log", "the kernel log is another machine's",
            "It names devices that the dump does not have, or has as something else: "
            f"{listed(foreign(log, view.host.dump))}. Nothing is taken from it.",
            "Take log and dump from one machine: lspci-parse collect prints a script for it.",
        )  # fmt: skip


@rule("log-cut", "info", "the kernel log has lost its beginning", needs=HOST, of_evidence=True)
def log_cut(view: HostView) -> Iterator[Found]:
    """Find a log whose first lines the ring buffer has dropped."""
    if view.log.facts and not view.log.complete:
        yield _about(
            "log-cut", "info", "log", "the kernel log has lost its beginning",
            "The ring buffer ran over, so IOMMU groups, command line and BIOS may be missing from it; what it does not "
            "say counts as not known.",
            "Take it from the journal (journalctl -k -b), or boot with a larger buffer (log_buf_len=4M).",
        )  # fmt: skip


@rule(
    "groups-contradict",
    "info",
    "log, listing and dump record different IOMMU groups",
    needs=HOST,
    of_evidence=True,
)
def groups_contradict(view: HostView) -> Iterator[Found]:
    """Find records of groups that cannot be of one boot."""
    printed = {
        device.address: device.iommu_group for device in view.host.dump if device.iommu_group is not None
    }
    rolled_back = view.log.rollback is not None
    records = {"listing": view.host.groups, "dump": printed, "log": {} if rolled_back else view.log.groups}
    found = {name: groups for name, groups in records.items() if groups}
    names = f"{' and '.join(found)} record{'s' if len(found) == 1 else ''}"
    if rolled_back and found:
        text = f"{names} IOMMU groups, which the log says were given up"
    elif any(
        _partition(one, other) != _partition(other, one) for one, other in combinations(found.values(), 2)
    ):
        text = f"{names} different IOMMU groups"
    else:
        return
    yield _about(
        "groups-contradict", "info", "iommu_group", text,
        "They are of different boots, or devices came and went in between; what is told of this host may mix the two.",
        "Take log, listing and dump in one boot: lspci-parse collect prints a script for it.",
    )  # fmt: skip


def _partition(
    groups: Mapping[Address, int | None], other: Mapping[Address, int | None]
) -> set[frozenset[Address]]:
    """Return who shares a group with whom, among the devices of both records."""
    found: defaultdict[int | None, set[Address]] = defaultdict(set)
    for address, number in groups.items():
        if address in other:
            found[number].add(address)
    return {frozenset(group) for group in found.values()}


@rule(
    "groups-unpredicted",
    "info",
    "the kernel's log records other IOMMU groups than the dump lets expect",
    needs=HOST,
    of_evidence=True,
)
def groups_unpredicted(view: HostView) -> Iterator[Found]:
    """Find groups in the log that part from the prediction, those of a set-up that was given up, too."""
    made = view.log.made
    if not made or view.groups is None or view.iommu_off:
        return
    differences = view.groups._replace(recorded=made).disagreements
    # Of a set-up that was given up, the log has those groups that were made until then.
    texts = [entry.text for entry in differences if not (view.rolled_back and entry.kind == "left out")]
    if texts:
        more = f"; and {len(texts) - 3} more" if len(texts) > 3 else ""
        yield _about(
            "groups-unpredicted", "info", "iommu_group", "the log records other IOMMU groups than the dump lets expect",
            f"{'; '.join(texts[:3])}{more}. The prediction assumes what a dump does not show: lspci-parse groups lists "
            "it.",
        )  # fmt: skip
