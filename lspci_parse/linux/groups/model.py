"""Predicted IOMMU groups, and how they compare with recorded ones."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lspci_parse.model.address import Address
from lspci_parse.model.display import short

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

AbsenceCause: TypeAlias = Literal["command line", "given up", "hypervisor", "guest", "iommu off"]
How = Literal["bridge", "path", "slot", "alias", "vmd"]


class Join(NamedTuple):
    """Why a function is in a group that was there before it.

    Attributes:
        device: the function.
        how: ``bridge`` (below one that takes over the DMA of all behind it), ``path`` (a port above does not
            isolate), ``slot`` (another function of its slot), ``alias`` (a quirk's shared requester id) or
            ``vmd`` (behind a Volume Management Device).
        culprits: the functions that cause it: bridges and ports, or the functions that share.
        why: the reason in words.
    """

    device: Address
    how: How
    culprits: tuple[Address, ...]
    why: str


class Group(NamedTuple):
    """One group: its functions in the order in which Linux meets them, and why they are together."""

    devices: tuple[Address, ...]
    joined_by: tuple[Join, ...] = ()


class Undecided(NamedTuple):
    """A function whose group the dump cannot tell, or that belongs to none."""

    device: Address
    why: str


class Disagreement(NamedTuple):
    """Where prediction and record part.

    Attributes:
        kind: ``together`` (predicted in one group, recorded in several), ``apart`` (recorded in one, predicted in
            several), ``without`` (recorded in a group, predicted in none) or ``left out`` (predicted in a group,
            recorded in none).
        parts: the functions concerned, by recorded group for ``together``, else by predicted group.
        text: the same in words.
    """

    kind: Literal["together", "apart", "without", "left out"]
    parts: tuple[tuple[Address, ...], ...]
    text: str


class Absence(NamedTuple):
    """Why a host has no IOMMU groups.

    Attributes:
        cause: ``command line`` (switched off there), ``given up`` (all groups were taken back at boot),
            ``hypervisor`` (it keeps the IOMMU), ``guest`` (it was given none) or ``iommu off`` (by firmware, build or
            for want of a parameter or driver).
        why: in words, a clause.
    """

    cause: AbsenceCause
    why: str


class _Groups(NamedTuple):
    kernel: str
    groups: tuple[Group, ...]
    undecided: tuple[Undecided, ...] = ()
    ungrouped: tuple[Undecided, ...] = ()
    absent: Absence | None = None
    recorded: Mapping[Address, int] | None = None
    assumptions: tuple[str, ...] = ()
    with_iommu: Groups | None = None
    other_rules: str | None = None
    switched_off_since: tuple[Address, ...] = ()


class Groups(_Groups):  # a named tuple has no place for what is cached
    """The IOMMU groups that Linux makes.

    Attributes:
        kernel: the release whose rules were used.
        groups: in the order in which Linux would make them; none where the host is known to have none.
        undecided: functions whose group the dump cannot tell.
        ungrouped: functions that Linux leaves without a group.
        absent: why the host has no groups, or ``None``.
        recorded: the group numbers that the host recorded, by function. They never enter the prediction.
        assumptions: what the prediction takes for granted, since the dump does not show it.
        with_iommu: of a host without groups, those it would have with its IOMMU on: the flags of ACS are then as
            Linux sets them, and not as the dump shows them. ``None`` for a host that has groups.
        other_rules: how the platform groups devices, where the common rules do not hold and nothing is predicted.
        switched_off_since: ports whose ACS is off, though the recorded groups were made with it on.
    """

    @property
    def off(self) -> str | None:
        """Why Linux makes no groups at all, in words, or ``None``."""
        return None if self.absent is None else self.absent.why

    @cached_property
    def number(self) -> Mapping[Address, int]:
        """The index in ``groups`` of each function's group. Numbers of a running kernel differ."""
        return {device: index for index, group in enumerate(self.groups) for device in group.devices}

    def of(self, device: Address | str) -> Group | None:
        """Return the group of a function (``31:00.0``), or ``None`` if it has none or the dump cannot tell.

        Raises:
            ValueError: a text that is no address.
        """
        index = self.number.get(Address.parse(device) if isinstance(device, str) else device)
        return None if index is None else self.groups[index]

    def about(self, devices: Collection[Address]) -> Groups:
        """Return only the groups that hold one of some devices, whole, and what is said of these."""

        def concerned(groups: tuple[Group, ...]) -> tuple[Group, ...]:
            return tuple(group for group in groups if not group_of.isdisjoint(group.devices))

        group_of = frozenset(devices)
        kept = concerned(self.groups)
        inside = group_of.union(*(group.devices for group in kept))
        return self._replace(
            groups=kept,
            undecided=tuple(entry for entry in self.undecided if entry.device in group_of),
            ungrouped=tuple(entry for entry in self.ungrouped if entry.device in group_of),
            recorded={device: number for device, number in (self.recorded or {}).items() if device in inside},
            with_iommu=None if self.with_iommu is None else self.with_iommu.about(devices),
        )

    @cached_property
    def actual(self) -> tuple[Group, ...]:
        """The groups that the host has: the recorded ones, explained by the prediction, else the predicted ones.

        Of groups that were given up the record holds those made until then, so the predicted ones are taken.
        """
        if not self.recorded or self.absent is not None:
            return self.groups
        order = {device: place for place, device in enumerate(self.number)}
        members: defaultdict[int, list[Address]] = defaultdict(list)
        for device in sorted(self.recorded, key=lambda device: (order.get(device, len(order)), device)):
            members[self.recorded[device]].append(device)
        found = tuple(self._explained(tuple(group)) for group in members.values())
        if self._recorded_whole:
            return found
        return (*found, *(group for group in self.groups if self.recorded.keys().isdisjoint(group.devices)))

    @cached_property
    def _recorded_whole(self) -> bool:
        """Whether the record has most functions; those that it lacks are then in no group."""
        recorded = self.recorded or {}
        return 2 * sum(device in recorded for device in self.number) > len(self.number)

    def _explained(self, devices: tuple[Address, ...]) -> Group:
        """Return a recorded group with the predicted joins that hold inside it."""
        joins = (
            join
            for index in dict.fromkeys(self.number[device] for device in devices if device in self.number)
            for join in self.groups[index].joined_by
        )
        first, within = devices[0], frozenset(devices)
        return Group(
            devices,
            tuple(
                join
                for join in joins
                if join.device in within and join.device != first and within.intersection(join.culprits)
            ),
        )

    @cached_property
    def disagreements(self) -> tuple[Disagreement, ...]:
        """Where the prediction and the recorded groups part. Partitions are compared, never numbers."""
        recorded = self.recorded or {}
        both = {device: index for device, index in self.number.items() if device in recorded}
        without = (entry for entry in self.ungrouped if entry.device in recorded)
        found = [
            Disagreement(
                "without", ((entry.device,),), f"{short(entry.device)} is in a group, though {entry.why}"
            )
            for entry in without
        ]
        found += self._left_out()
        found += [
            Disagreement("together", parts, f"predicted together, recorded apart: {_words(parts)}")
            for parts in split_up(both, recorded)
        ]
        found += [
            Disagreement("apart", parts, f"recorded together, predicted apart: {_words(parts)}")
            for parts in split_up(recorded, both)
        ]
        return tuple(found)

    def _left_out(self) -> Iterator[Disagreement]:
        """Yield functions without a recorded group, of a record that has most of the others."""
        recorded = self.recorded if self.recorded and self.absent is None else {}
        for device in self.number if recorded and self._recorded_whole else ():
            if device not in recorded:
                text = f"{short(device)} has a group, the kernel left it without one"
                yield Disagreement("left out", ((device,),), f"predicted: {text}")

    @property
    def agrees(self) -> bool | None:
        """Whether prediction and record are one; ``None`` where there is nothing to compare."""
        if not any(device in (self.recorded or ()) for device in self.number):
            return None
        return not self.disagreements


def split_up(
    whole: Mapping[Address, int], parts: Mapping[Address, int]
) -> Iterable[tuple[tuple[Address, ...], ...]]:
    """Yield the groups of ``whole`` that are several in ``parts``, as those several."""
    members: defaultdict[int, defaultdict[int, list[Address]]] = defaultdict(lambda: defaultdict(list))
    for device, number in sorted(whole.items()):
        if device in parts:
            members[number][parts[device]].append(device)
    return (tuple(map(tuple, group.values())) for group in members.values() if len(group) > 1)


def _words(parts: Iterable[Iterable[Address]]) -> str:
    return " | ".join(" ".join(map(short, part)) for part in parts)
