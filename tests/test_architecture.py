"""Data flows one way: a module imports only from rooms above its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.paths import ROOT

PACKAGE = ROOT / "lspci_parse"

ROOMS = [
    ["errors"],
    ["model"],
    ["lspci"],
    ["topology"],
    ["parsing"],
    ["evidence"],
    ["linux"],
    ["comparison"],
    ["findings"],
    ["policies"],
    ["serialization"],
    ["render"],
    ["__init__"],
    ["cli"],
    ["__main__"],
]
"""Rooms from the top of the house down; modules on one floor do not import each other, but may be packages."""

FLOOR = {room: number for number, rooms in enumerate(ROOMS) for room in rooms}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> set[str]:
    """The rooms of this package that a module imports from."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lspci_parse":
            assert node.level == 0
            parts = (node.module or "").split(".")[1:]
            rooms |= (
                {parts[0]}
                if parts
                else {alias.name for alias in node.names if alias.name in FLOOR} or {"__init__"}
            )
        elif isinstance(node, ast.Import):
            rooms |= {
                (*alias.name.split("."), "__init__")[1]
                for alias in node.names
                if alias.name.startswith("lspci_parse")
            }
    return rooms


def test_every_module_has_a_room() -> None:
    assert MODULES
    assert sorted({room(path) for path in MODULES} - FLOOR.keys()) == []
    assert sorted(FLOOR.keys() - {room(path) for path in MODULES}) == []


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(PACKAGE)) for path in MODULES])
def test_imports_go_up(path: Path) -> None:
    own = room(path)
    wrong = [other for other in sorted(imported(path) - {own}) if FLOOR[other] >= FLOOR[own]]
    assert wrong == []


def test_only_the_grammar_knows_lark() -> None:
    """Everything else uses the tables that Lark made."""
    know = {
        str(path.relative_to(PACKAGE))
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lark")
        or (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "lark" for alias in node.names))
    }
    assert know == {"parsing/lark_tables.py"}


def test_only_one_module_imports_tabulate() -> None:
    """Its defaults corrupt PCI ids, so it is called in one place."""
    know = [str(path.relative_to(PACKAGE)) for path in MODULES if "from tabulate" in path.read_text("utf-8")]
    assert know == ["render/text/table.py"]


def test_files_and_functions_stay_small() -> None:
    long = []
    for path in MODULES:
        text = path.read_text("utf-8")
        if text.count("\n") > 400:
            long.append(f"{path.name}: {text.count(chr(10))} lines")
        functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
        long += [
            f"{path.name}: {node.name}" for node in functions if (node.end_lineno or 0) - node.lineno >= 40
        ]
    assert long == []
