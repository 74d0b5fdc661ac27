"""The two hosts side by side, as rules see them."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from lspci_parse.comparison.host_changes import host_changes
from lspci_parse.findings.host_view import Healthy, HostView
from lspci_parse.findings.model import Cause
from lspci_parse.model.address import Address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.comparison.difference import Change, Difference, Kind
    from lspci_parse.comparison.matching import Pair
    from lspci_parse.evidence.host import Host
    from lspci_parse.model.device import Device

Partition = tuple[frozenset[Address], ...]


class Merge(NamedTuple):
    """A group on one host whose devices are spread over several groups on the other; addresses are of host B."""

    group: frozenset[Address]
    parts: Partition


class PairView:
    """Everything a rule about two hosts may look at; what is costly is made when first asked for.

    Args:
        a: the host compared with.
        b: the host in question.
        difference: what differs between their dumps.
    """

    def __init__(self, a: Host, b: Host, difference: Difference) -> None:
        self.difference = difference
        self.a = HostView(a)
        lost = (change for change in difference.changes if change.path == "acs" and change.kind == "removed")
        self.b = HostView(b, Healthy(a.dmi, frozenset(c.b for c in lost if c.known and c.b is not None)))
        self.changes: Final = (*difference.changes, *host_changes(a, b, self.pairs))

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The functions that both hosts have and that answer on both."""
        return tuple(pair for pair in self.difference.match.pairs if not (pair.a.dead or pair.b.dead))

    @cached_property
    def unequal(self) -> tuple[Pair, ...]:
        """The pairs that may differ: a device that reads the same on both hosts is one object, as a rule."""
        return tuple(pair for pair in self.pairs if pair.a is not pair.b)

    @cached_property
    def _by_path(self) -> dict[str, list[Change]]:
        found: defaultdict[str, list[Change]] = defaultdict(list)
        for change in self.changes:
            if change.known:
                found[change.path].append(change)
        return found

    @cached_property
    def _changed(self) -> frozenset[tuple[Address | None, str]]:
        return frozenset((change.a, change.path) for change in self.changes if change.known)

    @cached_property
    def replaced(self) -> tuple[tuple[Device, Device], ...]:
        """Devices that only A has, each with the one that only B has in its place."""
        places = {self.b.tree.path(device.address): device for device in self.difference.match.only_b}
        found = (
            (device, places.get(self.a.tree.path(device.address))) for device in self.difference.match.only_a
        )
        return tuple((before, after) for before, after in found if after is not None)

    def changes_at(self, *paths: str) -> Iterator[tuple[Pair, Change]]:
        """Yield the known changes of the facts at ``paths``, with their pairs."""
        for path in paths:
            for change in self._by_path.get(path, ()):
                if change.a is not None and change.b is not None:
                    yield self.difference.pair_of_a[change.a], change

    def changes_like(self, pattern: str) -> Iterator[tuple[Pair, Change]]:
        """Yield the known changes of the facts whose whole path matches a regular expression, with their pairs."""
        yield from self.changes_at(*(path for path in self._by_path if re.fullmatch(pattern, path)))

    def host_changes(self, *prefixes: str) -> Iterator[Change]:
        """Yield the changes of the hosts as a whole whose path begins with one of ``prefixes``."""
        for path, changes in self._by_path.items():
            if path.startswith(prefixes):
                yield from (change for change in changes if change.a is None and change.b is None)

    def changed(self, pair: Pair, path: str) -> bool:
        """Whether the fact at ``path`` is known to differ between the devices of a pair."""
        return (pair.a.address, path) in self._changed

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

    def counterpart_of_a(self, address: Address | None) -> Address | None:
        """Return B's address of a function of A; a function that A's dump lacks is taken at its address."""
        if address is None or self.a.device(address) is None:
            return address
        pair = self.difference.pair_of_a.get(address)
        return None if pair is None else pair.b.address

    def counterpart_of_b(self, address: Address | None) -> Address | None:
        """Return A's address of a function of B, likewise."""
        if address is None:
            return None
        if self.b.device(address) is None:
            return address if self.a.device(address) is None else None
        pair = self.difference.pair_of_b.get(address)
        return None if pair is None else pair.a.address

    @property
    def other_system(self) -> bool:
        """Whether one host ran Windows and the other did not: drivers and groups are not comparable."""
        return self.a.windows != self.b.windows

    @property
    def same_model(self) -> bool:
        """Whether both hosts are known to be of one model."""
        a, b = self.a.host.dmi, self.b.host.dmi
        return a is not None and b is not None and a.system == b.system

    @cached_property
    def same_evidence(self) -> bool:
        """Whether all that is known of B is known of A, too: B is A, or its copy."""
        a, b = self.a.host, self.b.host
        known = ((host.log, host.cmdline, host.groups, host.kernel, host.dmi) for host in (a, b))
        return not self.changes and next(known) == next(known) and a.dump.devices == b.dump.devices

    @cached_property
    def partitions(self) -> tuple[Partition, Partition] | None:
        """The groups of both hosts, of the functions both have, written with host B's addresses.

        Recorded groups where both hosts have them, those of a set-up that was given up, too; else predicted ones for
        both, of a host without groups those with its IOMMU on. ``None`` where a dump cannot tell.
        """
        if self.other_system:
            return None
        group_a, group_b = self.a.host.recorded, self.b.host.recorded
        if not group_a or not group_b:
            predicted_a, predicted_b = self.a.groups, self.b.groups
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

    def parameter(self, name: str, *words: str, certain: str | None = None) -> Iterator[Cause]:
        """Yield the link to the finding about a kernel parameter, if it differs.

        Args:
            name: the parameter.
            words: one of them must stand in the values, if any are given.
            certain: what among B's values makes the link a certain one.
        """
        path = f"cmdline/{name}"
        for change in self.host_changes(path):
            values = f"{change.before} {change.after}"
            if change.path == path and (not words or any(word in values for word in words)):
                sure = certain is not None and certain in (change.after or "")
                yield Cause("cmdline-changed", None, path, certain=sure)

    @cached_property
    def merged(self) -> tuple[Merge, ...]:
        """Groups of host B that join what are several groups on host A."""
        return () if self.partitions is None else _merges(*self.partitions)

    @cached_property
    def split(self) -> tuple[Merge, ...]:
        """Groups of host A that are several groups on host B."""
        return () if self.partitions is None else _merges(self.partitions[1], self.partitions[0])


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
