"""From the difference of two hosts to a comparison: all rules asked, findings in order and linked."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from lspci_parse.findings.model import SEVERITIES, Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lspci_parse.comparison.difference import Change
    from lspci_parse.model.address import Address


class Side(NamedTuple):
    """One of the two hosts, as a report names it."""

    source: str
    devices: int


class Comparison(NamedTuple):
    """The report of a comparison: everything that the writers of ``render`` need.

    Attributes:
        a: the host compared with.
        b: the host in question.
        findings: worst first, causes before what they lead to.
        changes: every fact that differs, those behind findings too.
        moved: functions that hang elsewhere on B: address on A, address on B.
        hidden: how many findings a filter took out, by its reason.
    """

    a: Side
    b: Side
    findings: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()
    moved: tuple[tuple[Address, Address], ...] = ()
    hidden: Mapping[str, int] = {}

    @property
    def summary(self) -> dict[str, int]:
        """How many findings of each severity, and how many volatile changes."""
        counts = Counter(finding.severity for finding in self.findings)
        volatile = sum(change.volatile for change in self.changes)
        return {**{severity: counts[severity] for severity in SEVERITIES}, "volatile_hidden": volatile}
