"""Who owns an IOMMU group: which drivers do DMA for the host, so that VFIO cannot have the group.

Source: ``driver_managed_dma`` and ``iommu_device_use_default_domain`` since Linux 5.19, ``vfio_dev_viable`` before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lspci_parse.linux.kernel import Kernel
    from lspci_parse.model.device import Device

_MANAGE_DMA: Final = frozenset({"pci-stub", "pcieport", "xen-pciback"})
"""Drivers beside ``vfio*`` that leave DMA to whoever owns the group."""
_CLAIMS_SINCE: Final = (5, 19)
"""From here on a bridge's driver, too, claims its group's DMA."""


def holder(device: Device, kernel: Kernel) -> str | None:
    """Return the driver that does DMA with a function for the host, ``None`` if there is none."""
    driver = device.driver
    if driver is None or driver in _MANAGE_DMA or driver.startswith("vfio"):
        return None
    return None if device.is_bridge and kernel.version < _CLAIMS_SINCE else driver
