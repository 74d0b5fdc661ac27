"""Which lspci release can print what, and which releases could have printed a text.

Two dumps of one machine differ where two releases of lspci do. Three questions tell that from a change of the
machine: can the release print the field at all (``printable``), does the field mean the same in both
(``comparable``), and is it a fact or lspci's opinion of one (``derived``). The answers come from tables
(``history``) measured with every release.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Final

from lspci_parse.lspci.release_history import CHANGED, DERIVED, NAMED, PRINTED, REINTERPRETED, RELEASES
from lspci_parse.lspci.release_markers import MARKERS
from lspci_parse.model.dump import Dump, Releases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["RELEASES", "comparable", "derived", "differs", "printable", "releases"]

_NEXT: Final = len(RELEASES) - 1


def releases(dump: Dump | str) -> Releases:
    """Return the range of releases that could have printed a dump, from how it spells things.

    Args:
        dump: the dump, or its text.

    Returns:
        The first and the last release; ``None`` where the text does not tell: it may be older or newer. What
        only the development after 3.14 prints gives 3.14 and no end. Texts of two releases in one give no range.
    """
    possible = set(range(len(RELEASES)))
    # Many devices differ in their first line alone, which tells nothing.
    bodies = (
        dict.fromkeys(device.text.partition("\n")[2] for device in dump)
        if isinstance(dump, Dump)
        else (dump,)
    )
    for place, lines in _places("\n".join(bodies)).items():
        for pattern, printed_by in MARKERS[place]:
            interval = _interval(printed_by)
            if possible <= interval:
                continue  # it would tell nothing new
            # Most markers are not there, and telling so by a plain text takes no compiled pattern.
            held = longest_literal(pattern)
            if held in lines and (held == pattern or re.search(pattern, lines, re.MULTILINE)):
                possible &= interval
    if not possible:
        return Releases()
    first, last = min(possible), max(possible)
    return Releases(
        RELEASES[min(first, _NEXT - 1)] if first else None, RELEASES[last] if last != _NEXT else None
    )


def printable(path: str | tuple[str, ...], by: Releases, seen_by: Releases | None = None) -> bool | None:
    """Tell whether a release prints a register or field where the device has it.

    Args:
        path: where it stands: ``BridgeCtl/VGA16``, ``aer/UESta/UncorrIntErr``.
        by: the range of releases in question.
        seen_by: the releases that did print it for the device, where one did.

    Returns:
        ``True``: every release of the range prints it. ``False``: none does. ``None``: some do, or it depends on
        the device, in a way that changed between the two ranges (at all, without ``seen_by``).
    """
    path = _canonical(path)
    answers = {index in _printing(path) for index in _range(by)}
    if answers != {True}:
        return False if answers == {False} else None
    return True if _same_side(_changes(path), by, seen_by) else None


def comparable(
    path: str | tuple[str, ...],
    first: tuple[object, Callable[[], Releases]],
    second: tuple[object, Callable[[], Releases]],
) -> bool:
    """Tell whether two values of a field that differ are two facts.

    They are not where the releases that printed them read the field from different places (one of them by
    mistake), or where one has no name yet for what the other names.

    Args:
        path: where the field stands: ``exp/LnkSta/Speed``.
        first: a value, and what tells the releases that could have printed it: that takes a look at the whole
            dump, so it is asked only if releases differ in how they read such values.
        second: the other one.
    """
    path = _canonical(path)
    boundaries = _readings(path)
    for (pattern, word), since in NAMED.items():
        if path == pattern and word in (first[0], second[0]):
            boundaries |= _indices(since)
    if (
        path.startswith("Region")
        and path.endswith("/size")
        and not all(_is_power(value) for value, _ in (first, second))
    ):
        boundaries |= {_index("3.5")}  # until then sizes were rounded down to one digit and a unit
    return not boundaries or _same_side(boundaries, first[1](), second[1]())


def derived(path: str | tuple[str, ...]) -> bool:
    """Tell whether a field is lspci's opinion of other fields, such as ``(downgraded)``."""
    return any(True for _ in _rows(_canonical(path), dict.fromkeys(DERIVED, "")))


# ---------------------------------------------------------------------------------------------------- tables


def _canonical(path: str | tuple[str, ...]) -> str:
    """Return the path without the counters of repeated names."""
    text = path if isinstance(path, str) else "/".join(path)
    return re.sub(r"#\d+(?=/|$)", "", text) if "#" in text else text


def _rows(path: str, table: Mapping[str, str]) -> Iterator[str]:
    """Yield what a table says of a path and of everything above it."""
    parts = path.split("/")
    for count in range(1, len(parts) + 1):
        above = "/".join(parts[:count])
        for pattern, value in table.items():
            # Most patterns are of another capability; a comparison tells without compiling them.
            if pattern[0] in ("*", above[0]) and (pattern == above or fnmatchcase(above, pattern)):
                yield value


@cache
def differs(path: str | tuple[str, ...]) -> bool:
    """Tell whether releases differ at all in whether they print a field."""
    path = _canonical(path)
    return any(True for table in (PRINTED, CHANGED) for _ in _rows(path, table))


@cache
def _printing(path: str) -> frozenset[int]:
    """Return the releases that print something at ``path``."""
    found = set(range(len(RELEASES)))
    for text in _rows(path, PRINTED):
        found &= _interval(text)
    return frozenset(found)


@cache
def _changes(path: str) -> frozenset[int]:
    """Return the releases since which something at ``path`` is printed for other devices."""
    return frozenset(index for text in _rows(path, CHANGED) for index in _indices(text))


@cache
def _readings(path: str) -> frozenset[int]:
    """Return the releases since which something at ``path`` means something else."""
    return frozenset(index for text in _rows(path, REINTERPRETED) for index in _indices(text))


_DEVICE: Final = re.compile(r"[0-9a-f]{2,8}:[0-9a-f]{2}[:.]").match


def _places(text: str) -> dict[str, str]:
    """Return the distinct lines of a dump by their kind: header lines, titles of capabilities, registers.

    Lines without their tabs (pasted, quoted or wrapped text) may be of any kind. Those of devices are of none.
    """
    found: dict[str, list[str]] = {place: [] for place in MARKERS}
    for line in dict.fromkeys(text.split("\n")):
        if line.startswith("\t\t"):
            found["register"].append(line)
        elif line.startswith("\tCapabilities:"):
            found["title"].append(line)
        elif line.startswith("\t"):
            found["header"].append(line)
        elif not _DEVICE(line):
            for lines in found.values():
                lines.append(line)
    return {place: "\n".join(lines) for place, lines in found.items()}


_UNSURE: Final = re.compile(r"\\.|\[\^?\]?[^]]*\]|\(.*\)|\{[^}]*\}|.(?=[?*{])|[.$+?*]")


@cache
def longest_literal(pattern: str) -> str:
    """Return the longest plain text that every match of a marker's pattern holds."""
    return max(_UNSURE.sub("\0", pattern).split("\0"), key=len)


# ---------------------------------------------------------------------------------------------------- ranges


@cache
def _interval(text: str) -> frozenset[int]:
    """Return the releases that ``3.3-3.3.1 3.6-`` names."""
    found: set[int] = set()
    for part in text.split():
        first, dash, last = part.partition("-")
        start = _index(first) if first else 0
        stop = _index(last) if last else _NEXT if dash else start
        found.update(range(start, stop + 1))
    return frozenset(found)


def _indices(text: str) -> frozenset[int]:
    return frozenset(map(_index, text.split()))


@cache
def _index(release: str) -> int:
    """Return the place of a release; one that the tables do not tell apart counts as the last before it."""
    wanted = _numbers(release)
    return max((at for at, known in enumerate(RELEASES) if _numbers(known) <= wanted), default=0)


def _numbers(release: str) -> tuple[int, ...]:
    numbers = [int(part) for part in release.split(".")]
    return (*numbers, 0, 0)[:3]


def _range(by: Releases) -> range:
    return range(_index(by.min) if by.min else 0, (_index(by.max) if by.max else _NEXT) + 1)


def _same_side(boundaries: frozenset[int], by: Releases, other: Releases | None) -> bool:
    """Whether no boundary can lie between a release of one range and one of the other."""
    if other is None:
        return not boundaries
    return not any(
        min(_range(by).start, _range(other).start) < at <= max(_range(by)[-1], _range(other)[-1])
        for at in boundaries
    )


def _is_power(value: object) -> bool:
    return isinstance(value, int) and value > 0 and value & (value - 1) == 0
