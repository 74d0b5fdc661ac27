"""``groups``: what people read, whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from lspci_parse.cli import main
from lspci_parse.serialization.schemas import schema
from tests.paths import CORPUS

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

GOOD = str(CORPUS / "incident" / "good")
CONDITIONS = [
    ["--set", "00:1c.5/acs=off"],
    ["--without", "31:00.0"],
    ["--override", "downstream,multifunction"],
    ["--kernel", "6.12"],
]


@pytest.mark.parametrize(
    "options", [[], *CONDITIONS], ids=lambda options: options[0][2:] if options else "today"
)
def test_text(options: list[str], capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion) -> None:
    assert main(["groups", GOOD, *options]) == 0
    out, err = capsys.readouterr()
    assert out == snapshot
    assert err == ""


@pytest.mark.parametrize("options", [[], *CONDITIONS])
def test_json(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["groups", GOOD, "--json", *options]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(Draft202012Validator(schema("groups")).iter_errors(document)) == []
    assert (document["what_if"] is not None) is bool(options)


def test_a_host_without_groups(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    (tmp_path / "lspci.txt").write_bytes((CORPUS / "hosts" / "amd.txt").read_bytes())
    (tmp_path / "cmdline").write_text("quiet amd_iommu=off\n")
    text = (tmp_path / "lspci.txt").read_text()
    (tmp_path / "lspci.txt").write_text(
        "\n".join(line for line in text.split("\n") if "IOMMU group" not in line)
    )
    assert main(["groups", str(tmp_path)]) == 0
    assert capsys.readouterr().out == snapshot


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "00:1c.5"], "--set '00:1c.5'; expected such as 00:1c.5/acs=on or 00:1c.5/acs=off"),
        (["--without", "05:00.0"], "the dump has no device 0000:05:00.0"),
        (["--override", ""], "unknown override ''; expected downstream, multifunction or id:8086:1234"),
        (["--kernel", "new"], "not a kernel release: 'new' (expected such as '6.1.0-56-amd64')"),
    ],
)
def test_trouble(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["groups", GOOD, *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
