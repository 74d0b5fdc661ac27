"""What the README says is true."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

from lspci_parse.cli import main, parser
from tests.paths import ROOT

README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / ".github" / "CONTRIBUTING.md").read_text("utf-8")


def test_first_screen_shows_a_diff_and_its_output(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = re.search(r"```console\n\$ lspci-parse (.*?)\n```\n\n```text\n(.*?)```", README, re.DOTALL)
    assert found is not None
    assert README[: found.start()].count("\n") < 15
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "80")
    assert main(shlex.split(found[1])) == 1
    assert capsys.readouterr().out == found[2]


def test_the_main_command_sets_everything_up_and_runs_the_job() -> None:
    (command,) = [
        line
        for line in README.splitlines()
        if line.startswith("python3 -m venv") and "lspci-parse diff" in line
    ]
    assert re.fullmatch(
        r"python3 -m venv \.venv && \.venv/bin/pip install (-q )?\. && \.venv/bin/lspci-parse diff \S+ \S+",
        command,
    )
    for name in command.split()[-2:]:
        assert (ROOT / name).exists()


def test_the_test_command_is_the_one_that_ci_runs() -> None:
    commands = [line for line in README.splitlines() if "bin/pytest" in line]
    assert len(commands) == 1
    assert commands[0].endswith("&& .venv/bin/pytest -n 2")
    assert "bin/pytest' README.md" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_library_example_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, cwd=ROOT, text=True
    )
    assert result.stderr == ""
    assert result.stdout.startswith("True 0x148\n")


def test_every_command_is_named() -> None:
    (commands,) = [action for action in parser()._actions if hasattr(action, "choices") and action.choices]  # noqa: SLF001
    assert commands.choices
    table = README[README.index("## Use") : README.index("## Library")]
    assert [name for name in commands.choices if name not in table] == []


@pytest.mark.parametrize(
    "name",
    sorted(re.findall(r"`((?:lspci_parse/|grammar/|corpus/|tests/|\.ci/|\.github/)[\w./]*)`", CONTRIBUTING)),
)
def test_files_that_the_guide_names_exist(name: str) -> None:
    assert (ROOT / name).exists()


def test_rooms_that_the_guide_names_exist() -> None:
    rooms = re.findall(
        r"`(\w+(?:\.py|/))`",
        CONTRIBUTING[CONTRIBUTING.index("## Where") : CONTRIBUTING.index("## Add a line")],
    )
    assert rooms
    assert [
        room for room in rooms if not (ROOT / "lspci_parse" / room).exists() and not (ROOT / room).exists()
    ] == []
