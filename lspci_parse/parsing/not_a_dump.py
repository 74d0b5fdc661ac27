"""What an input is when it is no dump: the error that says so."""

from __future__ import annotations

import re
from typing import Final

from lspci_parse.errors import LspciError

HEAD: Final = 1 << 16
"""Characters at the start of an input by which it is judged."""

_FILES: Final = {
    r"\s*\Z": "the input is empty",
    r"\x1f\udc8b|BZh\d1AY|\udcfd7zXZ|\(\udcb5/\udcfd": "this is compressed data, not yet unpacked",
    r"\x7fELF": "this is a program (ELF)",
    r"%PDF-": "this is a PDF document",
    r"PK\x03\x04": "this is a zip archive",
    r"[^\n]*\0": "this is binary data",
}
"""Kinds of files, by how they begin."""

_LINES: Final = {
    r"(?i)\s*<(?:!doctype html|html|head|body)\b": "this is an HTML page, not its text",
    r"[ |+\\-]*-\[[0-9a-f:]+(?:-[0-9a-f]+)?\]-": "this is the bus tree that 'lspci -t' prints",
    r'[0-9a-f:./]{7,} "[^\n"]*" "': "this is the machine-readable list that 'lspci -m' prints",
    r"(?:Slot|Device):[ \t]+[0-9a-f:./]{7,}$": "this is the machine-readable list that 'lspci -vm' prints",
}
"""Kinds of text, by one line."""

_EXPECTED: Final = (
    "expected the output of 'lspci -vvv', whose devices begin with an address such as '00:1c.5 '"
)
_CONTEXT: Final = 100


def no_dump(text: str, source: str | None) -> LspciError:
    """Return the error for an input without a device.

    Args:
        text: the input, or its first ``HEAD`` characters.
        source: the name of the input.
    """
    head = text[:HEAD].removeprefix("\ufeff")
    for pattern, what in _FILES.items():
        if re.match(pattern, head):
            return LspciError(f"{what}; {_EXPECTED}", source)
    lines = [(number, line) for number, line in enumerate(head.split("\n"), 1) if line.strip()]
    for pattern, what in _LINES.items():
        for number, line in lines:
            if re.match(pattern, line):
                return LspciError(f"{what}; {_EXPECTED}", source, number, 1, line[:_CONTEXT])
    number, line = lines[0]
    return LspciError(f"no PCI device found; {_EXPECTED}", source, number, 1, line[:_CONTEXT])
