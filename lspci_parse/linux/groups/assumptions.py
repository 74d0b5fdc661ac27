"""What a prediction of groups takes for granted: what a dump does not show and a decision hangs on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.linux.acs import REQUIRED, Reason
from lspci_parse.lspci.pci_ids import is_amd_iommu
from lspci_parse.model.display import short
from lspci_parse.topology.tree import DOWNSTREAM, ROOT_PORT, BusKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lspci_parse.linux.groups.device_group import Walk
    from lspci_parse.linux.kernel import Boot
    from lspci_parse.model.address import Address
    from lspci_parse.topology.tree import Topology

_MOST: Final = 6


def switched_off(tree: Topology, boot: Boot) -> str | None:
    """Return why the command line leaves the host without IOMMU groups, or ``None``."""
    switches = [value for value in boot.parameter("intel_iommu") if value in ("on", "off")]
    # Of several for Intel's the last counts; the others cannot be switched on again.
    found = {
        "iommu": "off" in boot.parameter("iommu"),
        "amd_iommu": "off" in boot.parameter("amd_iommu") and _has_amd_iommu(tree),
        "intel_iommu": switches[-1:] == ["off"] and not _has_amd_iommu(tree),
    }
    for name, off in found.items():
        if off:
            return f"the IOMMU is off on the kernel's command line ({name}=off), so Linux makes no groups"
    return None


def _has_amd_iommu(tree: Topology) -> bool:
    return any(map(is_amd_iommu, tree.devices.values()))


def assumptions(tree: Topology, boot: Boot, walk: Walk) -> Iterator[str]:
    """Yield what the decisions of a run hang on beside the dump."""
    if boot.kernel.regrouped:
        yield (
            f"{boot.kernel} groups by mainline's rules; NVIDIA's kernels carry a rewrite of them (a switch with one "
            "downstream port without ACS becomes one group), which is not modelled"
        )
    elif not boot.known:
        yield f"the kernel is Linux {boot.kernel} or like it: its release is not known"
    yield "every function is behind an IOMMU that was on at boot (ACPI's DMAR or IVRS tables are not in a dump)"
    yield from _registers(tree, walk)
    yield from _verdicts(walk)
    yield from _tree(tree, walk)
    if walk.aliases.unreadable:
        yield f"no further DMA aliases, which only the device knows, {_at(walk.aliases.unreadable)}"
    if walk.aliases.doubtful:
        yield f"no DMA alias quirk, which some devices of this name have, {_at(walk.aliases.doubtful)}"


def _registers(tree: Topology, walk: Walk) -> Iterator[str]:
    """Yield what is assumed about ACS registers, which software can change after the groups were made."""
    reasons = {verdict.reason for verdict in walk.isolation.asked}
    if not reasons & {Reason.CAPABILITY, Reason.FLAGS_OFF}:
        express = [device for device in tree.devices.values() if device.port_type is not None]
        if express and not any(cap.extended for device in express for cap in device.capabilities):
            yield "there is no ACS: no function shows extended configuration space, which the kernel may have read"
        return
    yield "the ACS control registers were at boot as the dump shows them (setpci and drivers can change them)"
    ports = [d.address for d in tree.devices.values() if d.port_type in (ROOT_PORT, DOWNSTREAM)]
    flags = [flag for port in ports for flag in walk.isolation[port].flags if flag.capable]
    if flags and not any(flag.on for flag in flags):
        yield (
            f"the IOMMU was on, though no port has any of {' '.join(REQUIRED)} on as the kernel sets them then; if it "
            "was off, there are no groups"
        )


def _verdicts(walk: Walk) -> Iterator[str]:
    """Yield what the verdicts on single functions assume, each once with its functions."""
    concerned: dict[str, list[Address]] = {}
    for verdict in walk.isolation.asked:
        for text in verdict.assumptions:
            concerned.setdefault(text, []).append(verdict.device)
    for text, devices in concerned.items():
        yield f"{text} {_at(devices)}"


def _tree(tree: Topology, walk: Walk) -> Iterator[str]:
    """Yield what is assumed about the tree."""
    guessed = [
        str(bus.number)
        for bus in tree.roots
        if bus.number.bus and not any(tree.devices[address].port_type for address in bus.devices)
    ]
    if guessed:
        yield f"{', '.join(guessed[:_MOST])}: root buses, for no bridge in the dump leads there"
    if walk.vmd_domains and walk.vmds != 1:
        what = (
            "its controller is not in the dump" if not walk.vmds else "controllers own domains in their order"
        )
        yield f"Volume Management Device: {what}"
    if any(
        _in_gap(tree, address) and device.capability("sriov") is None
        for address, device in tree.devices.items()
    ):
        yield "functions on buses without a bridge may be virtual functions whose SR-IOV capability is not shown"
    if _has_amd_iommu(tree):
        yield "no requester id aliases in ACPI's IVRS table (the kernel log names them: Enabling fixed DMA alias)"


def _in_gap(tree: Topology, address: Address) -> bool:
    bus = tree.bus(address)
    return bus.kind is BusKind.UNKNOWN and bus.bridge is not None


def _at(devices: Iterable[Address]) -> str:
    shown = [short(device) for device in sorted(devices)]
    more = f" and {len(shown) - _MOST} more" if len(shown) > _MOST else ""
    return f"({' '.join(shown[:_MOST])}{more})"
