"""What is built from this tree is complete."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from lspci_parse.cli import main
from tests.paths import CORPUS, ROOT


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the wheel and the source distribution."""
    build = pytest.importorskip("hatchling.build")
    monkeypatch.chdir(ROOT)
    build.build_wheel(str(tmp_path))
    build.build_sdist(str(tmp_path))
    return tmp_path


def test_wheel_holds_grammar_tables_data_and_typing_marker(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    grammar = {f"lspci_parse/grammar/{path.name}" for path in (ROOT / "grammar").glob("*.lark")}
    data = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "lspci_parse").rglob("*.*")
        if path.suffix in (".tsv", ".json", ".md", ".html", ".css", ".js")
    }
    assert grammar
    assert data
    assert grammar | data | {"lspci_parse/py.typed"} <= names
    top = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert {name for name in top if not name.endswith(".data")} == {"lspci_parse"}
    shared = {name.partition(".data/data/")[2] for name in names if ".data/data/" in name}
    assert shared == {
        "share/man/man1/lspci-parse.1",
        "share/bash-completion/completions/lspci-parse",
        "share/zsh/site-functions/_lspci-parse",
        "share/fish/vendor_completions.d/lspci-parse.fish",
    }


def test_source_distribution_holds_what_the_wheel_needs(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "grammar").glob("*.lark")} <= names
    assert {"LICENSE", "README.md", "pyproject.toml", "lspci_parse/parsing/tables.json"} <= names


GOOD, BAD = (str(CORPUS / "incident" / side) for side in ("good", "bad"))
COMMANDS = {
    "show": ["show", GOOD],
    "diff": ["diff", GOOD, BAD],
    "groups": ["groups", BAD],
    "check": ["check", BAD],
    "diagnose": ["diagnose", BAD],
    "collect": ["collect"],
    "schema": ["schema", "dump"],
    "man": ["man"],
    "completion": ["completion", "bash"],
    "version": ["--version"],
}


FROM_ARCHIVE = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import lspci_parse
assert ".pyz" in lspci_parse.__file__
from lspci_parse.cli import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as one file; what it depends on is that of this Python."""
    folder = tmp_path_factory.mktemp("zipapp")
    with zipfile.ZipFile(folder / "lspci-parse.pyz", "w") as file:
        for path in sorted((ROOT / "lspci_parse").rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                file.write(path, path.relative_to(ROOT))
        file.writestr("__main__.py", "from lspci_parse.cli import main\nraise SystemExit(main())\n")
    # A grammar that is not ours beside the package must never be compiled.
    (folder / "grammar").mkdir()
    (folder / "grammar" / "00-foreign.lark").write_text("this is no grammar")
    (folder / "grammar" / "log.lark").write_text("this is no grammar")
    return folder / "lspci-parse.pyz"


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_commands_run_from_one_file(name: str, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FROM_ARCHIVE, str(archive), *COMMANDS[name]],
        capture_output=True, text=True, check=False, cwd=archive.parent,
    )  # fmt: skip
    try:
        code = main(COMMANDS[name])
    except SystemExit as end:
        code = int(end.code or 0)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout == capsys.readouterr().out


def test_the_command_runs_in_a_thread(capsys: pytest.CaptureFixture[str]) -> None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(main(["groups", GOOD])))
    thread.start()
    thread.join()
    assert codes == [0]
    assert capsys.readouterr().err == ""
