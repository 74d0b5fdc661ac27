"""What checking a host against a policy gives."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from lspci_parse.findings.model import SEVERITIES

if TYPE_CHECKING:
    from lspci_parse.policies.model import Check

SCHEMA: Final = "lspci-parse.check/1"


def as_json(check: Check) -> dict[str, Any]:
    """Return a check as a JSON document (schema ``lspci-parse.check/1``)."""
    counts = Counter(breach.severity for breach in check.breaches)
    return {
        "schema": SCHEMA,
        "policy": check.policy,
        "source": check.source,
        "breaches": [
            {
                "device": None if breach.device is None else str(breach.device),
                "severity": breach.severity,
                "known": breach.known,
                "title": breach.title,
                "detail": breach.detail,
                "devices": [str(device) for device in breach.devices],
                "remedies": [remedy._asdict() for remedy in breach.remedies],
            }
            for breach in check.breaches
        ],
        "verdict": "failed" if check.failed else "not known" if check.cannot_tell else "passed",
        "summary": {severity: counts[severity] for severity in SEVERITIES},
    }
