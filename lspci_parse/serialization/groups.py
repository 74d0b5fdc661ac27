"""Predicted IOMMU groups, and how they compare with recorded ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from lspci_parse.linux.groups.model import Group, Groups
    from lspci_parse.linux.groups.what_if import WhatIf

SCHEMA: Final = "lspci-parse.groups/1"


def as_json(groups: Groups, supposed: WhatIf | None = None) -> dict[str, Any]:
    """Return a prediction as a JSON document (schema ``lspci-parse.groups/1``).

    Args:
        groups: the groups.
        supposed: the condition that they are predicted under, with today's groups.
    """
    recorded = groups.recorded or {}
    return {
        "schema": SCHEMA,
        "kernel": groups.kernel,
        "off": groups.off,
        "groups": list(map(_group, groups.groups)),
        "undecided": [{"device": str(entry.device), "why": entry.why} for entry in groups.undecided],
        "ungrouped": [{"device": str(entry.device), "why": entry.why} for entry in groups.ungrouped],
        "recorded": {str(device): number for device, number in sorted(recorded.items())},
        "agrees": groups.agrees,
        "disagreements": [
            {"kind": d.kind, "parts": [[str(device) for device in part] for part in d.parts], "text": d.text}
            for d in groups.disagreements
        ],
        "assumptions": list(groups.assumptions),
        "other_rules": groups.other_rules,
        "switched_off_since": [str(device) for device in groups.switched_off_since],
        "with_iommu": None if groups.with_iommu is None else as_json(groups.with_iommu),
        "what_if": None if supposed is None else _what_if(supposed),
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "devices": list(map(str, group.devices)),
        "joined_by": [
            {
                "device": str(join.device),
                "how": join.how,
                "culprits": list(map(str, join.culprits)),
                "why": join.why,
            }
            for join in group.joined_by
        ],
    }


def _what_if(supposed: WhatIf) -> dict[str, Any]:
    return {
        "conditions": list(supposed.conditions),
        "taken_out": list(map(str, supposed.gone)),
        "joined": [[list(map(str, part)) for part in parts] for parts in supposed.joined],
        "split": [[list(map(str, part)) for part in parts] for parts in supposed.split],
        "today": as_json(supposed.today),
    }
