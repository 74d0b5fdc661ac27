"""From the difference of two hosts to a comparison: all rules asked, findings in order and linked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.comparison.difference import compare
from lspci_parse.comparison.host_changes import host_changes
from lspci_parse.comparison.matching import Matching, by_topology
from lspci_parse.evidence.host import Host
from lspci_parse.findings.catalogue import CATALOGUE
from lspci_parse.findings.model import SEVERITIES, Finding, Found, Key
from lspci_parse.findings.pair_view import Context
from lspci_parse.findings.report import Comparison, Side
from lspci_parse.model.address import Address
from lspci_parse.model.dump import Dump

if TYPE_CHECKING:
    from collections.abc import Iterable


def diff(a: Host | Dump, b: Host | Dump, *, matching: Matching = by_topology) -> Comparison:
    """Compare two hosts and find what matters.

    Args:
        a: the host to compare with, usually the healthy one; a dump alone is a host of which nothing else is
            known.
        b: the host in question, likewise.
        matching: how devices are paired.
    """
    one, other = _host(a, "A"), _host(b, "B")
    difference = compare(one.dump, other.dump, matching=matching)
    context = Context(one, other, difference)
    found = [found for rule in CATALOGUE.values() for found in rule.find(context)]
    return Comparison(
        Side(one.source, len(one.dump)),
        Side(other.source, len(other.dump)),
        named(link(found), one.dump, other.dump),
        (*difference.changes, *host_changes(one, other, context.pairs)),
        tuple((pair.a.address, pair.b.address) for pair in difference.match.pairs if pair.moved),
    )


def _host(host: Host | Dump, name: str) -> Host:
    return Host(host.source or name, host) if isinstance(host, Dump) else host


def named(findings: Iterable[Finding], a: Dump, b: Dump) -> tuple[Finding, ...]:
    """Write the name of its device into each finding: host B's, else host A's."""

    def name(finding: Finding) -> str:
        for dump, address in ((b, finding.b), (a, finding.a)):
            if address is not None and str(address) in dump:  # a log may name devices that the dump lacks
                return dump[address].name
        return ""

    return tuple(finding._replace(name=name(finding)) for finding in findings)


def link(found: list[Found]) -> tuple[Finding, ...]:
    """Put findings in order, worst first and causes before effects of one severity, and number their links."""
    order = {name: index for index, name in enumerate(CATALOGUE)}
    nowhere = Address(-1, 0, 0, 0)
    ordered = sorted(
        found,
        key=lambda item: (
            SEVERITIES.index(item.finding.severity),
            order.get(item.finding.rule, len(order)),
            item.finding.b or item.finding.a or nowhere,
        ),
    )
    index: dict[Key, int] = {}
    for number, item in enumerate(ordered):
        index.setdefault(item.finding.key, number)
        index.setdefault((*item.finding.key, item.finding.path), number)
    because = [sorted({index[key] for key in item.causes if key in index}) for item in ordered]
    leads_to: list[list[int]] = [[] for _ in ordered]
    for effect, causes in enumerate(because):
        for cause in causes:
            leads_to[cause].append(effect)
    return tuple(
        item.finding._replace(because=tuple(because[number]), leads_to=tuple(leads_to[number]))
        for number, item in enumerate(ordered)
    )
