"""All rules asked, of one host or of two; findings in order, and linked to what causes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from lspci_parse.comparison.difference import compare
from lspci_parse.comparison.matching import Matching, by_topology
from lspci_parse.evidence.host import Host
from lspci_parse.findings.catalogue import RULES
from lspci_parse.findings.coverage import unseen
from lspci_parse.findings.host_view import HostView
from lspci_parse.findings.model import SEVERITIES, Cause, Finding, Found
from lspci_parse.findings.pair_view import PairView
from lspci_parse.findings.report import Comparison, Side
from lspci_parse.findings.rule import HOST, PAIR, Rule
from lspci_parse.model.address import Address
from lspci_parse.model.dump import Dump

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_NOWHERE = Address(-1, 0, 0, 0)


def diff(
    a: Host | Dump, b: Host | Dump, *, matching: Matching = by_topology, rules: Sequence[Rule] = RULES
) -> Comparison:
    """Compare two hosts and find what matters.

    Args:
        a: the host to compare with, usually the healthy one; a dump alone is a host of which nothing else is
            known.
        b: the host in question, likewise.
        matching: how devices are paired.
        rules: what to ask, in the order of findings of one severity: the catalogue's, with rules of your own.
    """
    one, other = _host(a, "A"), _host(b, "B")
    view = PairView(one, other, compare(one.dump, other.dump, matching=matching))
    found = [found for rule in rules for found in _of_pair(rule, view)]
    return Comparison(
        Side(one.source, len(one.dump), unseen(view.a)),
        Side(other.source, len(other.dump), unseen(view.b)),
        _named(link(found, rules), (other.dump, one.dump)),
        view.changes,
        tuple((pair.a.address, pair.b.address) for pair in view.difference.match.pairs if pair.moved),
    )


def diagnose(host: Host | Dump, *, rules: Sequence[Rule] = RULES) -> Comparison:
    """Tell what one host shows, without a healthy host beside it.

    Args:
        host: the host; a dump alone is a host of which nothing else is known.
        rules: as for ``diff``; those about two hosts are not asked.

    Returns:
        A report in which both sides are the host, and every value is host B's.
    """
    known = _host(host, "-")
    view = HostView(known)
    side = Side(known.source, len(known.dump), unseen(view))
    found = link([found for rule in rules if rule.needs == HOST for found in rule.find(view)], rules)
    return Comparison(side, side, _named(found, (known.dump,)))


def _host(host: Host | Dump, name: str) -> Host:
    return Host(host.source or name, host) if isinstance(host, Dump) else host


def _of_pair(rule: Rule, view: PairView) -> Iterator[Found]:
    """Yield what a rule finds of two hosts; a rule about one is asked of both."""
    if rule.needs == PAIR:
        yield from rule.find(view)
    elif rule.of_evidence:
        yield from () if view.same_evidence else _of_either(rule, view)
    elif not rule.told_by:
        yield from _of_b(rule, view)


_Same: TypeAlias = "tuple[Address | None, object]"


def _of_b(rule: Rule, view: PairView) -> Iterator[Found]:
    """Yield what a rule finds on B, with A's addresses; what A tells, too, is no difference."""
    on_a: set[_Same] = set()
    for found in rule.find(view.a):
        on_a.add(_same(found.finding, view.counterpart_of_a(found.finding.b)))
    for found in rule.find(view.b):
        if _same(found.finding, found.finding.b) not in on_a:
            yield found._replace(finding=found.finding._replace(a=view.counterpart_of_b(found.finding.b)))


def _same(finding: Finding, device: Address | None) -> _Same:
    """Return what two hosts both tell if it is equal; of a host as a whole a rule tells one thing."""
    return device, str(finding.after) if finding.b is not None else None


def _of_either(rule: Rule, view: PairView) -> Iterator[Found]:
    """Yield what a rule finds about the evidence of each host, with the host's name in front."""
    for name, host in (("A", view.a), ("B", view.b)):
        for found in rule.find(host):
            told = found.finding._replace(title=f"{name}: {found.finding.title}")
            yield found._replace(
                finding=told._replace(before=told.after, after=None) if name == "A" else told
            )


def _named(findings: Iterable[Finding], dumps: Sequence[Dump]) -> tuple[Finding, ...]:
    """Write the name of its device into each finding: host B's, else host A's."""

    def name(finding: Finding) -> str:
        for dump, address in zip(dumps, (finding.b, finding.a), strict=False):
            # A log may name devices that the dump lacks.
            if address is not None and address in dump:
                return dump[address].name
        return ""

    return tuple(finding._replace(name=name(finding)) for finding in findings)


def link(found: Iterable[Found], rules: Sequence[Rule]) -> tuple[Finding, ...]:
    """Put findings in order, worst first and by the rules' order within a severity, and number what causes them."""
    order = {rule.name: index for index, rule in enumerate(rules)}
    ordered = sorted(
        found,
        key=lambda item: (
            SEVERITIES.index(item.finding.severity),
            order.get(item.finding.rule, len(order)),
            item.finding.device or _NOWHERE,
        ),
    )
    index = _index(ordered)
    findings = []
    for number, item in enumerate(ordered):
        links: dict[int, bool] = {}
        for cause in item.causes:
            for target in _resolved(cause, index):
                if target != number:
                    links[target] = links.get(target, False) or cause.certain
        likely = tuple(sorted(target for target, certain in links.items() if not certain))
        findings.append(item.finding._replace(because=tuple(sorted(links)), likely=likely))
    leads_to: list[list[int]] = [[] for _ in findings]
    for effect, finding in enumerate(findings):
        for target in finding.because:
            leads_to[target].append(effect)
    return tuple(
        finding._replace(leads_to=tuple(effects)) for finding, effects in zip(findings, leads_to, strict=True)
    )


_Index: TypeAlias = "dict[tuple[str, Address | None, str | None], list[int]]"


def _index(ordered: Sequence[Found]) -> _Index:
    """Return the numbers of the findings by rule and device, and by rule, device and path.

    A finding about several devices, such as a group, is also found by the further ones.
    """
    index: _Index = {}
    for number, (finding, _) in enumerate(ordered):
        for device in dict.fromkeys((finding.device, *finding.devices)):
            index.setdefault((finding.rule, device, None), []).append(number)
            index.setdefault((finding.rule, device, finding.path), []).append(number)
    return index


def _resolved(cause: Cause, index: _Index) -> Iterator[int]:
    found = index.get((cause.rule, cause.device, cause.path), ())
    if found:
        yield found[0]
        return
    for other in cause.otherwise:
        yield from _resolved(other, index)
