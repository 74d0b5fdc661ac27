"""Data flows one way: a module imports only from rooms above its own."""

from __future__ import annotations

import ast

import pytest

from tests import house
from tests.house import MODULES, PACKAGE, ROOMS


def test_every_module_has_a_room() -> None:
    assert sorted({house.room(module) for module in MODULES} ^ set(ROOMS)) == []


def test_imports_go_up() -> None:
    """Those for the type checker alone included."""
    assert house.climbs() == []


def test_no_modules_import_each_other() -> None:
    assert house.circle() == []


def test_no_module_is_private() -> None:
    """A room is what others may enter; what a module keeps to itself begins with an underscore."""
    assert [m for m in MODULES if m.rpartition(".")[2].startswith("_") and m != "lspci_parse.__main__"] == []


@pytest.mark.parametrize("room", [room for room in ROOMS if (PACKAGE / room).is_dir()])
def test_a_room_has_a_sign(room: str) -> None:
    """Its ``__init__`` says in words what it is for, and imports nothing: start-up stays lazy."""
    sign = house.tree(f"lspci_parse.{room}")
    assert ast.get_docstring(sign)
    if room != "cli":  # where the program begins
        assert house.imports(f"lspci_parse.{room}") == frozenset()


@pytest.mark.parametrize("room", [room for room in ROOMS if (PACKAGE / room).is_dir()])
def test_no_room_bears_the_name_of_an_exported_function(room: str) -> None:
    """A submodule of that name would overwrite it."""
    assert room not in {"check", "diff", "groups", "load", "parse", "rule"}


def test_only_the_grammar_knows_lark() -> None:
    """Everything else uses the tables that Lark made."""
    know = {
        str(path.relative_to(PACKAGE))
        for path in MODULES.values()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lark")
        or (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "lark" for alias in node.names))
    }
    assert know == {"parsing/lark_tables.py"}


def test_only_one_module_imports_tabulate() -> None:
    """Its defaults corrupt PCI ids, so it is called in one place."""
    know = [
        str(path.relative_to(PACKAGE))
        for path in MODULES.values()
        if "from tabulate" in path.read_text("utf-8")
    ]
    assert know == ["render/text/table.py"]


def test_files_and_functions_stay_small() -> None:
    long = []
    for name, path in MODULES.items():
        if name.startswith("lspci_parse.model.documents."):
            continue  # generated
        text = path.read_text("utf-8")
        if text.count("\n") > 400:
            long.append(f"{path.name}: {text.count(chr(10))} lines")
        functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
        long += [
            f"{path.name}: {node.name}" for node in functions if (node.end_lineno or 0) - node.lineno >= 40
        ]
    assert long == []
