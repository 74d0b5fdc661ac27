"""Text to Dump. What repeats is parsed once: devices, capabilities and registers are remembered by their text."""

from __future__ import annotations

import os
from collections import deque
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, Final, TypeAlias

from lspci_parse.errors import LspciError
from lspci_parse.lspci.releases import releases
from lspci_parse.model.device import Device
from lspci_parse.model.dump import Dump
from lspci_parse.model.fields import Line
from lspci_parse.parsing.caches import bodies, devices, make_room
from lspci_parse.parsing.device import read_device, read_plain, reads
from lspci_parse.parsing.dumps import place, placed, split_dumps
from lspci_parse.parsing.joining import joined, newest
from lspci_parse.parsing.not_a_dump import HEAD, no_dump
from lspci_parse.parsing.reading import chunks, decode, decoded
from lspci_parse.parsing.repair import Section, sections
from lspci_parse.parsing.segments import device_line, pieces, slot
from lspci_parse.parsing.transform import slot_address
from lspci_parse.parsing.truncation import is_cut, is_dump_cut, is_row_begun, may_be_cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_RECENT: Final = 64
_RECENT_TEXT: Final = 1 << 16


def parse(text: str | bytes, *, source: str | None = None, strict: bool = False) -> Dump:
    """Read the output of lspci; several outputs in one text are one host where they complete each other.

    Where they contradict each other they are two hosts, or one at two times: the last counts, of those in most
    detail. ``parse_all`` returns every output by itself.

    Args:
        text: what lspci printed, whatever stands around it. Bytes are decoded as UTF-8, and those that are not
            UTF-8 are kept (``surrogateescape``); as UTF-16 where a byte-order mark or zero bytes show it.
        source: the name that errors and reports give the input.
        strict: raise for the first line that no rule knows, instead of keeping it as unrecognised.

    Returns:
        The dump. Its lines are numbered as in ``text``, and ``str()`` of it is ``text``, decoded.

    Raises:
        LspciError: there is no device in the text; or, with ``strict``, a line that no rule knows.
    """
    dump = newest(joined(parse_all(text, source=source)))
    if strict:
        refuse_unread(dump)
    return dump


def refuse_unread(dump: Dump) -> None:
    """Raise for the first line of a dump that no rule knows.

    Raises:
        LspciError: there is one.
    """
    if dump.unrecognised:
        line, content = dump.unrecognised[0]
        raise LspciError("no rule knows this line", dump.source, line, 1, content)


def parse_all(text: str | bytes, *, source: str | None = None) -> tuple[Dump, ...]:
    """Read every output of lspci in a text.

    One ends and the next begins where an address comes again: at the last line in front of it that is not
    lspci's, such as a prompt with its command, or at that device.

    Args:
        text: what lspci printed, as for ``parse``.
        source: the name that errors and reports give the input.

    Returns:
        The dumps in the order printed. Each has the whole text, and all lines that are no device's.

    Raises:
        LspciError: there is no device in the text.
    """
    if isinstance(text, bytes):
        text = decode(text)
    found: list[tuple[int, Device]] = []
    outside: list[Line] = []
    for number, (inside, between, _) in _read([text]):
        for at, device in inside:
            found.append((number + at, device))
        if between:
            outside += [Line(number + at, line) for at, line in between]
    if not found:
        raise no_dump(text, source)
    ends = tuple(outside)
    dumps = []
    for part in split_dumps(found, outside):
        lines, members = zip(*part, strict=True)
        dumps.append(Dump(placed(members), lines, source, ends, text, releases))
    return tuple(dumps)


def iter_devices(file: str | os.PathLike[str] | BinaryIO) -> Iterator[Device]:
    """Read the devices of a file one by one, in bounded memory whatever its size.

    The devices of several outputs follow each other.

    Args:
        file: a path, ``-`` for standard input, or an open binary file, also compressed.

    Raises:
        LspciError: the file cannot be read, or there is no device in it.
    """
    name = os.fspath(file) if isinstance(file, (str, os.PathLike)) else None
    texts = decoded(chunks(file))
    begin: list[str] = []
    while sum(map(len, begin)) < HEAD and (text := next(texts, None)) is not None:
        begin.append(text)
    buses: dict[str, int] = {}
    empty = True
    for _, (inside, _, _) in _read(chain(begin, texts)):
        for _, device in inside:
            empty = False
            yield place(device, buses)
    if empty:
        raise no_dump("".join(begin), name)


_Piece: TypeAlias = tuple[tuple[tuple[int, Device], ...], tuple[Line, ...], int]
"""The devices in a piece of text, each behind the number of its line; the lines outside of them; both numbered from
0; and the number of lines."""


def _read(texts: Iterable[str]) -> Iterator[tuple[int, _Piece]]:
    """Yield what the pieces of a text say, each with the number of its first line."""
    recent: deque[str] = deque(maxlen=_RECENT)
    number, last = 1, None
    for text in pieces(texts):
        if last is not None:
            piece = inside, _, height = _piece(last)
            if inside and len(last) <= _RECENT_TEXT:
                recent.append(last)
            yield number, piece
            number += height
        last = text
    if last is not None:
        yield number, _last_piece(last, recent)


def _piece(text: str) -> _Piece:
    body = text.rstrip("\n")
    piece: _Piece | None = devices.get(body)
    if piece is None:
        make_room(body)
        piece = _moved(body) or _read_piece(body)
        if piece[0]:
            devices[body] = piece
    inside, outside, height = piece
    return inside, outside, height + len(text) - len(body)


def _moved(text: str) -> _Piece | None:
    """Return a device of which all but the address is known: functions of one kind often read alike."""
    name, _, rest = text.partition(" ")
    known = bodies.get(rest)
    if known is None or not slot(text):
        return None
    device, height = known
    # A device begins with its address and slot, and ends with its text.
    return ((0, Device._make((slot_address(name), name, *device[2:-1], text))),), (), height


def _read_piece(text: str) -> _Piece:
    plain = read_plain(text) if device_line(text) else None
    if plain is not None:
        device, height = plain
        if not device.unrecognised:
            bodies[text[len(device.slot) + 1 :]] = plain
        return ((0, device),), (), height
    lines = text.split("\n")
    found, outside = sections(lines, reads)
    inside = tuple((section.lines[0].line - 1, _device(section, lines)) for section in found)
    return inside, tuple(Line(number - 1, line) for number, line in outside), len(lines)


def _device(section: Section, lines: list[str]) -> Device:
    """Return a device of which something had to be undone; it keeps the text and line numbers of the input."""
    numbers = [line.line for line in section.lines]
    device = read_device("\n".join(line.text for line in section.lines))
    strange = [Line(numbers[at - 1], line) for at, line in device.unrecognised] + section.strange
    end = max(numbers[-1:] + [line.line for line in section.strange])
    return device._replace(
        unrecognised=tuple(Line(number - numbers[0] + 1, line) for number, line in sorted(strange)),
        text="\n".join(lines[numbers[0] - 1 : end]),
    )


def _last_piece(text: str, recent: Sequence[str]) -> _Piece:
    """Read the end of a text, which may be the middle of a device: its last line is then no fact.

    Args:
        text: the last piece.
        recent: some devices in front of it.
    """
    piece = found, outside, height = _piece(text)
    before, _, last = text.rpartition("\n")
    if not found:
        if not recent or before or not slot(text):
            return piece
        return ((0, read_device(text)._replace(cut=True)),), (), height
    at, device = found[-1]
    line = height - at
    lost = line - device.text.count("\n") - 1
    begun = False
    if not last:
        cut = is_dump_cut(device.config)
    elif line == 1:
        # Behind an empty line a device has more lines than one.
        cut = bool(recent) and recent[-1].endswith("\n")
    elif lost:
        cut = lost == 1 and (not last.strip() or is_row_begun(last, device.config))
    else:
        begun = (line, last) in device.unrecognised or is_cut(last, recent)
        cut = begun or is_dump_cut(device.config) or may_be_cut(device.text, recent)
    if not cut:
        return piece
    shorter = dict(_piece(before)[0]).get(at) if begun else None
    if shorter is not None:
        device = shorter._replace(text=device.text, unrecognised=(*shorter.unrecognised, Line(line, last)))
    return (*found[:-1], (at, device._replace(cut=True))), outside, height
