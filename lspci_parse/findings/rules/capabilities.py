"""Capabilities that came or went, and features that are switched on one host only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.findings.model import Finding, Found, Severity
from lspci_parse.findings.rule import rule
from lspci_parse.model.display import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.comparison.matching import Pair
    from lspci_parse.findings.pair_view import PairView
    from lspci_parse.model.fields import Capability


@rule("capability-lost", "warning", "a capability of A is not there on B")
def capability_lost(view: PairView) -> Iterator[Found]:
    """Find capabilities that are gone, other than ACS."""
    ended = {}
    for pair in view.unequal:
        where = list_end(view, pair)
        if where is not None:
            ended[pair.b.address] = where
            lost = [path for path, capability in pair.a.capability_paths() if _beyond(capability, where)]
            yield Found(
                Finding(
                    "capability-lost", "warning", pair.a.address, pair.b.address, "extended",
                    f"{len(lost)} more", f"ends at [{where:x}]",
                    f"{named(pair.b)}: the list of extended capabilities ends at [{where:x}]",
                    f"A shows {len(lost)} more behind it: {', '.join(lost)}. A list that ends early is the firmware's "
                    "doing, or the device no longer answers there.",
                    "Compare the firmware versions of the device and the BIOS settings of the hosts; lspci -xxxx shows "
                    "the bytes of the list.",
                    facts=tuple(lost),
                )
            )  # fmt: skip
    for pair, change in view.capability_changes("removed"):
        lost_one = dict(pair.a.capability_paths())[change.path]
        if pair.b.address in ended and _beyond(lost_one, ended[pair.b.address]):
            continue
        yield Found(
            Finding(
                "capability-lost", "warning", change.a, change.b, change.path, change.before, None,
                f"{named(pair.b)} has lost a capability: {change.before}",
                "The feature cannot be used on B. Firmware of the device or BIOS settings switch capabilities off.",
                "Compare the firmware versions of the device and the BIOS settings of the hosts.",
            )
        )  # fmt: skip


def list_end(view: PairView, pair: Pair) -> int | None:
    """Return the offset at which B's list of extended capabilities ends early, ``None`` if it does not.

    That is where A shows two or more further ones, B none of those behind its last, and all before it.
    """
    before = [cap.offset for cap in pair.a.capabilities if cap.extended and cap.offset is not None]
    after = [cap.offset for cap in pair.b.capabilities if cap.extended and cap.offset is not None]
    if not after or before[: len(after)] != after or len(before) < len(after) + 2:
        return None
    lost = [cap for cap in pair.a.capabilities if _beyond(cap, after[-1])]
    return (
        after[-1]
        if all(view.b.visible.knows_capability(pair.b, cap, view.a.visible) for cap in lost)
        else None
    )


def _beyond(capability: Capability, where: int) -> bool:
    return capability.extended and capability.offset is not None and capability.offset > where


@rule("capability-gained", "info", "a capability of B is not there on A")
def capability_gained(view: PairView) -> Iterator[Found]:
    """Find capabilities that only B has, other than ACS."""
    for pair, change in view.capability_changes("added"):
        yield Found(
            Finding(
                "capability-gained", "info", change.a, change.b, change.path, None, change.after,
                f"{named(pair.b)} has a capability that A does not show: {change.after}",
                "A lacks the feature, or its firmware hides it.",
            )
        )  # fmt: skip


@rule("sriov-changed", "warning", "virtual functions are enabled, or their number differs")
def sriov_changed(view: PairView) -> Iterator[Found]:
    """Find physical functions whose virtual functions differ in number or state."""
    for pair, change in view.changes_at("sriov/Number of VFs", "sriov/Total VFs", "sriov/IOVCtl/Enable"):
        if change.path == "sriov/IOVCtl/Enable" and view.changed(pair, "sriov/Number of VFs"):
            continue
        yield Found(
            Finding(
                "sriov-changed", "warning", change.a, change.b, change.path, change.before, change.after,
                f"{named(pair.b)}: {change.path.removeprefix('sriov/')} is {change.after}, on A {change.before}",
                "Guests or containers that expect these virtual functions do not find them, or find more.",
                "Compare what sets sriov_numvfs at boot (udev rules, network configuration) and the device's "
                "firmware settings.",
            )
        )  # fmt: skip


@rule("ats-changed", "warning", "address translation, page requests or PASID are on for one host only")
def ats_changed(view: PairView) -> Iterator[Found]:
    """Find devices whose part in address translation is switched differently."""
    for pair, change in view.changes_at("ats/ATSCtl/Enable", "pri/PRICtl/Enable", "pasid/PASIDCtl/Enable"):
        off = change.after is False
        severity: Severity = "warning" if off else "info"
        yield Found(
            Finding(
                "ats-changed", severity, change.a, change.b, change.path, change.before, change.after,
                f"{named(pair.b)}: {change.path.split('/')[1][:-3]} is {'off' if off else 'on'}, not so on A",
                "With ATS a device asks the IOMMU once and then reaches memory or peers directly; without it every "
                "request is translated on its way.",
                "Linux switches ATS on with the IOMMU: compare pci=noats, IOMMU settings and driver options.",
            )
        )  # fmt: skip
