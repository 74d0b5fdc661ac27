"""Where devices begin in a text, and line ends and prefixes on the way there: undone where that takes no guess.

Every line keeps its place, so that numbers are those of the input.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_PIECE: Final = 1 << 17
"""Characters that are held of a text that arrives in parts: a device of more is cut."""

_MAX_JOINED: Final = 1 << 16

_HOP: Final = r"[01][0-9a-f]\.[0-7]"
_ADDRESS: Final = rf"(?:[0-9a-f]{{4,8}}:)?[0-9a-f]{{2}}:{_HOP}(?:/(?:[0-9a-f]{{2}}:)?{_HOP})*"
_CLASS: Final = r'(?:[A-Z0-9][^\n:"]{1,120}|[0-9a-f]{4})'  # every class of pci.ids begins so
_DEVICE: Final = rf"{_ADDRESS} {_CLASS}: "

slot: Final = re.compile(rf"{_ADDRESS} ").match
"""Finds the address that a line begins with."""
device_line: Final = re.compile(_DEVICE).match
"""Finds address and class that a device's line begins with. (``lspci -m`` puts the class in quotes.)"""
hex_row: Final = re.compile(r"([0-9a-f]{2,3}):(?: [0-9a-f]{2}){1,16}[ \t]*").fullmatch
"""Matches a row of a hex dump (``-x``); its group 1 is the offset."""


def may_be_broken(text: str) -> bool:
    """Whether there may be a warning of lspci's in a text, which can stand in the middle of a line."""
    return "pcilib: " in text or "lspci: " in text


# ---------------------------------------------------------------------------------------------------- pieces

_START: Final = r"[0-9a-f]{2,8}:[0-9a-f]{2}[:.][0-9a-f]"
_STARTS: Final = re.compile(rf"\n(?={_START})")
# Most lines fail at the first look.
_STARTS_OR_PREFIX: Final = re.compile(rf"\n(?!\t\t|\t[A-Z])(?={_START}|[ >|]|\t[0-9a-f]{{2,8}}:)")
_PREFIXED: Final = re.compile(rf"([ \t>|]*+)(?={_DEVICE})").match


def pieces(chunks: Iterable[str]) -> Iterator[str]:
    """Split a text before each line that may be a device's.

    Args:
        chunks: the text, in one or in several parts.

    Yields:
        The lines of a piece, less the last newline. Each begins with an address, but for the first and for those
        that follow a piece of more than ``MAX_PIECE``.
    """
    piece, prefix = "", _Prefix()
    for chunk in _whole_lines(chunks):
        parts = _STARTS_OR_PREFIX.split(piece + chunk)
        if any(part.startswith((" ", ">", "|", "\t")) for part in parts):
            parts = _STARTS.split(piece + prefix.strip(chunk))
        if len(parts[-1]) > MAX_PIECE:
            parts[-1:] = parts[-1].removesuffix("\n"), ""
        last, piece = parts.pop(), ""
        parts.reverse()
        while parts:  # each is given away before the next: a large text is not held twice
            part = parts.pop()
            piece += part
            if not part.endswith("\n") and _ends_in_warning(piece):
                piece += "\n"
            else:
                yield piece
                piece = ""
        piece += last
    yield piece


def _ends_in_warning(text: str) -> bool:
    """Whether the last line may be a half of the next: what seems to be an address there can be part of one."""
    line = text[text.rfind("\n") + 1 :]
    return may_be_broken(line) and len(text) < _MAX_JOINED


def _whole_lines(chunks: Iterable[str]) -> Iterator[str]:
    """Cut chunks behind the end of a line, make every line end a newline and drop a byte-order mark."""
    held = ""
    for at, chunk in enumerate(chunks):
        text = chunk if at else chunk.removeprefix("\ufeff")
        end = text.rfind("\n") + 1
        if end:
            yield _newlines(held + text[:end])
            held = text[end:]
        else:
            held = (held + text)[:MAX_PIECE] if held else text
    yield _newlines(held)


def _newlines(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\n\r", "\n").strip("\r")
    return text


class _Prefix:
    """Takes away what stands in front of every line of an indented or quoted dump."""

    def __init__(self) -> None:
        self.prefix = ""

    def strip(self, text: str) -> str:
        """Return the lines of ``text`` without the prefix that the last line of a device had."""
        return "\n".join([self._strip(line) for line in text.split("\n")])

    def _strip(self, line: str) -> str:
        found = _PREFIXED(line)
        if found:
            self.prefix = found[1]
        if line.startswith(self.prefix):
            return line[len(self.prefix) :]
        # Mail programs drop the blank behind a quotation mark, editors those of an empty line.
        mark = self.prefix.rstrip()
        if mark and line.startswith(mark):
            return line[len(mark) :]
        return line if line.strip() else ""
