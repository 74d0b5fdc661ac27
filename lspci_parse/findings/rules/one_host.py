"""The rules about one host, asked of B; what A tells, too, is no difference."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from lspci_parse.findings.catalogue import CATALOGUE, rule
from lspci_parse.findings.explanation import concerned
from lspci_parse.findings.host_catalogue import CHAIN
from lspci_parse.findings.model import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.findings.host_catalogue import Link
    from lspci_parse.findings.host_view import Case
    from lspci_parse.findings.model import Key
    from lspci_parse.findings.pair_view import Context
    from lspci_parse.model.address import Address

import_module("lspci_parse.findings.rules.kernel_log")
import_module("lspci_parse.findings.rules.evidence_quality")


def _of_b(entry: Link, context: Context) -> Iterator[Found]:
    """Yield what a rule finds on B and not on A, with A's addresses."""
    pair_of_a = context.difference.pair_of_a
    on_a = set()
    for found in entry.find(context.case_a):
        pair = None if found.finding.b is None else pair_of_a.get(found.finding.b)
        on_a.add((None if pair is None else pair.b.address, found.finding.after if pair else None))
    case = context.case_b
    for found in entry.find(case):
        b = found.finding.b
        if (b, found.finding.after if b is not None else None) in on_a:
            continue
        causes = [key for cause in found.causes for key in _keys(case, context, cause)]
        yield Found(found.finding._replace(a=_counterpart(context, b)), causes)


def _of_either(entry: Link, context: Context) -> Iterator[Found]:
    """Yield what a rule finds about the evidence of each host, with the host's name in front."""
    for name, case in (("A", context.case_a), ("B", context.case_b)):
        for found in entry.find(case):
            told = found.finding._replace(title=f"{name}: {found.finding.title}")
            yield Found(told._replace(before=told.after, after=None) if name == "A" else told)


def _counterpart(context: Context, b: Address | None) -> Address | None:
    pair = None if b is None else context.difference.pair_of_b.get(b)
    return None if pair is None else pair.a.address


def _keys(case: Case, context: Context, cause: Key) -> Iterator[Key]:
    """Yield the keys under which a comparison knows a cause: a shared group is one that merged, by lost ACS."""
    name, device = cause[0], cause[2]
    if name != "group-shared":
        yield (name, _counterpart(context, device), device)
        return
    merged = [
        found.finding.key
        for found in CATALOGUE["groups-merged"].find(context)
        if device in found.finding.devices
    ]
    if merged:
        yield from merged
        return
    for refusal in case.refusals:
        if refusal.device == device:
            for address in concerned(case, refusal):
                yield ("acs-lost", _counterpart(context, address), address)
                yield ("acs-off", _counterpart(context, address), address)


for _entry in CHAIN.values():
    if not _entry.alone:
        _where = "" if _entry.either else ", on B"
        rule(_entry.name, _entry.severity, f"{_entry.summary}{_where}")(
            partial(_of_either if _entry.either else _of_b, _entry)
        )
