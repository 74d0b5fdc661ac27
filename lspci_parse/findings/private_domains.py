"""What is known of IOMMU domains and their kernels: Linux, drivers/iommu/intel-iommu.c and iommu.c.

Linux 5.3 to 5.7 gave a device a private domain when it wanted another type than its group had
(``get_private_domain_for_dev``); 5.8 decides for the whole group at once. Whether a kernel has that code is told
by its messages, for vendors took it into older releases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.evidence.log_facts import DomainDefault, IommuState
from lspci_parse.topology.tree import TO_PCI, BusKind

if TYPE_CHECKING:
    from lspci_parse.findings.host_view import HostView
    from lspci_parse.model.address import Address

PASSTHROUGH: Final = ("iommu=pt", "iommu.passthrough=1", "iommu.passthrough=on", "iommu.passthrough=y")
"""Parameters that make identity the default type of domains."""

_INTRODUCED, _REMOVED = (5, 3), (5, 8)
_DEFECTIVE: Final = ("5.3.0-rc1", "5.3.0-rc2", "5.3.0-rc3", "5.3.0-rc4")
"""Releases whose private domains always fail for a device that has been attached to its group's domain."""


def wants_dma_domain(view: HostView, address: Address) -> str | None:
    """Return why a device wants a DMA domain of its own type, ``None`` where the dump does not tell.

    Source: ``device_def_domain_type`` of Linux 5.3 to 5.7.
    """
    device = view.device(address)
    if device is None or device.access_denied or not device.registers:
        return None
    if device.port_type == TO_PCI:
        return "a bridge from PCI Express to conventional PCI"
    if device.port_type is not None:
        return None
    if view.tree.bus(address).kind is not BusKind.ROOT:
        bridge = view.tree.parent(address)
        return (
            f"a conventional PCI device behind {view.named(bridge)}"
            if bridge
            else "a conventional PCI device"
        )
    return "a conventional PCI bridge" if device.is_bridge else None


def private_domain_status(view: HostView) -> str:
    """Return what is known of private domains in the kernel at hand, as a sentence; empty if nothing is."""
    release = view.host.kernel
    own = view.log.kernel
    if release is None or own is None or not own.version:
        return (
            "Linux 5.3 to 5.7 and vendor kernels with their code print this message; which kernel ran here is not "
            "known."
        )
    version = own.version[:2]
    if release.startswith(_DEFECTIVE):
        return f"{release} has a defect: it never succeeds for a device in a shared group (mended in 5.3)."
    if version < _INTRODUCED:
        return (
            f"{release} is older than Linux 5.3, which brought this code: its vendor took it over. Without the later "
            "correction 'Detach domain before using a private one' it never succeeds for a device in a shared group."
        )
    if version >= _REMOVED:
        return f"Linux 5.8 removed this code; why {release} prints the message is not known."
    if any(state.kind == "copied" for state in view.log.of(IommuState)):
        return (
            "This is a crash kernel that took over a running IOMMU; in 5.3 and 5.4 private domains then fail."
        )
    return (
        f"Mainline {release} has this code and its correction, so the reason is another one: a crash kernel, a device "
        "behind a Volume Management Device, no memory, or no free domain."
    )


def kernel_advice(view: HostView) -> str:
    """Return which kernel to boot instead of one that refuses private domains."""
    own = view.log.kernel
    if own is None or not own.version or own.version[:2] >= _REMOVED:
        return "Boot another kernel: Linux 5.8 and newer have no private domains."
    corrected = ", or a kernel with the correction 'Detach domain before using a private one'"
    lacking = own.version[:2] < _INTRODUCED or own.release.startswith(_DEFECTIVE)
    return f"Boot Linux 5.8 or newer, which has no private domains{corrected if lacking else ''}."


def identity_default(view: HostView) -> str | None:
    """Return what made identity the type that groups get by default, ``None`` if nothing shows that."""
    parameter = view.given(*PASSTHROUGH)
    if parameter is not None:
        return parameter
    if any(default.type == "Passthrough" for default in view.log.of(DomainDefault)):
        return "the kernel's default (Passthrough)"
    return None
