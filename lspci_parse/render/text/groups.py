"""Predicted IOMMU groups for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.model.display import kind, short
from lspci_parse.render.escape import printable
from lspci_parse.render.text.table import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.linux.groups.model import Group, Groups
    from lspci_parse.model.dump import Dump


def groups(found: Groups, dump: Dump) -> str:
    """Return the groups of a dump with what joined their members, and how they compare with recorded ones."""
    return "\n".join(map(printable, _lines(found, dump)))


def _lines(found: Groups, dump: Dump) -> Iterator[str]:
    if found.off is not None:
        yield f"Linux {found.kernel} makes no IOMMU groups here: {found.off}."
    elif found.groups:
        yield f"IOMMU groups as Linux {found.kernel} makes them; a kernel numbers them as it likes:"
        yield ""
        rows = [row for group in found.groups for row in _rows(group, found, dump)]
        yield from table(rows, ("", "device", "what", "recorded", "name")).split("\n")
        yield from _reasons(found)
    for title, entries in (("Not decided", found.undecided), ("In no group", found.ungrouped)):
        if entries:
            yield ""
            yield f"{title}:"
            yield from (f"  {short(device)}: {why}" for device, why in entries)
    yield ""
    yield _agreement(found)
    yield from (f"  {disagreement.text}" for disagreement in found.disagreements)
    if found.assumptions:
        yield ""
        yield "Taken for granted, since the dump does not show it:"
        yield from (f"  {assumption}" for assumption in found.assumptions)


def _rows(group: Group, found: Groups, dump: Dump) -> Iterator[list[str]]:
    """Yield a row for each member; a bracket holds those of one group together."""
    last = len(group.devices) - 1
    for index, address in enumerate(group.devices):
        bracket = "" if last == 0 else "┌" if index == 0 else "└" if index == last else "│"
        device = dump[address]
        number = (found.recorded or {}).get(address)
        yield [bracket, short(address), kind(device), "" if number is None else str(number), device.name]


def _reasons(found: Groups) -> Iterator[str]:
    joins = [join for group in found.groups for join in group.joined_by]
    if joins:
        yield ""
        yield "Why devices share a group:"
        yield from (f"  {short(join.device)}: {join.why}" for join in joins)


def _agreement(found: Groups) -> str:
    if found.agrees is None:
        return "The dump records no groups to compare with."
    if found.agrees:
        return "The groups that the kernel recorded are the same."
    return "The groups that the kernel recorded differ:"
