"""The package as rooms and arrows, read from its source: ``python -m tests.house`` prints it."""

from __future__ import annotations

import ast
import graphlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from tests.paths import ROOT

PACKAGE = ROOT / "lspci_parse"

ROOMS = (
    "errors",
    "model",
    "lspci",
    "topology",
    "parsing",
    "evidence",
    "linux",
    "comparison",
    "findings",
    "policies",
    "serialization",
    "render",
    "__init__",
    "cli",
    "__main__",
)
"""From the top of the house down: a module imports only from rooms above its own."""


def name(path: Path) -> str:
    """Return the dotted name of a module of the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


MODULES: Mapping[str, Path] = {name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def tree(module: str) -> ast.Module:
    """Return the parsed source of a module."""
    return ast.parse(MODULES[module].read_text("utf-8"))


def room(module: str) -> str:
    """Return the room that a module lies in; the public face and ``__main__`` are rooms of their own."""
    return (*module.split("."), "__init__")[1]


def calls(module: str, function: str) -> Iterator[ast.Call]:
    """Yield the calls of a function of that name, as ``function(...)`` or ``x.function(...)``."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Call) and function in {
            getattr(node.func, "id", None),
            getattr(node.func, "attr", None),
        }:
            yield node


@cache
def imports(module: str) -> frozenset[str]:
    """Return the modules of the package that a module imports, for the type checker alone included."""
    found = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE.name:
            assert node.level == 0
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in MODULES else str(node.module))
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in MODULES}
    return frozenset(found - {module})


def definitions(module: str) -> Iterator[str]:
    """Yield the names that a module defines at its top."""
    for node in tree(module).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def arrows() -> dict[str, set[str]]:
    """Return, for each room, the rooms that it imports from."""
    found: dict[str, set[str]] = {one: set() for one in ROOMS}
    for module in MODULES:
        found[room(module)] |= {room(other) for other in imports(module)} - {room(module)}
    return found


def climbs() -> list[str]:
    """Return the imports against the order of the rooms."""
    return [
        f"{module} imports {other}"
        for module in MODULES
        for other in sorted(imports(module))
        if room(other) != room(module) and ROOMS.index(room(other)) > ROOMS.index(room(module))
    ]


def circle() -> list[str]:
    """Return a circle of modules that import each other, the empty list if there is none."""
    face = {PACKAGE.name}  # it imports lazily what it offers
    graph = {module: imports(module) - face for module in MODULES}
    try:
        tuple(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def defined_twice() -> dict[str, list[str]]:
    """Return the names that several modules define, with the modules."""
    homes: dict[str, list[str]] = defaultdict(list)
    for module in MODULES:
        for defined in set(definitions(module)) - {"__all__"}:
            homes[defined].append(module)
    return {defined: where for defined, where in sorted(homes.items()) if len(where) > 1}


def without_test() -> list[str]:
    """Return the modules of more than 60 lines that have no test file of their name in the room of their name."""
    missing = []
    for module, path in MODULES.items():
        where = path.relative_to(PACKAGE).with_suffix("")
        own = where.name if where.name != "__init__" else (where.parent.name or "api")
        test = ROOT / "tests" / where.parent / f"test_{own}.py"
        if len(path.read_text("utf-8").splitlines()) > 60 and not test.exists():
            missing.append(module)
    return missing


def lines_of(module: str) -> int:
    """Return how many lines a module has."""
    return len(MODULES[module].read_text("utf-8").splitlines())


def main() -> None:
    """Print rooms with their sizes and arrows, then what is crooked."""
    for one, others in arrows().items():
        inside = [module for module in MODULES if room(module) == one]
        size, count = sum(map(lines_of, inside)), sum(len(list(definitions(module))) for module in inside)
        print(
            f"{one:14} {len(inside):3} modules {size:6} lines {count:4} definitions  <- {' '.join(sorted(others))}"
        )
    print(f"{sum(map(len, arrows().values()))} arrows between rooms")
    twice = defined_twice()
    for title, found in (
        ("against the order", climbs()),
        ("circle", circle()),
        ("public names defined twice", [f"{n} ({', '.join(w)})" for n, w in twice.items() if n[0] != "_"]),
        ("private names defined twice", [f"{n} ({len(w)})" for n, w in twice.items() if n[0] == "_"]),
        ("no test of its name", without_test()),
    ):
        print(f"\n{title}: {len(found)}", *found, sep="\n  ")


if __name__ == "__main__":
    main()
