"""The two hosts side by side, as rules see them."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from lspci_parse.comparison.host_changes import spelled
from lspci_parse.findings.host_view import Case, Healthy
from lspci_parse.linux.acs import AcsVerdict, verdict
from lspci_parse.lspci.releases import printable
from lspci_parse.model.address import Address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.comparison.difference import Change, Difference, Kind
    from lspci_parse.comparison.matching import Pair
    from lspci_parse.evidence.host import Host
    from lspci_parse.findings.model import Key
    from lspci_parse.lspci.visibility import Visibility
    from lspci_parse.model.device import Device
    from lspci_parse.model.dump import Dump

Partition = tuple[frozenset[Address], ...]


class Merge(NamedTuple):
    """A group on one host whose devices are spread over several groups on the other; addresses are of host B."""

    group: frozenset[Address]
    parts: Partition


class Context:
    """Everything a rule may look at; what is costly is made when first asked for."""

    def __init__(self, a: Host, b: Host, difference: Difference) -> None:
        self.host_a, self.host_b = a, b
        self.difference = difference

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The functions that both hosts have and that answer on both."""
        return self._pairs

    @cached_property
    def _pairs(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.difference.match.pairs if not (pair.a.dead or pair.b.dead))

    @cached_property
    def unequal(self) -> tuple[Pair, ...]:
        """The pairs that may differ: a device that reads the same on both hosts is one object, as a rule."""
        return tuple(pair for pair in self._pairs if pair.a is not pair.b)

    @cached_property
    def _by_path(self) -> dict[str, list[Change]]:
        found: defaultdict[str, list[Change]] = defaultdict(list)
        for change in self.difference.changes:
            found[change.path].append(change)
        return found

    def changes(self, *paths: str) -> Iterator[tuple[Pair, Change]]:
        """Yield the known changes of the facts at ``paths``, with their pairs."""
        for path in paths:
            for change in self._by_path.get(path, ()):
                if change.known and change.a is not None and change.b is not None:
                    yield self.difference.pair_of_a[change.a], change

    def changed(self, pair: Pair, path: str) -> bool:
        """Whether the fact at ``path`` is known to differ between the devices of a pair."""
        return any(change.a == pair.a.address and change.known for change in self._by_path.get(path, ()))

    def changes_like(self, pattern: str) -> Iterator[tuple[Pair, Change]]:
        """Yield the known changes of the facts whose whole path matches a regular expression, with their pairs."""
        yield from self.changes(*(path for path in self._by_path if re.fullmatch(pattern, path)))

    def capability_changes(self, kind: Kind) -> Iterator[tuple[Pair, Change]]:
        """Yield capabilities known to be on one host only, other than ACS."""
        for change in self.difference.changes:
            if change.kind != kind or not change.known or change.path.startswith("acs"):
                continue
            if change.a is None or change.b is None:
                continue
            pair = self.difference.pair_of_a[change.a]
            side = pair.a if kind == "removed" else pair.b
            if change.path in dict(side.capability_paths()):
                yield pair, change

    def acs_a(self, device: Device) -> AcsVerdict:
        """Whether Linux counts a device of host A as isolated, and why."""
        return verdict(device, self.difference.topology_a)

    def acs_b(self, device: Device) -> AcsVerdict:
        """Whether Linux counts a device of host B as isolated, and why."""
        return verdict(device, self.difference.topology_b)

    @cached_property
    def case_a(self) -> Case:
        """Host A by itself."""
        return Case(self.host_a)

    @cached_property
    def case_b(self) -> Case:
        """Host B by itself, and what A tells of it."""
        lost = frozenset(
            pair.b.address
            for pair in self.difference.match.pairs
            if pair.a.capability("acs") is not None and self.changed(pair, "acs")
        )
        return Case(self.host_b, Healthy(self.host_a.dmi, lost))

    @property
    def rolled_back_a(self) -> bool:
        """Whether A's kernel gave up all groups again (its log says so)."""
        return self.host_a.own_log is not None and self.host_a.own_log.rollback is not None

    @property
    def rolled_back_b(self) -> bool:
        """Whether B's kernel gave up all groups again (its log says so)."""
        return self.host_b.own_log is not None and self.host_b.own_log.rollback is not None

    @property
    def same_model(self) -> bool:
        """Whether both hosts are known to be of one model."""
        a, b = self.host_a.dmi, self.host_b.dmi
        return a is not None and b is not None and a.system == b.system

    @cached_property
    def iommu_off_a(self) -> bool:
        """Whether host A's dump would show IOMMU groups, and shows none."""
        return _no_groups(self.difference.visible_a)

    @cached_property
    def iommu_off_b(self) -> bool:
        """Whether host B's dump would show IOMMU groups, and shows none."""
        return _no_groups(self.difference.visible_b)

    @cached_property
    def partitions(self) -> tuple[Partition, Partition] | None:
        """The groups of both hosts, of the functions both have, written with host B's addresses.

        Recorded groups where both hosts print them, else predicted ones for both. ``None`` where a host made no
        groups, or its dump cannot tell.
        """
        # A host whose set-up was rolled back has no groups left, but its log tells those it had made. Where neither
        # dump shows groups, what its release could have printed does not matter: predictions are compared.
        one_shows = _shows_groups(self.host_a.dump) != _shows_groups(self.host_b.dump)
        rolled_back = self.rolled_back_a or self.rolled_back_b
        if one_shows and not rolled_back and (self.iommu_off_a or self.iommu_off_b):
            return None
        group_a, group_b = self.host_a.recorded, self.host_b.recorded
        if not group_a or not group_b:
            predicted_a, predicted_b = self.case_a.groups, self.case_b.groups
            if predicted_a is None or predicted_b is None:
                return None
            group_a, group_b = predicted_a.number, predicted_b.number
        shared = [
            (group_a[pair.a.address], group_b[pair.b.address], pair.b.address)
            for pair in self.difference.match.pairs
            if pair.a.address in group_a and pair.b.address in group_b
        ]
        return _partition((a, device) for a, _, device in shared), _partition(
            (b, device) for _, b, device in shared
        )

    def parameter(self, name: str, *words: str) -> Iterator[Key]:
        """Yield the finding about a kernel parameter, if it differs and one of ``words`` stands in its values."""
        a, b = self.host_a.cmdline, self.host_b.cmdline
        before, after = (None if side is None else spelled(side, name) for side in (a, b))
        values = f"{before} {after}"
        if (
            before != after
            and a is not None
            and b is not None
            and (not words or any(w in values for w in words))
        ):
            yield ("cmdline-changed", None, None, f"cmdline/{name}")

    @cached_property
    def merged(self) -> tuple[Merge, ...]:
        """Groups of host B that join what are several groups on host A."""
        return () if self.partitions is None else _merges(*self.partitions)

    @cached_property
    def split(self) -> tuple[Merge, ...]:
        """Groups of host A that are several groups on host B."""
        return () if self.partitions is None else _merges(self.partitions[1], self.partitions[0])


def _shows_groups(dump: Dump) -> bool:
    return any(device.iommu_group is not None for device in dump)


def _no_groups(visible: Visibility) -> bool:
    # A dump without any driver was printed from a hex dump, not from a running kernel.
    if _shows_groups(visible.dump):
        return False
    running = any(device.driver for device in visible.dump)
    return running and printable("IOMMU group", visible.releases) is True


def _partition(members: Iterator[tuple[int, Address]] | list[tuple[int, Address]]) -> Partition:
    found: defaultdict[int, set[Address]] = defaultdict(set)
    for number, device in members:
        found[number].add(device)
    return tuple(frozenset(group) for group in found.values())


def _merges(before: Partition, after: Partition) -> tuple[Merge, ...]:
    owner = {device: group for group in before for device in group}
    found = []
    for group in after:
        parts = {owner[device] for device in group}
        if len(parts) > 1:
            found.append(Merge(group, tuple(sorted(parts, key=min))))
    return tuple(found)
