"""Made-up comparisons for the tests of the writers."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from lspci_parse.findings.model import Finding
from lspci_parse.findings.report import Comparison, Side
from lspci_parse.model.address import Address

PORT = Address.parse("00:1c.5")
CARD = Address.parse("0000:02:00.0")
ACS = "[148 v1] Access Control Services"

NASTY = (
    "a|b `c` <script>&amp; *x* _y_ [l](u) #6 @me :cd: {0} ]]> % ::error:: \\"
    " \x1b[31m\r\n\t\udcff\ud800 \u202e \ufffe"
)
"""What free text of a machine may hold: markup of every format, controls, bytes that are not UTF-8."""

ANYTHING = st.text(
    st.sampled_from("|`\\<*[]{}:%,@#\n\x1b\udcff") | st.characters(codec=None, exclude_categories=[])
)
"""Text of any characters, lone surrogates too; those that some format takes for markup are frequent."""


def finding(rule: str = "acs-lost", **parts: Any) -> Finding:
    """Return a finding about the port, other than the usual one in ``parts``."""
    usual: dict[str, Any] = {
        "severity": "critical",
        "a": PORT,
        "b": PORT,
        "path": "acs",
        "before": ACS,
        "after": None,
        "title": "00:1c.5 (Root Port) has lost its ACS capability",
        "detail": "Nothing keeps devices apart.",
        "remedy": "Compare BIOS versions.",
    }
    return Finding(rule, **{**usual, **parts})


def comparison(*findings: Finding, **parts: Any) -> Comparison:
    """Return the comparison of good.txt with bad.txt that found ``findings``."""
    return Comparison(**{"a": Side("good.txt", 15), "b": Side("bad.txt", 14), "findings": findings, **parts})


def incident() -> Comparison:
    """Return a lost ACS capability that merged groups, and a device that only A has."""
    return comparison(
        finding(leads_to=(1,)),
        finding(
            "groups-merged",
            severity="warning",
            path="iommu_group",
            before=("00:1c.0", "00:1c.5"),
            after=("00:1c.0, 00:1c.5",),
            title="2 IOMMU groups are one on B",
            detail="They share a domain.",
            remedy="",
            because=(0,),
            devices=(PORT, CARD),
        ),
        finding(
            "device-missing",
            a=CARD,
            b=None,
            path="",
            before="Example NIC",
            title="02:00.0 is not on B: Example NIC",
        ),
    )


def nasty() -> Comparison:
    """Return a comparison whose every text is ``NASTY``."""
    bad = finding(
        NASTY, path=NASTY, before=NASTY, after={NASTY: (NASTY,)}, title=NASTY, detail=NASTY, remedy=NASTY
    )
    return comparison(bad, a=Side(NASTY, 1), b=Side(NASTY, 1), hidden={NASTY: 2})
