"""The lines of a device, told from those around them, and what was done to them undone where that takes no guess.

That is: warnings in between or in the middle of a line, blanks for tabs, wrapped lines, foreign text. Lines keep the
number that they have in the text.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from lspci_parse.model.fields import Line
from lspci_parse.parsing.segments import device_line, hex_row, may_be_broken, slot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Reads = Callable[[list[str]], bool]
    """Tells whether lspci prints these lines below the line of a device."""


class Section(NamedTuple):
    """The part of a text that is one device.

    Attributes:
        lines: the device's lines as lspci printed them.
        strange: lines between them that are no line of lspci's.
    """

    lines: list[Line]
    strange: list[Line]


def sections(texts: list[str], reads: Reads) -> tuple[list[Section], list[Line]]:
    """Return the devices among the lines of a piece, and the lines that are of none; all numbered from 1."""
    lines, outside = _without_warnings(texts)
    found: list[Section] = []
    for group in _groups(lines):
        if _is_device(group, reads):
            section, rest = _section(_with_tabs(group, reads), reads)
            found.append(section)
            rest = group[len(group) - len(rest) :]
        else:
            rest = group
        outside += [line for line in rest if line.text.strip()]
    return found, sorted(outside)


def _groups(lines: list[Line]) -> Iterator[list[Line]]:
    starts = [0, *(at for at, line in enumerate(lines) if at and slot(line.text)), len(lines)]
    return (lines[start:end] for start, end in pairwise(starts) if start < end)


def _is_device(lines: list[Line], reads: Reads) -> bool:
    """Tell a device from a log line that begins with an address: it has a class, or what follows is lspci's."""
    text, *rest = (line.text for line in lines[:3])
    if device_line(text + " "):
        return True
    if len(rest) == 2 and device_line(f"{text} {rest[0]}"):
        del rest[0]
    return bool(slot(text) and rest) and rest[0][:1] in ("\t", " ") and reads(["\t" + rest[0].lstrip()])


# ------------------------------------------------------------------------------------------------- warnings

_WARNINGS: Final = ("pcilib: ", "lspci: ", "WARNING: Cannot show hex-dump")
_BROKEN: Final = re.compile(
    r"(?=[\t ]|[0-9a-f]{1,8}(?::|pcilib|lspci))(.{1,512}?)((?:pcilib|lspci): [\s\S]*)"
).fullmatch
_EMPTY_LINE_FOLLOWS: Final = "Couldn't parse entry address"


def _without_warnings(texts: list[str]) -> tuple[list[Line], list[Line]]:
    """Take out what lspci wrote to standard error, and join the halves of a line that it broke.

    lspci's output is written in blocks, its warnings at once: where both go to one file, a warning can stand in
    the middle of a line. A joined line gets the number of its second half.
    """
    lines: list[Line] = []
    warnings: list[Line] = []
    broken: Line | None = None
    for number, text in enumerate([*texts, ""], 1):
        if text.startswith(_WARNINGS):
            warnings.append(Line(number, text))
            continue
        if (
            not text
            and warnings
            and warnings[-1].line == number - 1
            and _EMPTY_LINE_FOLLOWS in warnings[-1].text
        ):
            continue
        joined = text
        if broken is not None:
            half, warning = _halves(broken.text)
            if _is_second_half(half, text):
                warnings.append(Line(broken.line, warning))
                joined = half + text
            else:
                lines.append(broken)
            broken = None
        if _halves(joined)[1]:
            broken = Line(number, joined)
        elif number <= len(texts) or joined:
            lines.append(Line(min(number, len(texts)), joined))
    return lines, warnings


def _halves(text: str) -> tuple[str, str]:
    """Split a line before the warning in its middle; the second part is empty where there is none."""
    found = _BROKEN(text) if may_be_broken(text) else None
    return (found[1], found[2]) if found else (text, "")


def _is_second_half(half: str, text: str) -> bool:
    # Free text of the device may speak of pcilib; then a line of its own follows.
    if text.startswith("\t"):
        return not half.strip() or half.endswith((":", ": "))
    return not device_line(text) or bool(device_line(half + text))


# -------------------------------------------------------------------------------------------------- one device

_TAB: Final = 8
_MAX_SAMPLES: Final = 8


def _with_tabs(lines: list[Line], reads: Reads) -> list[Line]:
    """Put tabs for the blanks of pasted text, whatever width they had; what stands further left is foreign."""
    if not any(line.text.startswith(" ") for line in lines):
        return lines
    columns = [_columns(line.text) for line in lines]
    indented = [
        (column, line.text.strip(" \t")) for column, line in zip(columns, lines, strict=True) if column
    ]
    first = next((column for column, text in indented[:_MAX_SAMPLES] if reads(["\t" + text])), _TAB)
    deeper = next((column for column in columns if column > first), first + _TAB)
    unit = min(deeper - first, _TAB)
    result = []
    for line, column in zip(lines, columns, strict=True):
        if column < first:
            result.append(line)
        else:
            level, blanks = divmod(column - first + unit, unit)
            result.append(Line(line.line, "\t" * level + " " * blanks + line.text.lstrip(" \t")))
    return result


def _columns(text: str) -> int:
    return len(text[: len(text) - len(text.lstrip(" \t"))].expandtabs(_TAB)) if text.strip() else 0


def _section(lines: list[Line], reads: Reads) -> tuple[Section, list[Line]]:
    """Return the device whose lines begin with ``lines``, and what follows it."""
    walk = _Walk(lines, reads)
    rest = walk.run()
    if walk.breaks and (walk.strange or rest or _cuts(walk.breaks)):
        # Text of which one line was wrapped for certain: now a line of free text may be another.
        walk = _Walk(lines, reads, walk.breaks)
        rest = walk.run()
    return Section(walk.own, walk.strange), rest


class _Break(NamedTuple):
    """Where a line was wrapped: the column, also if tabs count as one, and what stood there."""

    width: int
    length: int
    glue: str


def _cuts(breaks: Sequence[_Break]) -> bool:
    """Whether lines were cut at a width, as terminals do, also within words; programs take out a blank."""
    return 2 * sum(not found.glue for found in breaks) > len(breaks)


_NAMED: Final = re.compile(r"\t(?:DeviceName|Physical Slot): ").match
_TAIL: Final = re.compile(
    r"(?: \(rev [0-9a-f]{2}\))?(?: \(prog-if [0-9a-f]{2}(?: \[[^\]]{,200}\])?\))?$"
).search
_NO_FIELD: Final = " ?!"
_MAX_PARTS: Final = 3
_MAX_GAP: Final = 20
_MAX_TRIES: Final = 1000
_MAX_CONTEXT: Final = 64
_HYPHEN: Final = re.compile(
    r"\b(?:PME|SR|PCI|De|TEE|14|half|full|[Nn]on|prog)-\n(?:if|Enable|PM_|emphasis|IO|Bit|Fatal|EQ|IOV|swing)"
    r"|[ ,]\d+-\n\d+(?![^\s,])"
).search
"""Finds a line end inside a name that holds a hyphen."""
_FLAG_NAMES: Final = re.compile(r"(?<![^\s,:;=()\[\]])([^\s,:;=()\[\]]+)[+-](?![^\s,;)])").findall


class _Walk:
    """Goes through the lines from a device's first on, and tells its own from foreign ones.

    A device ends with an empty line, or where foreign lines follow; but it goes on where lines of lspci's follow
    those: releases 3.5.2 to 3.6.2 print an empty line inside the L1 PM Substates capability, mail programs wrap
    lines, a console mixes in what the kernel has to say.
    """

    def __init__(self, lines: list[Line], reads: Reads, known: Sequence[_Break] = ()) -> None:
        self.lines = lines
        self.reads = reads
        self.own = lines[:1]
        self.strange: list[Line] = []
        self.gap: list[Line] = []
        self.last = lines[0].text
        self.tries = 0
        self.breaks: list[_Break] = []
        self.limit = max((found.width for found in known), default=0)
        self.longest = max((found.length for found in known), default=0)
        self.cuts = _cuts(known)

    def run(self) -> list[Line]:
        """Collect the device's lines; return those that follow it."""
        foreign = False
        for at, line in enumerate(self.lines[1:], 1):
            if _is_own(line.text):
                if self.gap and not self._goes_on(at, foreign=foreign):
                    return self.gap + self.lines[at:]
                self.own.append(line)
                self.last = line.text
                foreign = False
                continue
            empty = not line.text.strip()
            if self.gap and (foreign == empty or len(self.gap) >= _MAX_GAP):
                return self.gap + self.lines[at:]
            if empty or not self._join(line):
                self.gap.append(line)
                foreign = not empty
            else:
                foreign = False
        return self.gap

    def _goes_on(self, at: int, *, foreign: bool) -> bool:
        """Whether the device goes on with line ``at`` in spite of the lines in between, which are dealt with."""
        text = self.lines[at].text
        if not hex_row(text) and (not text.startswith("\t\t") or len(self.own) == 1):
            # This line may be damaged, too.
            following = [line.text for line in self.lines[at : at + _MAX_SAMPLES]]
            if not any(self.reads([text]) for text in following if text.startswith("\t")):
                return False
        if foreign and _NAMED(self.own[-1].text):
            # Firmware's names may hold line ends.
            name = " ".join(line.text for line in (self.own[-1], *self.gap))
            self.own[-1] = Line(self.own[-1].line, name)
        elif foreign:
            self.strange += self.gap
        self.gap = []
        return True

    def _join(self, line: Line) -> bool:
        """Add a line to the one before if that was wrapped there."""
        self.tries += 1
        between = [gap.text for gap in self.gap]
        if len(between) >= _MAX_PARTS or self.tries > _MAX_TRIES:
            return False
        parts = [self.own[-1].text, *between, line.text]
        choices = [(glue, _joined(parts, glue)) for glue in self._glues(parts)]
        found = next((choice for choice in choices if self._fits(parts, choice[1])), None)
        if found is None and not between and self._is_full(line.text):
            found = next(iter(choices), None)
        if found is None:
            return False
        glue, text = found
        self.breaks.append(_Break(_width(self.last), len(self.last), glue))
        self.own[-1] = Line(self.own[-1].line, text)
        self.last = line.text
        self.gap = []
        return True

    def _glues(self, parts: list[str]) -> tuple[str, ...]:
        """Return what may have stood where a line was wrapped, the likelier first."""
        before, after = parts[-2], parts[-1]
        if _HYPHEN(before[-_MAX_GAP:] + "\n" + after[:_MAX_GAP]):
            return ("",)
        if before.endswith(("+", "-")) and after[:1].isalnum():
            return (" ",)  # two flags
        return ("", " ") if self.cuts or after.startswith(" ") or before.endswith(" ") else (" ", "")

    def _fits(self, parts: list[str], joined: str) -> bool:
        """Whether lines are one line of lspci's that was wrapped: together they say what it prints there, and once."""
        if len(self.own) == 1:
            return _tail(joined) > _tail(parts[0])
        context = self._context()
        if not self.reads([*context, joined]) or self.reads([*context, joined + _NO_FIELD]):
            return False
        names = frozenset(_FLAG_NAMES(parts[0]))
        return names.isdisjoint(_FLAG_NAMES(" ".join(parts[1:]))) or not self.reads([*context, parts[0]])

    def _context(self) -> list[str]:
        """Return the lines of the current section but for the last one."""
        context: list[str] = []
        for line in reversed(self.own[-_MAX_CONTEXT:]):
            context.append(line.text)
            if not line.text.startswith("\t\t"):
                break
        return context[:0:-1]

    def _is_full(self, text: str) -> bool:
        """Whether the first word of ``text`` would have made the line before wider than wrapped ones are."""
        if not self.limit:
            return False
        more = 1 if self.cuts else 1 + len(text.split(maxsplit=1)[0])
        return _width(self.last) + more > self.limit or len(self.last) + more > self.longest


def _joined(parts: list[str], glue: str) -> str:
    if glue:
        return parts[0].rstrip() + "".join(glue + part.strip() for part in parts[1:])
    return "".join(parts)


def _tail(line: str) -> int:
    """Return how long a device's revision and programming interface are at the end of its line."""
    found = _TAIL(line)
    return len(found[0]) if found else 0


def _is_own(text: str) -> bool:
    return text.startswith("\t") or bool(hex_row(text))


def _width(text: str) -> int:
    return len(text.expandtabs(_TAB))
