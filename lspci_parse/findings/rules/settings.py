"""How devices are set up: regions, payload, power, interrupts, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.findings.model import Cause, Finding, Found, Severity
from lspci_parse.findings.rule import rule
from lspci_parse.model.display import named, said
from lspci_parse.topology.links import ABOVE, asleep, link

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lspci_parse.comparison.difference import Change
    from lspci_parse.comparison.matching import Pair
    from lspci_parse.findings.pair_view import PairView
    from lspci_parse.model.device import Device


def _finding(
    pair: Pair,
    change: Change,
    name: str,
    words: tuple[str, str, str],
    causes: Iterable[Cause] = (),
    severity: Severity = "warning",
) -> Found:
    head, detail, remedy = words
    head = f"{named(pair.b)}: {head} {said(change.after)}, on A {said(change.before)}"
    return Found(
        Finding(
            name, severity, change.a, change.b, change.path, change.before, change.after, head, detail, remedy
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
                    "A GPU whose whole memory is not mapped copies through a window. Drivers resize such a region "
                    "themselves where the windows of the bridges above have room (pci_resize_resource).",
                    "Compare 'Above 4G decoding' and 'Resizable BAR' in BIOS setup, and the device's firmware.",
                )
            )  # fmt: skip


_NO_ADDRESS: Final = ("<unassigned>", "<ignored>")


@rule("region-lost", "warning", "a memory region has an address on A and none on B")
def region_lost(view: PairView) -> Iterator[Found]:
    """Find regions without an address: the driver cannot reach what is behind them (``pci_assign_resource``)."""
    # lspci 3.8 began to read what is behind some addresses differently; two texts of one range of releases compare.
    alike = view.a.visible.releases == view.b.visible.releases
    for change in view.difference.changes:
        path = change.path
        # Linux gives expansion ROMs an address only where something reads them.
        if not (change.known or alike) or not path.startswith("Region") or change.a is None:
            continue
        if not path.endswith("/address") or change.kind != "changed":
            continue
        if change.after in _NO_ADDRESS and change.before not in _NO_ADDRESS:
            pair, name = view.difference.pair_of_a[change.a], path.partition("/")[0]
            yield Found(
                Finding(
                    "region-lost", "warning", change.a, change.b, path, change.before, change.after,
                    f"{named(pair.b)}: {name} has no address",
                    "The kernel found no room for it in the windows of the bridges above, so the driver cannot reach "
                    "what is behind it.",
                    "Compare 'Above 4G decoding' in BIOS setup; look for 'no space for' and 'failed to assign' in B's "
                    "kernel log; try pci=realloc.",
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
    for pair, change in _once_a_link(view, "exp/DevCtl/MaxPayload", "exp/DevCtl/MaxReadReq"):
        yield _finding(
            pair, change, "payload-changed",
            (f"{change.path.rpartition('/')[2]} is",
             "Smaller packets cost throughput; nothing may send larger payloads than the receivers on its way take.",
             "Compare BIOS settings and pci=pcie_bus_safe, pcie_bus_perf or pcie_bus_tune_off on the command line."),
            _gone(view, pair),
        )  # fmt: skip


@rule("aspm-changed", "warning", "link power management differs")
def aspm_changed(view: PairView) -> Iterator[Found]:
    """Find links that may sleep on one host only."""
    for pair, change in _once_a_link(view, "exp/LnkCtl/ASPM"):
        causes = tuple(_gone(view, pair))
        if not causes and (link(pair.a, "LnkSta") is None or link(pair.b, "LnkSta") is None):
            continue  # nothing is at the other end
        yield _finding(
            pair, change, "aspm-changed",
            ("ASPM is",
             "A link that sleeps saves power and costs latency; some devices drop off the bus when theirs does.",
             "Compare BIOS settings, the ASPM policy, and pcie_aspm= (off leaves what the firmware set)."),
            causes,
        )  # fmt: skip


def _once_a_link(view: PairView, *paths: str) -> Iterator[tuple[Pair, Change]]:
    """Yield changes of what both ends of a link are set to once: at function 0 of its lower end, if that changed."""
    for path in paths:
        found = list(view.changes_at(path))
        changed = {change.b for _, change in found}
        for pair, change in found:
            address = pair.b.address
            if address.function and address._replace(function=0) in changed:
                continue
            if not any(child in changed for child in view.b.tree.children(address)):
                yield pair, change


def _gone(view: PairView, pair: Pair) -> Iterator[Cause]:
    """Yield what is missing below a port on B: the port is then set up for an empty slot."""
    if pair.a.port_type in ABOVE and not view.b.tree.children(pair.b.address):
        for child in view.a.tree.children(pair.a.address):
            yield Cause("device-missing", child)


@rule("power-state", "warning", "a device is in another power state")
def power_state(view: PairView) -> Iterator[Found]:
    """Find devices that sleep on one host only; a device without its driver, or in VFIO's hands, may."""
    for pair, change in view.changes_at("pm/Status/State"):
        if not view.changed(pair, "driver"):
            # What has a driver sleeps and wakes as it is used; nobody wakes what has none.
            left = change.before == "D0" and pair.b.driver is None and view.b.shows_drivers
            yield _finding(
                pair, change, "power-state",
                ("power state is",
                 "In D3hot a device answers configuration requests only, in D3cold none; in D0 it uses more power.",
                 "Compare runtime power management (power/control in sysfs) and what uses the device."),
                severity="warning" if left else "info",
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
                "info" if asleep(pair.b) else "warning",
            )  # fmt: skip


def _interrupts(device: Device) -> bool:
    """Whether any message-signalled interrupts are on."""
    return any(cap.get("Enable") for cap in device.capabilities if cap.kind in ("msi", "msix"))


_MASKS: Final = ("aer/UEMsk", "aer/CEMsk", "exp/DevCtl", "aer/RootCmd")
_MASKED_BY_DEFAULT: Final = "AdvNonFatalErr"
"""Masked after a reset (PCI Express Base Specification 7.8.4.6)."""
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
            if before is False and after is True and name != _MASKED_BY_DEFAULT:
                yield name
        elif name in _REPORTS and before is True and after is False:
            yield name


@rule("errors-logged", "warning", "B has logged errors that A has not")
def errors_logged(view: PairView) -> Iterator[Found]:
    """Find devices with error bits set that A does not have set.

    A fatal error, an uncorrectable one that is not masked, and errors of the link matter; an unsupported request alone
    is what probing for a device gives, and what is masked is not reported to anybody.
    """
    for pair in view.unequal:
        facts = sorted(_new_errors(pair), key=lambda fact: fact.partition("/")[2])
        if facts:
            errors = [" ".join(fact.split("/")[1:]) for fact in facts]
            lasting = any(_matters(pair.b, fact) for fact in facts)
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


_LINK_ERRORS: Final = frozenset({"RxErr", "BadTLP", "BadDLLP", "Rollover", "Timeout"})
"""Correctable errors that tell of a bad link: receiver, packets, replays (PCI Express Base Specification 7.8.4.5)."""


def _matters(device: Device, fact: str) -> bool:
    _, register, name = fact.split("/")
    if register == "DevSta":
        return name == "FatalErr"
    if register == "CESta":
        return name in _LINK_ERRORS
    aer = device.capability("aer")
    masks = {} if aer is None else aer.get("UEMsk", {})
    return name != "UnsupReq" and masks.get(name) is not True


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
