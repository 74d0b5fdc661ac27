from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from lspci_parse.findings.report import Side
from lspci_parse.render.escape import printable
from lspci_parse.render.github import github
from tests.render.reports import ANYTHING, comparison, finding, incident, nasty

if TYPE_CHECKING:
    from lspci_parse.findings.model import Severity

COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")
UNESCAPE = [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")]


def read(line: str) -> tuple[str, dict[str, str], str]:
    """Read a workflow command as the runner does."""
    match = COMMAND.fullmatch(line)
    assert match is not None
    properties = dict(part.split("=", 1) for part in match[2].split(","))
    return match[1], {name: unescaped(value) for name, value in properties.items()}, unescaped(match[3])


def unescaped(text: str) -> str:
    for code, char in UNESCAPE:
        text = text.replace(code, char)
    return text


def test_one_line_for_each_finding_and_a_summary() -> None:
    lines = github(incident()).split("\n")
    assert lines[0] == (
        "::error title=acs-lost 00%3A1c.5,file=bad.txt::00:1c.5 (Root Port) has lost its ACS capability%0A"
        "Nothing keeps devices apart.%0ACompare BIOS versions."
    )
    assert lines[1] == (
        "::warning title=groups-merged 00%3A1c.5,file=bad.txt::2 IOMMU groups are one on B%0A"
        "They share a domain.%0Abecause of acs-lost 00:1c.5"
    )
    assert read(lines[2])[1]["file"] == "good.txt"
    assert lines[3:] == ["2 critical, 1 warning."]


@pytest.mark.parametrize(
    ("severity", "level"), [("critical", "error"), ("warning", "warning"), ("info", "notice")]
)
def test_levels(severity: Severity, level: str) -> None:
    assert github(comparison(finding(severity=severity))).startswith(f"::{level} ")


def test_standard_input_is_no_file() -> None:
    assert "file=" not in github(comparison(finding(), b=Side("-", 1)))


def test_a_finding_about_the_hosts_stands_in_b() -> None:
    level, properties, _ = read(github(comparison(finding("bios-changed", a=None, b=None))).split("\n")[0])
    assert (level, properties) == ("error", {"title": "bios-changed", "file": "bad.txt"})


def test_the_worst_text_stays_in_its_place() -> None:
    annotation, last = github(nasty()).split("\n")
    _, properties, message = read(annotation)
    assert properties.keys() == {"title", "file"}
    assert message.count("::error::") == 3
    assert not last.startswith("::")


@given(ANYTHING)
def test_any_text_comes_through_the_runner(text: str) -> None:
    line, _ = github(comparison(finding(title=text, detail="", remedy=""), b=Side(f"{text}.txt", 1))).split(
        "\n"
    )
    _, properties, message = read(line)
    assert properties["file"] == printable(f"{text}.txt")
    assert message == printable(text)
