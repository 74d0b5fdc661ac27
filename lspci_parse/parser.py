"""Text to Dump. What repeats is parsed once: devices, capabilities and registers are remembered by their text."""

from __future__ import annotations

import os
import re
from collections import deque
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

from lspci_parse import _tree
from lspci_parse._cut import is_cut, is_dump_cut, is_row_begun, may_be_cut
from lspci_parse._dumps import place, placed, split_dumps
from lspci_parse._grammar import parser
from lspci_parse._hints import no_dump
from lspci_parse._lalr import NoParseError
from lspci_parse._layout import hex_row, pieces, slot
from lspci_parse._sections import Section, is_plain, sections
from lspci_parse.errors import LspciError
from lspci_parse.model import Capability, Device, Dump, Line
from lspci_parse.releases import releases
from lspci_parse.source import chunks, decode, decoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

CACHE_SIZE: Final = 50_000
"""How many texts of each kind (devices, capabilities, registers) are remembered before all are forgotten."""
CACHE_TEXT: Final = 8 << 20
"""How many characters of text of each kind are remembered before all are forgotten."""

_RECENT: Final = 64
_RECENT_TEXT: Final = 1 << 16
_DEEPER: Final = ("\t\t\t", "\t\t ", "\t\tAtomicOps")
_GLUED: Final = re.compile(
    r"\t(?:(Capabilities: \[[0-9a-f]+(?: v\d+)?\] )(?=\t|[0-9a-f]{2}: [0-9a-f]{2} )"
    r"|DeviceName:[^\t]*(?=\t(?:Subsystem|Physical Slot|Device tree node|Control|Flags|!!! )))"
)
"""A line to which lspci forgot the line end: a capability cut off by the end of configuration space, and a name
that the firmware gave without one."""


_PARTS: Final = re.compile(r"\n(?!\t\t|\n)")
"""The line ends inside a device behind which a header line, a capability or a row of the hex dump begins."""


class _Cache(dict[Any, Any]):
    """A dictionary that forgets everything once it is full: cheap, and a fleet of equal hosts stays inside."""

    def __init__(self) -> None:
        super().__init__()
        self.room = CACHE_TEXT

    def __setitem__(self, key: str | tuple[str, str], value: Any) -> None:
        size = len(key if isinstance(key, str) else key[1])
        if len(self) >= CACHE_SIZE or size > self.room:
            self.clear()
            self.room = CACHE_TEXT
        self.room -= size
        super().__setitem__(key, value)


_devices: Final = _Cache()
_capabilities: Final = _Cache()
_registers: Final = _Cache()


def parse(text: str | bytes, *, source: str | None = None, strict: bool = False) -> Dump:
    """Read the output of lspci; of several outputs in one text, the one that says most.

    That is the one with the most capabilities, then with the most lines. ``parse_all`` returns them all.

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
    dumps = parse_all(text, source=source)
    dump = dumps[0] if len(dumps) == 1 else max(dumps, key=_detail)
    if strict and dump.unrecognised:
        line, content = dump.unrecognised[0]
        raise LspciError("no rule knows this line", source, line, 1, content)
    return dump


def _detail(dump: Dump) -> tuple[int, int]:
    return sum(len(device.capabilities) for device in dump), sum(device.text.count("\n") for device in dump)


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
    for number, piece in _read([text]):
        for at, device in piece.devices:
            found.append((number + at, device))
        if piece.outside:
            outside += [Line(number + at, line) for at, line in piece.outside]
    if not found:
        raise no_dump(text, source)
    ends = tuple(outside)
    dumps = []
    for part in split_dumps(found, outside):
        lines, devices = zip(*part, strict=True)
        dumps.append(Dump(placed(devices), lines, source, ends, text, releases))
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
    head = next(texts, "")
    buses: dict[str, int] = {}
    empty = True
    for _, piece in _read(chain([head], texts)):
        for _, device in piece.devices:
            empty = False
            yield place(device, buses)
    if empty:
        raise no_dump(head, name)


class _Piece(NamedTuple):
    """Devices and the lines outside of them, numbered from 0 in a piece of text, and the number of its lines."""

    devices: tuple[tuple[int, Device], ...]
    outside: tuple[Line, ...]
    height: int


def _read(texts: Iterable[str]) -> Iterator[tuple[int, _Piece]]:
    """Yield what the pieces of a text say, each with the number of its first line."""
    recent: deque[str] = deque(maxlen=_RECENT)
    number, last = 1, None
    for text in pieces(texts):
        if last is not None:
            piece = _piece(last)
            if piece.devices and len(last) <= _RECENT_TEXT:
                recent.append(last)
            yield number, piece
            number += piece.height
        last = text
    if last is not None:
        yield number, _last_piece(last, recent)


def _piece(text: str) -> _Piece:
    piece: _Piece | None = _devices.get(text)
    if piece is None:
        piece = _read_piece(text)
        if piece.devices:
            _devices[text] = piece
    return piece


def _read_piece(text: str) -> _Piece:
    body = text.rstrip("\n")
    height = text.count("\n") + 1
    if is_plain(body):
        return _Piece(((0, _DeviceBuilder(body).build()),), (), height)
    lines = body.split("\n")
    found, outside = sections(lines, _reads)
    devices = tuple((section.lines[0].line - 1, _device(section, lines)) for section in found)
    return _Piece(devices, tuple(Line(number - 1, line) for number, line in outside), height)


def _reads(lines: list[str]) -> bool:
    return not _DeviceBuilder("\n".join(["00:00.0 Host bridge: a", *lines])).build().unrecognised


def _device(section: Section, lines: list[str]) -> Device:
    """Return a device of which something had to be undone; it keeps the text and line numbers of the input."""
    numbers = [line.line for line in section.lines]
    device = _DeviceBuilder("\n".join(line.text for line in section.lines)).build()
    strange = [Line(numbers[at - 1], line) for at, line in device.unrecognised] + section.strange
    end = max(numbers[-1:] + [line.line for line in section.strange])
    return replace(
        device,
        unrecognised=tuple(Line(number - numbers[0] + 1, line) for number, line in sorted(strange)),
        text="\n".join(lines[numbers[0] - 1 : end]),
    )


def _last_piece(text: str, recent: Sequence[str]) -> _Piece:
    """Read the end of a text, which may be the middle of a device: its last line is then no fact.

    Args:
        text: the last piece.
        recent: some devices in front of it.
    """
    piece = _piece(text)
    before, _, last = text.rpartition("\n")
    if not piece.devices:
        if not recent or before or not slot(text):
            return piece
        return piece._replace(devices=((0, replace(_DeviceBuilder(text).build(), cut=True)),), outside=())
    at, device = piece.devices[-1]
    line = piece.height - at
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
    if begun:
        shorter = _read_piece(before).devices[-1][1]
        device = replace(shorter, text=device.text, unrecognised=(*shorter.unrecognised, Line(line, last)))
    return piece._replace(devices=(*piece.devices[:-1], (at, replace(device, cut=True))))


class _DeviceBuilder:
    """Collects the parts of one device."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.attributes: dict[str, Any] = {}
        self.header: list[_tree.Entry] = []
        self.capabilities: list[Capability] = []
        self.config = bytearray()
        self.strange: list[Line] = []

    def build(self) -> Device:
        """Go through the text once; each line belongs to exactly one part."""
        title, *parts = _PARTS.split(self.text)
        self.title(title)
        at = 1
        for part in parts:
            glued = _GLUED.match(part)
            if glued:
                (self.capability if glued[1] else self.header_lines)(at, glued[0])
                part = part[glued.end() :]  # noqa: PLW2901 - what is left is a part of its own
            if part.startswith("\tCapabilities:"):
                self.capability(at, part)
            elif part.startswith("\t"):
                self.header_lines(at, part)
            elif hex_row(part):
                self.config += bytes.fromhex(part.partition(":")[2])
            elif part:
                self.strange.append(Line(at + 1, part))
            at += part.count("\n") + 1
        registers = _tree.unique(self.header)
        self.attributes.update(_tree.attributes(registers, self.attributes["ids"]))
        return Device(
            registers=registers,
            capabilities=tuple(self.capabilities),
            config=bytes(self.config),
            unrecognised=tuple(self.strange),
            text=self.text,
            **self.attributes,
        )

    def title(self, line: str) -> None:
        """Read the device line."""
        try:
            self.attributes = _tree.device_line(parser("lspci").parse(line, "device"))
        except NoParseError:
            self.attributes = _tree.unknown_device_line(line)
            self.strange.append(Line(1, line))

    def capability(self, at: int, text: str) -> None:
        """Read a capability's title and registers, which begin at line ``at``."""
        found = _capabilities.get(text)
        if found is None:
            found = _capabilities[text] = _capability(text.split("\n"))
        if isinstance(found, Capability):
            self.capabilities.append(found)
            self.strange += [Line(at + line, strange) for line, strange in found.unrecognised]
        else:
            self.attributes.update(found)

    def header_lines(self, at: int, text: str) -> None:
        """Read a header line and those that continue it."""
        pairs, strange = _register("header", text)
        self.header += pairs
        if strange:
            lines = text.split("\n")
            self.strange += [Line(at + i + 1, lines[i]) for i in strange]


def _capability(lines: list[str]) -> Capability | Mapping[str, Any]:
    """Return a capability, or the attributes of its device when there is no list of capabilities to read."""
    strange: list[Line] = []
    try:
        title = _tree.title(parser("lspci").parse(lines[0], "title"))
    except NoParseError:
        title = _tree.unknown_title(lines[0])
        strange.append(Line(1, lines[0]))
    if title.attributes:
        return title.attributes
    pairs = list(title.entries)
    start = f"in_{title.kind}" if f"in_{title.kind}" in parser("lspci").starts else "generic"
    for at, register in _group(lines):
        found, bad = _register(start, "\n".join(register))
        pairs += found
        strange += [Line(at + i + 1, register[i]) for i in bad]
    return Capability(
        title.kind,
        title.name,
        offset=title.offset,
        version=title.version,
        extended=title.extended,
        entries=_tree.unique(pairs),
        unrecognised=strange,
    )


def _group(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines of each register below a title: a line, and the deeper ones that continue it."""
    start = 1
    for at in range(2, len(lines) + 1):
        if at == len(lines) or not lines[at].startswith(_DEEPER):
            if lines[start]:
                yield start, lines[start:at]
            start = at


def _register(start: str, text: str) -> tuple[tuple[_tree.Entry, ...], tuple[int, ...]]:
    """Return what a register's lines say, and the indices of those that no rule knows."""
    key = (start, text)
    found: tuple[tuple[_tree.Entry, ...], tuple[int, ...]] | None = _registers.get(key)
    if found is None:
        found = _registers[key] = _parse_register(start, text.split("\n"))
    return found


def _parse_register(start: str, lines: list[str]) -> tuple[tuple[_tree.Entry, ...], tuple[int, ...]]:
    rule, count = start, len(lines)
    while count:
        text = "\n".join(lines[:count])
        try:
            tree = parser("lspci").parse(text, rule)
        except NoParseError as error:
            read = text[: max(error.position, 0)]
            if rule != "generic" and not read.strip():
                rule = "generic"  # the label itself is unknown; a known label with damage behind it is damage
            else:
                # A damaged continuation line must not take the register with it: try the lines in front of it.
                count = min(count - 1, read.count("\n"))
        else:
            return _tree.entries(tree), tuple(range(count, len(lines)))
    return (), tuple(range(len(lines)))
