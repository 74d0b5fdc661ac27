"""Text to Dump. What repeats is parsed once: devices, capabilities and registers are remembered by their text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from lark import UnexpectedInput

from lspci_parse import _tree
from lspci_parse._grammar import parser
from lspci_parse.errors import LspciError
from lspci_parse.model import Capability, Device, Dump, Line

CACHE_SIZE: Final = 50_000
"""How many pieces of each kind (devices, capabilities, registers) are remembered before all are forgotten."""

_SLOT: Final = re.compile(r"(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7](?:/[0-9a-f:.]+)* ")
_HEX_ROW: Final = re.compile(r"[0-9a-f]{2,3}:(?: [0-9a-f]{2}){1,16}\s*")
_DEEPER: Final = ("\t\t\t", "\t\t ")
_GLUED: Final = re.compile(
    r"\t(?:(Capabilities: \[[0-9a-f]+(?: v\d+)?\] )(?=\t|[0-9a-f]{2}: [0-9a-f]{2} )"
    r"|DeviceName:[^\t]*(?=\t(?:Subsystem|Physical Slot|Device tree node|Control|Flags|!!! )))"
)
"""A line to which lspci forgot the line end: a capability cut off by the end of configuration space, and a name
that the firmware gave without one."""


class _Cache(dict[Any, Any]):
    """A dictionary that forgets everything once it is full: cheap, and a fleet of equal hosts stays inside."""

    def __setitem__(self, key: Any, value: Any) -> None:
        if len(self) >= CACHE_SIZE:
            self.clear()
        super().__setitem__(key, value)


_devices: Final = _Cache()
_capabilities: Final = _Cache()
_registers: Final = _Cache()


def parse(text: str | bytes, *, source: str | None = None, strict: bool = False) -> Dump:
    """Read one lspci output.

    Args:
        text: what lspci printed; bytes are decoded as UTF-8, and those that are not UTF-8 are kept
            (``surrogateescape``).
        source: the name that errors and reports give the input.
        strict: raise for the first line that no rule knows, instead of keeping it as unrecognised.

    Raises:
        LspciError: there is no device in the text; or, with ``strict``, a line that no rule knows.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    lines = text.split("\n")
    devices: list[Device] = []
    starts: list[int] = []
    outside: list[Line] = []
    for number, block in _blocks(lines):
        if _SLOT.match(block[0]):
            devices.append(_device("\n".join(block).rstrip("\n")))
            starts.append(number)
        else:
            outside += [Line(number + i, line) for i, line in enumerate(block) if line.strip()]
    if not devices:
        raise _no_dump(outside, source)
    dump = Dump(tuple(devices), tuple(starts), source, tuple(outside), text)
    if strict and dump.unrecognised:
        line, content = dump.unrecognised[0]
        raise LspciError("no rule knows this line", source, line, 1, content)
    return dump


def _no_dump(outside: list[Line], source: str | None) -> LspciError:
    expected = "expected the output of 'lspci -vvv', whose devices begin with an address such as '00:1c.5 '"
    if not outside:
        return LspciError(f"the input is empty; {expected}", source)
    line, text = outside[0]
    return LspciError(f"no PCI device found; {expected}", source, line, 1, text[:100])


def _blocks(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines of each device, and those between devices, with the number of their first line.

    A device goes on over empty lines while indented lines follow: lspci 3.5.2 to 3.6.2 print an empty line
    inside the L1 PM Substates capability.
    """
    block: list[str] = []
    start = 1
    for number, line in enumerate(lines, 1):
        if line[:1] in ("\t", "") or _HEX_ROW.fullmatch(line) or not block:
            block.append(line)
        else:
            yield start, block
            block, start = [line], number
    if block:
        yield start, block


def _device(text: str) -> Device:
    device: Device | None = _devices.get(text)
    if device is None:
        device = _devices[text] = _DeviceBuilder(text).build()
    return device


class _DeviceBuilder:
    """Collects the parts of one device."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.split("\n")
        self.attributes: dict[str, Any] = {}
        self.header: list[_tree.Entry] = []
        self.capabilities: list[Capability] = []
        self.config = bytearray()
        self.strange: list[Line] = []

    def build(self) -> Device:
        """Go through the lines once; each belongs to exactly one part."""
        lines = self.lines
        self.title(lines[0])
        at, end = 1, len(lines)
        while at < end:
            line = lines[at]
            stop = at + 1
            glued = _GLUED.match(line)
            if glued:
                lines[at] = line[glued.end() :]
                (self.capability if glued[1] else self.header_lines)(at, [glued[0]])
                continue
            if line.startswith("\tCapabilities:"):
                while stop < end and lines[stop][:2] in ("\t\t", ""):
                    stop += 1
                self.capability(at, lines[at:stop])
            elif line.startswith("\t"):
                while stop < end and lines[stop].startswith("\t\t"):
                    stop += 1
                self.header_lines(at, lines[at:stop])
            elif _HEX_ROW.fullmatch(line):
                self.config += bytes.fromhex(line.partition(":")[2])
            elif line:
                self.strange.append(Line(at + 1, line))
            at = stop
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
            self.attributes = _tree.device_line(parser().parse(line, "device"))
        except UnexpectedInput:
            self.attributes = _tree.unknown_device_line(line)
            self.strange.append(Line(1, line))

    def capability(self, at: int, lines: list[str]) -> None:
        """Read a capability's title and registers, which begin at line ``at``."""
        text = "\n".join(lines)
        found = _capabilities.get(text)
        if found is None:
            found = _capabilities[text] = _capability(lines)
        if isinstance(found, Capability):
            self.capabilities.append(found)
            self.strange += [Line(at + line, text) for line, text in found.unrecognised]
        else:
            self.attributes.update(found)

    def header_lines(self, at: int, lines: list[str]) -> None:
        """Read a header line and those that continue it."""
        pairs, strange = _register("header", lines)
        self.header += pairs
        self.strange += [Line(at + i + 1, lines[i]) for i in strange]


def _capability(lines: list[str]) -> Capability | Mapping[str, Any]:
    """Return a capability, or the attributes of its device when there is no list of capabilities to read."""
    strange: list[Line] = []
    try:
        title = _tree.title(parser().parse(lines[0], "title"))
    except UnexpectedInput:
        title = _tree.unknown_title(lines[0])
        strange.append(Line(1, lines[0]))
    if title.attributes:
        return title.attributes
    pairs = list(title.entries)
    start = f"in_{title.kind}" if f"in_{title.kind}" in parser().options.start else "generic"
    for at, register in _group(lines):
        found, bad = _register(start, register)
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


def _register(start: str, lines: list[str]) -> tuple[tuple[_tree.Entry, ...], tuple[int, ...]]:
    """Return what a register's lines say, and the indices of those that no rule knows."""
    key = (start, "\n".join(lines))
    found: tuple[tuple[_tree.Entry, ...], tuple[int, ...]] | None = _registers.get(key)
    if found is None:
        found = _registers[key] = _parse_register(start, lines)
    return found


def _parse_register(start: str, lines: list[str]) -> tuple[tuple[_tree.Entry, ...], tuple[int, ...]]:
    rule, count = start, len(lines)
    while count:
        text = "\n".join(lines[:count])
        try:
            tree = parser().parse(text, rule)
        except UnexpectedInput as error:
            read = text[: max(error.pos_in_stream or 0, 0)]
            if rule != "generic" and not read.strip():
                rule = "generic"  # the label itself is unknown; a known label with damage behind it is damage
            else:
                # A damaged continuation line must not take the register with it: try the lines in front of it.
                count = min(count - 1, read.count("\n"))
        else:
            return _tree.entries(tree), tuple(range(count, len(lines)))
    return (), tuple(range(len(lines)))
