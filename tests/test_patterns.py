"""No pattern of the package, and no terminal of a grammar, takes more than linear work on any text."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import pytest

from lspci_parse.parsing.grammar_files import FILES
from lspci_parse.parsing.lark_tables import compiled
from tests import house
from tests.matcher import LIMIT, Matcher, hostile, unbounded

_OF_OWN_TEXTS = {
    "lspci_parse.cli.reference.man",
    "lspci_parse.lspci.releases._UNSURE",
    "lspci_parse.parsing.lark_tables",
}
"""Patterns that read this package's own help, patterns and grammar, and nothing that comes from outside."""
_METHODS = {"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}


class Used(NamedTuple):
    pattern: str
    flags: int
    how: str


def _held(value: object) -> Iterator[Used]:
    """Yield the patterns that a value of a module is, or holds."""
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield Used(value.pattern, value.flags, "")
    elif isinstance(getattr(value, "__self__", None), re.Pattern):
        bound: Any = value
        yield Used(bound.__self__.pattern, bound.__self__.flags, bound.__name__)
    elif isinstance(value, tuple | list | set | frozenset):
        for item in value:
            yield from _held(item)
    elif isinstance(value, dict):
        for item in (*value, *value.values()):
            yield from _held(item)


def _ways(module: str, name: str) -> set[str]:
    """Return the methods that a module calls on a pattern of its own."""
    found = {
        node.attr
        for node in ast.walk(house.tree(module))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    }
    return {"search" if how not in ("match", "fullmatch") else how for how in found & _METHODS} or {"search"}


def _kept(module: str) -> Iterator[tuple[str, Used]]:
    """Yield the patterns that a module holds."""
    for name, value in vars(importlib.import_module(module)).items():
        for number, used in enumerate(_held(value)):
            for how in [used.how] if used.how else sorted(_ways(module, name)):
                yield f"{module}.{name}[{number}] {how}", used._replace(how=how)


def _called(module: str) -> Iterator[tuple[str, Used]]:
    """Yield the patterns that a module's functions give to ``re.sub`` and its like."""
    for node in ast.walk(house.tree(module)):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="re"), attr=how),
                args=[ast.Constant(value=str(pattern)), *_],
            ) if how in _METHODS:
                flags = re.MULTILINE if "MULTILINE" in ast.unparse(node) else 0
                yield f"{module}:{node.lineno} {how}", Used(pattern, flags, how)


def _terminals() -> Iterator[tuple[str, Used]]:
    for grammar in FILES:
        for terminal in compiled(grammar).terminals:
            yield f"{grammar} {terminal.name}", Used(terminal.pattern.to_regexp(), 0, "match")


@cache
def _patterns() -> dict[str, Used]:
    found = list(_terminals())
    for module in house.MODULES:
        if not module.endswith("__main__"):
            found += [*_kept(module), *_called(module)]
    distinct: dict[Used, str] = {}
    for where, used in found:
        if not any(where.startswith(own) for own in _OF_OWN_TEXTS):
            distinct.setdefault(used, where)
    return {where: used for used, where in distinct.items()}


def slow(used: Used) -> tuple[str, str] | None:
    """Return beginning and repetition of a text on which the work grows faster than the text."""
    matcher = Matcher(used.pattern, used.flags)
    if not unbounded(matcher.tree):
        return None
    for lead, pump in hostile(matcher):
        few = matcher.work(lead + pump * 8 + "\0\n\0", used.how)
        many = matcher.work(lead + pump * 32 + "\0\n\0", used.how)
        # Four times the text: four times the work where it is linear, sixteen times where it is quadratic.
        if many >= LIMIT or (many > 300 and many > 7 * few):
            return lead, pump
    return None


@pytest.mark.slow
@pytest.mark.parametrize("where", sorted(_patterns()))
def test_work_grows_with_the_text(where: str) -> None:
    assert slow(_patterns()[where]) is None


@pytest.mark.parametrize(
    "used",
    [
        Used(r"fw *[:=]? *v?\d", 0, "match"),
        Used(r"\[[0-9a-f]{4}\]: .*\[[0-9a-f]{4}:[0-9a-f]{4}\]", 0, "search"),
        Used(r"\s+$", 0, "search"),
        Used(r"(a|a)*b", 0, "match"),
        Used(r"(?:[a-z]+-?)+x", 0, "fullmatch"),
        Used(r".*x.*y", 0, "match"),
    ],
)
def test_slow_patterns_are_caught(used: Used) -> None:
    assert slow(used) is not None


@pytest.mark.parametrize(
    "used",
    [
        Used(r"fw *+(?:[:=] *+)?v?\d", 0, "match"),
        Used(r"[^:]+: \d+", 0, "match"),
        Used(r"(?:ab)+c", 0, "fullmatch"),
        Used(r"^\s+x", 0, "match"),
    ],
)
def test_quick_patterns_are_not(used: Used) -> None:
    assert slow(used) is None


def test_patterns_are_found() -> None:
    names = " ".join(_patterns())
    assert "lspci_parse.evidence.cmdline._WORD" in names
    assert "log FIRMWARE" in names
    assert ".hex_row[0] fullmatch" in names
    assert len(_patterns()) > 600
