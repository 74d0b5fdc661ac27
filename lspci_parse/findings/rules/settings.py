"""How devices are set up: regions, payload, power, interrupts, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.findings.model import Cause, Finding, Found
from lspci_parse.findings.rule import rule
from lspci_parse.model.display import named, said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lspci_parse.comparison.difference import Change
    from lspci_parse.comparison.matching import Pair
    from lspci_parse.findings.pair_view import PairView
    from lspci_parse.model.device import Device


def _finding(
    pair: Pair, change: Change, name: str, words: tuple[str, str, str], causes: Iterable[Cause] = ()
) -> Found:
    head, detail, remedy = words
    head = f"{named(pair.b)}: {head} {said(change.after)}, on A {said(change.before)}"
    return Found(
        Finding(
            name, "warning", change.a, change.b, change.path, change.before, change.after, head, detail, remedy
        ),
        tuple(causes),
    )  # fmt: skip


@rule("bar-resized", "warning", "a memory region has another size")
def bar_resized(view: PairView) -> Iterator[Found]:
    """Find regions whose size differs (Resizable BAR, 'Above 4G decoding')."""
    for pair, change in view.changes_like(r"Region[^/]*/size"):
        if change.kind == "changed":
            name = change.path.partition("/")[0]
            yield Found(
                Finding(
                    "bar-resized", "warning", change.a, change.b, change.path, change.before, change.after,
                    f"{named(pair.b)}: {name} is {binary(change.after)}, on A {binary(change.before)}",
                    "A GPU whose whole memory is not mapped copies through a window; a larger region needs address "
                    "space that BIOS must provide.",
                    "Compare 'Above 4G decoding' and 'Resizable BAR' in BIOS setup, and the device's firmware.",
                )
            )  # fmt: skip


def binary(size: int) -> str:
    """Write a size in bytes the way lspci does: ``256M``."""
    for unit in ("", "K", "M", "G", "T"):
        if size < 1024 or size % 1024:
            return f"{size}{unit}"
        size //= 1024
    return f"{size}P"


@rule("payload-changed", "warning", "payload or read request size differs")
def payload_changed(view: PairView) -> Iterator[Found]:
    """Find devices that move data in larger or smaller packets."""
    for pair, change in view.changes_at("exp/DevCtl/MaxPayload", "exp/DevCtl/MaxReadReq"):
        yield _finding(
            pair, change, "payload-changed",
            (f"{change.path.rpartition('/')[2]} is",
             "Smaller packets cost throughput; ports and devices on one path must agree on the payload size.",
             "Compare BIOS settings and pci=pcie_bus_safe, pcie_bus_perf or pcie_bus_tune_off on the command line."),
        )  # fmt: skip


@rule("aspm-changed", "warning", "link power management differs")
def aspm_changed(view: PairView) -> Iterator[Found]:
    """Find links that may sleep on one host only."""
    for pair, change in view.changes_at("exp/LnkCtl/ASPM"):
        yield _finding(
            pair, change, "aspm-changed",
            ("ASPM is",
             "A link that sleeps saves power and costs latency; some devices drop off the bus when theirs does.",
             "Compare pcie_aspm= on the command line, the ASPM policy of the kernel and BIOS settings."),
        )  # fmt: skip


@rule("power-state", "warning", "a device is in another power state")
def power_state(view: PairView) -> Iterator[Found]:
    """Find devices that sleep on one host only; a device without its driver, or in VFIO's hands, may."""
    for pair, change in view.changes_at("pm/Status/State"):
        if not view.changed(pair, "driver"):
            yield _finding(
                pair, change, "power-state",
                ("power state is",
                 "A device in D3 does not answer until something wakes it; one kept in D0 uses more power.",
                 "Compare runtime power management (power/control in sysfs) and what uses the device."),
            )  # fmt: skip


@rule("msi-off", "warning", "a device uses message-signalled interrupts on A and none on B")
def msi_off(view: PairView) -> Iterator[Found]:
    """Find devices whose driver fell back to line interrupts."""
    for pair, change in view.changes_at("msix/Enable", "msi/Enable"):
        if change.after is False and not view.changed(pair, "driver") and not _interrupts(pair.b):
            yield _finding(
                pair, change, "msi-off",
                (f"{'MSI-X' if change.path.startswith('msix') else 'MSI'} is",
                 ("The driver falls back to a shared interrupt line or to polling: slower, and on ports neither "
                  "hot-plug nor error events may arrive."),
                 ("Compare pci=nomsi on the command line, kernel messages about interrupt remapping, and the "
                  "driver's options.")),
                view.parameter("pci", "nomsi"),
            )  # fmt: skip


def _interrupts(device: Device) -> bool:
    """Whether any message-signalled interrupts are on."""
    return any(cap.get("Enable") for cap in device.capabilities if cap.kind in ("msi", "msix"))


_MASKS: Final = ("aer/UEMsk", "aer/CEMsk", "exp/DevCtl", "aer/RootCmd")
_REPORTS: Final = ("CorrErr", "NonFatalErr", "FatalErr", "CERptEn", "NFERptEn", "FERptEn")


@rule("aer-masked", "warning", "errors that A reports are not reported on B")
def aer_masked(view: PairView) -> Iterator[Found]:
    """Find devices that keep errors to themselves: masked, or reporting off."""
    for pair in view.unequal:
        if view.changed(pair, "driver"):
            continue
        facts = tuple(f"{path}/{name}" for path in _MASKS for name in _silenced(pair, path))
        if not facts:
            continue
        silent = [" ".join(fact.split("/")[1:]) for fact in facts]
        causes = [*_silencers(view, pair), *view.parameter("pci", "noaer", "nomsi", "nommconf")]
        yield Found(
            Finding(
                "aer-masked", "info" if causes else "warning", pair.a.address, pair.b.address, "aer",
                None, ", ".join(silent),
                f"{named(pair.b)} no longer reports errors: {', '.join(silent)}",
                "Errors that A would log and recover from pass unseen on B.",
                "" if causes else
                "Compare pci=noaer on the command line, 'PCIe error reporting' in BIOS setup and whether the "
                "platform lets the kernel handle AER (_OSC in the kernel log).",
                facts=facts,
            ),
            causes,
        )  # fmt: skip


def _silencers(view: PairView, pair: Pair) -> Iterator[Cause]:
    """Yield what keeps the kernel from handling errors: AER unreadable, ports without interrupt or driver."""
    if not view.b.visible.extended_readable:
        yield Cause("extended-config-unreadable")
    tree = view.b.tree
    for address in (pair.b.address, *tree.ancestors(pair.b.address)):
        port = view.difference.pair_of_b.get(address)
        if port is None:
            continue
        if view.changed(port, "driver"):
            yield Cause("driver-missing", address)
        elif view.changed(port, "msix/Enable") or view.changed(port, "msi/Enable"):
            yield Cause("msi-off", address)


def _silenced(pair: Pair, path: str) -> Iterator[str]:
    kind, register = path.split("/")
    a, b = pair.a.capability(kind), pair.b.capability(kind)
    if a is b or a is None or b is None or register not in a or register not in b:
        return
    for name, before in a[register].items():
        after = b[register].get(name)
        if kind == "aer" and register != "RootCmd":
            if before is False and after is True:
                yield name
        elif name in _REPORTS and before is True and after is False:
            yield name


@rule("errors-logged", "warning", "B has logged errors that A has not")
def errors_logged(view: PairView) -> Iterator[Found]:
    """Find devices with error bits set; correctable errors alone are no reason to worry."""
    for pair in view.unequal:
        facts = sorted(_new_errors(pair), key=lambda fact: fact.partition("/")[2])
        if facts:
            errors = [" ".join(fact.split("/")[1:]) for fact in facts]
            lasting = any(not error.startswith(("CESta", "DevSta CorrErr")) for error in errors)
            yield Found(
                Finding(
                    "errors-logged", "warning" if lasting else "info", pair.a.address, pair.b.address, "aer",
                    None, ", ".join(errors),
                    f"{named(pair.b)} has logged errors: {', '.join(errors)}",
                    "The bits stay set until software clears them, so the error may be old; it happened since the "
                    "device was last reset.",
                    "Look for AER messages in B's kernel log; check the link (seating, cable, riser) if data link "
                    "or receiver errors are among them.",
                    facts=tuple(facts),
                )
            )  # fmt: skip


_LOGS: Final = {
    ("aer", "UESta"): None,
    ("aer", "CESta"): None,
    ("exp", "DevSta"): ("CorrErr", "NonFatalErr", "FatalErr"),
}
"""Registers whose flags are errors, and which of the flags are, if not all."""


def _new_errors(pair: Pair) -> Iterator[str]:
    """Yield the paths of the errors that B's device has logged and A's has not, as far as both print them."""
    for (kind, register), wanted in _LOGS.items():
        a, b = pair.a.capability(kind), pair.b.capability(kind)
        if a is b or a is None or b is None:
            continue
        before, after = a.get(register, {}), b.get(register, {})
        for name, on in after.items():
            if on is True and before.get(name) is False and (not wanted or name in wanted):
                yield f"{kind}/{register}/{name}"
