"""Predicted IOMMU groups, and how they compare with recorded ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from lspci_parse.linux.groups.model import Groups

SCHEMA: Final = "lspci-parse.groups/1"


def as_json(groups: Groups) -> dict[str, Any]:
    """Return a prediction as a JSON document (schema ``lspci-parse.groups/1``)."""
    recorded = groups.recorded or {}
    return {
        "schema": SCHEMA,
        "kernel": groups.kernel,
        "off": groups.off,
        "groups": [
            {
                "devices": [str(device) for device in group.devices],
                "joined_by": [
                    {
                        "device": str(join.device),
                        "how": join.how,
                        "culprits": [str(culprit) for culprit in join.culprits],
                        "why": join.why,
                    }
                    for join in group.joined_by
                ],
            }
            for group in groups.groups
        ],
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
    }
