"""What differs around the devices: BIOS, kernel, command line, versions of drivers and firmware."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lspci_parse.evidence.cmdline import TOUCHES
from lspci_parse.evidence.machine_facts import upstream
from lspci_parse.findings.model import Finding, Found, Severity
from lspci_parse.findings.rule import rule
from lspci_parse.model.display import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.findings.pair_view import PairView


@rule("bios-changed", "warning", "the BIOS has another version on B")
def bios_changed(view: PairView) -> Iterator[Found]:
    """Compare BIOS versions of two machines of one model."""
    a, b = view.a.host.dmi, view.b.host.dmi
    if a is None or b is None or not any(view.host_changes("bios/", "system")):
        return
    before, after = f"{a.bios} ({a.date})", f"{b.bios} ({b.date})"
    if a.system != b.system:
        yield Found(
            Finding(
                "bios-changed", "info", None, None, "bios", f"{a.system}, BIOS {before}", f"{b.system}, BIOS {after}",
                f"B is another model: {b.system}, A is {a.system}",
                "BIOS versions of different models cannot be compared, and much else may differ by design.",
            )
        )  # fmt: skip
        return
    age = {-1: ", which is older", 1: ", which is newer"}.get(_order(b.date, a.date) or 0, "")
    yield Found(
        Finding(
            "bios-changed", "warning", None, None, "bios", before, after, f"B runs BIOS {after}{age}, A {before}",
            "BIOS sets up bridges before the kernel sees them: whether they have ACS, how links run, which resources "
            "devices get, and the tables by which the kernel finds the IOMMU.",
            "Bring both to one version, with the same settings, and power off fully in between.",
        )
    )  # fmt: skip


def _order(one: str, other: str) -> int | None:
    """Return -1, 0 or 1 as one date (``08/27/2020``) is before, on or after the other; ``None`` if unreadable."""
    dates = [re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", date) for date in (one, other)]
    if dates[0] is None or dates[1] is None:
        return None
    first, second = ((date[3], date[1], date[2]) for date in dates if date is not None)
    return (first > second) - (first < second)


@rule("kernel-changed", "warning", "another kernel runs on B")
def kernel_changed(view: PairView) -> Iterator[Found]:
    """Compare kernel releases; one of another series is a warning."""
    for change in view.host_changes("kernel"):
        a, b = change.before, change.after
        severity: Severity = "info" if upstream(a)[:2] == upstream(b)[:2] else "warning"
        yield Found(
            Finding(
                "kernel-changed", severity, None, None, "kernel", a, b, f"B runs Linux {b}, A {a}",
                "Drivers, ACS quirks and the rules by which IOMMU groups and domains are made differ between kernels.",
                "Boot both with one kernel and compare again.",
            )
        )  # fmt: skip


@rule("cmdline-changed", "warning", "a kernel parameter that touches PCI or the IOMMU differs")
def cmdline_changed(view: PairView) -> Iterator[Found]:
    """Compare command lines, parameter by parameter."""
    for change in view.host_changes("cmdline/"):
        name, before, after = change.path.removeprefix("cmdline/"), change.before, change.after
        if name not in TOUCHES:
            continue
        title = f"B boots with {after}" if after else f"B boots without {before}"
        title += f", A with {before}" if before and after else "" if before else ", A does not"
        yield Found(
            Finding(
                "cmdline-changed", "warning", None, None, change.path, before, after, title,
                f"{name}: {TOUCHES[name]}.", "Boot both with the same parameters and compare again.",
            )
        )  # fmt: skip


@rule("firmware-changed", "warning", "a device runs another firmware version on B")
def firmware_changed(view: PairView) -> Iterator[Found]:
    """Compare firmware versions that drivers reported, device by device."""
    for pair, change in view.changes_at("firmware"):
        before, after = change.before, change.after
        yield Found(
            Finding(
                "firmware-changed", "warning", change.a, change.b, "firmware", before, after,
                f"{named(pair.b)} runs firmware {after}, on A {before}",
                "Firmware decides what the device offers and how it behaves in trouble.",
                "Bring both to the version that the vendor recommends for the driver.",
            )
        )  # fmt: skip


@rule("numa-changed", "info", "a device hangs on another NUMA node on B")
def numa_changed(view: PairView) -> Iterator[Found]:
    """Find devices that another socket owns (``numa_node`` in sysfs, from ACPI's _PXM)."""
    for pair, change in view.changes_at("numa_node"):
        if change.before is None or change.after is None:
            continue
        yield Found(
            Finding(
                "numa-changed", "info", change.a, change.b, "numa_node", change.before, change.after,
                f"{named(pair.b)} is on NUMA node {change.after}, on A on {change.before}",
                "Memory and processors of another socket serve it; jobs that were pinned beside it now cross sockets.",
                "Compare the slot, NUMA nodes per socket (NPS, SNC) in BIOS setup, and the BIOS version.",
            )
        )  # fmt: skip


@rule("driver-version-changed", "info", "a driver reports another version on B")
def driver_version_changed(view: PairView) -> Iterator[Found]:
    """Compare the versions that drivers reported, of drivers that belong to a device; most are the kernel's."""
    for change in sorted(view.host_changes("driver/"), key=lambda change: change.path):
        name = change.path.split("/")[1]
        yield Found(
            Finding(
                "driver-version-changed", "info", None, None, change.path, change.before, change.after,
                f"driver {name} is version {change.after} on B, {change.before} on A",
                "Another version of a driver may need other firmware and behaves differently.",
            )
        )  # fmt: skip
