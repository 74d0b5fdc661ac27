"""Trees as JSON documents; ``evidence.saved`` reads them.

Documents are versioned by their ``schema`` member and described by the JSON Schemas in ``schemas/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lspci_parse.evidence.saved import DUMP_SCHEMA, FLAGS, PLAIN
from lspci_parse.lspci.names import UNITS

if TYPE_CHECKING:
    from lspci_parse.model.device import Device
    from lspci_parse.model.dump import Dump
    from lspci_parse.model.fields import Capability


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
        "devices": [device_to_json(device, line) for device, line in zip(dump, dump.lines, strict=True)],
        "unrecognised": [line._asdict() for line in dump.unrecognised],
    }


def device_to_json(device: Device, line: int) -> dict[str, Any]:
    """Return one device of ``to_json``'s document; ``line`` is the number of its first line."""
    document: dict[str, Any] = {
        "address": str(device.address),
        "line": line,
        "slot": device.slot,
        "class": {"name": device.class_.name, "id": device.class_.id},
        "name": device.name,
        "ids": device.ids._asdict(),
        "revision": device.revision,
        "prog_if": None if device.prog_if is None else device.prog_if._asdict(),
    }
    document |= {name: getattr(device, name) for name in PLAIN}
    document["modules"] = list(device.modules)
    document |= {name: True for name in FLAGS if getattr(device, name)}
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
