"""A report as one line of a monitoring plugin, with its exit codes (Monitoring Plugins Development Guidelines)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.render.escape import printable
from lspci_parse.render.text.overview import blocks

if TYPE_CHECKING:
    from lspci_parse.findings.report import Comparison

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
_WORDS: Final = {OK: "OK", WARNING: "WARNING", CRITICAL: "CRITICAL"}


def nagios(comparison: Comparison) -> str:
    """Return the state, how many findings there are, the worst one's cause, and the numbers as performance data."""
    summary = comparison.summary
    counts = {name: summary[name] for name in ("critical", "warning", "info")}
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "no findings"
    first = next(iter(blocks(comparison)), None)
    worst = "" if first is None else f": {comparison.findings[first.heads[0].finding].title}"
    text = printable(f"LSPCI {_WORDS[state(comparison)]} - {said}{worst}").replace("|", "/")
    return f"{text} | {' '.join(f'{name}={count}' for name, count in counts.items())}"


def state(comparison: Comparison) -> int:
    """Return the exit code: 0 for remarks at most, 1 for warnings, 2 for critical findings."""
    summary = comparison.summary
    return CRITICAL if summary["critical"] else WARNING if summary["warning"] else OK


def unknown(message: str) -> str:
    """Return the line for a host that could not be judged; the exit code is 3."""
    return printable(f"LSPCI UNKNOWN - {message}").replace("|", "/")
