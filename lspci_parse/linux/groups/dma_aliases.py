"""How Linux finds the group of a function: ``pci_device_group`` and its helpers in drivers/iommu/iommu.c.

The algorithm is the same from Linux 3.19 to 7.1.5. Functions are visited in the order of enumeration, and each
either joins a group that is there or begins one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.linux.quirks import alias_quirk
from lspci_parse.lspci.pci_ids import class_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lspci_parse.linux.kernel import Boot
    from lspci_parse.model.address import Address
    from lspci_parse.topology.tree import Topology


class Aliases:
    """Which functions of a bus share a requester id by a quirk (``pci_devs_are_dma_aliases``).

    Args:
        tree: the devices.
        boot: aliases that the dump does not show.

    Attributes:
        unreadable: functions whose aliases only the device itself knows.
        doubtful: functions that may be of a kind that has aliases; the dump does not show their ids.
    """

    def __init__(self, tree: Topology, boot: Boot) -> None:
        self._partners: dict[Address, set[Address]] = {}
        self._stops: set[Address] = set()
        self.unreadable: list[Address] = []
        self.doubtful: list[Address] = []
        for address, device in tree.devices.items():
            row, sure = alias_quirk(device) or (None, False)
            if row is None:
                continue
            if not sure:
                self.doubtful.append(address)
                continue
            if row.effect == "stop":
                self._stops.add(address)
            if row.effect == f"unknown:{class_id(device)}" and address not in boot.aliases:
                self.unreadable.append(address)
            self._add(
                tree, address, (address._replace(device=d, function=f) for d, f in row.functions(address))
            )
        for address, others in boot.aliases.items():
            self._add(tree, address, others)

    def _add(self, tree: Topology, address: Address, others: Iterable[Address]) -> None:
        # A ghost that is not there changes nothing.
        for other in others:
            if other in tree.devices and address in tree.devices and other != address:
                self._partners.setdefault(address, set()).add(other)
                self._partners.setdefault(other, set()).add(address)

    def of(self, address: Address) -> list[Address]:
        """Return the functions that share a requester id with a function, in the order of the bus."""
        return sorted(self._partners.get(address, ()))

    def stops(self, bridge: Address) -> bool:
        """Tell whether the walk over DMA aliases ends at a bridge (``PCI_DEV_FLAGS_BRIDGE_XLATE_ROOT``)."""
        return bridge in self._stops
