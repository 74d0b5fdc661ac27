"""What the kernel log of one host tells of devices that fail while the system runs, and of what the kernel lacks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lspci_parse.evidence.cmdline import TOUCHES
from lspci_parse.evidence.log_facts import (
    BusShortage,
    Death,
    FirmwareError,
    FirmwareMissing,
    InterruptFault,
    IotlbTimeout,
    LinkEvent,
    SriovShortage,
)
from lspci_parse.evidence.machine_facts import UnknownParameters
from lspci_parse.findings.model import Cause, Finding, Found, Severity
from lspci_parse.findings.rule import HOST, rule
from lspci_parse.findings.rules.links import sleep_of_link
from lspci_parse.model.display import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lspci_parse.findings.host_view import HostView
    from lspci_parse.model.address import Address


def _about(
    name: str,
    severity: Severity,
    device: Address | None,
    path: str,
    value: object,
    title: str,
    detail: str,
    remedy: str,
) -> Finding:
    return Finding(name, severity, None, device, path, None, value, title, detail, remedy)


def _grouped(
    facts: Iterable[Death | IotlbTimeout | InterruptFault | LinkEvent | FirmwareError | SriovShortage],
) -> dict[Address, list[str]]:
    found: dict[Address, list[str]] = {}
    for fact in facts:
        found.setdefault(fact.address, []).append(getattr(fact, "text", ""))
    return dict(sorted(found.items()))


def _times(count: int) -> str:
    return "" if count == 1 else f" ({counted(count, 'time')})"


@rule("device-died", "critical", "a device stopped working while the system ran", needs=HOST)
def device_died(view: HostView) -> Iterator[Found]:
    """Find devices of which a driver says that they are gone, hung, or did not recover.

    Source: the messages of igb and igc (``igb_rd32``), nvme (``nvme_timeout``), xhci (``xhci_hc_died``), amdgpu, mlx5
    (``poll_health``), the AER core (``pcie_do_recovery``), resets (``pci_dev_wait``) and NVIDIA's Xid 79.
    """
    for address, texts in _grouped(_deaths(view)).items():
        yield Found(
            _about(
                "device-died", "critical", address, "driver/death", texts[0],
                f"{view.named(address)}: {texts[0]}{_times(len(texts))}",
                "The driver's own words. Reads of the device failed or it no longer makes progress."
                f"{sleep_of_link(view, address)}",
                "If its link may sleep (ASPM), try pcie_aspm=off and pcie_port_pm=off, and a newer BIOS. "
                "Check power, seating and cooling of the card; look for AER and link messages of its port before this "
                "one.",
            ),
            [Cause("link-lost", above, certain=False) for above in view.ancestors(address)],
        )  # fmt: skip


_XID_GONE: Final = "Xid 79"


def _deaths(view: HostView) -> Iterator[Death]:
    """Yield deaths; of NVIDIA's Xids only the one that says that the GPU has fallen off the bus."""
    return (
        fact
        for fact in view.log.of(Death)
        if not fact.text.startswith("Xid ") or fact.text.startswith(_XID_GONE)
    )


@rule("firmware-missing", "warning", "a driver did not find a firmware file", needs=HOST)
def firmware_missing(view: HostView) -> Iterator[Found]:
    """Find firmware files that were not found, of devices that have no driver: many drivers try several.

    Source: ``_request_firmware`` (drivers/base/firmware_loader/main.c).
    """
    missing: dict[Address, FirmwareMissing] = {fact.address: fact for fact in view.log.of(FirmwareMissing)}
    for address, fact in sorted(missing.items()):
        device = view.device(address)
        if device is not None and device.driver is not None:
            continue
        yield Found(
            _about(
                "firmware-missing", "warning", address, "firmware/file", fact.file,
                f"{view.named(address)}: {fact.driver} did not find the firmware {fact.file}",
                "The device needs this file to work, and nothing drives it.",
                "Install the distribution's package of firmware (linux-firmware), and renew the initramfs.",
            )
        )  # fmt: skip


@rule("power-stuck", "warning", "a device refused to leave a power state", needs=HOST)
def power_stuck(view: HostView) -> Iterator[Found]:
    """Find devices that stayed in a power state though told to leave it (``pci_raw_set_power_state``)."""
    stuck = (fact for fact in view.log.of(LinkEvent) if fact.kind == "stuck")
    for address, texts in _grouped(stuck).items():
        yield Found(
            _about(
                "power-stuck", "warning", address, "pm/log", texts[0],
                f"{view.named(address)}: {texts[0]}{_times(len(texts))}",
                "The device answers, and did not change its state in the time that it has: often firmware (ACPI _PS0) "
                "or the device's own reset is at fault.",
                "Try with runtime power management off for it (power/control in sysfs: on), and a newer BIOS.",
            )
        )  # fmt: skip


@rule("link-retrained", "warning", "the kernel had to train a link at a lower speed", needs=HOST)
def link_retrained(view: HostView) -> Iterator[Found]:
    """Find links that came up only at 2.5 GT/s, or not at all (``pcie_failed_link_retrain``, Linux 6.5 and newer)."""
    retrained = (fact for fact in view.log.of(LinkEvent) if fact.kind == "retrained")
    for address, texts in _grouped(retrained).items():
        yield Found(
            _about(
                "link-retrained", "warning", address, "link/log", texts[-1],
                f"{view.named(address)}: {texts[-1]}",
                "The link did not come up at the speed that both ends can.",
                "Check seating, riser and cable; try another slot, or a lower speed in BIOS setup.",
            )
        )  # fmt: skip


@rule("iotlb-timeout", "warning", "a device did not answer an invalidation of its address cache", needs=HOST)
def iotlb_timeout(view: HostView) -> Iterator[Found]:
    """Find devices that hang in Address Translation Services (AMD I/O Virtualization Specification 2.5.10)."""
    for address, texts in _grouped(view.log.of(IotlbTimeout)).items():
        device = view.device(address)
        ats = None if device is None else device.capability("ats")
        control = None if ats is None else ats.get("ATSCtl")
        on = " ATS is on for it." if control is not None and control.get("Enable") else ""
        yield Found(
            _about(
                "iotlb-timeout", "warning", address, "iommu/iotlb", texts[0],
                f"{view.named(address)} did not answer the IOMMU in time{_times(len(texts))}",
                f"The device keeps translated addresses (ATS) and did not confirm that it dropped some: it hangs, or "
                f"has fallen off the bus.{on}",
                "Look for what the device's driver said before; try pci=noats to see whether ATS is why.",
            ),
            [Cause("device-died", address, certain=False)],
        )  # fmt: skip


@rule("interrupt-fault", "warning", "the IOMMU refused a device's interrupt", needs=HOST)
def interrupt_fault(view: HostView) -> Iterator[Found]:
    """Find interrupts that no table entry allows (Intel VT-d Specification 7.3, interrupt-remapping faults)."""
    for address, texts in _grouped(view.log.of(InterruptFault)).items():
        yield Found(
            _about(
                "interrupt-fault", "warning", address, "iommu/interrupts", texts[0],
                f"{view.named(address)}: the IOMMU refused its interrupt{_times(len(texts))}",
                "The device, or what speaks with its id, sent an interrupt that the kernel had not set up: often a "
                "device that firmware left running, or one that was reset behind the kernel's back.",
                "Update the BIOS and the device's firmware; find out which driver owns it.",
            )
        )  # fmt: skip


@rule("bus-numbers-exhausted", "warning", "there is no bus number left behind a bridge", needs=HOST)
def bus_numbers_exhausted(view: HostView) -> Iterator[Found]:
    """Find buses that could not be put below their bridge (``pci_bus_insert_busn_res``)."""
    facts = view.log.of(BusShortage)
    if facts:
        yield Found(
            _about(
                "bus-numbers-exhausted", "warning", None, "buses", facts[0].text,
                f"a bus could not be placed below its bridge: {facts[0].text}",
                "Firmware gave the bridge too few bus numbers; devices behind it may be missing.",
                "Boot with pci=assign-busses or pci=hpbussize=N for hot-plug slots; look for a newer BIOS.",
            )
        )  # fmt: skip


@rule("sriov-no-room", "warning", "there is no room for a device's virtual functions", needs=HOST)
def sriov_no_room(view: HostView) -> Iterator[Found]:
    """Find devices whose virtual functions cannot be made (``sriov_enable``, ``sriov_init``)."""
    for address, texts in _grouped(view.log.of(SriovShortage)).items():
        yield Found(
            _about(
                "sriov-no-room", "warning", address, "sriov/log", texts[0],
                f"{view.named(address)}: {texts[0]}",
                "Virtual functions need bus numbers or address space that firmware did not provide.",
                "Switch SR-IOV, ARI and 'Above 4G decoding' on in BIOS setup; try pci=realloc, pci=assign-busses.",
            )
        )  # fmt: skip


@rule("firmware-error", "info", "the firmware reported an error of a device", needs=HOST)
def firmware_error(view: HostView) -> Iterator[Found]:
    """Find errors that firmware handles before the kernel does (ACPI APEI, ``ghes_handle_aer``)."""
    for address, texts in _grouped(view.log.of(FirmwareError)).items():
        yield Found(
            _about(
                "firmware-error", "info", address, "aer/firmware", len(texts),
                f"{view.named(address)}: the firmware reported an error of it{_times(len(texts))}",
                "Firmware handles errors first here; the lines around it in the log say of what kind they are.",
                "Check the link (seating, cable, riser) if the physical or data link layer are named.",
            )
        )  # fmt: skip


@rule("parameter-unknown", "warning", "the kernel does not know a parameter that it was given", needs=HOST)
def parameter_unknown(view: HostView) -> Iterator[Found]:
    """Find parameters about PCI or the IOMMU that do nothing here (``print_unknown_bootoptions``, 5.14 and newer)."""
    for fact in view.log.of(UnknownParameters):
        for word in re.findall(r'[^\s",]+(?:=[^\s"]*)?', fact.text.partition('"')[2].partition('"')[0]):
            if word.partition("=")[0].replace("-", "_") in TOUCHES:
                yield Found(
                    _about(
                        "parameter-unknown", "warning", None, f"cmdline/{word.partition('=')[0]}", word,
                        f"this kernel does not know {word}: it does nothing",
                        "The kernel passes what it does not know to the first process. A patch that the parameter "
                        "belongs to is not in this kernel, or the name is misspelt.",
                        "Take it out, or boot a kernel that has it.",
                    )
                )  # fmt: skip
