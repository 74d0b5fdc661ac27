"""Whatever goes wrong is told in one printable line, with exit code 2."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lspci_parse.cli import main, show
from tests.paths import CORPUS, ROOT

GOOD, BAD = CORPUS / "incident" / "good" / "lspci.txt", CORPUS / "incident" / "bad" / "lspci.txt"
NOT_PRINTABLE = "\x1b]8;;x\x07\x85\u2028\u202e"


def shell(command: str) -> tuple[int, str]:
    """Run a shell's command line in which LSPCI stands for the program; return its exit code and what it complains."""
    text = command.replace("LSPCI", f"{sys.executable} -m lspci_parse")
    done = subprocess.run(["sh", "-c", text], capture_output=True, check=False, cwd=ROOT)  # noqa: S607
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize(
    "command",
    [
        f"LSPCI show {GOOD} >/dev/full",
        f"LSPCI show --json {GOOD} >/dev/full",
        f"LSPCI diff {GOOD} {BAD} >/dev/full",
        "LSPCI rules >/dev/full",
        "LSPCI --help >/dev/full",
        "LSPCI --version >/dev/full",
        f"LSPCI show {GOOD} >&-",
        f"LSPCI diff --json {GOOD} {BAD} >&-",
        "LSPCI show - <&-",
        f"LSPCI diff - {GOOD} <&-",
        "LSPCI render - <&-",
        f"LSPCI show {'x' * 300}",
        f"LSPCI show {'x/' * 3000}",
        f"LSPCI check {GOOD} --policy {'x' * 300}",
        f"LSPCI diff {GOOD} {BAD} --ignore-file {'x' * 300}",
        f"LSPCI render {'x' * 300}",
    ],
)
def test_streams_and_paths_that_cannot_be_used(command: str) -> None:
    code, complaint = shell(command)
    assert (code, complaint.count("\n")) == (2, 1), complaint
    assert complaint.startswith("lspci-parse: ")
    assert "mistake of lspci-parse" not in complaint


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full"])
def test_without_a_standard_error_nothing_goes_elsewhere(closed: str) -> None:
    done = subprocess.run(["sh", "-c", f"{sys.executable} -m lspci_parse show missing.txt {closed}"],  # noqa: S607
                          capture_output=True, check=False, cwd=ROOT)  # fmt: skip
    assert (done.returncode, done.stdout) == (2, b"")


def refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("x\n\x1b[31m"), AssertionError()])
def test_what_nobody_foresaw(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(show, "load", broken)
    complaint = refused(["show", str(GOOD)], capsys)
    assert f"unexpected {type(error).__name__}" in complaint
    assert "please report it" in complaint
    assert complaint[:-1].isprintable()


def test_broken_pipe_in_a_thread_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(show, "load", broken)
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(main(["show", str(GOOD)])))
    thread.start()
    thread.join()
    assert (codes, capsys.readouterr().err) == ([2], "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter any folder")
def test_folder_that_may_not_be_entered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shut").mkdir(mode=0)
    for path in (tmp_path / "shut", tmp_path / "shut" / "lspci.txt"):
        assert str(path) in refused(["show", str(path)], capsys)


@pytest.mark.parametrize(
    "until", ["2030-12-31T00:00:00", "2030-12-31T00:00:00Z", "12:00:00", "3", "true", '"soon"']
)
def test_until_is_a_date(until: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ignores.toml"
    path.write_text(f'[[ignore]]\npattern = "x"\nreason = "y"\nuntil = {until}\n')
    assert "until" in refused(["diff", str(GOOD), str(BAD), "--ignore-file", str(path)], capsys)


@pytest.mark.parametrize("text", ["x = " + "[" * 5000, "[[ignore]]\nx = " + "[" * 400, "[" * 5000])
@pytest.mark.parametrize("option", ["--ignore-file", "--policy"])
def test_deep_toml(text: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "deep.toml"
    path.write_text(text)
    call = ["check", str(GOOD)] if option == "--policy" else ["diff", str(GOOD), str(BAD)]
    assert main([*call, option, str(path)]) == 2
    assert "mistake" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        ["show", f"missing{NOT_PRINTABLE}"],
        ["diff", f"{NOT_PRINTABLE}", str(GOOD)],
        ["check", str(GOOD), "--policy", f"{NOT_PRINTABLE}.toml"],
        ["diff", str(GOOD), str(BAD), "--ignore-file", NOT_PRINTABLE],
        ["diff", str(GOOD), str(BAD), "--only", NOT_PRINTABLE],
        ["show", str(GOOD), "-s", NOT_PRINTABLE],
        ["groups", str(GOOD), "--kernel", NOT_PRINTABLE],
        ["render", NOT_PRINTABLE],
    ],
)
def test_messages_are_printable(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(argv, capsys)[:-1].isprintable()


@pytest.mark.parametrize(
    "argv",
    [
        [NOT_PRINTABLE],
        ["show", "x", NOT_PRINTABLE],
        ["show", f"--{NOT_PRINTABLE}"],
        ["diff", "--format", NOT_PRINTABLE],
    ],
)
def test_wrong_calls_are_told_printably(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2
    assert capsys.readouterr().err[:-1].isprintable()


def test_an_errors_line_keeps_its_caret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("a\x85b = [[ x\n")
    assert main(["check", str(GOOD), "--policy", str(path)]) == 2
    first, line, caret = capsys.readouterr().err.splitlines()
    assert line == r"  a\x85b = [[ x"
    assert caret.strip() == "^"
    assert first.isprintable()
