"""A host held against a policy, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.findings.model import SEVERITIES
from lspci_parse.render.escape import printable
from lspci_parse.render.text.report import paint, paragraph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.policies.model import Check


def check(found: Check, *, colour: bool = False, width: int = 100) -> str:
    """Return what stands against the policy, worst first, and what to do about it."""
    return "\n".join(_lines(found, colour=colour, width=width))


def _lines(found: Check, *, colour: bool, width: int) -> Iterator[str]:
    for breach in found.breaches:
        severity = breach.severity.upper() if breach.known else "NOT KNOWN"
        yield f"{paint(severity, breach.severity, colour=colour)}  {printable(breach.title)}"
        yield paragraph("why", breach.detail, width)
        for remedy in breach.remedies:
            yield paragraph("try", f"{remedy.action}{f' Risk: {remedy.risk}' if remedy.risk else ''}", width)
        yield ""
    counts = {
        name: sum(breach.known and breach.severity == name for breach in found.breaches)
        for name in SEVERITIES
    }
    unknown = sum(not breach.known for breach in found.breaches)
    said = [f"{count} {name}" for name, count in (*counts.items(), ("not known", unknown)) if count]
    yield f"Policy {printable(found.policy)}: {', '.join(said) or 'nothing to complain of'}."
