"""Machines whose groups are not made by ``pci_device_group``: without an IOMMU of their own, or with other rules.

A dump alone tells most of them: by the kernel's release, by host bridges, or by the devices that a hypervisor makes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from lspci_parse.evidence.machine_facts import Hypervisor
from lspci_parse.lspci.pci_ids import class_id

if TYPE_CHECKING:
    from lspci_parse.evidence.host import Host
    from lspci_parse.model.device import Device


class Platform(NamedTuple):
    """A platform with groups of its own, or none.

    Attributes:
        name: as people call it.
        what: what it does about groups, a clause.
        groups: whether Linux makes groups there, by other rules.
    """

    name: str
    what: str
    groups: bool


HYPER_V: Final = Platform(
    "Hyper-V", "a guest of Hyper-V, which gives its guests no IOMMU for PCI devices", groups=False
)
XEN: Final = Platform("Xen", "Xen owns the IOMMU, and leaves Linux none", groups=False)
GUEST: Final = Platform("guest", "probably a guest without a virtual IOMMU", groups=False)
POWER: Final = Platform(
    "POWER",
    "on POWER the firmware's partitionable endpoints are the groups (pnv_pci_device_group, pSeries_pci_device_group)",
    groups=True,
)
S390: Final = Platform(
    "s390", "on s390 each function has a group of its own (generic_device_group)", groups=True
)
DART: Final = Platform(
    "Apple DART", "Apple's DART has rules of its own for groups (apple_dart_device_group)", groups=True
)
TEGRA: Final = Platform(
    "Tegra", "Tegra's SMMU has rules of its own for groups (tegra_smmu_device_group)", groups=True
)

_ARCHITECTURES: Final = {"ppc": POWER, "powerpc": POWER, "s390": S390}
_ARCHITECTURE: Final = re.compile(r"(?<![a-z])(ppc|powerpc|s390)(?:64|x)?(?:le|el)?(?![a-z])")
_PORTS: Final = (
    ("1014", frozenset({"03b9", "03dc", "04c1"}), re.compile(r"\AIBM [\w ]{1,60}\(PHB\d\)"), POWER),
    (
        "106b",
        frozenset({"100c", "1010"}),
        re.compile(r"\AApple (?:Inc\. )?Apple Silicon [\w ./]{0,60}Root Port"),
        DART,
    ),
    (
        "10de",
        frozenset({"0bf0", "0bf1", "0e12", "0e13", "0e1c", "0e1d", "0fae", "0faf"}),
        re.compile(r"\ANVIDIA [\w ]{0,40}\bTegra(?:2|3\+|K1|X1) PCIe x\d Bridge"),
        TEGRA,
    ),
)
"""Root ports: vendor and device ids, name in pci.ids, and the platform."""
_MADE: Final = (
    (
        frozenset({"1af4", "1b36", "15ad", "1d0f", "80ee", "1ab8"}),
        re.compile(r"\A(?:Red Hat, Inc|VMware|Amazon\.com|InnoTek|Parallels)"),
        GUEST,
    ),
    (frozenset({"1414"}), re.compile(r"\AMicrosoft Corporation\b"), HYPER_V),
)
"""Vendors, by id and by name in pci.ids, whose devices only hypervisors make (virtio, QEMU, VMware, Amazon ...)."""
_HYPERVISORS: Final = {"Microsoft Hyper-V": HYPER_V, "Xen": XEN, "Xen PV": XEN}
"""What the kernel log calls hypervisors that keep the IOMMU; guests of others have none, or a virtual one."""
_SYSTEMS: Final = re.compile(
    r"\bQEMU\b|\bKVM\b|VMware|VirtualBox|Amazon EC2|Google Compute Engine|OpenStack|Bochs|Parallels|HVM domU"
)


def other_rules(host: Host) -> Platform | None:
    """Return the platform whose own rules group a host's devices, ``None`` where they are the common ones."""
    architecture = _ARCHITECTURE.search(host.kernel or "")
    if architecture is not None:
        return _ARCHITECTURES[architecture[1]]
    return next(filter(None, map(_by_port, host.dump)), None)


def _by_port(device: Device) -> Platform | None:
    if class_id(device) != "0604":
        return None
    for vendor, ids, names, platform in _PORTS:
        if (device.ids.vendor == vendor and device.ids.device in ids) or names.match(device.name):
            return platform
    return None


def without_iommu(host: Host) -> Platform | None:
    """Return why Linux may have no IOMMU to drive here: a hypervisor that keeps it, or gives none."""
    told = host.own_log.of(Hypervisor) if host.own_log else ()
    if told:
        return _HYPERVISORS.get(told[-1].name, GUEST)
    system = "" if host.dmi is None else host.dmi.system
    if re.search(r"\bXen\b", system) and "domU" not in system:
        return XEN
    made = next(filter(None, map(_by_maker, host.dump)), None)
    return GUEST if made is None and _SYSTEMS.search(system) else made


def _by_maker(device: Device) -> Platform | None:
    vendor, name = device.ids.vendor, device.name
    for ids, names, platform in _MADE:
        if vendor in ids or (vendor is None and names.match(name)):
            return platform
    return None
