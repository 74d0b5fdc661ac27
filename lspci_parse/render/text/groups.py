"""Predicted IOMMU groups for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.model.display import kind, short
from lspci_parse.render.escape import printable
from lspci_parse.render.text.table import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lspci_parse.linux.groups.model import Group, Groups
    from lspci_parse.model.dump import Dump


def groups(found: Groups, dump: Dump) -> str:
    """Return the groups of a dump with what joined their members, and how they compare with recorded ones."""
    return "\n".join(map(printable, _lines(found, dump)))


def _lines(found: Groups, dump: Dump) -> Iterator[str]:
    if found.absent is not None:
        yield f"This host has no IOMMU groups: {found.absent.why}."
        if found.with_iommu is not None:
            yield ""
            yield f"With the IOMMU on, Linux {found.kernel} would make:"
            yield from _table(found.with_iommu, dump)
            return
    if found.other_rules is not None:
        yield f"Not predicted: {found.other_rules}."
        yield from _recorded(found, dump)
        return
    if found.groups:
        was = (
            ", as they were until then" if found.absent is not None else "; a kernel numbers them as it likes"
        )
        yield f"IOMMU groups as Linux {found.kernel} makes them{was}:"
        yield from _table(found, dump)
    elif found.recorded:
        yield "The dump does not show what groups hang on; the kernel recorded:"
        yield from _recorded(found, dump)
        return
    yield ""
    yield _agreement(found)
    yield from (f"  {disagreement.text}" for disagreement in found.disagreements)
    if found.switched_off_since:
        ports = " ".join(map(short, found.switched_off_since))
        yield f"  ACS was switched off after the groups were made: {ports}"


def _table(found: Groups, dump: Dump) -> Iterator[str]:
    yield ""
    rows = [row for group in found.groups for row in _rows(group, found, dump)]
    yield from table(rows, ("", "device", "what", "recorded", "name")).split("\n")
    yield from reasons(found.groups)
    for title, entries in (("Not decided", found.undecided), ("In no group", found.ungrouped)):
        if entries:
            yield ""
            yield f"{title}:"
            yield from (f"  {short(device)}: {why}" for device, why in entries)
    if found.assumptions:
        yield ""
        yield "Taken for granted, since the dump does not show it:"
        yield from (f"  {assumption}" for assumption in found.assumptions)


def _recorded(found: Groups, dump: Dump) -> Iterator[str]:
    """Yield the groups that the kernel recorded, where nothing is predicted."""
    if found.recorded:
        yield ""
        rows = [row for group in found.actual for row in _rows(group, found, dump)]
        yield from table(rows, ("", "device", "what", "recorded", "name")).split("\n")


def _rows(group: Group, found: Groups, dump: Dump) -> Iterator[list[str]]:
    """Yield a row for each member; a bracket holds those of one group together."""
    last = len(group.devices) - 1
    for index, address in enumerate(group.devices):
        bracket = "" if last == 0 else "┌" if index == 0 else "└" if index == last else "│"
        device = dump[address]
        number = (found.recorded or {}).get(address)
        yield [bracket, short(address), kind(device), "" if number is None else str(number), device.name]


def reasons(groups: Iterable[Group]) -> Iterator[str]:
    """Yield what joins the members of groups, for each group each reason once with all that it is true of."""
    shared = [group for group in groups if group.joined_by]
    if shared:
        yield ""
        yield "Why devices share a group:"
    for group in shared:
        joined: dict[str, list[str]] = {}
        for join in group.joined_by:
            joined.setdefault(join.why, []).append(short(join.device))
        yield from (f"  {' '.join(devices)}: {why}" for why, devices in joined.items())


def _agreement(found: Groups) -> str:
    if found.agrees is None:
        return "The dump records no groups to compare with."
    if found.agrees:
        return "The groups that the kernel recorded are the same."
    return "The groups that the kernel recorded differ:"
