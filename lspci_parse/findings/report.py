"""A report: the findings in order, and the trees of causes and effects that they form."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from lspci_parse.findings.model import SEVERITIES, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lspci_parse.comparison.difference import Change
    from lspci_parse.findings.model import Severity
    from lspci_parse.model.address import Address

Link: TypeAlias = Literal["root", "certain", "likely"]
LINKS: Final[tuple[Link, ...]] = ("root", "certain", "likely")


class Side(NamedTuple):
    """One of the two hosts, as a report names it; ``unseen`` says what its evidence does not show."""

    source: str
    devices: int
    unseen: tuple[str, ...] = ()


class CauseTree(NamedTuple):
    """A finding with what it causes.

    Attributes:
        finding: its index in the report.
        link: how it hangs on the finding above it: ``root``, ``certain`` or ``likely``.
        effects: what it causes; each finding of a report is in one place of one tree.
    """

    finding: int
    link: Link
    effects: tuple[CauseTree, ...] = ()

    def members(self) -> Iterator[CauseTree]:
        """Yield the tree and all below it, causes before effects."""
        stack = [self]
        while stack:
            tree = stack.pop()
            yield tree
            stack.extend(reversed(tree.effects))


class _Comparison(NamedTuple):
    a: Side
    b: Side
    findings: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()
    moved: tuple[tuple[Address, Address], ...] = ()
    hidden: Mapping[str, int] = {}


class Comparison(_Comparison):  # a named tuple has no place for what is cached
    """The report of a comparison: everything that the writers of ``render`` need.

    Attributes:
        a: the host compared with.
        b: the host in question.
        findings: worst first, causes before what they lead to.
        changes: every fact that differs, those behind findings too.
        moved: functions that hang elsewhere on B: address on A, address on B.
        hidden: how many findings a filter took out, by its reason.
    """

    @cached_property
    def causes(self) -> tuple[CauseTree, ...]:
        """The findings as trees, each root a cause that nothing found explains; the tree with the worst effect first.

        A finding with several causes hangs on the first certain one, else on the first likely one.
        """
        return _trees(self.findings)

    def severity(self, tree: CauseTree) -> Severity:
        """Return the worst severity in a tree."""
        return SEVERITIES[min(SEVERITIES.index(self.findings[t.finding].severity) for t in tree.members())]

    @property
    def summary(self) -> dict[str, int]:
        """How many findings of each severity, and how many volatile changes."""
        counts = Counter(finding.severity for finding in self.findings)
        volatile = sum(change.volatile for change in self.changes)
        return {**{severity: counts[severity] for severity in SEVERITIES}, "volatile_hidden": volatile}


def _trees(findings: Sequence[Finding]) -> tuple[CauseTree, ...]:
    """Put findings below their causes. In a circle of causes the first finding is the root."""
    parent: dict[int, int] = {}
    for number, finding in enumerate(findings):
        certain = [cause for cause in finding.because if cause not in finding.likely]
        for cause in (*certain, *finding.likely):
            if not _below(cause, number, parent):
                parent[number] = cause
                break
    effects: dict[int, list[int]] = {}
    for number, cause in parent.items():
        effects.setdefault(cause, []).append(number)
    built: dict[int, CauseTree] = {}
    roots = [number for number in range(len(findings)) if number not in parent]
    for number in reversed(_downwards(roots, effects)):
        above = parent.get(number)
        link: Link = "root" if above is None else "likely" if above in findings[number].likely else "certain"
        built[number] = CauseTree(number, link, tuple(built[effect] for effect in effects.get(number, ())))
    # Findings stand worst first, so the first one of a tree is its worst.
    roots.sort(key=lambda root: min(tree.finding for tree in built[root].members()))
    return tuple(built[root] for root in roots)


def _below(number: int, top: int, parent: Mapping[int, int]) -> bool:
    """Whether a finding hangs below another one, or is it."""
    while number != top:
        if number not in parent:
            return False
        number = parent[number]
    return True


def _downwards(roots: Sequence[int], effects: Mapping[int, Sequence[int]]) -> list[int]:
    """Return all findings, causes before effects."""
    order = list(roots)
    for number in order:
        order.extend(effects.get(number, ()))
    return order
