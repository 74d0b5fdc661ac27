"""Trees and reports as JSON documents, and back.

Documents are versioned by their ``schema`` member and described by the JSON Schemas in ``schemas/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lspci_parse.errors import LspciError
from lspci_parse.lspci.names import UNITS
from lspci_parse.model.address import Address
from lspci_parse.model.device import Device, Ids, NamedId
from lspci_parse.model.dump import Dump
from lspci_parse.model.fields import Capability, Register, Value

DUMP_SCHEMA: Final = "lspci-parse.dump/1"

_PLAIN: Final = ("driver", "iommu_group", "numa_node", "physical_slot", "label", "subsystem", "chain")
_FLAGS: Final = ("access_denied", "dead", "cut")


# ---------------------------------------------------------------------------------------------------- trees


def to_json(dump: Dump) -> dict[str, Any]:
    """Return a dump as a JSON document (schema ``lspci-parse.dump/1``).

    Flags are booleans, counts and sizes numbers whose units ``units`` tells by field name, addresses hex
    strings, enumerations lspci's words. Bytes that were not UTF-8 stand as lone surrogates (U+DC80 to U+DCFF).
    """
    return {
        "schema": DUMP_SCHEMA,
        "source": dump.source,
        "lspci": {"min": dump.lspci.min, "max": dump.lspci.max},
        "units": dict(UNITS),
        "devices": [device_to_json(device) for device in dump],
        "unrecognised": [line._asdict() for line in dump.unrecognised],
    }


def device_to_json(device: Device) -> dict[str, Any]:
    """Return one device of ``to_json``'s document."""
    document: dict[str, Any] = {
        "address": str(device.address),
        "slot": device.slot,
        "class": {"name": device.class_.name, "id": device.class_.id},
        "name": device.name,
        "ids": device.ids._asdict(),
        "revision": device.revision,
        "prog_if": None if device.prog_if is None else device.prog_if._asdict(),
    }
    document |= {name: getattr(device, name) for name in _PLAIN}
    document["modules"] = list(device.modules)
    document |= {name: True for name in _FLAGS if getattr(device, name)}
    document["registers"] = value_to_json(device.registers)
    document["capabilities"] = [_capability_to_json(capability) for capability in device.capabilities]
    if device.config:
        document["config"] = device.config.hex()
    return document


def _capability_to_json(capability: Capability) -> dict[str, Any]:
    return {
        "kind": capability.kind,
        "name": capability.name,
        "offset": None if capability.offset is None else f"{capability.offset:x}",
        "extended": capability.extended,
        "version": capability.version,
        "registers": value_to_json(capability),
    }


def value_to_json(value: Any) -> Any:
    """Return a value of the tree in JSON's types."""
    if isinstance(value, Mapping):
        return {name: value_to_json(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [value_to_json(item) for item in value]
    return value


def from_json(document: Mapping[str, Any]) -> Dump:
    """Return the dump that ``to_json`` wrote. It equals the original; the text it was read from is not kept.

    Raises:
        LspciError: the document has another schema, or a part is missing.
    """
    _expect(document, DUMP_SCHEMA)
    try:
        return Dump(tuple(_device(item) for item in document["devices"]), source=document["source"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise LspciError(f"the document does not fit its schema {DUMP_SCHEMA!r}: {error!r}") from error


def _device(item: Mapping[str, Any]) -> Device:
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
        config=bytes.fromhex(item.get("config", "")),
        **{name: item[name] for name in _PLAIN},
        **{name: item.get(name, False) for name in _FLAGS},
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


def _expect(document: object, schema: str) -> None:
    found = document.get("schema") if isinstance(document, Mapping) else None
    if found != schema:
        raise LspciError(f"schema is {found!r}; expected {schema!r}")
