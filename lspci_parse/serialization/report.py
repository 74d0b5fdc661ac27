"""Trees and reports as JSON documents, and back.

Documents are versioned by their ``schema`` member and described by the JSON Schemas in ``schemas/``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lspci_parse.comparison.difference import Change
from lspci_parse.errors import LspciError
from lspci_parse.evidence.saved import expect
from lspci_parse.findings.model import SEVERITIES, Finding
from lspci_parse.findings.report import CauseTree, Comparison, Side
from lspci_parse.model.address import Address
from lspci_parse.model.document import checked
from lspci_parse.serialization.dump import value_to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

DIFF_SCHEMA: Final = "lspci-parse.diff/1"


# -------------------------------------------------------------------------------------------------- reports


def report_to_json(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as a JSON document (schema ``lspci-parse.diff/1``)."""
    return {
        "schema": DIFF_SCHEMA,
        "a": _side_to_json(comparison.a),
        "b": _side_to_json(comparison.b),
        "findings": [_finding_to_json(finding) for finding in comparison.findings],
        "causes": [_tree_to_json(tree) for tree in comparison.causes],
        "changes": [_change_to_json(change) for change in comparison.changes],
        "moved": [{"a": str(a), "b": str(b)} for a, b in comparison.moved],
        "hidden": dict(comparison.hidden),
        "summary": comparison.summary,
    }


def _side_to_json(side: Side) -> dict[str, Any]:
    return {"source": side.source, "devices": side.devices, "unseen": list(side.unseen)}


def _side(item: Mapping[str, Any]) -> Side:
    return Side(item["source"], item["devices"], tuple(item.get("unseen", ())))


def _address(address: Address | None) -> str | None:
    return None if address is None else str(address)


def _finding_to_json(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "a": _address(finding.a),
        "b": _address(finding.b),
        "path": finding.path,
        "values": {"a": value_to_json(finding.before), "b": value_to_json(finding.after)},
        "title": finding.title,
        "detail": finding.detail,
        "remedy": finding.remedy,
        "facts": list(finding.facts),
        "because": list(finding.because),
        "likely": list(finding.likely),
        "leads_to": list(finding.leads_to),
        "devices": [str(device) for device in finding.devices],
        "name": finding.name,
    }


def _tree_to_json(tree: CauseTree) -> dict[str, Any]:
    """Return a tree of causes. Chains are a few findings long; each level is one of Python's, too."""
    return {
        "finding": tree.finding,
        "link": tree.link,
        "effects": [_tree_to_json(effect) for effect in tree.effects],
    }


def _change_to_json(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "a": _address(change.a),
        "b": _address(change.b),
        "path": change.path,
        "values": {"a": value_to_json(change.before), "b": value_to_json(change.after)},
        "volatile": change.volatile,
        "known": change.known,
    }


def report_from_json(document: Mapping[str, Any]) -> Comparison:
    """Return the comparison that ``report_to_json`` wrote.

    Raises:
        LspciError: the document has another schema, or does not fit it.
    """
    expect(document, DIFF_SCHEMA)
    checked("diff", {"causes": [], **document})
    try:
        count = len(document["findings"])
        return Comparison(
            _side(document["a"]),
            _side(document["b"]),
            tuple(_finding(item, count) for item in document["findings"]),
            tuple(_change(item) for item in document["changes"]),
            tuple((Address.parse(item["a"]), Address.parse(item["b"])) for item in document["moved"]),
            dict(document["hidden"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise LspciError(f"the document does not fit its schema {DIFF_SCHEMA!r}: {error!r}") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _parsed(text: str | None) -> Address | None:
    return None if text is None else Address.parse(text)


def _links(items: list[int], count: int) -> tuple[int, ...]:
    if not all(0 <= link < count for link in items):
        raise ValueError(f"{items!r} names a finding that is not there")
    return tuple(items)


def _finding(item: Mapping[str, Any], count: int) -> Finding:
    severity = item["severity"]
    if severity not in SEVERITIES:
        raise ValueError(f"{severity!r} is no severity")
    return Finding(
        _text(item["rule"]),
        severity,
        _parsed(item["a"]),
        _parsed(item["b"]),
        _text(item["path"]),
        item["values"]["a"],
        item["values"]["b"],
        _text(item["title"]),
        _text(item["detail"]),
        _text(item["remedy"]),
        _links(item["because"], count),
        _links(item["leads_to"], count),
        tuple(Address.parse(device) for device in item["devices"]),
        _text(item["name"]),
        _links(item.get("likely", []), count),
        tuple(map(_text, item.get("facts", ()))),
    )


def _change(item: Mapping[str, Any]) -> Change:
    return Change(
        item["kind"], _parsed(item["a"]), _parsed(item["b"]), _text(item["path"]),
        item["values"]["a"], item["values"]["b"], item["volatile"], item["known"],
    )  # fmt: skip
