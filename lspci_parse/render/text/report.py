"""A comparison for people at a terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from lspci_parse.model.display import counted, listed, said, short
from lspci_parse.render.escape import printable
from lspci_parse.render.text.table import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lspci_parse.comparison.difference import Change
    from lspci_parse.findings.model import Finding
    from lspci_parse.findings.report import Comparison
    from lspci_parse.model.address import Address

_COLOURS: Final = {"critical": "\x1b[1;31m", "warning": "\x1b[33m", "info": "\x1b[36m", "bold": "\x1b[1m"}
_PLAIN: Final = "\x1b[0m"


def text(comparison: Comparison, *, colour: bool = False, width: int = 100, everything: bool = False) -> str:
    """Return a report: both hosts, the findings worst first, and how much was left out.

    Args:
        comparison: the report.
        colour: use ANSI colours.
        width: columns of the terminal.
        everything: show every change, volatile ones too.
    """
    return "\n".join(_Writer(comparison, colour=colour, width=width).lines(everything=everything))


class _Writer:
    def __init__(self, comparison: Comparison, *, colour: bool, width: int) -> None:
        self.comparison, self.colour, self.width = comparison, colour, max(width, 40)

    def lines(self, *, everything: bool) -> Iterator[str]:
        a, b = self.comparison.a, self.comparison.b
        sources = printable(a.source), printable(b.source)
        column = max(map(len, sources))
        if a != b:
            yield f"A  {sources[0]:{column}}  {counted(a.devices, 'device')}"
        yield f"{'B' if a != b else ' '}  {sources[1]:{column}}  {counted(b.devices, 'device')}"
        for findings in _alike(self.comparison.findings):
            yield ""
            yield from self._block(findings)
        if everything and self.comparison.changes:
            yield ""
            yield from self._changes(self.comparison.changes)
        yield ""
        yield self._summary(everything=everything)

    def _block(self, findings: Sequence[Finding]) -> Iterator[str]:
        first = findings[0]
        severity = paint(first.severity.upper(), first.severity, colour=self.colour)
        for index, finding in enumerate(findings):
            lead = (index and " " * len(first.severity)) or severity
            head = f"{lead}  {printable(f'{finding.rule}  {finding.title}')}"
            yield (
                head
                if len(findings) > 1
                else f"{severity}  {printable(first.rule)}  {paint(first.title, 'bold', colour=self.colour)}"
            )
        if len(findings) == 1 and first.name not in ("", first.before, first.after):
            yield paragraph("device", first.name, self.width)
        if self.comparison.a == self.comparison.b:
            yield paragraph("found", said(first.after), self.width)
        elif first.before is not None or first.after is not None:
            yield paragraph("A", said(first.before), self.width)
            yield paragraph("B", said(first.after), self.width)
        if first.detail:
            yield paragraph("why", first.detail, self.width)
        if first.remedy:
            yield paragraph("try", first.remedy, self.width)
        likely = {link for finding in findings for link in finding.likely}
        because = {link for finding in findings for link in finding.because} - likely
        leads_to = {link for finding in findings for link in finding.leads_to}
        for label, lead, links in (
            ("because", "", because),
            ("likely", "because of ", likely),
            ("leads to", "", leads_to),
        ):
            if links:
                yield paragraph(label, lead + self._named(sorted(links)), self.width)

    def _named(self, links: Iterable[int]) -> str:
        """Name findings by rule and device: ``msi-off 00:02.0, 00:03.0; acs-lost 00:1c.5``."""
        named: dict[str, list[Address]] = {}
        for link in links:
            finding = self.comparison.findings[link]
            named.setdefault(finding.rule, []).extend(filter(None, [finding.b or finding.a]))
        return "; ".join(f"{rule} {listed(places)}" if places else rule for rule, places in named.items())

    def _changes(self, changes: Iterable[Change]) -> Iterator[str]:
        rows = [
            [place(change.a, change.b), change.path, said(change.before), said(change.after), _note(change)]
            for change in changes
        ]
        yield table(rows, ["device", "fact", "A", "B", ""])

    def _summary(self, *, everything: bool) -> str:
        summary = self.comparison.summary
        counts = [
            counted(summary[name], name) if name == "warning" else f"{summary[name]} {name}"
            for name in ("critical", "warning", "info")
            if summary[name]
        ]
        parts = [", ".join(counts) if counts else "No findings"]
        if not everything and self.comparison.changes:
            lasting = [change for change in self.comparison.changes if not change.volatile]
            known = sum(change.known for change in lasting)
            kinds = [counted(known, "change")]
            if known < len(lasting):
                kinds.append(f"{len(lasting) - known} that one side cannot show")
            parts.append(f"{', '.join(kinds)} and {summary['volatile_hidden']} volatile not shown (--all)")
        parts += [f"{count} hidden by {reason}" for reason, count in self.comparison.hidden.items()]
        return printable("; ".join(parts) + ".")


def paint(words: str, colour_of: str, *, colour: bool) -> str:
    """Return words in the colour of a severity, or ``bold``."""
    words = printable(words)
    return f"{_COLOURS[colour_of]}{words}{_PLAIN}" if colour else words


def paragraph(label: str, words: str, width: int) -> str:
    """Return a paragraph wrapped to ``width`` columns, its label in front and its lines below each other."""
    lead = f"  {label:<10}"
    return textwrap.fill(
        printable(words), width, initial_indent=lead, subsequent_indent=" " * len(lead), break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _alike(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Put findings of one rule that say the same of several devices together."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        same = (finding.rule, finding.severity, str(finding.before), str(finding.after), finding.detail)
        groups.setdefault(same, []).append(finding)
    return list(groups.values())


def place(a: Address | None, b: Address | None) -> str:
    """Return where a change is: one address, or both where they differ."""
    places = dict.fromkeys(short(address) for address in (a, b) if address is not None)
    return " > ".join(places)


def _note(change: Change) -> str:
    if not change.known:
        return "not known on one side"
    return "volatile" if change.volatile else ""
