"""One device: from its lines, as lspci prints them, to the model.

A dump repeats itself, so the parts of a device are read once and remembered by their text: header lines and
capabilities, and inside those title and registers. A device is then put together from what is known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar

from lspci_parse.model.device import Device, Ids, NamedId
from lspci_parse.model.fields import Capability, Line, Register, Value
from lspci_parse.parsing import transform
from lspci_parse.parsing.caches import make_room, parts, registers
from lspci_parse.parsing.grammar import parser
from lspci_parse.parsing.lalr import NoParseError, Tree
from lspci_parse.parsing.segments import hex_row, may_be_broken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_T = TypeVar("_T")

MAX_LINE: Final = 1 << 12
"""Characters of a line that is read; a longer one is kept as unrecognised. The longest seen has about 900."""

_MAX_REGISTER: Final = 1 << 16
_MAX_TRIES: Final = 100
_GLUED: Final = re.compile(
    r"\t(?:Capabilities: \[[0-9a-f]+(?: v\d+)?\] (?=\t|[0-9a-f]{2}: [0-9a-f]{2} )"
    r"|DeviceName:[^\t]*(?=\t(?:Subsystem|Physical Slot|Device tree node|Control|Flags|!!! )))"
).match
"""Finds a line to which lspci forgot the line end: a capability cut off by the end of configuration space, and a
name that the firmware gave without one."""
_PARTS: Final = re.compile(r"\n(?!\t\t|\n)").split
"""Splits a device into its first line, header lines, capabilities and rows of the hex dump."""
_REGISTERS: Final = re.compile(r"\n(?!\t\t\t|\t\t |\t\tAtomicOps)").split
"""Splits what stands below a capability's title into registers: lines that are deeper continue one."""


def reads(lines: list[str]) -> bool:
    """Tell whether lspci prints these lines below the line of a device."""
    text = "\n".join(["00:00.0 Host bridge: a", *lines])
    make_room(text)
    return not read_device(text).unrecognised


def read_device(text: str) -> Device:
    """Read the lines of one device, the first of which begins with its address."""
    return _read(text)[0]


def read_plain(text: str) -> tuple[Device, int] | None:
    """Return a device and the number of its lines, ``None`` if a line is foreign, empty or may be broken."""
    device, plain, height = _read(text)
    return (device, height) if plain else None


def _read(text: str) -> tuple[Device, bool, int]:
    """Return a device, whether its text is plain (``read_plain``), and the number of its lines."""
    stack = _PARTS(text)[::-1]
    known, strange, plain, at = _beginning(stack.pop())
    header: list[transform.Entry] = []
    repeated: list[str] = []
    capabilities: list[Capability] = []
    config = bytearray()
    while stack:
        part_text = stack.pop()
        part = parts.get(part_text)
        if part is None:
            part = _part(part_text) if part_text.startswith("\t") else _row(part_text, config)
        height, entries, attributes, capability, odd = part
        if capability is not None:
            capabilities.append(capability)
        elif not attributes:
            header += entries
        elif known.keys().isdisjoint(attributes):
            known.update(attributes)
        else:  # a line that comes again stays a line
            header += entries
            repeated += [label for label, _ in entries]
        if odd is not None:
            strange += [Line(at + line, line_text) for line, line_text in odd.strange]
            plain = plain and odd.plain
            if odd.rest:
                stack.append(odd.rest)
        at += height
    device = Device(
        registers=_settled(header, repeated, known),
        capabilities=tuple(capabilities),
        config=bytes(config),
        unrecognised=tuple(strange),
        text=text,
        **known,
    )
    return device, plain, at


def _beginning(text: str) -> tuple[dict[str, Any], list[Line], bool, int]:
    """Return the attributes that a device's first line says, lines that no rule knows, and as ``_read`` the rest."""
    line, *below = text.split("\n")
    slot, _, said = line.partition(" ")
    attributes, is_known, plain = registers.get(("device", said)) or _description(said)
    strange = [] if is_known else [Line(1, line)]
    strange += [Line(number, other) for number, other in enumerate(below, 2) if other]
    known = {"address": transform.slot_address(slot), "slot": slot, **attributes}
    return known, strange, plain and "" not in below, 1 + len(below)


def _description(text: str) -> tuple[dict[str, Any], bool, bool]:
    """Read and remember the rest of a device's first line; tell whether a rule knows it, and whether it is whole."""
    try:
        attributes, is_known = _parsed("device", text, transform.device_line), True
    except NoParseError:
        # The line was cut, or something was printed into it.
        attributes, is_known = {"class_": NamedId(None, None), "name": text, "ids": Ids()}, False
    registers["device", text] = found = attributes, is_known, not may_be_broken(text)
    return found


def _settled(header: list[transform.Entry], repeated: list[str], known: dict[str, Any]) -> dict[str, Value]:
    """Return the registers of the header; add what they say of the device to ``known``, its attributes.

    Args:
        header: the entries.
        repeated: the labels of those whose first line is an attribute.
        known: the attributes.
    """
    found = transform.unique(header, repeated)
    flags = found.get("Flags")
    if isinstance(flags, Register):
        known.update(transform.flag_attributes(flags, known))
    if "!!!" in found and str(found["!!!"]).startswith("Unknown header type 7f"):
        known["dead"] = True
    if "subsystem_ids" in known:
        ids: Ids = known["ids"]
        known["ids"] = Ids(ids.vendor, ids.device, *known.pop("subsystem_ids"))
    return found


class _Odd(NamedTuple):
    """What is unusual about a part.

    Attributes:
        strange: lines that no rule knows, numbered from 1.
        rest: what follows on the last line, if lspci forgot to end it.
        plain: whether no line is empty or may be broken.
    """

    strange: tuple[Line, ...]
    rest: str
    plain: bool


_Part: TypeAlias = (
    "tuple[int, tuple[transform.Entry, ...], Mapping[str, Any], Capability | None, _Odd | None]"
)
"""What a header line or a capability says, with the lines below it: the number of line ends behind the lines that
were read; the header's entries, also where a line is an attribute; attributes of the device; a capability; what is
unusual. (A plain tuple: there are many, and each is taken apart where it is used.)"""


def _part(text: str) -> _Part:
    """Read and remember a part of a device."""
    glued = _GLUED(text)
    read, rest = (glued[0], text[glued.end() :]) if glued else (text, "")
    entries: tuple[transform.Entry, ...] = ()
    attributes: Mapping[str, Any] = transform.NOTHING
    capability = None
    if read.startswith("\tCapabilities:"):
        attributes, capability = _capability(read)
        strange = capability.unrecognised if capability is not None else ()
    else:
        entries, strange = _read_register("header", read)
        if entries:
            attributes = transform.attributes(*entries[0])
    plain = "\n\n" not in text and text[-1] != "\n" and not may_be_broken(text)
    odd = _Odd(strange, rest, plain) if strange or rest or not plain else None
    height = 0 if rest else text.count("\n") + 1
    parts[text] = part = (height, entries, attributes, capability, odd)
    return part


def _row(text: str, config: bytearray) -> _Part:
    """Read a row of the hex dump into ``config``; what is none, or does not go on there, is strange."""
    row = hex_row(text)
    strange = () if not text or (row and _add_row(config, row)) else (Line(1, text),)
    plain = row is not None
    return (
        text.count("\n") + 1,
        (),
        transform.NOTHING,
        None,
        None if plain and not strange else _Odd(strange, "", plain),
    )


def _add_row(config: bytearray, row: re.Match[str]) -> bool:
    """Take a row of the hex dump, if it goes on where the last ended or says again what is known."""
    offset, data = int(row[1], 16), bytes.fromhex(row.string[row.end(1) + 1 :])
    known = config[offset : offset + len(data)]
    if offset > len(config) or not data.startswith(known):
        return False
    config += data[len(known) :]
    return True


def _capability(text: str) -> tuple[Mapping[str, Any], Capability | None]:
    """Return a capability, or the attributes of its device when there is no list of capabilities to read."""
    first, _, below = text.partition("\n")
    title, offset, version = _title(first)
    if title.attributes:
        return title.attributes, None
    extended = len(offset) > 2
    kind = title.kind or transform.nameless_kind(int(offset, 16), extended=extended)
    if not title.kind and below.strip():
        kind = "unknown"  # what lspci leaves without a name has no registers either: the name was lost
    rule = f"in_{kind}"
    if rule not in parser("lspci").starts:
        rule = "generic"
    pairs = list(title.entries)
    strange = [Line(1, first)] if kind == "unknown" else []
    at = 1
    for register in _REGISTERS(below):
        if register:
            entries, unread = registers.get((rule, register)) or _register(rule, register)
            pairs += entries
            if unread:
                strange += [Line(at + line, line_text) for line, line_text in unread]
        at += register.count("\n") + 1
    return transform.NOTHING, Capability(
        kind,
        title.name,
        offset=int(offset, 16) if offset else None,
        version=int(version) if version else None,
        extended=extended,
        entries=transform.unique(pairs),
        unrecognised=strange,
    )


_OFFSET: Final = r"\[([0-9a-f]+)(?: v(\d+))?\]"
_PLACE: Final = re.compile(rf"\tCapabilities:[\t ,;]*(?:{_OFFSET})?")
_DAMAGED_PLACE: Final = re.compile(rf".*?{_OFFSET}|")


def _title(line: str) -> tuple[transform.Title, str, str]:
    """Return what a capability's title says, and its offset and version as printed, either empty if missing."""
    place = _PLACE.match(line)
    text = line[place.end() :] if place else line
    title: transform.Title = registers.get(("title", text)) or _title_text(text)
    # Only where access is denied, lspci prints no offset.
    if place is None or bool(place[1]) == ("access_denied" in title.attributes) or title.kind == "unknown":
        title = transform.Title("unknown", line.rpartition("]")[2].strip())
        place = _DAMAGED_PLACE.match(line)
    return (title, place[1] or "", place[2] or "") if place else (title, "", "")


def _title_text(text: str) -> transform.Title:
    """Read and remember what stands behind a capability's offset."""
    try:
        title = _parsed("title", text, transform.title)
    except NoParseError:
        title = transform.Title("unknown", "")
    registers["title", text] = title
    return title


_Read = tuple[tuple[transform.Entry, ...], tuple[Line, ...]]
"""What a register's lines say, and those that no rule knows, numbered from 1."""


def _register(rule: str, text: str) -> _Read:
    """Read and remember a register inside a capability."""
    registers[rule, text] = found = _read_register(rule, text)
    return found


def _read_register(rule: str, text: str) -> _Read:
    if len(text) <= MAX_LINE:
        try:
            return transform.entries(parser("lspci").parse(text, rule)), ()
        except (LookupError, ValueError):  # no such text (NoParseError), or no value of its kind
            pass
    return _readable_part(rule, text.split("\n"))


def _readable_part(rule: str, lines: list[str]) -> _Read:
    """Return what can be read of a register that the rule does not describe."""
    found: tuple[transform.Entry, ...] = ()
    count = _readable(lines)
    for _ in range(_MAX_TRIES):
        text = "\n".join(lines[:count])
        try:
            found = _parsed(rule, text, transform.entries) if count else ()
            break
        except NoParseError as error:
            read = text[: max(error.position, 0)]
            if rule != "generic" and not read.strip():
                rule = "generic"  # the label itself is unknown; a known label with damage behind it is damage
            else:
                # A damaged continuation line must not take the register with it: try the lines in front of it.
                count = min(count - 1, read.count("\n"))
    else:
        count = 0
    return found, tuple(Line(at + 1, lines[at]) for at in range(count, len(lines)))


def _readable(lines: list[str]) -> int:
    """Return how many lines are in front of one that is too long, or with which the register would be."""
    room = _MAX_REGISTER
    for at, line in enumerate(lines):
        room -= len(line)
        if len(line) > MAX_LINE or room < 0:
            return at
    return len(lines)


def _parsed(rule: str, text: str, convert: Callable[[Tree], _T]) -> _T:
    """Return what a text says.

    Raises:
        NoParseError: the rule does not describe it, or it holds what is no value of its kind.
    """
    if len(text) > MAX_LINE and "\n" not in text:
        raise NoParseError(0)
    tree = parser("lspci").parse(text, rule)
    try:
        return convert(tree)
    except (LookupError, ValueError) as error:
        raise NoParseError(len(text)) from error
