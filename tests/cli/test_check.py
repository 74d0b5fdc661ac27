"""``check``: its exit codes, and what people read, whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lspci_parse.cli import main
from tests.paths import CORPUS

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

CASES = [
    ("incident/good", "vfio", 0, "passed"),
    ("incident/bad", "vfio", 1, "failed"),
    ("hosts/plain.txt", "vfio", 3, "not known"),
    ("hosts/plain.txt", "p2p", 3, "not known"),
    ("hosts/v-user.txt", "p2p", 3, "not known"),
]


@pytest.mark.parametrize(("host", "policy", "code", "verdict"), CASES)
def test_the_exit_code_is_the_verdict(
    host: str,
    policy: str,
    code: int,
    verdict: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    snapshot: SnapshotAssertion,
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    path = str(CORPUS / host)
    assert main(["check", path, "--policy", policy]) == code
    assert capsys.readouterr().out == snapshot
    assert main(["check", path, "--policy", policy, "--json"]) == code
    assert json.loads(capsys.readouterr().out)["verdict"] == verdict
