"""From Lark's trees to the entries of the model: names and values, spelled as the vocabulary says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lspci_parse._lalr import Token, Tree
from lspci_parse.model import Address, Ids, NamedId, Register, Value
from lspci_parse.vocabulary import FIELDS, FLAGS, KINDS, decimal, gpf_time, vpd_key, vpd_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Entry = tuple[str, Value]
_Node = Token | Tree

_FLAG: Final = re.compile(r"([^\s,]+?):?([+-])(?=[\s,;)]|$|SlotPowerLimit)")
_PHRASE: Final = re.compile(r"([^\s,][^,\n]*?)([+-])(?=[\s,;]|$)")


# ---------------------------------------------------------------------------------------------- registers


def entries(tree: Tree) -> tuple[Entry, ...]:
    """Return what the lines of one register add to their capability or device.

    A line with a label is one register. A line whose fields carry names of their own adds each of them.
    """
    if tree.data == "header" or tree.data.startswith("in_"):
        return tuple(entry for register in tree.children for entry in _register(register))
    return tuple(_register(tree))


def _register(tree: _Node) -> Iterable[Entry]:
    if isinstance(tree, Token):
        raise TypeError(tree)
    rule, children = str(tree.data), tree.children
    if rule in _LABELS:
        return ((_LABELS[rule], Register(_LABELS[rule], unique(fields(rule, children)))),)
    if children[0].type == "IDE_PLACE":  # type: ignore[union-attr]  # every rule begins with a token
        children = children[1:]
    first = children[0]
    if isinstance(first, Token) and (first.type in FIELDS or first.type in _TOKENS):
        return fields(rule, children)
    label = _label(first)
    return ((label, Register(label, unique(fields(rule, children[1:])))),)


_LABELS: Final = {"region_v": "Region", "rom": "Expansion ROM", "cxlcap2": "CXLCap2"}
"""Registers whose line does not begin with their label, at least not in every release."""


def _label(token: _Node) -> str:
    return str(token).rstrip(": \t(")


def unique(pairs: Iterable[Entry]) -> dict[str, Value]:
    """Keep every entry: the second of a name is stored as ``Name#2``."""
    pairs = list(pairs)
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    result.clear()
    counts: dict[str, int] = {}
    for name, value in pairs:
        count = counts[name] = counts.get(name, 0) + 1
        result[name if count == 1 else f"{name}#{count}"] = value
    return result


def fields(rule: str, children: Iterable[_Node]) -> list[Entry]:
    """Return the fields among ``children``; tokens that are punctuation are passed over."""
    found: list[Entry] = []
    for child in children:
        if isinstance(child, Tree):
            found += _register(child)
            continue
        kind = child.type
        if kind in FIELDS:
            printed, convert, name = FIELDS[kind]
            found.append((name or printed.strip(" :=#"), convert(child[len(printed) :].strip())))
        elif kind in _FLAG_RUNS:
            flags = _FLAG_RUNS[kind].findall(child)
            if rule in FLAGS:
                names = FLAGS[rule]
                flags = [(names.get(flag, flag), sign) for flag, sign in flags]
            found += [(flag, sign == "+") for flag, sign in flags]
        elif kind in _TOKENS:
            found += _TOKENS[kind](child)
    return found


_FLAG_RUNS: Final = {"FLAGS": _FLAG, "ATOMIC_FLAGS": _FLAG, "IDE_FLAGS": _FLAG, "PHRASES": _PHRASE}


# ---------------------------------------------------------------------------- tokens that are several fields


def _memory_kind(text: str) -> Iterator[Entry]:
    width, prefetchable = text[1:-1].split(", ")
    yield "width", width
    yield "prefetchable", prefetchable == "prefetchable"


def _bar(kind: str) -> Callable[[str], Iterator[Entry]]:
    def convert(text: str) -> Iterator[Entry]:
        value = text.rsplit(" ", 1)[1]
        value = "<broken-64-bit-slot>" if value == "<invalid-64bit-slot>" else value
        yield "type", kind
        yield "address", value if value.startswith("<") else f"{int(value, 16):08x}"

    return convert


def _named(convert: Callable[[str], Value], separator: str = ":") -> Callable[[str], Iterator[Entry]]:
    """Return what reads a field whose name differs from line to line (``Lane3: 12``)."""

    def split(text: str) -> Iterator[Entry]:
        name, _, value = text.partition(separator)
        yield name, convert(value.strip())

    return split


def _guess(value: str) -> Value:
    """Type a value of a register that no rule knows: a number where it can only be decimal."""
    return decimal(value) if re.fullmatch(r"0|[1-9]\d*", value) else value


def _flags_v(text: str) -> Iterator[Entry]:
    """Read the words of ``-v``'s Flags line: ``bus master, fast devsel, latency 0, IRQ 16``."""
    for part in text.strip().split(", "):
        match = re.fullmatch(r"(\S+) devsel|(latency|IRQ|NUMA node|IOMMU group) (-?\d+)", part)
        if match is None:
            yield part, True
        elif match[1]:
            yield "DEVSEL", match[1]
        else:
            yield match[2], int(match[3])


def _subsystem(text: str) -> Iterator[Entry]:
    name, (vendor, device) = _name_and_ids(text.partition(":")[2].strip())
    yield "Subsystem", name
    if vendor:
        yield "vendor", vendor
        yield "device", device


_VPD_SPACE: Final = re.compile(r"(?:checksum (\w+), )?(-?\d+) byte\(s\) (reserved|free)")


def _vpd_field(text: str) -> Iterator[Entry]:
    key, _, rest = text.partition("] ")
    name, _, value = rest.partition(":")
    key = key[1:]
    space = _VPD_SPACE.fullmatch(value.strip()) if name in ("Reserved", "Read-write area") else None
    if space is None:
        yield vpd_key(key), vpd_value(key, name, value.removeprefix(" "))
    else:
        checksum = {"checksum": space[1]} if space[1] else {}
        yield key, Register(key, {**checksum, space[3]: int(space[2])})


def _sentence(text: str) -> Iterator[Entry]:
    yield text, True


_TOKENS: Final[dict[str, Callable[[str], Iterable[Entry]]]] = {
    "BAR_TAG": lambda text: [(text[1:-1], True)],
    "FLAGS_V": _flags_v,
    "FUNC_MAP": _named(str),
    "GPF_TIMEOUT": _named(gpf_time),
    "HT_FREQUENCY": _named(str),
    "INJECTION": _named(str),
    "LABELLED": _named(_guess),
    "LANE_ERRORS": _named(decimal),
    "MEMORY_AT": _bar("Memory"),
    "MEMORY_KIND": _memory_kind,
    "MSI_COUNT": lambda text: zip(("Count", "Count max"), map(int, text[6:].split("/")), strict=True),
    "NUMBER": lambda text: [("value", text)],
    "PAIR": _named(_guess, "="),
    "PORTS_AT": _bar("I/O ports"),
    "ROM_AT": _bar("ROM"),
    "SSVID": _subsystem,
    "TPH_MODE": _sentence,
    "UNDECODED": lambda _text: (),
    "VPD_END": _sentence,
    "VPD_FIELD": _vpd_field,
}
"""Terminals that are several fields, or whose name is part of the text."""


# ------------------------------------------------------------------------------------------ capability titles


class Title(NamedTuple):
    """What a capability's title line says.

    ``attributes`` is what the line says of the device when it announces no capability but the end of the list.
    """

    kind: str = ""
    name: str = ""
    offset: int | None = None
    version: int | None = None
    extended: bool = False
    entries: tuple[Entry, ...] = ()
    attributes: Mapping[str, Any] = {}


_OFFSET: Final = re.compile(r"\[([0-9a-f]+)(?: v(\d+))?\]")


def title(tree: Tree) -> Title:
    """Read a capability's title."""
    if tree.data == "denied":
        return Title(attributes={"access_denied": True})
    _, offset, *rest = tree.children
    if tree.data == "chain":
        return Title(attributes={"chain": str(rest[0])[7:-1]})
    if tree.data == "nameless":
        return _nameless(*_offset(str(offset)))
    (body,) = rest
    if not isinstance(body, Tree):
        raise TypeError(body)
    kind, name = body.data.removeprefix("k_"), _label(body.children[0])
    if kind in ("cap", "ecap"):
        kind = _numbered_kind(kind, name)
    elif kind == "ssvid":
        name = "Subsystem"
    return Title(kind, name, *_offset(str(offset)), tuple(fields(kind, body.children)))


def _nameless(offset: int | None, version: int | None, extended: bool) -> Title:  # noqa: FBT001
    """Tell a capability of which lspci prints the offset alone, by the place where it stands.

    lspci returns without a line end from a serial number or subsystem that configuration space cuts off (the
    latter can only be at fc), and from PCI-X on a CardBus bridge.
    """
    kind = "dsn" if extended else "ssvid" if offset == 0xFC else "pcix"
    return Title(kind, "", offset, version, extended)


def _offset(text: str) -> tuple[int | None, int | None, bool]:
    """Return offset, version and whether the offset is one of extended configuration space."""
    match = _OFFSET.search(text)
    if match is None:
        return None, None, False
    return int(match[1], 16), int(match[2]) if match[2] else None, len(match[1]) > 2


def _numbered_kind(space: str, name: str) -> str:
    """Return the kind of a capability that lspci prints by its number: ``Extended Capability ID 0x2f``."""
    number = int(re.split(r"0x|#", name)[1].split()[0], 16)
    code = f"{space}{number:0{2 if space == 'cap' else 4}x}"
    return KINDS.get(code, code)


def unknown_title(line: str) -> Title:
    """Keep a title that no rule knows."""
    return Title("unknown", line.rpartition("]")[2].strip(), *_offset(line))


# ----------------------------------------------------------------------------------------------- device lines


def device_line(tree: Tree) -> dict[str, Any]:
    """Return the attributes of a device that its first line says."""
    parts = {token.type: str(token) for token in tree.children if isinstance(token, Token)}
    class_name, class_id = parts["CLASS"], parts.get("CLASS_ID", "")[1:-1] or None
    if re.fullmatch(r"[0-9a-f]{4}", class_name):
        class_name, class_id = "", class_name
    name, ids = _name_and_ids(parts["NAME"].rstrip())
    result: dict[str, Any] = {
        "address": slot_address(parts["SLOT"]),
        "slot": parts["SLOT"],
        "class_": NamedId(class_id, class_name or None),
        "name": name,
        "ids": Ids(*ids),
        "revision": parts["REVISION"][5:-1] if "REVISION" in parts else "00",
    }
    if "PROG_IF" in parts:
        match = re.fullmatch(r"\(prog-if (..)(?: \[(.*)\])?\)", parts["PROG_IF"])
        if match is not None:
            result["prog_if"] = NamedId(match[1], match[2])
    result["dead"] = result["revision"] == "ff" and parts.get("PROG_IF", "").startswith("(prog-if ff")
    return result


def unknown_device_line(line: str) -> dict[str, Any]:
    """Keep a device line of which only the address can be read (it was cut, or something was printed into it)."""
    slot, _, rest = line.partition(" ")
    return {
        "address": slot_address(slot),
        "slot": slot,
        "class_": NamedId(None, None),
        "name": rest,
        "ids": Ids(),
    }


def slot_address(slot: str) -> Address:
    """Return the address a slot names; of a path (``-P``: ``00:1c.0/00.0``) the last part counts."""
    path = slot.split("/")
    last = path[-1]
    if ":" not in last:
        last = f"{path[0].rpartition(':')[0]}:{last}"
    return Address.parse(last)


_IDS: Final = re.compile(
    r"(?P<name>.*) \[([0-9a-f]{4}):([0-9a-f]{4})\]|([0-9a-f]{4}):([0-9a-f]{4})", re.DOTALL
)
_UNNAMED: Final = re.compile(r"Device ([0-9a-f]{4}):([0-9a-f]{4})")


def _name_and_ids(text: str) -> tuple[str, tuple[str | None, str | None]]:
    """Split ``Name [8086:a195]`` (``-nn``), or read ``8086:a195`` (``-n``) and ``Device 8086:a195`` (no name)."""
    match = _IDS.fullmatch(text)
    if match is not None:
        return match["name"] or "", (match[2] or match[4], match[3] or match[5])
    match = _UNNAMED.fullmatch(text)
    if match is not None:
        return text, (match[1], match[2])
    return text, (None, None)


_ATTRIBUTES: Final = {
    "DeviceName": "label",
    "Physical Slot": "physical_slot",
    "Kernel driver in use": "driver",
    "Kernel modules": "modules",
}


def attributes(registers: dict[str, Any], ids: Ids) -> Iterator[tuple[str, Any]]:
    """Take the header lines that are attributes of the device out of ``registers``, and yield them."""
    for label, name in _ATTRIBUTES.items():
        if label in registers:
            yield name, registers.pop(label)
    if "Subsystem" in registers:
        name, (vendor, device) = _name_and_ids(registers.pop("Subsystem"))
        yield "subsystem", name
        yield "ids", ids._replace(subvendor=vendor, subdevice=device)
    for label, name in (("NUMA node", "numa_node"), ("IOMMU group", "iommu_group")):
        text = str(registers.get(label, registers.get("Flags", {}).get(label, "")))
        if re.fullmatch(r"-?\d+", text):
            registers.pop(label, None)
            yield name, int(text)
    if registers.get("!!!", "").startswith("Unknown header type 7f"):
        yield "dead", True
