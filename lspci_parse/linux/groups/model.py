"""Predicted IOMMU groups, and how they compare with recorded ones."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from lspci_parse.model.display import short

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lspci_parse.model.address import Address

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
            several) or ``without`` (recorded in a group, predicted in none).
        parts: the functions concerned, by recorded group for ``together``, else by predicted group.
        text: the same in words.
    """

    kind: Literal["together", "apart", "without"]
    parts: tuple[tuple[Address, ...], ...]
    text: str


class _Groups(NamedTuple):
    kernel: str
    groups: tuple[Group, ...]
    undecided: tuple[Undecided, ...] = ()
    ungrouped: tuple[Undecided, ...] = ()
    off: str | None = None
    recorded: Mapping[Address, int] | None = None
    assumptions: tuple[str, ...] = ()


class Groups(_Groups):  # a named tuple has no place for what is cached
    """The IOMMU groups that Linux makes.

    Attributes:
        kernel: the release whose rules were used.
        groups: in the order in which Linux would make them.
        undecided: functions whose group the dump cannot tell.
        ungrouped: functions that Linux leaves without a group.
        off: why Linux makes no groups at all, or ``None``.
        recorded: the group numbers that the host recorded, by function. They never enter the prediction.
        assumptions: what the prediction takes for granted, since the dump does not show it.
    """

    @cached_property
    def number(self) -> Mapping[Address, int]:
        """The index in ``groups`` of each function's group. Numbers of a running kernel differ."""
        return {device: index for index, group in enumerate(self.groups) for device in group.devices}

    def of(self, device: Address) -> Group | None:
        """Return the group of a function, or ``None`` if it has none or the dump cannot tell."""
        index = self.number.get(device)
        return None if index is None else self.groups[index]

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
        found += [
            Disagreement("together", parts, f"predicted together, recorded apart: {_words(parts)}")
            for parts in _torn(both, recorded)
        ]
        found += [
            Disagreement("apart", parts, f"recorded together, predicted apart: {_words(parts)}")
            for parts in _torn(recorded, both)
        ]
        return tuple(found)

    @property
    def agrees(self) -> bool | None:
        """Whether prediction and record are one; ``None`` where there is nothing to compare."""
        if not any(device in (self.recorded or ()) for device in self.number):
            return None
        return not self.disagreements


def _torn(
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
