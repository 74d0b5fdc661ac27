"""What is built from this tree is complete."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.paths import ROOT


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
        if path.suffix in (".tsv", ".json")
    }
    assert grammar
    assert data
    assert grammar | data | {"lspci_parse/py.typed"} <= names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"lspci_parse"}


def test_source_distribution_holds_what_the_wheel_needs(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "grammar").glob("*.lark")} <= names
    assert {"LICENSE", "README.md", "pyproject.toml", "lspci_parse/parsing/tables.json"} <= names
