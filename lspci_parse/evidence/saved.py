"""A dump that ``show --json`` saved, as a host: the way back from its document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from lspci_parse.errors import LspciError
from lspci_parse.model.address import Address
from lspci_parse.model.device import Device, Ids, NamedId
from lspci_parse.model.document import checked
from lspci_parse.model.dump import Dump, Releases
from lspci_parse.model.fields import Capability, Line, Register, Value

DUMP_SCHEMA: Final = "lspci-parse.dump/1"
"""The schema of a dump's document."""
PLAIN: Final = ("driver", "iommu_group", "numa_node", "physical_slot", "label", "subsystem", "chain")
"""Attributes of a device that stand in its document as they are."""
FLAGS: Final = ("access_denied", "dead", "cut")
"""Attributes that stand there only if they are true."""

_OURS: Final = re.compile(r'\s*\{\s*"schema":\s*"lspci-parse\.')


def saved_dump(text: str, name: str) -> Dump | None:
    """Return the dump of a text that ``show --json`` wrote, or ``None`` for any other text.

    Raises:
        LspciError: the text is a damaged document, or one of another kind.
    """
    if not _OURS.match(text.removeprefix("\ufeff")):
        return None
    import json  # noqa: PLC0415 - only a document needs it

    try:
        return from_json(json.loads(text.removeprefix("\ufeff"), parse_constant=_no_number))
    except LspciError as error:
        raise error.located(name) from error
    except (ValueError, RecursionError) as error:
        raise LspciError(
            f"the document is damaged ({error}); expected what 'show --json' wrote", name
        ) from error


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def from_json(document: Mapping[str, Any]) -> Dump:
    """Return the dump that ``to_json`` wrote. It equals the original, and so does what it can show.

    The text it was read from is not kept, but for lines that no rule knew.

    Raises:
        LspciError: the document has another schema, or does not fit it.
    """
    expect(document, DUMP_SCHEMA)
    checked("dump", document)
    try:
        items = document["devices"]
        lines = [item.get("line", 1) for item in items]
        unread = _unread(document["unrecognised"], lines)
        devices = tuple(_device(item, unread[index]) for index, item in enumerate(items))
        span = Releases(**document["lspci"])
        return Dump(devices, tuple(lines), document["source"], printed_by=lambda _: span)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise LspciError(f"the document does not fit its schema {DUMP_SCHEMA!r}: {error!r}") from error


def _unread(items: list[Mapping[str, Any]], lines: list[int]) -> list[tuple[Line, ...]]:
    """Give each line that no rule knew back to the device that begins last before it."""
    found: list[list[Line]] = [[] for _ in lines]
    for item in items:
        line, text = item["line"], item["text"]
        index = max((start, index) for index, start in enumerate(lines) if start <= line)[1]
        found[index].append(Line(line - lines[index] + 1, text))
    return [tuple(lines) for lines in found]


def _device(item: Mapping[str, Any], unread: tuple[Line, ...]) -> Device:
    prog_if = item["prog_if"]
    return Device(
        address=Address.parse(item["address"]),
        slot=item["slot"],
        class_=NamedId(item["class"]["id"], item["class"]["name"]),
        name=item["name"],
        ids=Ids(**item["ids"]),
        revision=item["revision"],
        prog_if=None if prog_if is None else NamedId(**prog_if),
        registers=_fields(item["registers"]),
        capabilities=tuple(_capability(capability) for capability in item["capabilities"]),
        modules=tuple(item["modules"]),
        unrecognised=unread,
        config=bytes.fromhex(item.get("config", "")),
        **{name: item[name] for name in PLAIN},
        **{name: item.get(name, False) for name in FLAGS},
    )


def _capability(item: Mapping[str, Any]) -> Capability:
    return Capability(
        item["kind"],
        item["name"],
        offset=None if item["offset"] is None else int(item["offset"], 16),
        version=item["version"],
        extended=item["extended"],
        entries=_fields(item["registers"]),
    )


def _fields(items: Mapping[str, Any]) -> dict[str, Value]:
    return {name: _value(_first_name(name, items), value) for name, value in items.items()}


def _first_name(name: str, among: Mapping[str, Any]) -> str:
    """Return the name of a repeated entry: ``Entry#2`` beside ``Entry`` is an ``Entry``.

    Where lspci itself numbers with that sign, it begins at 0 (``SelectiveIDE#0 RID#0``).
    """
    base, _, number = name.rpartition("#")
    repeated = number.isdecimal() and int(number) > 1 and base in among and f"{base}#0" not in among
    return base if repeated else name


def _value(name: str, value: Any) -> Value:
    if isinstance(value, Mapping):
        return Register(name, _fields(value))
    if isinstance(value, list):
        return tuple(_value(name, item) for item in value)
    return value  # type: ignore[no-any-return]  # JSON has no other types


def expect(document: object, schema: str) -> None:
    """Refuse a document of another schema.

    Raises:
        LspciError: it is one.
    """
    found = document.get("schema") if isinstance(document, Mapping) else None
    if found != schema:
        raise LspciError(f"schema is {found!r}; expected {schema!r}")
