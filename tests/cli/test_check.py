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


def test_a_pair(
    capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    server = str(CORPUS / "hosts" / "server.txt")
    assert main(["check", server, "--policy", "p2p", "--pair", "03:00.0", "04:00.0"]) == 1
    assert capsys.readouterr().out == snapshot


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["dif"], "did you mean diff?"),
        (["check", "x", "--color", "alway"], "did you mean always?"),
        (["zzz"], "(see 'lspci-parse --help')"),
    ],
)
def test_wrong_words_are_met_with_a_guess(
    argv: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_no_arguments_print_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("usage: lspci-parse")
