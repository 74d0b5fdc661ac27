"""Hosts without IOMMU groups: how a host tells that it has none, and why that may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.evidence.log_facts import IommuState
from lspci_parse.linux.groups.assumptions import switched_off
from lspci_parse.linux.groups.model import Absence
from lspci_parse.linux.platforms import GUEST, without_iommu
from lspci_parse.lspci.pci_ids import class_id
from lspci_parse.lspci.releases import printable
from lspci_parse.lspci.visibility import Visibility
from lspci_parse.model.display import short
from lspci_parse.topology.tree import topology

if TYPE_CHECKING:
    from lspci_parse.evidence.host import Host
    from lspci_parse.evidence.log import Log
    from lspci_parse.linux.groups.model import AbsenceCause
    from lspci_parse.linux.kernel import Boot

_FEWEST: Final = 3
"""A dump of fewer functions is an excerpt, which tells nothing of the host."""
_FIRST_TO_LOG: Final = (4, 2)
"""The first release whose log tells of every group (kernel-parameters aside: ``iommu_group_add_device``)."""


def absence(host: Host, boot: Boot) -> Absence | None:
    """Tell why a host has no IOMMU groups; ``None`` where it has some, or where nothing tells.

    Recorded groups count for more than the command line, which may be another boot's.
    """
    log = host.own_log
    rollback = None if log is None else log.rollback
    if _shows_groups(host):
        return None
    off = switched_off(topology(host.dump), boot)
    if off is not None:
        return Absence("command line", off)
    if rollback is not None:
        count = len(rollback.removed)
        return Absence(
            "given up",
            f"the kernel took all {count} functions out of their groups again (log, line {rollback.line})",
        )
    told = _told(host)
    if told is None:
        return None
    cause, why = _cause(host)
    return Absence(cause, f"{told}: {why}")


def _shows_groups(host: Host) -> bool:
    if host.groups or any(device.iommu_group is not None for device in host.dump):
        return True
    log = host.own_log
    return log is not None and bool(log.groups)


def _told(host: Host) -> str | None:
    """Return what tells that there are no groups."""
    if host.groups is not None:
        return "the listing of IOMMU groups is empty"
    if host.own_log is not None and _log_would_tell(host.own_log):
        return "the kernel log, complete from its beginning, tells of no group"
    drivers = [device.driver.lower() for device in host.dump if device.driver]
    # A dump without any driver was printed from a hex dump, one with files for drivers on Windows.
    on_linux = any(not driver.endswith(".sys") for driver in drivers)
    excerpt = len(host.dump) < _FEWEST or not topology(host.dump).roots
    if on_linux and not excerpt and any(device.registers for device in host.dump) and _would_print(host):
        return "this lspci prints the group of each function, and shows none"
    return None


def _would_print(host: Host) -> bool:
    return printable("IOMMU group", Visibility(host.dump).releases) is True


def _log_would_tell(log: Log) -> bool:
    return log.whole and log.kernel is not None and log.kernel.version[:2] >= _FIRST_TO_LOG


def _cause(host: Host) -> tuple[AbsenceCause, str]:
    platform = without_iommu(host)
    if platform is not None:
        return ("guest" if platform is GUEST else "hypervisor"), platform.what
    states = host.own_log.of(IommuState) if host.own_log else ()
    disabled = next((state for state in states if state.kind == "disabled"), None)
    if disabled is not None:
        return "iommu off", f"the IOMMU is off (the log says: {disabled.text})"
    iommu = next((device for device in host.dump if class_id(device) == "0806"), None)
    if iommu is not None:
        return (
            "iommu off",
            f"the kernel does not use the IOMMU {short(iommu.address)}, or has no driver for it",
        )
    return (
        "iommu off",
        "the IOMMU is off in BIOS setup, or the kernel was not told to use it (on Intel: intel_iommu=on)",
    )
