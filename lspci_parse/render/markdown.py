"""A comparison as GitHub Flavored Markdown, for a ticket or a pull request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lspci_parse.model.display import said
from lspci_parse.render.escape import place, printable, summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lspci_parse.findings.model import Finding
    from lspci_parse.findings.report import Comparison

_ADDRESS: Final = re.compile(r"(?<![\w:.])((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7])(?![\w:])")
_MARKUP: Final = re.compile(r"[\\`*\[\]<>|~&$]|(?<![^\W_])_|_(?![^\W_])")
_REFERENCE: Final = re.compile(
    r"(?<=[#@])(?=\w)|(?<=:)(?=\w+:)|(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=\bGH-)(?=\d)|(?<=@)(?=\S)"
    r"|(?<=\b[0-9a-f])(?=[0-9a-f]{6,39}\b)",
    re.IGNORECASE,
)
_BAR: Final = r"\|"


def markdown(comparison: Comparison) -> str:
    """Return the hosts, a table of the findings, and a section for what is the same reason and remedy."""
    return "\n".join(_lines(comparison))


def _lines(comparison: Comparison) -> Iterator[str]:
    a, b = comparison.a, comparison.b
    yield f"# lspci-parse: {_code(a.source)} and {_code(b.source)}"
    yield ""
    yield from _table(
        ("", "host", "devices"),
        [("A", _code(a.source), str(a.devices)), ("B", _code(b.source), str(b.devices))],
    )
    yield ""
    yield _prose(summary(comparison))
    if comparison.findings:
        yield ""
        yield from _table(
            ("#", "severity", "rule", "device", "A", "B"), map(_row, enumerate(comparison.findings, 1))
        )
    for alike in _alike(comparison.findings):
        yield ""
        yield from _section(alike, comparison.findings)


def _row(numbered: tuple[int, Finding]) -> Sequence[str]:
    number, finding = numbered
    known = finding.before is not None or finding.after is not None
    values = (said(value) if known else "" for value in (finding.before, finding.after))
    return (str(number), finding.severity, *map(_code, (finding.rule, place(finding), *values)))


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for cells in (headers, ["---"] * len(headers), *rows):
        # A bar ends a cell even inside code, unless a backslash stands before it.
        yield f"| {' | '.join(cell.replace('|', _BAR) for cell in cells)} |"


def _alike(findings: Sequence[Finding]) -> list[list[int]]:
    """Return the indices of findings, those of one rule that have the same reason and remedy together."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for index, finding in enumerate(findings):
        found.setdefault((finding.rule, finding.detail, finding.remedy), []).append(index)
    return list(found.values())


def _section(indices: Sequence[int], findings: Sequence[Finding]) -> Iterator[str]:
    first = findings[indices[0]]
    yield f"## {_prose(first.rule)}"
    yield ""
    for index in indices:
        yield f"- **{index + 1}.** {_prose(findings[index].title)}"
        finding = findings[index]
        certain = [link for link in finding.because if link not in finding.likely]
        for label, links in (
            ("because of", certain),
            ("likely because of", finding.likely),
            ("leads to", finding.leads_to),
        ):
            if links:
                yield f"  - {label} {', '.join(_link(link, findings[link]) for link in links)}"
    for label, words in (("Why", first.detail), ("Try", first.remedy)):
        if words:
            yield ""
            yield f"**{label}:** {_prose(words)}"


def _link(index: int, finding: Finding) -> str:
    where = place(finding)
    return f"{index + 1} ({_prose(finding.rule)}{' ' + _code(where) if where else ''})"


def _code(text: str) -> str:
    """Write text as a code span, in which nothing is markup; its fence is longer than any run of backticks in it."""
    text = printable(text)
    if not text:
        return ""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    pad = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _prose(text: str) -> str:
    """Write text as it is: no markup, addresses as code, and no links to issues, users or emoji by accident."""
    parts = _ADDRESS.split(printable(text))
    return "".join(_code(part) if index % 2 else _plain(part) for index, part in enumerate(parts))


def _plain(text: str) -> str:
    # A comment parts what GitHub and GitLab would link after all markup is read, escaped or not: #6, GH-6, @name, :cd:,
    # https://a.b, www.a.b, a@b.c, commits.
    return _REFERENCE.sub("<!-- -->", _MARKUP.sub(r"\\\g<0>", text))
