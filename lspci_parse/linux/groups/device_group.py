"""How Linux finds the group of a function: ``pci_device_group`` and its helpers in drivers/iommu/iommu.c.

The algorithm is the same from Linux 3.19 to 7.1.5. Functions are visited in the order of enumeration, and each
either joins a group that is there or begins one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lspci_parse.linux.acs import Isolation, unreadable
from lspci_parse.linux.groups.dma_aliases import Aliases
from lspci_parse.linux.groups.model import Group, How, Join, Undecided
from lspci_parse.lspci.pci_ids import class_id, is_amd_iommu, is_vmd
from lspci_parse.model.display import short
from lspci_parse.topology.tree import FIRST_VMD_DOMAIN, TO_EXPRESS, TO_PCI, BusKind

if TYPE_CHECKING:
    from lspci_parse.linux.kernel import Boot
    from lspci_parse.model.address import Address
    from lspci_parse.topology.tree import Topology

_ALIASING: Final = {
    None: "a conventional PCI bridge",
    TO_PCI: "a PCIe-to-PCI bridge",
    TO_EXPRESS: "a PCI-to-PCIe bridge",
}


class UnknownError(Exception):
    """The dump does not show what a decision hangs on."""


class _Found(NamedTuple):
    """A group to join, by its index, and what leads there."""

    group: int
    how: How
    culprits: tuple[Address, ...]
    why: str


class Walk:
    """One run over all functions of a dump.

    Args:
        tree: the devices.
        boot: the kernel and what else is known.

    Attributes:
        groups: the groups found.
        undecided: functions whose group the dump cannot tell.
        ungrouped: functions that get no group.
        isolation: the verdicts that were needed.
    """

    def __init__(self, tree: Topology, boot: Boot) -> None:
        self.tree, self.boot = tree, boot
        self.isolation = Isolation(tree, boot)
        self.aliases = Aliases(tree, boot)
        self.undecided: list[Undecided] = []
        self.ungrouped: list[Undecided] = []
        self._members: list[list[Address]] = []
        self._joins: list[list[Join]] = []
        self._group: dict[Address, int] = {}
        self._unknown: set[Address] = set()
        self._path_ok: dict[Address, bool | None] = {}
        self._vmds = [address for address in sorted(tree.devices) if is_vmd(tree.devices[address])]
        self._vmd_groups: dict[int, int] = {}
        domains = sorted({address.domain for address in tree.devices if address.domain >= FIRST_VMD_DOMAIN})
        self.vmd_domains = {domain: order for order, domain in enumerate(domains)}
        for address in tree.walk():
            self._visit(address)

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups in the order in which they were begun."""
        pairs = zip(self._members, self._joins, strict=True)
        return tuple(Group(tuple(members), tuple(joins)) for members, joins in pairs)

    @property
    def vmds(self) -> int:
        """How many Volume Management Devices the dump shows."""
        return len(self._vmds)

    def _visit(self, device: Address) -> None:
        why = self._left_out(device)
        if why is not None:
            self.ungrouped.append(Undecided(device, why))
            return
        try:
            found = self._find(device)
        except UnknownError as error:
            self._unknown.add(device)
            self.undecided.append(Undecided(device, str(error)))
            return
        if found is None:
            self._group[device] = len(self._members)
            self._members.append([device])
            self._joins.append([])
        else:
            self._group[device] = found.group
            self._members[found.group].append(device)
            self._joins[found.group].append(Join(device, found.how, found.culprits, found.why))
        if device.domain >= FIRST_VMD_DOMAIN:
            self._vmd_groups.setdefault(device.domain, self._group[device])

    def _left_out(self, device: Address) -> str | None:
        """Return why no IOMMU covers a function, ``None`` if one does.

        AMD's firmware lets the covered functions (IVRS) begin behind the IOMMU's own, ``xx:00.2``: so on each of 18
        recorded hosts.
        """
        if device.domain >= FIRST_VMD_DOMAIN and self.boot.kernel.version < (5, 6):
            return "Linux before 5.6 gives no group to functions behind a Volume Management Device"
        if self._is_amd_iommu(device):
            return "it is the IOMMU itself"
        if class_id(self.tree.devices[device]) == "0600" and any(
            map(self._is_amd_iommu, self.tree.slot(device))
        ):
            return "the IOMMU covers no host bridge beside its own function"
        return None

    def _is_amd_iommu(self, device: Address) -> bool:
        return is_amd_iommu(self.tree.devices[device])

    def _find(self, device: Address) -> _Found | None:
        """Return the group that a function joins; ``None`` if it begins one."""
        if device.domain >= FIRST_VMD_DOMAIN:
            return self._behind_vmd(device)
        top = self.tree.root(device)
        if top.kind is BusKind.UNKNOWN:
            raise UnknownError(f"the bridge above bus {top.number} is not in the dump")
        seen: set[Address] = set()
        return (
            self._below_aliasing_bridge(device)
            or self._below_bad_path(device)
            or self._by_alias(device, seen)
            or self._by_slot(device, seen)
        )

    def _behind_vmd(self, device: Address) -> _Found | None:
        """Everything behind a Volume Management Device uses its requester id (``pci_real_dma_dev``)."""
        if not self._vmds:
            group = self._vmd_groups.get(device.domain)
            why = "behind a Volume Management Device that the dump does not show"
            return None if group is None else _Found(group, "vmd", (), why)
        vmd = self._vmds[min(self.vmd_domains[device.domain], len(self._vmds) - 1)]
        return self._join(vmd, "vmd", (vmd,), f"behind {short(vmd)}, a Volume Management Device")

    def _below_aliasing_bridge(self, device: Address) -> _Found | None:
        """Find the nearest bridge that takes over the DMA of all behind it (``pci_for_each_dma_alias``)."""
        for bridge in self.tree.ancestors(device):
            if self.aliases.stops(bridge):
                return None
            reason = unreadable(self.tree.devices[bridge])
            if reason is not None:
                raise UnknownError(f"what kind of bridge {short(bridge)} is cannot be read ({reason})")
            kind = self.isolation.port_type(bridge)
            if kind in _ALIASING:
                return self._join(bridge, "bridge", (bridge,), f"below {short(bridge)}, {_ALIASING[kind]}")
        return None

    def _below_bad_path(self, device: Address) -> _Found | None:
        """Join the bridge above unless it and all bridges above it isolate (``pci_acs_path_enabled``)."""
        bridge = self.tree.parent(device)
        if bridge is None:
            return None
        good = self._good_path(bridge)
        if good is None:
            raise UnknownError(f"whether {short(bridge)} and the bridges above it isolate cannot be read")
        if good:
            return None
        path = (bridge, *self.tree.ancestors(bridge))
        bad = tuple(above for above in path if self.isolation[above].isolated is False)
        reasons = (f"{short(above)}: {self.isolation[above].sentence}" for above in bad)
        where = "" if bridge in bad else f", whose way up does not isolate at {short(bad[0])}"
        why = f"below {short(bridge)}{where} ({'; '.join(reasons)})"
        return self._join(bridge, "path", bad, why)

    def _good_path(self, bridge: Address) -> bool | None:
        """Tell whether a bridge and all above it isolate; ``None`` where the dump cannot tell."""
        if bridge not in self._path_ok:
            parent = self.tree.parent(bridge)
            above = True if parent is None else self._good_path(parent)
            own = self.isolation[bridge].isolated
            self._path_ok[bridge] = False if False in (own, above) else None if None in (own, above) else True
        return self._path_ok[bridge]

    def _by_alias(self, device: Address, seen: set[Address]) -> _Found | None:
        """Join functions of the bus that share a requester id by a quirk (``get_pci_alias_group``)."""
        if device in seen:
            return None
        seen.add(device)
        if device in self._group:
            return _Found(self._group[device], "alias", (device,), "")
        for other in self.aliases.of(device):
            found = self._by_alias(other, seen) or self._by_slot(other, seen)
            if found is not None:
                why = f"it shares a DMA requester id with {short(other)} by a quirk"
                return _Found(found.group, "alias", (device, other), why)
            if other in self._unknown:
                raise UnknownError(
                    f"it shares a DMA requester id with {short(other)}, whose group is not known"
                )
        return None

    def _by_slot(self, device: Address, seen: set[Address]) -> _Found | None:
        """Join functions of the slot where neither is isolated (``get_pci_function_alias_group``)."""
        if not self.tree.multifunction(device):
            return None
        others = [other for other in self.tree.slot(device) if other != device]
        if not others or self._isolated(device, device):
            return None
        for other in others:
            if self._isolated(other, device):
                continue
            found = self._by_alias(other, seen)
            if found is not None:
                slot = short(device).rpartition(".")[0]
                why = f"{self.isolation[device].sentence}, multi-function slot {slot}"
                return _Found(found.group, "slot", (device, other), why)
            if other in self._unknown:
                raise UnknownError(f"it may share the group of {short(other)}, which is not known")
        return None

    def _isolated(self, device: Address, concerned: Address) -> bool:
        verdict = self.isolation[device]
        if verdict.isolated is None:
            own = "it" if device == concerned else short(device)
            raise UnknownError(f"whether {own} isolates cannot be read ({verdict.sentence})")
        return verdict.isolated

    def _join(self, target: Address, how: How, culprits: tuple[Address, ...], why: str) -> _Found:
        if target not in self._group:
            raise UnknownError(f"it shares the group of {short(target)}, which is not known")
        return _Found(self._group[target], how, culprits, why)
