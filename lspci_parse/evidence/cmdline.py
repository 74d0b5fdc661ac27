"""The kernel's command line, parameter by parameter, and which parameters touch PCI and IOMMU."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORD: Final = re.compile(r'(?:[^\s"]|"[^"]*(?:"|$))+')


class Parameter(NamedTuple):
    """One parameter: its name with ``_`` for ``-`` as the kernel compares it, and its value.

    ``value`` is ``None`` for a parameter without ``=``. Lists (``pci=``, ``iommu=``, ``intel_iommu=``,
    ``amd_iommu=``) are one parameter for each element.
    """

    name: str
    value: str | None

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}={self.value}"


class _Cmdline(NamedTuple):
    text: str
    parameters: tuple[Parameter, ...]


class Cmdline(_Cmdline):  # a named tuple has no place for what is cached
    """A kernel command line.

    Attributes:
        text: as given.
        parameters: the kernel's own ones in order; what follows ``--`` is for init and left out.
    """

    def values(self, name: str) -> tuple[str | None, ...]:
        """Return the values of every parameter of that name, in order; empty when it is not given."""
        return self._by_name.get(name.replace("-", "_"), ())

    def __contains__(self, parameter: object) -> bool:
        """Whether a parameter such as ``iommu=pt`` or ``quiet`` is given."""
        return str(parameter) in self._spelled

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names in order, each once."""
        return tuple(self._by_name)

    @cached_property
    def touching(self) -> tuple[Parameter, ...]:
        """The parameters that touch PCI or the IOMMU (``TOUCHES``)."""
        return tuple(parameter for parameter in self.parameters if parameter.name in TOUCHES)

    @cached_property
    def _by_name(self) -> Mapping[str, tuple[str | None, ...]]:
        found: dict[str, list[str | None]] = {}
        for parameter in self.parameters:
            found.setdefault(parameter.name, []).append(parameter.value)
        return {name: tuple(values) for name, values in found.items()}

    @cached_property
    def _spelled(self) -> frozenset[str]:
        return frozenset(map(str, self.parameters))


def parse_cmdline(text: str) -> Cmdline:
    """Read a command line the way the kernel does (``lib/cmdline.c: next_arg``).

    Blanks separate parameters; a double quote holds together what it encloses.
    """
    text = text.strip(" \t\r\n\0")
    parameters: list[Parameter] = []
    for word in _WORD.findall(text):
        plain = word.replace('"', "")
        if plain == "--":
            break
        name, equals, value = plain.partition("=")
        name = name.replace("-", "_")
        if not equals:
            parameters.append(Parameter(name, None))
        elif name in LISTS:
            parameters += [Parameter(name, element) for element in value.split(",") if element]
        else:
            parameters.append(Parameter(name, value))
    return Cmdline(text, tuple(parameters))


LISTS: Final = frozenset({"amd_iommu", "intel_iommu", "iommu", "pci", "pcie_acs_override"})
"""Parameters whose value is a list with commas (Linux ``kernel-parameters.txt``)."""

TOUCHES: Final[Mapping[str, str]] = {
    "acpi": "without ACPI tables there is no IOMMU, no MMCONFIG and no PCIe service",
    "amd_iommu": "switches the AMD IOMMU and its modes",
    "amd_iommu_intr": "chooses how the AMD IOMMU remaps interrupts",
    "blacklist": "keeps a driver from loading",
    "efi": "disable_early_pci_dma switches bus mastering off before the kernel takes over",
    "intel_iommu": "switches the Intel IOMMU and its modes",
    "intremap": "switches interrupt remapping, which safe pass-through needs",
    "iommu": "switches the IOMMU and chooses between translated and identity domains",
    "iommu.forcedac": "decides where DMA addresses are allocated",
    "iommu.passthrough": "chooses between translated and identity domains",
    "iommu.strict": "chooses when IOMMU mappings are flushed",
    "ivrs_acpihid": "overrides what the AMD IOMMU's ACPI table says",
    "ivrs_hpet": "overrides what the AMD IOMMU's ACPI table says",
    "ivrs_ioapic": "overrides what the AMD IOMMU's ACPI table says",
    "kvm.allow_unsafe_assigned_interrupts": "lets devices be passed through without interrupt remapping",
    "mem_encrypt": "memory encryption forces translated domains",
    "modprobe.blacklist": "keeps a driver from loading",
    "module_blacklist": "keeps a driver from loading",
    "noapic": "changes how interrupts reach the processor",
    "pci": "switches PCI features (ACS, AER, MSI, MMCONFIG, resources, payload)",
    "pci_stub.ids": "binds devices to pci-stub instead of their driver",
    "pcie_acs_override": "declares devices isolated that are not (out-of-tree patch): groups become narrower than "
    "the hardware is",
    "pcie_aspm": "forces link power management, or (off) leaves it as the firmware set it",
    "pcie_aspm.policy": "chooses link power management",
    "pcie_port_pm": "switches power management of PCIe ports",
    "pcie_ports": "decides whether the kernel or the firmware handles hot-plug, AER and PME",
    "pciehp.pciehp_force": "makes the kernel handle hot-plug that the firmware keeps",
    "rd.driver.blacklist": "keeps a driver from loading early",
    "rd.driver.pre": "loads a driver, such as vfio-pci, before the others",
    "swiotlb": "sizes or forces bounce buffers for DMA",
    "vfio_iommu_type1.allow_unsafe_interrupts": "lets devices be passed through without interrupt remapping",
    "vfio_iommu_type1.disable_hugepages": "chooses how VFIO maps memory",
    "vfio_pci.disable_idle_d3": "keeps devices that VFIO owns awake",
    "vfio_pci.disable_vga": "decides about VGA ranges of passed-through devices",
    "vfio_pci.enable_sriov": "lets VFIO-owned devices make virtual functions",
    "vfio_pci.ids": "binds devices to vfio-pci instead of their driver",
}
"""Parameters that touch PCI or the IOMMU, and what they do (Linux ``kernel-parameters.txt``, module options)."""
