"""IOMMU groups of one host: none, made under other flags, held by the host, or closed to VFIO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.evidence.log_facts import DomainEvent, InterruptRemapping
from lspci_parse.findings.model import Finding, Found, Severity
from lspci_parse.findings.rule import HOST, rule
from lspci_parse.linux.acs import registers
from lspci_parse.linux.acs_parameters import acs_requests
from lspci_parse.linux.groups.prediction import boot_of
from lspci_parse.linux.ownership import holder
from lspci_parse.model.display import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@rule("no-iommu-groups", "info", "the host has no IOMMU groups", needs=HOST, told_by=("iommu-off",))
def no_iommu_groups(view: HostView) -> Iterator[Found]:
    """Find a host known to have no groups; one whose set-up was given up is told by ``iommu-rolled-back``."""
    if view.iommu_off and view.absent is not None:
        yield Found(
            _about(
                "no-iommu-groups", "info", None, "iommu_group", "none",
                f"there are no IOMMU groups: {view.absent.why}",
                "Nothing can be passed through with VFIO, and no device is confined in what memory it reaches.",
                "If that is not wanted: VT-d or AMD-Vi in BIOS setup, and intel_iommu=on for an Intel host.",
            )
        )  # fmt: skip


@rule("acs-off-since-boot", "warning", "ACS was switched off after the groups were made", needs=HOST)
def acs_off_since_boot(view: HostView) -> Iterator[Found]:
    """Find ports whose flags are off though the kernel grouped by flags that were on: groups are made once."""
    ports = () if view.groups is None else view.groups.switched_off_since
    if ports:
        yield Found(
            _about(
                "acs-off-since-boot", "warning", ports[0], "acs/ACSCtl", listed(ports, 99),
                f"ACS was switched off at {listed(ports)} after the IOMMU groups were made",
                "The recorded groups are apart, and with these flags the kernel would have made one of them: what is "
                "below can now reach its neighbours past the IOMMU.",
                "Look for setpci in boot scripts and services (GPU peer-to-peer guides use it); a reboot without it "
                "brings flags and groups together again.",
            )._replace(devices=ports)
        )  # fmt: skip


@rule("group-held", "warning", "a driver of the host keeps VFIO from a group that a guest wants", needs=HOST)
def group_held(view: HostView) -> Iterator[Found]:
    """Find groups with one member in VFIO's hands and another with a driver that does DMA for the host.

    Source: ``iommu_device_use_default_domain`` (Linux 5.19 and newer), ``vfio_dev_viable`` before.
    """
    kernel = boot_of(view.host).kernel
    for group in () if view.groups is None else view.groups.actual:
        members = [view.tree.devices[device] for device in group.devices if device in view.tree.devices]
        wanted = [device.address for device in members if (device.driver or "").startswith("vfio")]
        held = [device for device in members if holder(device, kernel) is not None]
        if wanted and held:
            names = ", ".join(f"{device.address.slot} ({device.driver})" for device in held)
            yield Found(
                _about(
                    "group-held", "warning", wanted[0], "iommu_group/holders", names,
                    f"{listed(wanted)} cannot be given to a guest: its IOMMU group is held by {names}",
                    "A group has one owner; VFIO refuses it (EPERM) while a driver of the host does DMA with another "
                    "member.",
                    "Unbind these drivers, or bind vfio-pci to these functions, too.",
                )
            )  # fmt: skip


_REFUSED: Final = ("rmrr", "one-to-one")


@rule("needs-direct-map", "warning", "a device needs a 1:1 map, which VFIO refuses", needs=HOST)
def needs_direct_map(view: HostView) -> Iterator[Found]:
    """Find devices whose memory firmware reserved (RMRR): ``device_rmrr_is_relaxable``, ``iommu_attach_group``."""
    seen: set[Address | None] = set()
    for event in view.log.of(DomainEvent):
        if event.kind in _REFUSED and event.address not in seen:
            seen.add(event.address)
            who = "a device" if event.address is None else view.named(event.address)
            yield Found(
                _about(
                    "needs-direct-map", "warning", event.address, "iommu_group/direct-map", event.text,
                    f"{who} cannot be passed through: firmware wants memory mapped 1:1 for it",
                    "The firmware uses the device's DMA for itself (RMRR, IVMD), so the kernel gives it to no guest.",
                    "Look for a setting of the vendor that lets go of it (often of the management controller), or a "
                    "newer BIOS.",
                )
            )  # fmt: skip


_OFF: Final = ("intremap=off", "intel_iommu=no_intremap", "nointremap")


@rule("interrupt-remapping-off", "warning", "interrupts are not remapped", needs=HOST)
def interrupt_remapping_off(view: HostView) -> Iterator[Found]:
    """Find a host whose kernel says that interrupt remapping is off: VFIO then wants to be told that this is safe."""
    told = view.log.of(InterruptRemapping)
    parameter = view.given(*_OFF)
    if parameter is None and (not told or told[-1].on):
        return
    why = f"the command line says {parameter}" if parameter is not None else f"the log says: {told[-1].text}"
    yield Found(
        _about(
            "interrupt-remapping-off", "warning", None, "iommu/remapping", "off",
            f"interrupt remapping is off: {why}",
            "A device in a guest can send interrupts to the host as it likes; VFIO refuses pass-through unless "
            "allow_unsafe_interrupts is given.",
            "Switch interrupt remapping (x2APIC) on in BIOS setup, or update the BIOS.",
        )
    )  # fmt: skip


@rule("acs-not-as-asked", "warning", "ACS is not as the kernel's command line asks", needs=HOST)
def acs_not_as_asked(view: HostView) -> Iterator[Found]:
    """Find functions whose control register differs from what ``config_acs`` or ``disable_acs_redir`` ask for.

    Only flags that the parameter names are compared, and of those to be on the ones that the capability has; the
    others are left as the firmware set them (``__pci_config_acs``).
    """
    for request in acs_requests(view.tree, boot_of(view.host)):
        capable, control = registers(view.tree.devices[request.device].capability("acs"))
        wrong = [
            name
            for name, on in request.flags.items()
            if control.get(name) is (not on) and (not on or capable.get(name) is True)
        ]
        if wrong:
            now = " ".join(f"{name}{'+' if control[name] else '-'}" for name in wrong)
            why = request.problem or (
                "it was changed later (setpci, a reset, a driver), or the kernel did not understand the parameter"
            )
            yield Found(
                _about(
                    "acs-not-as-asked", "warning", request.device, "acs/ACSCtl", now,
                    f"{view.named(request.device)}: ACS is not as {request.parameter} asks: {now}",
                    f"{why[0].upper()}{why[1:]}. From 6.11 to 6.14 a defect could leave redirection at the firmware's "
                    "value.",
                    "Look for 'Configured ACS to' and 'Can't parse ACS command line parameter' in the kernel log, and "
                    "for setpci in boot scripts; before 6.15 name one device in each; quote ';' in GRUB's files.",
                )
            )  # fmt: skip


_IDENTITY: Final = ("direct", "identity", "private-identity")
_TRANSLATED: Final = ("dma", "private-dma")


@rule("domain-mix", "warning", "members of one IOMMU group use different kinds of domains", needs=HOST)
def domain_mix(view: HostView) -> Iterator[Found]:
    """Find groups with identity and DMA domains side by side, as Linux 5.3 to 5.7 made them (private domains).

    One group has one address space since 5.8 (``iommu_group_alloc_default_domain``).
    """
    kinds = {event.address: event.kind for event in view.log.of(DomainEvent) if event.address is not None}
    members: dict[int, list[Address]] = {}
    for address, group in (view.log.groups or view.log.made).items():
        members.setdefault(group, []).append(address)
    for group, devices in sorted(members.items()):
        identity = [device for device in devices if kinds.get(device) in _IDENTITY]
        translated = [device for device in devices if kinds.get(device) in _TRANSLATED]
        if identity and translated:
            yield Found(
                _about(
                    "domain-mix", "warning", min(devices), "iommu_group/domain", group,
                    f"group {group} has two kinds of domains: {listed(identity)} direct, {listed(translated)} DMA",
                    "The members share one requester id or reach each other, so they need one address space; DMA of "
                    "some of them then fails.",
                    "Boot Linux 5.8 or newer, which decides for the whole group; until then with iommu.passthrough=0.",
                )._replace(devices=tuple(sorted(devices))),
            )  # fmt: skip
