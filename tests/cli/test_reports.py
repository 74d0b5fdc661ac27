"""Formats, several hosts, files and exit codes of the commands that write reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lspci_parse.cli import main
from tests.paths import CORPUS

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

GOOD, BAD = (str(CORPUS / "incident" / name) for name in ("good", "bad"))
PLAIN = str(CORPUS / "hosts" / "plain.txt")


@pytest.mark.parametrize(
    ("argv", "code", "start"),
    [
        (
            ["diff", GOOD, BAD],
            2,
            "LSPCI CRITICAL - 7 critical, 2 warning: 00:1c.5 (Root Port) has lost its ACS capability | critical=7",
        ),
        (["diff", GOOD, GOOD], 0, "LSPCI OK - no findings | critical=0 warning=0 info=0"),
        (["diagnose", GOOD], 0, "LSPCI OK - no findings"),
        (["diagnose", GOOD, BAD], 2, "LSPCI OK - no findings"),
        (["check", GOOD], 0, "LSPCI OK - 3 info"),
        (["check", "--policy", "p2p", PLAIN], 1, "LSPCI WARNING - 1 warning: not known: whether traffic of"),
        (["diff", GOOD, "/nowhere"], 3, "LSPCI UNKNOWN - /nowhere: "),
    ],
)
def test_a_monitoring_plugin(
    argv: list[str], code: int, start: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*argv, "--format", "nagios"]) == code
    assert capsys.readouterr().out.startswith(start)


def test_metrics(tmp_path: Path, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion) -> None:
    file = tmp_path / "lspci.prom"
    assert main(["diff", GOOD, BAD, "--textfile", str(file)]) == 1
    capsys.readouterr()
    assert file.read_text().replace(BAD, "bad") == snapshot
    assert [path.name for path in tmp_path.iterdir()] == ["lspci.prom"]


def test_metrics_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", GOOD, GOOD, "--textfile", "/nowhere/x.prom"]) == 2
    assert "cannot write the metrics: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "diagnose"])
@pytest.mark.parametrize("form", ["markdown", "sarif", "junit", "github"])
def test_policies_and_single_hosts_are_written_like_comparisons(
    command: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, BAD, "--format", form]) == 1
    out = capsys.readouterr().out
    assert ("there are no IOMMU groups" if command == "check" else "could not get its domain") in out
    if form == "sarif":
        assert len(json.loads(out)["runs"]) == 1


def test_several_hosts_and_the_worst_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", GOOD, BAD, "--json"]) == 1
    first, second = json.loads(capsys.readouterr().out)
    assert (first["findings"], bool(second["findings"])) == ([], True)
    assert main(["check", GOOD, PLAIN, "--json"]) == 3
    assert [item["verdict"] for item in json.loads(capsys.readouterr().out)] == ["passed", "not known"]
    assert main(["check", GOOD, PLAIN, BAD]) == 1


@pytest.mark.parametrize(("level", "code"), [("critical", 0), ("warning", 0), ("info", 1)])
def test_the_least_severity_that_fails(level: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", GOOD, "--fail-on", level]) == code
    capsys.readouterr()


def test_selection(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", GOOD, BAD, "-s", "04:", "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {finding["b"] for finding in findings} == {None}
    assert main(["show", GOOD, "-d", "::0200"]) == 0
    assert capsys.readouterr().out.count("Ethernet controller: ") == 2
    assert main(["groups", GOOD, "-s", "31:", "--json"]) == 0
    assert [group["devices"] for group in json.loads(capsys.readouterr().out)["groups"]] == [
        ["0000:31:00.0", "0000:31:00.1"]
    ]
    assert main(["check", GOOD, "-s", "02:00.0", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["breaches"]) == 1


def test_groups_that_differ_have_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (CORPUS / "incident" / "good" / "lspci.txt").read_text()
    other = tmp_path / "other.txt"
    other.write_text(text.replace("IOMMU group: 18\n", "IOMMU group: 17\n"))
    assert main(["groups", str(other), "--exit-code"]) == 1
    assert main(["groups", GOOD, "--exit-code"]) == 0
    assert main(["groups", str(other)]) == 0
    capsys.readouterr()
