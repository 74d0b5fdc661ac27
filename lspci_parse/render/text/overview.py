"""The first screen of a report: the cause, where, how certain, what follows from it, and one next step."""

from __future__ import annotations

import re
import textwrap
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from lspci_parse.findings.model import SEVERITIES
from lspci_parse.model.display import counted, listed, said, short
from lspci_parse.render.escape import printable
from lspci_parse.render.text.report import paint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lspci_parse.findings.model import Finding, Severity
    from lspci_parse.findings.report import CauseTree, Comparison

SCREEN: Final = 25
"""Lines that the overview has at most, at 80 columns: what a terminal shows at once."""
_LABEL: Final = 4
"""Columns of a label such as ``so``."""


def overview(comparison: Comparison, *, colour: bool = False, width: int = 80) -> str:
    """Return what matters on one screen.

    Each independent cause is one block, worst first, with what follows from it as a short tree; where the screen is
    too small for all, the first is told in full and the others in a line each.

    Args:
        comparison: the report.
        colour: use ANSI colours; they mark severity and nothing else.
        width: columns of the terminal.
    """
    return "\n".join(_Overview(comparison, colour=colour, width=max(width, 40)).lines())


class Block(NamedTuple):
    """A cause, or several equal ones on different devices, that nothing certain explains.

    Attributes:
        heads: the trees that begin with it; several are alike and have no effects.
        severity: of its worst effect.
        likely: the findings that likely cause it.
        shared: further causes of what follows from the first.
    """

    heads: tuple[CauseTree, ...]
    severity: Severity
    likely: tuple[int, ...]
    shared: tuple[CauseTree, ...] = ()


def blocks(comparison: Comparison) -> list[Block]:
    """Return the independent causes of a report, worst first.

    A finding that is no more than a likely cause of others is told with them and has no block of its own.
    """
    found: dict[object, list[CauseTree]] = {}
    heads = list(_heads(comparison.causes))
    owner = {tree.finding: number for number, head in enumerate(heads) for tree in _members(head)}
    shared: dict[int, list[CauseTree]] = {}
    for number, head in enumerate(heads):
        finding = comparison.findings[head.finding]
        alone = not _certain(head)
        others = [
            owner[effect] for effect in finding.leads_to if effect not in _likely_of(comparison, head.finding)
        ]
        if alone and others and others[0] != number:
            shared.setdefault(heads[others[0]].finding, []).append(head)
            continue
        alike = (finding.rule, finding.severity, _rest(finding), finding.likely) if alone else number
        found.setdefault(alike, []).append(head)
    result = [
        Block(
            tuple(trees),
            _severity(comparison, trees[0]),
            comparison.findings[trees[0].finding].likely,
            tuple(shared.get(trees[0].finding, ())),
        )
        for trees in found.values()
    ]
    return sorted(result, key=lambda block: SEVERITIES.index(block.severity))


def _likely_of(comparison: Comparison, cause: int) -> set[int]:
    """Return the effects that a finding likely has."""
    return {
        effect
        for effect in comparison.findings[cause].leads_to
        if cause in comparison.findings[effect].likely
    }


def _heads(trees: Iterable[CauseTree]) -> Iterator[CauseTree]:
    waiting = deque(trees)
    while waiting:
        tree = waiting.popleft()
        likely = [effect for inner in _members(tree) for effect in inner.effects if effect.link == "likely"]
        if _certain(tree) or not likely:
            yield tree
        waiting.extendleft(reversed(likely))


def _certain(tree: CauseTree) -> list[CauseTree]:
    return [effect for effect in tree.effects if effect.link == "certain"]


def _members(tree: CauseTree) -> Iterator[CauseTree]:
    """Yield a tree and what certainly follows from it."""
    stack = [tree]
    while stack:
        inner = stack.pop()
        yield inner
        stack.extend(reversed(_certain(inner)))


def _severity(comparison: Comparison, tree: CauseTree) -> Severity:
    return SEVERITIES[min(SEVERITIES.index(comparison.findings[t.finding].severity) for t in _members(tree))]


def _rest(finding: Finding) -> str:
    """Return a title without the device that it begins with: what several devices may have in common."""
    if finding.device is None:
        return finding.title
    return re.sub(rf"^{re.escape(short(finding.device))}(?: \([^)]*\))?", "", finding.title)


def headline(findings: Sequence[Finding]) -> str:
    """Return one title for findings that are alike: ``31:00.0 and 31:00.1: mlx5_core failed to probe it``."""
    first = findings[0]
    devices = [finding.device for finding in findings if finding.device is not None]
    if len(findings) == 1 or len(devices) < len(findings) or _rest(first) == first.title:
        return first.title if len(findings) == 1 else f"{first.title} ({len(findings)} times)"
    rest = re.sub(r"^ (has|is|does|runs)\b", lambda verb: f" {_PLURAL[verb[1]]}", _rest(first))
    return f"{listed(devices, 4)}{rest}"


_PLURAL: Final = {"has": "have", "is": "are", "does": "do", "runs": "run"}


def step(comparison: Comparison, tree: CauseTree) -> str:
    """Return the one thing to try next about a cause: the first step that an effect names, else its own remedy."""
    members = [comparison.findings[inner.finding] for inner in _members(tree)]
    for finding in reversed(members):
        if finding.remedy.startswith("1. "):
            return re.split(r" 2\. ", finding.remedy.removeprefix("1. "), maxsplit=1)[0]
    remedy = next((finding.remedy for finding in members if finding.remedy), "")
    return re.split(r"(?<=[^\W\d][.]|[)][.]) (?=[A-Z])", remedy, maxsplit=1)[0]


class _Overview:
    def __init__(self, comparison: Comparison, *, colour: bool, width: int) -> None:
        self.comparison, self.colour, self.width = comparison, colour, width
        self.one_host = comparison.a == comparison.b
        self.told: set[int] = set()
        self.steps: set[str] = set()

    def lines(self) -> Iterator[str]:
        head = list(self._hosts())
        foot = list(self._footer())
        yield from head
        found = blocks(self.comparison)
        room = SCREEN - len(head) - len(foot) - 1
        for number, block in enumerate(found):
            left = len(found) - number - 1
            whole = list(self._block(block))
            # The first cause is told in full; another one where all behind it still have a line.
            if number == 0 or (block.severity != "info" and len(whole) + 1 + left <= room):
                cut = whole[: max(room - 1 - min(left, 4), 6)]
                if len(cut) < len(whole):
                    cut[-1] = "      ..."
                yield from ("", *cut)
                room -= len(cut) + 1
            else:
                if room >= 0:
                    yield ""
                yield from self._short(found[number:], max(room - 1, 1))
                break
        yield ""
        yield from foot

    def _hosts(self) -> Iterator[str]:
        a, b = self.comparison.a, self.comparison.b
        sources = printable(a.source), printable(b.source)
        if self.one_host:
            yield f"   {sources[1]}  {counted(b.devices, 'device')}"
            return
        column = max(map(len, sources))
        for name, source, side in (("A", sources[0], a), ("B", sources[1], b)):
            yield f"{name}  {source:{column}}  {counted(side.devices, 'device')}"

    def _short(self, rest: Sequence[Block], room: int) -> Iterator[str]:
        """Yield a line for each block, and how many more there are."""
        shown = rest if len(rest) <= room else rest[: room - 1]
        for block in shown:
            text = printable(headline(self._findings(block)))
            severity = f"{block.severity.upper():8}"
            if len(text) > self.width - 10:
                text = f"{text[: self.width - 11].rstrip()}…"
            yield f"{paint(severity, block.severity, colour=self.colour)}  {text}"
        if len(shown) < len(rest):
            yield f"and {len(rest) - len(shown)} more (--explain)"

    def _findings(self, block: Block) -> list[Finding]:
        return [self.comparison.findings[tree.finding] for tree in block.heads]

    def _block(self, block: Block) -> Iterator[str]:
        findings = self._findings(block)
        first = findings[0]
        label = f"{block.severity.upper()}{', certain' if _certain(block.heads[0]) else ''}"
        title = textwrap.wrap(printable(headline(findings)), self.width - len(label) - 2) or [""]
        pad = " " * (self.width - len(label) - len(title[0]))
        yield f"{title[0]}{pad}{paint(label, block.severity, colour=self.colour)}"
        yield from title[1:]
        if len(findings) == 1:
            yield from self._evidence(first)
        for number in block.likely:
            cause = self.comparison.findings[number]
            text = (
                f"likely because of {cause.rule}, as above"
                if number in self.told
                else f"likely because {cause.title}"
            )
            self.told.add(number)
            yield from self._wrapped(text, "  ", "    ")
        for tree in block.shared:
            yield from self._wrapped(f"and {self.comparison.findings[tree.finding].title}", "  ", "    ")
        yield from self._effects(block.heads[0])
        todo = step(self.comparison, block.heads[0])
        if todo:
            yield from self._wrapped("as above" if todo in self.steps else todo, "  do  ", "      ")
            self.steps.add(todo)

    def _evidence(self, finding: Finding) -> Iterator[str]:
        """Yield the device's name and the value on each host, as far as the title leaves them open."""
        values: list[str] = []
        if self.one_host:
            if finding.after is not None and said(finding.after) not in finding.title:
                values.append(said(finding.after))
        else:
            for name, value in (("A", finding.before), ("B", finding.after)):
                if value not in (None, "", finding.name) and said(value) not in finding.title:
                    values.append(f"on {name}: {said(value)}")
        name = finding.name if finding.name and finding.name not in finding.title else ""
        text = "; ".join(filter(None, (name, *values)))
        if text:
            yield from self._wrapped(text, "  ", "    ")

    def _effects(self, tree: CauseTree) -> Iterator[str]:
        waiting = [(0, group) for group in reversed(self._alike(_certain(tree)))]
        while waiting:
            depth, group = waiting.pop()
            findings = [self.comparison.findings[effect.finding] for effect in group]
            lead = "  so  " if depth == 0 else f"      {'  ' * (depth - 1)}└ "
            yield from self._wrapped(headline(findings), lead, " " * len(lead))
            below = [effect for member in group for effect in _certain(member)]
            waiting.extend((depth + 1, inner) for inner in reversed(self._alike(below)))

    def _alike(self, trees: Sequence[CauseTree]) -> list[list[CauseTree]]:
        found: dict[object, list[CauseTree]] = {}
        for tree in trees:
            finding = self.comparison.findings[tree.finding]
            found.setdefault((finding.rule, _rest(finding)), []).append(tree)
        return list(found.values())

    def _wrapped(self, text: str, first: str, rest: str) -> list[str]:
        return textwrap.wrap(
            printable(text), self.width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
        )

    def _footer(self) -> Iterator[str]:
        for sentence in self._unseen():
            yield from self._wrapped(sentence, "", "  ")
        number = len(blocks(self.comparison))
        findings = len(self.comparison.findings)
        if number:
            text = counted(number, "cause")
            if findings != number:
                text += f", {counted(findings, 'finding')}"
            parts = [text, *self._left_out()]
            yield from self._wrapped(f"{'; '.join(parts)}.", "", "  ")
            yield "Explain: --explain   All facts: --all"
        else:
            parts = ["No findings", *self._left_out()]
            yield from self._wrapped("; ".join(parts) + ".", "", "  ")

    def _left_out(self) -> Iterator[str]:
        changes = self.comparison.changes
        if changes:
            lasting = [change for change in changes if not change.volatile]
            known = sum(change.known for change in lasting)
            kinds = [counted(known, "change")]
            if known < len(lasting):
                kinds.append(f"{len(lasting) - known} that one side cannot show")
            yield f"{', '.join(kinds)} and {len(changes) - len(lasting)} volatile not shown"
        for reason, count in self.comparison.hidden.items():
            yield f"{count} hidden by {reason}"

    def _unseen(self) -> Iterator[str]:
        a, b = self.comparison.a, self.comparison.b
        if self.one_host:
            yield f"Looked at {counted(b.devices, 'device')}{': ' if b.unseen else ''}{'; '.join(b.unseen)}."
            return
        sides = [("A and B", b.unseen)] if a.unseen == b.unseen else [("A", a.unseen), ("B", b.unseen)]
        for name, unseen in sides:
            if unseen:
                yield f"Not seen on {name}: {'; '.join(unseen)}."
