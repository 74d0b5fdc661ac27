"""Free text made safe for formats that others read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lspci_parse.findings.model import SEVERITIES
from lspci_parse.model.display import short

if TYPE_CHECKING:
    from lspci_parse.findings.model import Finding
    from lspci_parse.findings.report import Comparison

_BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks that show nothing: Unicode's Default_Ignorable_Code_Point outside category C, and blank Braille."""


def printable(text: str) -> str:
    r"""Write what is no printable character as Python would: ``\n``, ``\x1b``, ``\u202e``.

    Printable is what ``str.isprintable`` takes for it (no control, format, surrogate, private or unassigned
    character, and no separator but the blank) if it shows something. A byte that was not UTF-8 (a lone surrogate,
    see ``source.decode``) is written as that byte: ``\xff``. What is left are characters that XML 1.0, JSON and
    every encoding of Unicode can hold, on one line, in the order in which they stand.
    """
    if text.isprintable() and not _BLANK.search(text):
        return text
    return "".join(char if _shows(char) else _spelt(char) for char in text)


def lines(text: str) -> str:
    """Make each line of a text printable that has line feeds of its own."""
    return "\n".join(map(printable, text.split("\n")))


def _shows(char: str) -> bool:
    return char.isprintable() and not _BLANK.match(char)


def _spelt(char: str) -> str:
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
