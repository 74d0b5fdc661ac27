"""Access Control Services and the IOMMU groups that depend on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.comparison.difference import title
from lspci_parse.comparison.matching import Pair
from lspci_parse.findings.capability_list import acs_hole
from lspci_parse.findings.model import Cause, Finding, Found, Severity
from lspci_parse.findings.rule import rule
from lspci_parse.linux.acs import REQUIRED
from lspci_parse.model.display import listed, named, short
from lspci_parse.topology.tree import DOWNSTREAM, ROOT_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.findings.pair_view import Merge, PairView
    from lspci_parse.linux.acs import AcsVerdict
    from lspci_parse.model.address import Address
    from lspci_parse.model.device import Device


_SWITCHES: Final = ("intel_iommu", "amd_iommu", "iommu")
"""Kernel parameters that switch the IOMMU."""
_WHY: Final = (
    "Without ACS nothing makes requests from below this function go up to the IOMMU. Linux then puts what is below a "
    "port into the port's IOMMU group, and the function together with those of its slot that do not isolate either."
)
_REMEDY: Final = (
    "Power off fully, and compare BIOS setup (ACS, PCIe isolation, VT-d/AMD-Vi) and BIOS versions of the two hosts. "
    "With lspci -xxxx one sees whether its list of capabilities has a hole where ACS was (firmware hides it) or the "
    "port is another one. pcie_acs_override hides the loss from the kernel but isolates nothing."
)


@rule("acs-lost", "critical", "a function had the ACS capability on A and has none on B")
def acs_lost(view: PairView) -> Iterator[Found]:
    """Find functions whose ACS capability is gone."""
    for pair, change in view.changes_at("acs"):
        if change.kind != "removed":
            continue
        verdict = view.b.isolation[pair.b.address]
        merge = _merge_of(view, pair.b)
        severity: Severity = "critical" if merge else "warning" if verdict.needed else "info"
        detail = _WHY if verdict.needed else f"A function of this kind needs none: {verdict.sentence}."
        if merge:
            detail += f" Here {_merged_words(merge)}."
        bytes_ = acs_hole(pair.a, pair.b)
        detail += f" {bytes_}" if bytes_ else ""
        yield Found(
            Finding(
                "acs-lost", severity, pair.a.address, pair.b.address, "acs", change.before, None,
                f"{named(pair.b)} has lost its ACS capability", detail, _REMEDY if verdict.needed else "",
            ),
            [
                Cause("capability-lost", pair.b.address, "extended"),
                *([Cause("bios-changed", certain=False)] if view.same_model else ()),
            ],
        )  # fmt: skip


@rule("acs-off", "critical", "the ACS capability is there, but the flags that isolate are no longer on")
def acs_off(view: PairView) -> Iterator[Found]:
    """Find functions whose isolating ACS flags were switched off."""
    for pair in view.unequal:
        off = _switched_off(pair)
        if not off:
            continue
        one, other = view.a.isolation[pair.a.address], view.b.isolation[pair.b.address]
        merge = _merge_of(view, pair.b)
        # Linux sets the flags only with the IOMMU on: where it is off, that is the finding.
        isolation_lost = bool(one.isolated) and not other.isolated and not view.b.iommu_off
        severity: Severity = "critical" if merge else "warning" if isolation_lost else "info"
        yield Found(
            Finding(
                "acs-off", severity, pair.a.address, pair.b.address, "acs/ACSCtl",
                _flags(pair.a), _flags(pair.b),
                f"{named(pair.b)} has ACS, but {', '.join(off)} {'is' if len(off) == 1 else 'are'} off",
                _off_detail(view, other, merge, isolation_lost=isolation_lost),
                "Look for pci=disable_acs_redir= or pci=config_acs= on the kernel command line, for setpci in boot "
                "scripts (GPU peer-to-peer guides switch ACS off), and whether the IOMMU was on at boot: Linux sets "
                "these flags only then.",
                facts=tuple(f"acs/ACSCtl/{flag}" for flag in off),
            ),
            [Cause("iommu-off"), *view.parameter("pci", "disable_acs_redir", "config_acs")],
        )  # fmt: skip


def _off_detail(view: PairView, verdict: AcsVerdict, merge: Merge | None, *, isolation_lost: bool) -> str:
    if merge:
        return f"{_WHY} Here {_merged_words(merge)}."
    if view.b.iommu_off:
        return "Linux sets these flags only with the IOMMU on, and B has no IOMMU groups that their lack could join."
    return _WHY if isolation_lost else f"This changes no isolation on B: {verdict.sentence}."


@rule("acs-gained", "info", "a function has an ACS capability, or isolating flags on, that A does not have")
def acs_gained(view: PairView) -> Iterator[Found]:
    """Find functions that isolate on B only."""
    for pair in view.unequal:
        a, b = pair.a.capability("acs"), pair.b.capability("acs")
        gained = view.changed(pair, "acs") and a is None
        on = _switched_off(Pair(pair.b, pair.a, pair.how))
        if b is None or not (gained or on):
            continue
        verdict = view.b.isolation[pair.b.address]
        what = (
            "has an ACS capability that A does not show" if gained else f"has {', '.join(on)} on, A has not"
        )
        yield Found(
            Finding(
                "acs-gained", "info", pair.a.address, pair.b.address, "acs" if gained else "acs/ACSCtl",
                None if gained else _flags(pair.a), title(b) if gained else _flags(pair.b),
                f"{named(pair.b)} {what}",
                f"On B {verdict.sentence}." if verdict.needed else "A function of this kind needs no ACS.",
            )
        )  # fmt: skip


@rule("groups-merged", "warning", "devices that were in IOMMU groups of their own on A share one on B")
def groups_merged(view: PairView) -> Iterator[Found]:
    """Find groups of B that join several of A."""
    for merge in view.merged:
        causes = list(_causes(view, merge))
        first = next((cause.device for cause in causes if cause.device in merge.group), None) or min(
            merge.group
        )
        detail = "A group is what VFIO hands to one owner, and its devices share one DMA domain. "
        yield Found(
            _group_finding(
                view,
                ("groups-merged", "warning"),
                first,
                merge,
                (
                    "; ".join(filter(None, (_merged_title(view, merge), _by_kernel(view, merge)))),
                    detail + _together(view, merge),
                ),
            ),
            causes,
        )


def _merged_title(view: PairView, merge: Merge) -> str:
    """Name what no longer has a group of its own; where it is ports alone, or many, the groups that are one."""
    ports = {
        address
        for address in merge.group
        if view.b.tree.devices[address].port_type in (ROOT_PORT, DOWNSTREAM)
    }
    inner = [part - ports for part in merge.parts if part - ports]
    if len(inner) != 1 or not ports:
        are = "would be one on B with its IOMMU on" if view.b.iommu_off else "are one on B"
        return f"{len(merge.parts)} IOMMU groups {are}: {listed(merge.group)}"
    have, its = ("has", "its") if len(inner[0]) == 1 else ("have", "their")
    if view.b.iommu_off:
        return (
            f"with the IOMMU on, {listed(inner[0])} would no longer have an IOMMU group of {its} own, but share one "
            f"with {listed(merge.group - inner[0])}"
        )
    return (
        f"{listed(inner[0])} no longer {have} an IOMMU group of {its} own, but share{'s' * (have == 'has')} one with "
        + (listed(merge.group - inner[0]))
    )


def _together(view: PairView, merge: Merge) -> str:
    """Say what a merged group means for pass-through."""
    devices = view.b.tree.devices
    guests = [address for address in merge.group if not devices[address].is_bridge]
    ports = [address for address in merge.group if devices[address].is_bridge]
    if len(guests) > 1:
        return (
            f"{listed(guests)} cannot go to different guests, nor one to a guest while the host uses another."
        )
    what = listed(guests) if guests else "Whatever is plugged in below them"
    return f"{what} can no longer have another owner than what hangs below {listed(ports)}."


@rule("groups-split", "info", "devices that share an IOMMU group on A are in several on B")
def groups_split(view: PairView) -> Iterator[Found]:
    """Find groups of A that are several on B."""
    for merge in view.split:
        head = f"one IOMMU group of A is {len(merge.parts)} on B: {listed(merge.group)}"
        detail = "B isolates these devices from each other, A does not."
        yield Found(_group_finding(view, ("groups-split", "info"), min(merge.group), merge, (head, detail)))


def _group_finding(
    view: PairView, rule_: tuple[str, Severity], first: Address, merge: Merge, words: tuple[str, str]
) -> Finding:
    parts, whole = [listed(part, 99) for part in merge.parts], listed(merge.group, 99)
    before, after = (parts, [whole]) if rule_[0] == "groups-merged" else ([whole], parts)
    pair = view.difference.pair_of_b[first]
    return Finding(
        *rule_,
        pair.a.address,
        pair.b.address,
        "iommu_group",
        before,
        after,
        *words,
        devices=tuple(sorted(merge.group)),
    )


@rule("iommu-off", "critical", "the kernel made IOMMU groups on A and none on B")
def iommu_off(view: PairView) -> Iterator[Found]:
    """Find a host whose IOMMU is off, or whose set-up of groups failed."""
    a = view.a.host.dump
    if (
        all(device.iommu_group is None for device in a)
        or view.b.rolled_back
        or not view.b.iommu_off
        or view.other_system
    ):
        return
    yield Found(
        Finding(
            "iommu-off", "critical", None, None, "iommu_group", "groups", "no groups",
            "no device of B is in an IOMMU group",
            "The IOMMU was off when B booted, or setting up its groups failed; nothing can be passed through with "
            "VFIO, and no device is confined in what memory it reaches.",
            "Compare the kernel command lines (intel_iommu=on, amd_iommu, iommu=), VT-d/AMD-Vi in BIOS setup, and "
            "look for 'Removing from iommu group' in B's kernel log.",
        ),
        [cause for name in _SWITCHES for cause in view.parameter(name)],
    )  # fmt: skip


def _switched_off(pair: Pair) -> list[str]:
    """Return the required flags that are on for A's device and off for B's, though B's capability has them."""
    one, other = pair.a.capability("acs"), pair.b.capability("acs")
    if one is None or other is None or "ACSCtl" not in one or "ACSCtl" not in other:
        return []
    return [flag for flag in REQUIRED if one["ACSCtl"].get(flag) and other["ACSCtl"].get(flag) is False]


def _flags(device: Device) -> str:
    acs = device.capability("acs")
    return "" if acs is None else str(acs["ACSCtl"])


def _merge_of(view: PairView, device: Device) -> Merge | None:
    """Return the merged group that a function without isolation is part of, itself or with what is below it."""
    tree, address = view.b.tree, device.address
    for merge in view.merged:
        if any(address == member or address in tree.ancestors(member) for member in merge.group):
            return merge
    return None


def _causes(view: PairView, merge: Merge) -> Iterator[Cause]:
    """Yield the ACS findings that explain a merged group: those of its functions and of the bridges above them."""
    if not view.b.visible.extended_readable:
        yield Cause("extended-config-unreadable")
    if _by_kernel(view, merge):
        yield Cause("kernel-changed")
    tree = view.b.tree
    concerned = set(merge.group)
    for member in merge.group:
        concerned.update(tree.ancestors(member))
    for address in sorted(concerned):
        pair = view.difference.pair_of_b.get(address)
        if pair is not None and pair.a.capability("acs") is not None:
            if view.changed(pair, "acs"):
                yield Cause("acs-lost", address)
            elif _switched_off(pair):
                yield Cause("acs-off", address)


def _by_kernel(view: PairView, merge: Merge) -> str:
    """Return what B's kernel says of a function that A's counts as isolated by a quirk; empty if it is not that."""
    for member in sorted({above for one in merge.group for above in (one, *view.b.tree.ancestors(one))}):
        pair = view.difference.pair_of_b.get(member)
        here = view.b.isolation[member]
        if pair is None or here.quirk is None or here.isolated is not False:
            continue
        if view.a.isolation[pair.a.address].isolated:
            return f"{short(pair.b.address)}: {here.sentence}"
    return ""


def _merged_words(merge: Merge) -> str:
    return f"it joins the groups of {' / '.join(listed(part, 4) for part in merge.parts)}"
