"""Free text made safe for formats that others read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lspci_parse.findings.model import SEVERITIES
from lspci_parse.model.display import short

if TYPE_CHECKING:
    from lspci_parse.findings.model import Finding
    from lspci_parse.findings.report import Comparison

_UNPRINTABLE: Final = re.compile(
    "[^\\x20-\\x7e\\xa0-\\ud7ff\\ue000-\\ufdcf\\ufdf0-\\ufffd\\U00010000-\\U0010ffff]"  # controls, surrogates
    "|[\\xad\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]"  # invisible, or turns the line around
)


def printable(text: str) -> str:
    r"""Write what is no printable character as Python would: ``\n``, ``\x1b``, ``\u202e``.

    A byte that was not UTF-8 (a lone surrogate, see ``source.decode``) is written as that byte: ``\xff``.
    What is left are characters that XML 1.0, JSON and every encoding of Unicode can hold, on one line.
    """
    return _UNPRINTABLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def place(finding: Finding) -> str:
    """Return where a finding is, as host B writes it: ``00:1c.5``; ``""`` for one about the hosts."""
    where = finding.b or finding.a
    return short(where) if where else ""


def name(finding: Finding) -> str:
    """Return ``acs-lost 00:1c.5``."""
    return printable(f"{finding.rule} {place(finding)}".rstrip())


def summary(comparison: Comparison) -> str:
    """Return ``1 critical, 2 warning; 3 hidden by --only.``: what was found, and what a filter hid."""
    found = comparison.summary
    counts = [f"{found[severity]} {severity}" for severity in SEVERITIES if found[severity]]
    parts = [", ".join(counts) or "No findings"]
    parts += [f"{count} hidden by {printable(reason)}" for reason, count in comparison.hidden.items()]
    return f"{'; '.join(parts)}."
