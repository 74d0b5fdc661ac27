"""A comparison as annotations of a GitHub Actions run.

See GitHub's documentation, "Workflow commands for GitHub Actions". A step shows ten annotations of each level;
the log has them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.render.escape import name, printable, summary

if TYPE_CHECKING:
    from lspci_parse.findings.model import Finding
    from lspci_parse.findings.report import Comparison

_COMMANDS: Final = {"critical": "error", "warning": "warning", "info": "notice"}


def github(comparison: Comparison) -> str:
    """Return one annotation a line (``::error title=...,file=...::message``), and the summary as plain text."""
    return "\n".join(
        [*(_annotation(comparison, finding) for finding in comparison.findings), summary(comparison)]
    )


def _annotation(comparison: Comparison, finding: Finding) -> str:
    source = comparison.a.source if finding.b is None and finding.a is not None else comparison.b.source
    properties = f"title={_property(name(finding))}"
    if source != "-":
        properties += f",file={_property(printable(source))}"
    because = [f"{word} {name(comparison.findings[cause])}" for cause, word in finding.links]
    message = "\n".join(
        filter(None, map(printable, (finding.title, finding.detail, finding.remedy, ", ".join(because))))
    )
    return f"::{_COMMANDS[finding.severity]} {properties}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
