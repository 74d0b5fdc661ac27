"""Groups under a condition beside today's, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.model.display import counted, kind, short
from lspci_parse.render.escape import printable
from lspci_parse.render.text.groups import reasons
from lspci_parse.render.text.table import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.linux.groups.model import Groups
    from lspci_parse.linux.groups.what_if import WhatIf
    from lspci_parse.model.address import Address
    from lspci_parse.model.dump import Dump


def what_if(found: WhatIf, dump: Dump) -> str:
    """Return which functions of a dump change their company, and why they share a group then."""
    return "\n".join(map(printable, _lines(found, dump)))


def _lines(found: WhatIf, dump: Dump) -> Iterator[str]:
    today = found.today.with_iommu or found.today
    yield f"If {', and '.join(found.conditions)}:"
    if found.today.off is not None:
        yield f"(This host has no IOMMU groups now: {found.today.off}. What follows supposes the IOMMU on.)"
    moved = [
        device.address
        for device in dump
        if _company(today, device.address) != _company(found.then, device.address)
    ]
    yield ""
    if moved:
        rows = [
            [
                short(address), kind(dump[address]), _group(today, address),
                "taken out" if address in found.gone else _group(found.then, address), dump[address].name,
            ]
            for address in moved
        ]  # fmt: skip
        yield from table(rows, ("device", "what", "shares today", "shares then", "name")).split("\n")
        yield ""
        yield f"{counted(len(dump) - len(moved), 'function')} keep their groups."
        yield from reasons([group for group in found.then.groups if not set(moved).isdisjoint(group.devices)])
    else:
        yield "No function's group changes."
    if found.today.agrees is False:
        yield ""
        yield "The groups recorded today are not quite the predicted ones; both sides here are predictions."


def _company(found: Groups, address: Address) -> frozenset[Address] | str:
    group = found.of(address)
    if group is not None:
        return frozenset(group.devices)
    return "not known" if any(entry.device == address for entry in found.undecided) else "none"


def _group(found: Groups, address: Address) -> str:
    """Name the others of a function's group."""
    company = _company(found, address)
    if isinstance(company, str):
        return "not known" if company == "not known" else "no group"
    others = sorted(company - {address})
    return (
        f"with {' '.join(map(short, others[:3]))}{' ...' if len(others) > 3 else ''}" if others else "alone"
    )
