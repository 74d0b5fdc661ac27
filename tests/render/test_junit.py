from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from hypothesis import given

from lspci_parse.findings.catalogue import CATALOGUE
from lspci_parse.render.junit import junit
from tests.render.reports import ANYTHING, comparison, finding, incident, nasty

if TYPE_CHECKING:
    from lspci_parse.findings.model import Severity
    from lspci_parse.findings.report import Comparison


def suite(report: Comparison, fail_on: Severity = "warning", rules: list[str] | None = None) -> ET.Element:
    """Write a report and read it again, past the encoding that a file would have."""
    root = ET.fromstring(junit(report, fail_on=fail_on, rules=rules).encode("utf-8"))  # noqa: S314 - our own
    (only,) = root
    assert {key: root.get(key) for key in ("tests", "failures")} == {
        key: only.get(key) for key in ("tests", "failures")
    }
    return only


def case(of: ET.Element, rule: str) -> ET.Element:
    (found,) = of.findall(f"testcase[@name='{rule}']")
    return found


def test_every_rule_is_a_case_and_passes_without_findings() -> None:
    found = suite(comparison())
    assert [item.get("name") for item in found.findall("testcase")] == list(CATALOGUE)
    assert found.get("tests") == str(len(CATALOGUE))
    assert found.get("failures") == "0"
    assert found.findall("testcase/*") == []
    assert found.findtext("system-out") == "No findings."


def test_findings_fail_their_rule() -> None:
    found = suite(incident())
    assert found.get("failures") == "3"
    (failure,) = case(found, "groups-merged")
    assert (failure.tag, failure.get("type")) == ("failure", "warning")
    assert failure.get("message") == "2 IOMMU groups are one on B"
    assert failure.text == (
        "warning: 2 IOMMU groups are one on B\nA: 00:1c.0 | 00:1c.5\nB: 00:1c.0, 00:1c.5\nThey share a domain.\n"
        "because of acs-lost 00:1c.5"
    )
    assert len(case(found, "acs-off")) == 0


def test_findings_below_the_threshold_are_output() -> None:
    report = comparison(
        finding(severity="info"), finding(title="second"), finding("acs-off", severity="warning")
    )
    found = suite(report, fail_on="critical")
    assert found.get("failures") == "1"
    failure, output = case(found, "acs-lost")
    assert failure.get("message") == "second"
    assert (output.tag, (output.text or "")[:5]) == ("system-out", "info:")
    (output,) = case(found, "acs-off")
    assert output.tag == "system-out"
    assert suite(report, fail_on="info").get("failures") == "2"


def test_several_findings_of_a_rule_are_one_failure() -> None:
    (failure,) = case(
        suite(comparison(finding(), finding(title="second"), finding(title="third"))), "acs-lost"
    )
    assert failure.get("message") == "00:1c.5 (Root Port) has lost its ACS capability (and 2 more)"
    assert (failure.text or "").count("critical: ") == 3


def test_only_rules_that_were_asked_are_cases() -> None:
    found = suite(comparison(finding("their-rule")), rules=["acs-lost"])
    assert [item.get("name") for item in found.findall("testcase")] == ["acs-lost", "their-rule"]


def test_hosts_and_what_was_hidden_are_told() -> None:
    found = suite(comparison(hidden={"--only": 2}))
    assert [item.get("value") for item in found.findall("properties/property")] == ["good.txt", "bad.txt"]
    assert found.findtext("system-out") == "No findings; 2 hidden by --only."


def test_the_worst_text_comes_through() -> None:
    (failure,) = suite(nasty(), rules=[]).findall("testcase/failure")
    assert "<script>&amp; *x*" in (failure.get("message") or "")
    assert r"{0} ]]> % ::error:: \ \x1b[31m\r\n\t\xff\ud800 \u202e" in (failure.text or "")


@given(ANYTHING)
def test_any_text_is_well_formed(text: str) -> None:
    suite(comparison(finding(text, title=text, detail=text, before=text), hidden={text: 1}), rules=[])
