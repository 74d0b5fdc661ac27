"""One device: from its lines, as lspci prints them, to the model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lspci_parse import _tree
from lspci_parse._grammar import parser
from lspci_parse._lalr import NoParseError, Tree
from lspci_parse._layout import hex_row
from lspci_parse.caches import capabilities, registers
from lspci_parse.model import Capability, Device, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_T = TypeVar("_T")

MAX_LINE: Final = 1 << 12
"""Characters of a line that is read; a longer one is kept as unrecognised. The longest seen has about 900."""

_MAX_REGISTER: Final = 1 << 16
_MAX_TRIES: Final = 100
_DEEPER: Final = ("\t\t\t", "\t\t ", "\t\tAtomicOps")
_GLUED: Final = re.compile(
    r"\t(?:(Capabilities: \[[0-9a-f]+(?: v\d+)?\] )(?=\t|[0-9a-f]{2}: [0-9a-f]{2} )"
    r"|DeviceName:[^\t]*(?=\t(?:Subsystem|Physical Slot|Device tree node|Control|Flags|!!! )))"
)
"""A line to which lspci forgot the line end: a capability cut off by the end of configuration space, and a name
that the firmware gave without one."""
_PARTS: Final = re.compile(r"\n(?!\t\t|\n)")
"""The line ends inside a device behind which a header line, a capability or a row of the hex dump begins."""


def read_device(text: str) -> Device:
    """Read the lines of one device, the first of which begins with its address."""
    return _DeviceBuilder(text).build()


def reads(lines: list[str]) -> bool:
    """Tell whether lspci prints these lines below the line of a device."""
    return not read_device("\n".join(["00:00.0 Host bridge: a", *lines])).unrecognised


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
            while glued := _GLUED.match(part):
                (self.capability if glued[1] else self.header_lines)(at, glued[0])
                part = part[glued.end() :]  # noqa: PLW2901 - what is left is a part of its own
            if part.startswith("\tCapabilities:"):
                self.capability(at, part)
            elif part.startswith("\t"):
                self.header_lines(at, part)
            elif part and not self.bytes_of(part):
                self.strange.append(Line(at + 1, part))
            at += part.count("\n") + 1
        header = _tree.unique(self.header)
        self.attributes.update(_tree.attributes(header, self.attributes["ids"]))
        return Device(
            registers=header,
            capabilities=tuple(self.capabilities),
            config=bytes(self.config),
            unrecognised=tuple(self.strange),
            text=self.text,
            **self.attributes,
        )

    def title(self, line: str) -> None:
        """Read the device line."""
        try:
            self.attributes = _parsed(line, "device", _tree.device_line)
        except NoParseError:
            self.attributes = _tree.unknown_device_line(line)
            self.strange.append(Line(1, line))

    def bytes_of(self, part: str) -> bool:
        """Take a row of the hex dump, if it is one that goes on where the last ended or says again what is known."""
        row = hex_row(part)
        if row is None:
            return False
        offset, data = int(row[1], 16), bytes.fromhex(part[row.end(1) + 1 :])
        known = self.config[offset : offset + len(data)]
        if offset > len(self.config) or not data.startswith(known):
            return False
        self.config += data[len(known) :]
        return True

    def capability(self, at: int, text: str) -> None:
        """Read a capability's title and registers, which begin at line ``at``."""
        found = capabilities.get(text)
        if found is None:
            found = capabilities[text] = _capability(text.split("\n"))
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
        title = _parsed(lines[0], "title", _tree.title)
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
    found: tuple[tuple[_tree.Entry, ...], tuple[int, ...]] | None = registers.get(key)
    if found is None:
        found = registers[key] = _parse_register(start, text.split("\n"))
    return found


def _parse_register(start: str, lines: list[str]) -> tuple[tuple[_tree.Entry, ...], tuple[int, ...]]:
    rule, count = start, _readable(lines)
    for _ in range(_MAX_TRIES if count else 0):
        text = "\n".join(lines[:count])
        try:
            found = _parsed(text, rule, _tree.entries)
        except NoParseError as error:
            read = text[: max(error.position, 0)]
            if rule != "generic" and not read.strip():
                rule = "generic"  # the label itself is unknown; a known label with damage behind it is damage
            else:
                # A damaged continuation line must not take the register with it: try the lines in front of it.
                count = min(count - 1, read.count("\n"))
                if not count:
                    break
        else:
            return found, tuple(range(count, len(lines)))
    return (), tuple(range(len(lines)))


def _readable(lines: list[str]) -> int:
    """Return how many lines are in front of one that is too long, or with which the register would be."""
    room = _MAX_REGISTER
    for at, line in enumerate(lines):
        room -= len(line)
        if len(line) > MAX_LINE or room < 0:
            return at
    return len(lines)


def _parsed(text: str, rule: str, convert: Callable[[Tree], _T]) -> _T:
    """Return what a text says.

    Raises:
        NoParseError: the rule does not describe it, or it holds what is no value of its kind.
    """
    if "\n" not in text and len(text) > MAX_LINE:
        raise NoParseError(0)
    tree = parser("lspci").parse(text, rule)
    try:
        return convert(tree)
    except (LookupError, ValueError) as error:
        raise NoParseError(len(text)) from error
