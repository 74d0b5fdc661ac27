"""From Lark's trees to the entries of the model: names and values, spelled as the vocabulary says."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lspci_parse.lspci.fields import FIELDS
from lspci_parse.lspci.names import FLAGS, KINDS
from lspci_parse.lspci.values import decimal, gpf_time, vpd_key, vpd_value
from lspci_parse.model.address import Address
from lspci_parse.model.device import Ids, NamedId
from lspci_parse.model.fields import Register, Value
from lspci_parse.parsing.lalr import Token, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Entry = tuple[str, Value]

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
"""No attributes."""


# ---------------------------------------------------------------------------------------------- registers


def entries(tree: Tree) -> tuple[Entry, ...]:
    """Return what the lines of one register add to their capability or device.

    A line with a label is one register. A line whose fields carry names of their own adds each of them.
    """
    if tree.data.startswith("in_"):  # two registers on one line
        return tuple(entry for register in tree.children for entry in _register(register))
    return tuple(_register(tree))


def _register(tree: Tree) -> Iterable[Entry]:
    rule, children = tree.data, tree.children
    label = _LABELS.get(rule)
    if label is None:
        kind, text = children[0]  # every rule begins with a token
        if kind == "IDE_PLACE":
            children = children[1:]
            kind, text = children[0]
        if kind in _FIELDS or kind in _TOKENS:
            return fields(rule, children)
        label = _label(text)
        children = children[1:]
    return ((label, Register(label, unique(fields(rule, children)))),)


_LABELS: Final = {"region_v": "Region", "rom": "Expansion ROM", "cxlcap2": "CXLCap2"}
"""Registers whose line does not begin with their label, at least not in every release."""


def _label(text: str) -> str:
    return text.rstrip(": \t(")


def unique(pairs: Sequence[Entry], taken: Iterable[str] = ()) -> dict[str, Value]:
    """Keep every entry: the second of a name is stored as ``Name#2``. Of those in ``taken``, the first is elsewhere."""
    result = dict(pairs)
    counts = dict.fromkeys(taken, 1)
    if len(result) == len(pairs) and not counts:
        return result
    result.clear()
    for name, value in pairs:
        count = counts[name] = counts.get(name, 0) + 1
        result[name if count == 1 else f"{name}#{count}"] = value
    return result


def fields(rule: str, children: Iterable[Token | Tree]) -> list[Entry]:
    """Return the fields among ``children``; tokens that are punctuation are passed over."""
    found: list[Entry] = []
    names = FLAGS.get(rule)
    for child in children:
        if isinstance(child, Tree):
            found += _register(child)
            continue
        kind, text = child
        field = _FIELDS.get(kind)
        if field is not None:
            width, convert, name = field
            found.append((name, convert(text[width:].strip())))
        elif kind in _TOKENS:
            found += _TOKENS[kind](text)
        elif kind in FLAG_RUNS:
            flags = FLAG_RUNS[kind](text)
            found += flags if names is None else [(names.get(flag, flag), on) for flag, on in flags]
    return found


_FIELDS: Final = {
    kind: (len(field.printed), field.convert, field.name or field.printed.strip(" :=#"))
    for kind, field in FIELDS.items()
}


def _flags(text: str) -> list[Entry]:
    flags = text.replace(",", " ").split()
    if ":" in text:
        flags = [flag.replace(":", "") for flag in flags]
    return [(flag[:-1], flag[-1] == "+") for flag in flags]


# What has no sign is passed over as a whole: none of its parts has one either.
_PHRASE: Final = re.compile(r"([^\s,][^,\n]*?)([+-])(?=[\s,;]|$)|[^\s,][^,\n]*")


def _phrases(text: str) -> list[Entry]:
    return [(flag, sign == "+") for flag, sign in _PHRASE.findall(text) if sign]


FLAG_RUNS: Final = {"FLAGS": _flags, "ATOMIC_FLAGS": _flags, "IDE_FLAGS": _flags, "PHRASES": _phrases}
"""Terminals that are runs of flags."""


# ---------------------------------------------------------------------------- tokens that are several fields


def _memory_kind(text: str) -> list[Entry]:
    width, prefetchable = text[1:-1].split(", ")
    return [("width", width), ("prefetchable", prefetchable == "prefetchable")]


def _bar(kind: str) -> Callable[[str], list[Entry]]:
    def convert(text: str) -> list[Entry]:
        value = text.rsplit(" ", 1)[1]
        value = "<broken-64-bit-slot>" if value == "<invalid-64bit-slot>" else value
        return [("type", kind), ("address", value if value.startswith("<") else f"{int(value, 16):08x}")]

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
    "SERIAL_HIDDEN": lambda _text: (),
    "SSVID": _subsystem,
    "TPH_MODE": _sentence,
    "UNDECODED": lambda _text: (),
    "VPD_END": _sentence,
    "VPD_FIELD": _vpd_field,
}
"""Terminals that are several fields, or whose name is part of the text."""


# ------------------------------------------------------------------------------------------ capability titles


class Title(NamedTuple):
    """What a capability's title says behind the offset.

    ``attributes`` is what it says of the device when it announces no capability but the end of the list.
    """

    kind: str
    name: str
    entries: tuple[Entry, ...] = ()
    attributes: Mapping[str, Any] = NOTHING


def title(tree: Tree) -> Title:
    """Read a capability's title; the kind of one without a name is empty."""
    if tree.data == "nameless":
        return Title("", "")
    (body,) = tree.children
    if tree.data == "denied":
        return Title("", "", attributes={"access_denied": True})
    if tree.data == "chain":
        return Title("", "", attributes={"chain": body[1][7:-1]})
    kind, name = body.data.removeprefix("k_"), _label(body.children[0][1])
    if kind in ("cap", "ecap"):
        kind = _numbered_kind(kind, name)
    elif kind == "ssvid":
        name = "Subsystem"
    return Title(kind, name, tuple(fields(kind, body.children)))


def nameless_kind(offset: int, *, extended: bool) -> str:
    """Tell a capability of which lspci prints the offset alone, by the place where it stands.

    lspci returns without a line end from a serial number or subsystem that configuration space cuts off (the
    latter can only be at fc), and from PCI-X on a CardBus bridge.
    """
    return "dsn" if extended else "ssvid" if offset == 0xFC else "pcix"


def _numbered_kind(space: str, name: str) -> str:
    """Return the kind of a capability that lspci prints by its number: ``Extended Capability ID 0x2f``."""
    number = int(re.split(r"0x|#", name)[1].split()[0], 16)
    code = f"{space}{number:0{2 if space == 'cap' else 4}x}"
    return KINDS.get(code, code)


# ----------------------------------------------------------------------------------------------- device lines


def device_line(tree: Tree) -> dict[str, Any]:
    """Return the attributes of a device that its first line says behind the address."""
    parts = dict(tree.children)
    class_name, class_id = parts["CLASS"], parts.get("CLASS_ID", "")[1:-1] or None
    if re.fullmatch(r"[0-9a-f]{4}", class_name):
        class_name, class_id = "", class_name
    name, ids = _name_and_ids(parts["NAME"].rstrip())
    result: dict[str, Any] = {
        "class_": NamedId(class_id, class_name or None),
        "name": name,
        "ids": Ids(*ids),
        "revision": parts["REVISION"][5:-1] if "REVISION" in parts else "00",
    }
    if "PROG_IF" in parts:  # (prog-if 00 [Normal decode])
        number, _, words = parts["PROG_IF"][9:-1].partition(" [")
        result["prog_if"] = NamedId(number, words[:-1] or None)
    result["dead"] = result["revision"] == "ff" and parts.get("PROG_IF", "").startswith("(prog-if ff")
    return result


def slot_address(slot: str) -> Address:
    """Return the address a slot names; of a path (``-P``: ``00:1c.0/00.0``) the last part counts."""
    if "/" not in slot:
        return Address.parse(slot)
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
_NUMBERS: Final = {"NUMA node": "numa_node", "IOMMU group": "iommu_group"}


def attributes(label: str, value: Any) -> Mapping[str, Any]:
    """Return the attributes of the device that a header line is; none where it is a register."""
    if isinstance(value, Register):  # the label, with damage behind it
        return NOTHING
    if label in _ATTRIBUTES:
        return {_ATTRIBUTES[label]: value}
    if label == "Subsystem":
        name, ids = _name_and_ids(value)
        return {"subsystem": name, "subsystem_ids": ids}
    if label in _NUMBERS and value.removeprefix("-").isdecimal() and _is_number(label, int(value)):
        return {_NUMBERS[label]: int(value)}
    return NOTHING


def flag_attributes(flags: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of the device that stand among the words of ``-v``'s Flags line and are not known yet."""
    found = {name: flags.get(label) for label, name in _NUMBERS.items() if name not in known}
    return {name: value for name, value in found.items() if type(value) is int and value >= _LEAST[name]}


_LEAST: Final = {"numa_node": -1, "iommu_group": 0}
"""The least number that Linux writes: ``NUMA_NO_NODE`` is -1, a group has no such word."""


def _is_number(label: str, value: int) -> bool:
    return value >= _LEAST[_NUMBERS[label]]
