from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from lspci_parse import cli
from lspci_parse.cli.reference.completion import Shell, completion
from tests.cli.reference.programs import parser

if TYPE_CHECKING:
    from pathlib import Path

HELP = ["-h", "--help"]
FILES = ["bad host.txt", "good.txt", "sub"]

CASES: dict[str, list[str]] = {
    "": ["show", "diff", "schema", "many"],
    "d": ["diff"],
    "--v": ["--version"],
    "show --fl": ["--flat"],
    "show --slot ": [],
    "show --slot x g": ["good.txt"],
    "show ": FILES,
    "show --json b": ["bad host.txt"],
    "diff good.txt g": ["good.txt"],
    "diff --format ": ["text", "json"],
    "diff --format j": ["json"],
    "diff --policy p": ["p2p"],
    "diff --ignores g": ["good.txt"],
    "diff --format json g": ["good.txt"],
    "schema ": ["dump", "diff"],
    "schema du": ["dump"],
    "many good.txt ": FILES,
}
"""What is typed after the program's name, and what all shells offer for its last word."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two files and a folder."""
    for name in ("good.txt", "bad host.txt"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    return tmp_path


def run(shell: str, script: str, *arguments: str, folder: Path) -> list[str]:
    """Run a shell's script without the user's own start-up files and return what it prints, by lines."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    quiet = {"bash": ["--norc"], "fish": ["--no-config"], "zsh": ["-f"]}[shell]
    done = subprocess.run(
        [program, *quiet, "-c", script, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout.splitlines()


BASH = """
source <(printf '%s' "$0")
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_my_tool
((${#COMPREPLY[@]})) && printf '%s\\n' "${COMPREPLY[@]}"
true
"""


def bash(words: list[str], folder: Path) -> list[str]:
    """Return what bash offers for the last of ``words``, which readline has split."""
    return run("bash", BASH, completion(parser(), "bash"), "my-tool", *words, folder=folder)


@pytest.mark.parametrize("typed", CASES)
def test_bash(typed: str, folder: Path) -> None:
    assert sorted(bash(typed.split(" "), folder)) == sorted(CASES[typed])


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["diff", "--format", "=", "j"], ["json"]),
        (["diff", "--format", "="], ["text", "json"]),
        (["show", "--slot", "00", ":", "1c.5", "g"], ["good.txt"]),
        (["show", "--slot", "00", ":", "1"], []),
        (["schema", "dump", "d"], []),
        (["many", "a", "b", "g"], ["good.txt"]),
        (["show", "-"], [*HELP, "--json", "--flat", "-s", "--slot", "--only"]),
    ],
)
def test_bash_with_readlines_own_words(words: list[str], offered: list[str], folder: Path) -> None:
    assert bash(words, folder) == offered


@pytest.mark.parametrize("typed", CASES)
def test_fish(typed: str, folder: Path) -> None:
    script = f"source (printf '%s' $argv[1] | psub); complete -C 'my-tool {typed}'"
    lines = run("fish", script, completion(parser(), "fish"), folder=folder)
    assert sorted(line.split("\t")[0].rstrip("/") for line in lines) == sorted(CASES[typed])


def test_fish_describes_what_it_offers(folder: Path) -> None:
    script = "source (printf '%s' $argv[1] | psub); complete -C 'my-tool show --f'; complete -C 'my-tool s'"
    lines = run("fish", script, completion(parser(), "fish"), folder=folder)
    assert lines[0] == "--flat\tit's flat: 100%"
    assert "show\tprint: a [tree]" in lines


ZSH = """
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell 'PROMPT=; stty cols 200; autoload -Uz compinit; compinit -u -D; bindkey "^I" list-choices'
zpty -w shell 'source ./_script; print RE""ADY'
zpty -r shell output '*READY*'
zpty -w -n shell "my-tool $1"$'\\t'
zpty -r shell output "*$2*"  # zsh shows no list when more keys are waiting
zpty -w -n shell $'\\C-uprint EN""D\\n'
zpty -r shell rest '*END*'
print -r -- "$output$rest"
"""


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", ["show", "diff", "schema", "many", "print: a [tree]"]),
        ("show --", ["--json", "--flat", "--slot", "--only", "it's flat: 100%"]),
        ("diff --format ", ["text", "json"]),
        ("schema ", ["dump", "diff"]),
        ("show ", ["bad\\ host.txt", "good.txt", "sub"]),
    ],
)
def test_zsh(typed: str, offered: list[str], folder: Path) -> None:
    (folder / "_script").write_text(completion(parser(), "zsh"), "utf-8")
    shown = "\n".join(run("zsh", ZSH, "zsh", typed, offered[0], folder=folder))
    assert [words for words in offered if words not in shown] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_real_commands_make_a_script_that_the_shell_reads(shell: Shell, tmp_path: Path) -> None:
    script = completion(cli.parser(), shell)
    for command in ("show", "diff", "groups", "check", "render", "schema"):
        assert command in script
    path = tmp_path / "script"
    path.write_text(script, "utf-8")
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([program, "-n", str(path)], check=True, timeout=60)
