"""What the registers of one host alone tell: regions, payload, errors, masks, and settings that do not fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lspci_parse.evidence.log_facts import AerReport, PayloadMismatch
from lspci_parse.findings.model import Cause, Finding, Found, Severity
from lspci_parse.findings.rule import HOST, rule
from lspci_parse.lspci.pci_ids import class_id
from lspci_parse.model.display import counted, listed, named, short
from lspci_parse.topology.links import asleep

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lspci_parse.findings.host_view import HostView
    from lspci_parse.model.address import Address
    from lspci_parse.model.device import Device


def _about(
    name: str,
    severity: Severity,
    device: Device,
    path: str,
    value: object,
    title: str,
    detail: str,
    remedy: str,
) -> Found:
    return Found(Finding(name, severity, None, device.address, path, None, value, title, detail, remedy))


def _register(device: Device, kind: str, name: str) -> Mapping[str, Any]:
    """Return a register's fields; none where it is not printed."""
    capability = device.capability(kind)
    return {} if capability is None else capability.get(name) or {}


_NO_ADDRESS: Final = ("<unassigned>", "<ignored>")
_WINDOWS: Final = ("Memory behind bridge", "Prefetchable memory behind bridge")


@rule("region-unassigned", "warning", "a memory region has no address", needs=HOST, told_by=("region-lost",))
def region_unassigned(view: HostView) -> Iterator[Found]:
    """Find memory regions without address, or above which no window of the bridge is open.

    Regions of I/O ports and ROMs are left out: few devices need theirs (``pci_assign_resource``,
    ``pci_read_bridge_bases``).
    """
    # Windows keeps the addresses of devices that it does not drive to itself.
    for device in () if view.windows else view.host.dump:
        lost = [name for name, region in device.registers.items() if _is_lost(name, region)]
        if lost and device.address not in view.tree.virtual:
            numbered = all(name.startswith("Region ") for name in lost)
            names = ", ".join(lost) if numbered else counted(len(lost), "memory region")
            yield _about(
                "region-unassigned", "warning", device, f"{lost[0]}/address", names,
                f"{named(device)}: {names} {'has' if len(lost) == 1 else 'have'} no address",
                "The kernel found no room for it in the windows of the bridges above, or firmware disabled it: no "
                "driver can reach what is behind it.",
                "Compare 'Above 4G decoding' in BIOS setup; look for 'no space for' and 'failed to assign' in the log "
                "of the kernel; try pci=realloc.",
            )  # fmt: skip


def _is_lost(name: str, region: Any) -> bool:
    return (
        name.startswith("Region")
        and region.get("type") == "Memory"
        and str(region.get("address")) in _NO_ADDRESS
    )


@rule("window-closed", "warning", "a bridge has no open window above regions of memory", needs=HOST)
def window_closed(view: HostView) -> Iterator[Found]:
    """Find bridges whose memory windows are closed though devices right below have memory regions."""
    for device in view.host.dump:
        windows = [device.registers[name] for name in _WINDOWS if name in device.registers]
        if not windows or not all(window.get("disabled") for window in windows):
            continue
        below = [view.tree.devices[child] for child in view.tree.children(device.address)]
        above = [child for child in below if any(_is_memory(*item) for item in child.registers.items())]
        if above:
            yield _about(
                "window-closed", "warning", device, "Memory behind bridge", "disabled",
                f"{named(device)} lets no memory access through, and {short(above[0].address)} below it has regions",
                "Nothing can reach the registers of the devices below.",
                "Look for 'bridge window' and 'failed to assign' in the kernel log; try pci=realloc.",
            )  # fmt: skip


def _is_memory(name: str, region: Any) -> bool:
    return name.startswith("Region") and region.get("type") == "Memory" and not _is_lost(name, region)


@rule(
    "payload-mismatch", "warning", "a port may send larger payloads than the device below takes", needs=HOST
)
def payload_mismatch(view: HostView) -> Iterator[Found]:
    """Find ports with a larger payload size than function 0 below them, which then drops packets as malformed.

    The rule: the sender's size is not above the receiver's (PCI Express Base Specification 2.2.2).
    """
    mismatched = {fact.address: fact for fact in view.log.of(PayloadMismatch)}
    for device in view.host.dump:
        upper = view.tree.parent(device.address)
        if upper is None or device.address.function:
            continue
        own = _register(device, "exp", "DevCtl").get("MaxPayload")
        above = _register(view.tree.devices[upper], "exp", "DevCtl").get("MaxPayload")
        if not isinstance(own, int) or not isinstance(above, int) or above <= own:
            continue
        told = (
            f" The kernel says so, too (log line {mismatched[device.address].line})."
            if (device.address in mismatched)
            else ""
        )
        yield _about(
            "payload-mismatch", "warning", device, "exp/DevCtl/MaxPayload", own,
            f"{named(device)} takes payloads of {own} bytes, {short(upper)} above it may send {above}",
            f"What is larger than the receiver takes is malformed, a fatal error.{told}",
            "Boot with pci=pcie_bus_safe; report it, for firmware and kernel should have set both alike.",
        )  # fmt: skip


_BITS: Final = {"aer": ("UESta",), "exp": ("DevSta",)}
_HARMLESS: Final = ("UnsupReq", "NonFatalErr", "CorrErr", "AuxPwr", "TransPend", "UncorrIntErr")


@rule(
    "errors-latched",
    "warning",
    "a device has logged an error that matters",
    needs=HOST,
    told_by=("errors-logged",),
)
def errors_latched(view: HostView) -> Iterator[Found]:
    """Find fatal errors, and uncorrectable ones that are not masked, other than an unsupported request.

    Masked errors and a lone UnsupReq (what probing for a device gives) are 59 of 65 bits set on real machines.
    """
    for device in view.host.dump:
        masks = _register(device, "aer", "UEMsk")
        found = [
            f"{register} {name}"
            for kind, registers in _BITS.items()
            for register in registers
            for name, on in _register(device, kind, register).items()
            if on is True and name not in _HARMLESS and masks.get(name) is not True
        ]
        if found:
            yield _about(
                "errors-latched", "warning", device, "aer", ", ".join(found),
                f"{named(device)} has logged errors: {', '.join(found)}",
                "The bits stay set until software clears them, so the error may be old; it happened since the device "
                "was last reset.",
                "Look for AER messages in the kernel log; check seating, cable and riser; see whether the bits come "
                "back after a full power cycle.",
            )  # fmt: skip


_FATAL: Final = ("DLP", "FCP", "RxOF", "MalfTLP")
"""Fatal by default (PCI Express Base Specification 7.8.4.4); surprise down is masked on purpose at hot-plug ports."""


@rule("fatal-errors-masked", "info", "errors that are fatal by default are masked", needs=HOST)
def fatal_errors_masked(view: HostView) -> Iterator[Found]:
    """Find functions that do not report errors after which a link cannot be trusted."""
    for device in view.host.dump:
        masked = [name for name in _FATAL if _register(device, "aer", "UEMsk").get(name) is True]
        if masked:
            yield _about(
                "fatal-errors-masked", "info", device, "aer/UEMsk", ", ".join(masked),
                f"{named(device)} masks errors that are fatal by default: {', '.join(masked)}",
                "Nobody learns of them, and data may be lost in silence.",
                "Compare 'PCIe error reporting' in BIOS setup, and what tool masks them.",
            )  # fmt: skip


_MASTERS: Final = ("01", "02", "03", "0c03", "12")
"""Classes whose drivers cannot work without bus mastering: storage, network, display, USB, accelerators."""
_NO_OWN_DMA: Final = ("vfio", "pci-stub", "xen-pciback", "uio", "igb_uio", "nvidia")


@rule("mastering-off", "warning", "a driver is bound, and the device may not do DMA", needs=HOST)
def mastering_off(view: HostView) -> Iterator[Found]:
    """Find devices with a driver and without bus mastering or memory access (``pci_set_master``).

    Left out: virtual functions, sleeping devices, drivers that leave the device to others, and classes whose drivers
    need no DMA (uncore, SMBus, ISA bridges).
    """
    for device in view.host.dump:
        control = device.registers.get("Control") or {}
        driver = device.driver or ""
        if not driver or driver.startswith(_NO_OWN_DMA) or device.is_bridge or asleep(device):
            continue
        if device.address in view.tree.virtual or not class_id(device).startswith(_MASTERS):
            continue
        off = [name for name in ("Mem", "BusMaster") if control.get(name) is False and _needs(device, name)]
        if off:
            yield _about(
                "mastering-off", "warning", device, "Control", " ".join(off),
                f"{named(device)} is driven by {driver}, with {' and '.join(off)} off",
                "The driver cannot reach the device, or the device memory: its set-up failed, somebody reset it, or it "
                "sleeps without saying so.",
                "Look for the driver's messages; bind it anew.",
            )  # fmt: skip


def _needs(device: Device, name: str) -> bool:
    memory = any(_is_memory(*item) for item in device.registers.items())
    return memory and (name == "Mem" or device.port_type is not None)


@rule("bridge-not-set-up", "critical", "a bridge has lost its bus numbers", needs=HOST)
def bridge_not_set_up(view: HostView) -> Iterator[Found]:
    """Find bridges whose bus numbers read 0 above functions that the kernel knows: a reset undid their set-up.

    Firmware and kernel give every bridge bus numbers (``pci_scan_bridge_extend``); a function behind one that has
    none cannot be reached.
    """
    for device in view.host.dump:
        buses = device.registers.get("Bus") or {}
        if buses.get("secondary") != 0 or buses.get("subordinate") != 0:
            continue
        behind = [
            other.address for other in view.host.dump if other.dead and other.address.bus > device.address.bus
        ]
        if behind:
            found = _about(
                "bridge-not-set-up",
                "critical",
                device,
                "Bus",
                "secondary=00, subordinate=00",
                f"{named(device)} has lost its set-up: it leads to no bus, and {listed(behind)} cannot be reached",
                "A reset of the link above put its registers back, and nobody restored them: its bus numbers are 0.",
                "Power-cycle the machine; look for what reset the link (AER, Downstream Port Containment) in the log.",
            )
            yield found._replace(
                finding=found.finding._replace(devices=tuple(behind)),
                causes=[Cause("aer-reported", above, certain=False) for above in _fatal_above(view, device)],
            )


def _fatal_above(view: HostView, device: Device) -> Iterator[Address]:
    """Yield what may have reset the link above a bridge: its ancestors, else whatever reported a fatal error."""
    above = view.ancestors(device.address)
    yield from above
    if not above:
        yield from {
            fact.address: None
            for fact in view.log.of(AerReport)
            if "(Fatal)" in fact.severity and fact.address.bus < device.address.bus
        }


_MISSED: Final = ("01", "02", "0c03", "12", "00", "ff")
"""Classes that a driver is missed at; graphics are often left without one on purpose."""


@rule(
    "without-driver",
    "info",
    "a device that is made for DMA has no driver",
    needs=HOST,
    told_by=("driver-missing",),
)
def without_driver(view: HostView) -> Iterator[Found]:
    """Find devices without driver that may not do DMA until one is bound (``pci_set_master``)."""
    for device in view.host.dump if view.shows_drivers else ():
        control = device.registers.get("Control") or {}
        if (
            device.driver is not None
            or control.get("BusMaster") is not False
            or device.dead
            or device.is_bridge
        ):
            continue
        known = device.address in view.tree.virtual or device.address in view.log.probe_failures
        if class_id(device).startswith(_MISSED) and device.modules and not known:
            modules = f" ({', '.join(device.modules)} would claim it)"
            yield _about(
                "without-driver",
                "info",
                device,
                "driver",
                "none",
                f"{named(device)} has no driver, and may not do DMA",
                f"Bus mastering is off until a driver is bound{modules}: the device can start no transfer.",
                "Bind a driver to it, or vfio-pci for a guest or a program.",
            )


@rule("path-misfit", "warning", "a device uses what the ports above it cannot take", needs=HOST)
def path_misfit(view: HostView) -> Iterator[Found]:
    """Find LTR and 10-bit tags that are on for a device and not for what is above it.

    LTR messages that the port does not take are unsupported requests (PCI Express Base Specification 6.18); a
    completer above must be able to return 10-bit tags (2.2.6.2).
    """
    for device in view.host.dump:
        upper = view.tree.parent(device.address)
        if upper is None or device.address in view.tree.virtual:
            continue
        control = _register(device, "exp", "DevCtl2")
        port = view.tree.devices[upper]
        if control.get("LTR") is True and _register(port, "exp", "DevCtl2").get("LTR") is False:
            yield _about(
                "path-misfit", "warning", device, "exp/DevCtl2/LTR", "on",
                f"{named(device)} reports latencies (LTR), and {short(upper)} above it does not take them",
                "The port treats the messages as unsupported requests.",
                "Compare LTR in BIOS setup; a hot-plugged device may have kept the firmware's setting.",
            )  # fmt: skip
        top = view.tree.devices[(upper, *view.tree.ancestors(upper))[-1]]
        if (
            control.get("10BitTagReq") is True
            and _register(top, "exp", "DevCap2").get("10BitTagComp") is False
        ):
            yield _about(
                "path-misfit", "warning", device, "exp/DevCtl2/10BitTagReq", "on",
                f"{named(device)} uses 10-bit tags, which {short(top.address)} cannot return",
                "Completions come back under another tag, or not at all.",
                "Switch 10-bit tags off in BIOS setup, or look for a newer kernel (pci_configure_ten_bit_tag).",
            )  # fmt: skip
