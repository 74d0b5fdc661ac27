"""A comparison as SARIF (OASIS Static Analysis Results Interchange Format 2.1.0)."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from lspci_parse.findings.catalogue import CATALOGUE
from lspci_parse.render.escape import name, printable
from lspci_parse.serialization.dump import value_to_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lspci_parse.findings.model import Finding
    from lspci_parse.findings.report import Comparison
    from lspci_parse.model.address import Address

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {"critical": "error", "warning": "warning", "info": "note"}


def sarif(comparison: Comparison, *, version: str | None = None) -> dict[str, Any]:
    """Return a SARIF log with one run.

    A result stands in the file of host B, or of host A where only A has the device; its logical location is the
    device. Files are named as they were given to the program, never made absolute.

    Args:
        comparison: the report.
        version: the version of this program, if it shall be told.
    """
    driver: dict[str, Any] = {"name": "lspci-parse", "rules": [*map(_rule, CATALOGUE)]}
    if version is not None:
        driver["version"] = version
    run = {
        "tool": {"driver": driver},
        "results": [_result(comparison, finding) for finding in comparison.findings],
        "properties": {
            "a": printable(comparison.a.source),
            "b": printable(comparison.b.source),
            "summary": comparison.summary,
            "hidden": {printable(reason): count for reason, count in comparison.hidden.items()},
        },
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(name: str) -> dict[str, Any]:
    rule = CATALOGUE[name]
    return {
        "id": name,
        "shortDescription": {"text": _message(rule.summary)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(comparison: Comparison, finding: Finding) -> dict[str, Any]:
    paragraphs = filter(None, (finding.title, finding.detail, finding.remedy))
    result: dict[str, Any] = {
        "ruleId": printable(finding.rule),
        "level": _LEVELS[finding.severity],
        "message": {"text": "\n\n".join(map(_message, paragraphs))},
        "locations": [*_location(comparison, finding)],
        "relatedLocations": [
            {
                **place,
                "id": cause,
                "message": {"text": _message(f"{word} {name(comparison.findings[cause])}")},
            }
            for cause, word in finding.links
            for place in _location(comparison, comparison.findings[cause])
        ],
        "partialFingerprints": {"lspciFinding/v1": _fingerprint(finding)},
        "properties": _properties(finding),
    }
    if finding.rule in CATALOGUE:
        result["ruleIndex"] = list(CATALOGUE).index(finding.rule)
    return result


def _location(comparison: Comparison, finding: Finding) -> Iterable[dict[str, Any]]:
    """Yield the file and the device, as far as there are any."""
    device = finding.b or finding.a
    source = comparison.a.source if finding.b is None and finding.a is not None else comparison.b.source
    place: dict[str, Any] = {}
    if source != "-":  # standard input is no artifact
        place["physicalLocation"] = {"artifactLocation": {"uri": _uri(source)}}
    if device is not None:
        place["logicalLocations"] = [{"name": str(device), "kind": "device"}]
    if place:
        yield place


def _uri(source: str) -> str:
    """Return a path as a URI reference: relative if it is, byte for byte if it is not UTF-8."""
    data = re.sub("[\ud800-\udc7f\udd00-\udfff]", "\ufffd", source).encode("utf-8", "surrogateescape")
    return f"file://{quote(data)}" if data.startswith(b"/") else quote(data)


def _message(text: str) -> str:
    """Write one paragraph: braces would be placeholders, and ``](`` a link (SARIF 2.1.0 sections 3.11.5, 3.11.6)."""
    return printable(text).replace("{", "{{").replace("}", "}}").replace("](", "] (")


def _fingerprint(finding: Finding) -> str:
    """Return what stays the same as long as the same is found at the same place."""
    place = "\0".join((finding.rule, str(finding.a), str(finding.b), finding.path))
    return hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()


def _properties(finding: Finding) -> dict[str, Any]:
    return {
        "a": _address(finding.a),
        "b": _address(finding.b),
        "path": printable(finding.path),
        "values": {"a": _value(value_to_json(finding.before)), "b": _value(value_to_json(finding.after))},
        "devices": [str(device) for device in finding.devices],
    }


def _address(address: Address | None) -> str | None:
    return None if address is None else str(address)


def _value(value: Any) -> Any:
    """Make the strings in a JSON value printable."""
    if isinstance(value, dict):
        return {printable(key): _value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_value(item) for item in value]
    return printable(value) if isinstance(value, str) else value
