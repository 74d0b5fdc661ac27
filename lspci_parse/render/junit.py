"""A comparison as a JUnit report: every rule is a test case."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from lspci_parse.findings.catalogue import CATALOGUE
from lspci_parse.findings.model import SEVERITIES
from lspci_parse.model.display import said
from lspci_parse.render.escape import name, printable, summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lspci_parse.findings.model import Finding, Severity
    from lspci_parse.findings.report import Comparison


def junit(
    comparison: Comparison, *, fail_on: Severity = "warning", rules: Iterable[str] | None = None
) -> str:
    """Return one test suite with one test case for each rule.

    Args:
        comparison: the report.
        fail_on: the least severity that fails a test case; findings below it are its output.
        rules: names of the rules that were asked, by default the whole catalogue. A rule with a finding is always
            there.
    """
    names = dict.fromkeys(
        [*(CATALOGUE if rules is None else rules), *(item.rule for item in comparison.findings)]
    )
    suite = ET.Element("testsuite", name=printable(f"{comparison.a.source} {comparison.b.source}"))
    properties = ET.SubElement(suite, "properties")
    for side in ("a", "b"):
        ET.SubElement(properties, "property", name=side, value=printable(getattr(comparison, side).source))
    failures = sum(_case(suite, comparison, rule, fail_on) for rule in names)
    ET.SubElement(suite, "system-out").text = summary(comparison)
    counts = {"tests": str(len(names)), "failures": str(failures)}
    for element in (suite, root := ET.Element("testsuites", name="lspci-parse")):
        element.attrib |= {**counts, "errors": "0"}
    suite.set("skipped", "0")
    root.append(suite)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}'


def _case(suite: ET.Element, comparison: Comparison, rule: str, fail_on: Severity) -> bool:
    """Add the test case of a rule and return whether it fails.

    A case has one ``failure``, for many readers look at the first one only.
    """
    case = ET.SubElement(suite, "testcase", classname="lspci-parse", name=printable(rule))
    failing = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    found = [finding for finding in comparison.findings if finding.rule == rule]
    failed = [finding for finding in found if finding.severity in failing]
    rest = [finding for finding in found if finding.severity not in failing]
    if failed:
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        message = printable(failed[0].title) + more
        failure = ET.SubElement(case, "failure", message=message, type=failed[0].severity)
        failure.text = "\n\n".join(_said(comparison, finding) for finding in failed)
    if rest:
        ET.SubElement(case, "system-out").text = "\n\n".join(_said(comparison, finding) for finding in rest)
    return bool(failed)


def _said(comparison: Comparison, finding: Finding) -> str:
    lines = [f"{finding.severity}: {finding.title}"]
    if finding.before is not None or finding.after is not None:
        lines += [f"A: {said(finding.before)}", f"B: {said(finding.after)}"]
    lines += filter(None, (finding.detail, finding.remedy))
    lines += [f"{word} {name(comparison.findings[cause])}" for cause, word in finding.links]
    return "\n".join(map(printable, lines))
