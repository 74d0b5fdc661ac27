"""What differs between two hosts: pairs of devices, and the facts of each pair that are not equal.

Values are compared, not text. Nothing here judges; findings do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from lspci_parse.comparison.matching import Match, Matching, Pair, by_topology, same_kind
from lspci_parse.comparison.volatile import is_volatile
from lspci_parse.lspci.releases import comparable
from lspci_parse.lspci.visibility import Visibility
from lspci_parse.topology.tree import Topology, topology

if TYPE_CHECKING:
    from lspci_parse.model.address import Address
    from lspci_parse.model.device import Device
    from lspci_parse.model.dump import Dump
    from lspci_parse.model.fields import Capability

Kind = Literal["changed", "added", "removed"]
_ABSENT: Final = object()


class Change(NamedTuple):
    """One fact that differs.

    Attributes:
        kind: ``changed``, ``added`` (only on host B) or ``removed`` (only on host A).
        a: address on host A, ``None`` for a device that only B has.
        b: address on host B, ``None`` for a device that only A has.
        path: the fact inside the device, such as ``exp/LnkSta/Speed``; ``""`` is the device itself.
        before: value on host A, ``None`` where it has none.
        after: value on host B, ``None`` where it has none.
        volatile: it may differ between two boots of one machine.
        known: false when the side without a value is not able to show it.
    """

    kind: Kind
    a: Address | None
    b: Address | None
    path: str
    before: Any = None
    after: Any = None
    volatile: bool = False
    known: bool = True


class Difference:
    """Two hosts side by side."""

    def __init__(self, a: Dump, b: Dump, match: Match, changes: tuple[Change, ...]) -> None:
        self.a: Final = a
        self.b: Final = b
        self.match: Final = match
        self.changes: Final = changes

    @cached_property
    def topology_a(self) -> Topology:
        """How host A's devices hang together."""
        return topology(self.a)

    @cached_property
    def topology_b(self) -> Topology:
        """How host B's devices hang together."""
        return topology(self.b)

    @cached_property
    def visible_a(self) -> Visibility:
        """What host A's dump is able to show."""
        return Visibility(self.a)

    @cached_property
    def visible_b(self) -> Visibility:
        """What host B's dump is able to show."""
        return Visibility(self.b)

    @cached_property
    def pair_of_a(self) -> dict[Address, Pair]:
        """Pairs by address on host A."""
        return {pair.a.address: pair for pair in self.match.pairs}

    @cached_property
    def pair_of_b(self) -> dict[Address, Pair]:
        """Pairs by address on host B."""
        return {pair.b.address: pair for pair in self.match.pairs}


def compare(a: Dump, b: Dump, *, matching: Matching = by_topology) -> Difference:
    """Compare two dumps.

    Args:
        a: the host to compare with, usually the healthy one.
        b: the host in question.
        matching: how devices are paired.
    """
    match = matching(topology(a), topology(b))
    see_a, see_b = Visibility(a), Visibility(b)
    changes: list[Change] = [Change("removed", d.address, None, "", d.name) for d in match.only_a]
    changes += [Change("added", None, d.address, "", None, d.name) for d in match.only_b]
    for pair in match.pairs:
        if pair.a is not pair.b:
            changes += _Comparer(pair, see_a, see_b).run()
    return Difference(a, b, match, tuple(changes))


class _Comparer:
    """Compares the two devices of a pair."""

    def __init__(self, pair: Pair, see_a: Visibility, see_b: Visibility) -> None:
        self.pair, self.see_a, self.see_b = pair, see_a, see_b

    def run(self) -> Iterator[Change]:
        a, b = self.pair.a, self.pair.b
        yield from self._identity(a, b)
        for name in ("driver", "modules", "iommu_group", "numa_node", "physical_slot", "label"):
            one, other = getattr(a, name), getattr(b, name)
            if one != other:
                yield from self._value(name, _given(one), _given(other))
        yield from self._mapping("", a.registers, b.registers)
        if a.capabilities != b.capabilities:
            yield from self._capabilities(dict(a.capability_paths()), dict(b.capability_paths()))

    def _identity(self, a: Device, b: Device) -> Iterator[Change]:
        """Compare what the device line says. Names are pci.ids' words for the ids: where both print ids, ids count."""
        for field, one, other in zip(a.ids._fields, a.ids, b.ids, strict=True):
            if one != other and None not in (one, other):
                yield self._change("changed", f"ids/{field}", one, other)
        if not (all(a.ids[:2]) and all(b.ids[:2])) and a.name != b.name:
            yield self._change("changed", "name", a.name, b.name, known=not same_kind(a, b))
        if None not in (a.class_.id, b.class_.id):
            yield from self._value("class", a.class_.id, b.class_.id)
        yield from self._value("revision", a.revision, b.revision)
        if a.prog_if and b.prog_if:
            yield from self._value("prog_if", a.prog_if.id, b.prog_if.id)

    def _change(self, kind: Kind, path: str, before: Any, after: Any, *, known: bool = True) -> Change:
        a, b = self.pair.a.address, self.pair.b.address
        return Change(kind, a, b, path, before, after, volatile=is_volatile(path), known=known)

    def _value(self, path: str, before: Any, after: Any) -> Iterator[Change]:
        """Compare two values, either of which may be missing."""
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from self._mapping(f"{path}/", before, after)
        elif before is _ABSENT and after is not _ABSENT:
            known = self.see_a.knows(self.pair.a, path, self.see_b)
            yield self._change("added", path, None, after, known=known)
        elif after is _ABSENT and before is not _ABSENT:
            known = self.see_b.knows(self.pair.b, path, self.see_a)
            yield self._change("removed", path, before, None, known=known)
        elif before != after:
            answers = not (self.pair.a.dead or self.pair.b.dead)
            known = answers and self._comparable(path, before, after)
            yield self._change("changed", path, before, after, known=known)

    def _comparable(self, path: str, before: Any, after: Any) -> bool:
        """Whether two values are two facts: releases differ in how they read a few fields."""
        a, b = self.see_a, self.see_b
        return comparable(path, (before, lambda: a.releases), (after, lambda: b.releases))

    def _mapping(self, prefix: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
        if before is after:
            return
        for name in dict.fromkeys((*before, *after)):
            one, other = before.get(name, _ABSENT), after.get(name, _ABSENT)
            if one is not other and one != other:
                yield from self._value(f"{prefix}{name}", one, other)

    def _capabilities(self, before: dict[str, Capability], after: dict[str, Capability]) -> Iterator[Change]:
        for path, one, other in _paired(before, after):
            if one is None and other is not None:
                known = self.see_a.knows_capability(self.pair.a, other, self.see_b)
                yield self._change("added", path, None, title(other), known=known)
            elif other is None and one is not None:
                known = self.see_b.knows_capability(self.pair.b, one, self.see_a)
                yield self._change("removed", path, title(one), None, known=known)
            elif one is not other and one is not None and other is not None:
                yield from self._capability(path, one, other)

    def _capability(self, path: str, one: Capability, other: Capability) -> Iterator[Change]:
        if None not in (one.version, other.version) and one.version != other.version:
            yield from self._value(f"{path}/version", one.version, other.version)
        if None not in (one.offset, other.offset) and one.offset != other.offset:
            yield from self._value(f"{path}/offset", f"{one.offset:x}", f"{other.offset:x}")
        yield from self._mapping(f"{path}/", one, other)


def _given(value: Any) -> Any:
    return _ABSENT if value is None or value == () else value


def title(capability: Capability) -> str:
    """Return a capability's title as lspci prints it: ``[148 v1] Access Control Services``."""
    return f"{capability.where} {capability.name}"


def _paired(
    before: dict[str, Capability], after: dict[str, Capability]
) -> Iterator[tuple[str, Capability | None, Capability | None]]:
    """Pair capabilities: of one kind at one offset first, then what is left of a kind in the order printed."""
    at = {(cap.kind, cap.offset): path for path, cap in after.items()}
    partner = {path: at[cap.kind, cap.offset] for path, cap in before.items() if (cap.kind, cap.offset) in at}
    rest = [path for path in after if path not in partner.values()]
    for path, cap in before.items():
        if path not in partner:
            match = next((other for other in rest if after[other].kind == cap.kind), None)
            if match is not None:
                partner[path] = match
                rest.remove(match)
        yield path, cap, after.get(partner.get(path, ""))
    for path in rest:
        yield path, None, after[path]
