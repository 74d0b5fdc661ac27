"""Where devices begin in a text, and line ends and prefixes on the way there: undone where that takes no guess.

Every line keeps its place, so that numbers are those of the input.
"""

from __future__ import annotations

import html
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
    held, plain = "", _Plain()
    for at, chunk in enumerate(chunks):
        text = chunk if at else chunk.removeprefix("\ufeff")
        end = text.rfind("\n") + 1
        if end:
            yield plain(held + text[:end])
            held = text[end:]
        else:
            held = (held + text)[:MAX_PIECE] if held else text
    yield plain(held)


_NO_WIDTH: Final = "\u200b\u200c\u200d\u2060\ufeff"
_BLANKS: Final = re.compile(rf"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000{_NO_WIDTH}]")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*[mK]")
_ENTITY: Final = re.compile(r"&(?:lt|gt|amp|quot|apos|nbsp|#39|#160|#xa0);")
_JSON: Final = re.compile(r"\\n\\t(?=[A-Z])").search
_JSON_START: Final = re.compile(rf'"(?={_DEVICE})')
_JSON_ESCAPE: Final = re.compile(r'\\([nt"/\\])')
_JSON_MEANS: Final = {"n": "\n", "t": "\t"}
_MONTH: Final = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_LOG: Final = (
    rf"(?:(?:{_MONTH} [ \d]\d \d\d:\d\d:\d\d|\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(?:Z|[+-]\d\d:?\d\d)?)"
    r"(?:(?: [\w.-]+)? (?![0-9a-f]{2,3}:)[A-Za-z][\w./-]*(?:\[\d+\])?:(?= ))? ?)?"
    r"(?:(?:<\d+>)?\[ *\d+\.\d+\] ?)?(?:kernel: ?)?"
)
_LOGGED: Final = re.compile(rf"^(?=[\[<A-Z2k])({_LOG})(?={_DEVICE})", re.MULTILINE).search
_LOG_PREFIX: Final = re.compile(rf"^(?=[\[<A-Z2k]){_LOG}", re.MULTILINE)


class _Plain:
    """Undoes what mail programs, web pages, consoles and logs do to each character or line of a text."""

    def __init__(self) -> None:
        self.logged = False

    def __call__(self, text: str) -> str:
        """Return the next lines of a text as lspci printed them."""
        text = _characters(_newlines(text))
        if not self.logged and "\n\t" not in text:  # no line of a log begins with a tab
            logged = _LOGGED(text)
            self.logged = bool(logged and logged[1])
        return _LOG_PREFIX.sub("", text) if self.logged else text


def _characters(text: str) -> str:
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    if "&" in text:
        text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    if "\\n" in text and _JSON(text):
        text = _JSON_ESCAPE.sub(
            lambda found: _JSON_MEANS.get(found[1], found[1]), _JSON_START.sub('"\n', text)
        )
    if not text.isascii():
        text = _BLANKS.sub(lambda found: "" if found[0] in _NO_WIDTH else " ", text)
    return text


def _newlines(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\n\r", "\n").strip("\r")
    return text


_QUOTES: Final = tuple(re.compile(rf"(?:>(?=[ \t>]|$) ?){{0,{depth}}}") for depth in range(9))
"""Quotation marks in front of a line, by how many a device's line had: a mail program that wraps adds fewer."""


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
        depth = self.prefix.count(">")
        if depth and line.startswith(">"):
            return _QUOTES[min(depth, len(_QUOTES) - 1)].sub("", line, count=1)
        # Mail programs drop the blank behind a quotation mark, editors those of an empty line.
        mark = self.prefix.rstrip()
        if mark and line.startswith(mark):
            return line[len(mark) :]
        return line if line.strip() else ""
