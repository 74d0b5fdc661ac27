"""What checking a host against a policy gives."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from lspci_parse.model import Address

SCHEMA: Final = "lspci-parse.check/1"

Severity = Literal["critical", "warning", "info"]
SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "warning", "info")
"""Worst first."""


class Remedy(NamedTuple):
    """Something to do, and what it may cost; ``risk`` is empty where there is none."""

    action: str
    risk: str = ""


class Breach(NamedTuple):
    """One thing that a policy does not want, or that a dump does not show.

    Attributes:
        device: the function to look at; ``None`` for the host as a whole.
        severity: how bad.
        title: what it is, one line.
        detail: what it means.
        devices: all functions concerned.
        remedies: what to do about it, the least harmful first.
    """

    device: Address | None
    severity: Severity
    title: str
    detail: str
    devices: tuple[Address, ...] = ()
    remedies: tuple[Remedy, ...] = ()


class Check(NamedTuple):
    """A host held against a policy.

    Attributes:
        policy: ``vfio``, ``p2p`` or the name of the policy file.
        source: the name of the dump.
        breaches: worst first.
    """

    policy: str
    source: str | None
    breaches: tuple[Breach, ...]

    @property
    def failed(self) -> bool:
        """Whether anything is worse than a remark."""
        return any(breach.severity != "info" for breach in self.breaches)


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
                "title": breach.title,
                "detail": breach.detail,
                "devices": [str(device) for device in breach.devices],
                "remedies": [remedy._asdict() for remedy in breach.remedies],
            }
            for breach in check.breaches
        ],
        "summary": {severity: counts[severity] for severity in SEVERITIES},
    }
