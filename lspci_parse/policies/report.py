"""A check as a report, so that every writer of reports serves policies, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.findings.model import SEVERITIES, Finding
from lspci_parse.findings.report import Comparison, Side

if TYPE_CHECKING:
    from lspci_parse.model.dump import Dump
    from lspci_parse.policies.model import Check, Remedy


def as_report(check: Check, dump: Dump, source: str) -> Comparison:
    """Return what a policy found as findings of rule ``policy-NAME``; what is not known is told as such.

    Args:
        check: the check.
        dump: the host's dump.
        source: the host's name.
    """
    side = Side(source, len(dump))
    findings = (
        Finding(
            f"policy-{check.policy}", breach.severity, None, breach.device, "", None, None,
            breach.title if breach.known else f"not known: {breach.title}", breach.detail,
            " ".join(map(_said, breach.remedies)),
            devices=breach.devices,
            name=dump[breach.device].name if breach.device is not None and breach.device in dump else "",
        )
        for breach in check.breaches
    )  # fmt: skip
    return Comparison(
        side, side, tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))
    )


def _said(remedy: Remedy) -> str:
    return f"{remedy.action}.{f' Risk: {remedy.risk}.' if remedy.risk else ''}"
