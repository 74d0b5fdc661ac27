"""The grammar is the reference of the format: every rule has a sample that it parses, and the corpus hits it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from lark import Lark
from lark.lexer import PatternStr

from lspci_parse import parse
from lspci_parse.lspci.fields import FIELDS
from lspci_parse.model.fields import Line, Register
from lspci_parse.parsing import caches
from lspci_parse.parsing.device import _read_register
from lspci_parse.parsing.grammar import parser as grammar_parser
from lspci_parse.parsing.grammar_files import TABLES, digest, grammar_dir
from lspci_parse.parsing.lalr import NoParseError, Parser, Token, Tree
from lspci_parse.parsing.lark_tables import compiled, tables, ways
from lspci_parse.parsing.transform import _TOKENS, FLAG_RUNS
from tests.paths import CORPUS

HEADINGS = {"CLASS", "CLASS_ID", "NAME", "REVISION", "PROG_IF", "CHAIN"}
"""Terminals of device lines and titles, which become attributes."""
NO_FIELDS = HEADINGS | {"CAPABILITY_ID", "ECAPABILITY_ID", "IDE_PLACE"}


@cache
def stock() -> Lark:
    """Lark's own parser of the grammar, with its contextual lexer."""
    with patch(
        "lark.lexer.has_interegular", new=False, create=True
    ):  # it would compare terminals for many minutes
        return compiled("lspci", usable=True)


def shape(tree: Any) -> Any:
    """A tree of either parser as nested lists."""
    if hasattr(tree, "children"):
        return [str(tree.data), *map(shape, tree.children)]
    return tree if isinstance(tree, tuple) else (tree.type, str(tree))


@pytest.fixture(scope="module")
def parsed() -> dict[tuple[str, str], Tree]:
    """What the parser was asked for while the corpus was read, by start rule and text."""
    found: dict[tuple[str, str], Tree] = {}
    original = Parser.parse

    def record(self: Parser, text: str, start: str) -> Tree:
        tree = original(self, text, start)
        found[start, text] = tree
        return tree

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Parser, "parse", record)
        caches.clear()
        for path in sorted(CORPUS.rglob("*.txt")):
            if path.name not in ("iommu_groups.txt", "dmesg.txt"):
                parse(path.read_bytes())
    return found


def nodes(tree: Tree) -> Iterator[Tree | Token]:
    yield tree
    for child in tree.children:
        if isinstance(child, Tree):
            yield from nodes(child)
        else:
            yield child


def test_tables_fit_the_grammar() -> None:
    stored = json.loads(TABLES.read_bytes())["lspci"]
    assert stored["grammar"] == digest("lspci"), (
        "run: python -c 'import lspci_parse._grammar as g; g.write_tables()'"
    )
    assert stored == json.loads(json.dumps(tables(compiled("lspci"), digest("lspci"))))


def test_the_corpus_hits_every_rule_and_terminal(parsed: dict[tuple[str, str], Tree]) -> None:
    rules = {str(rule.alias or rule.origin.name) for rule in stock().rules}
    rules = {name for name in rules if not name.startswith("_")}
    terminals = {symbol.name for rule in stock().rules for symbol in rule.expansion if symbol.is_term}
    everything = [node for tree in parsed.values() for node in nodes(tree)]
    hit = {node.data for node in everything if isinstance(node, Tree)}
    found = {node[0] for node in everything if not isinstance(node, Tree)}
    inlined = {rule.origin.name for rule in stock().rules if rule.options.expand1}
    assert sorted(rules - hit - inlined) == []
    assert sorted(terminals - found) == []


def test_runs_as_lark_does(parsed: dict[tuple[str, str], Tree]) -> None:
    assert len(parsed) > 1000
    for (start, text), tree in parsed.items():
        assert shape(tree) == shape(stock().parse(text, start)), text


def test_where_two_terminals_fit_the_longer_one_is_taken(parsed: dict[tuple[str, str], Tree]) -> None:
    """Lark's strict mode proves more but takes longer than ten minutes."""
    found = {pair for start, text in parsed for pair in collisions(start, text)}
    # AtomicOpsCtl's flags are named, for they would run into those of the next line.
    assert sorted({shorter for shorter, _ in found}) == ["ATOMIC_FLAGS"]


def collisions(start: str, text: str) -> Iterator[tuple[str, str]]:
    """Parse a text again; yield the terminals that are taken although another one that may come there is longer."""
    table = stock().parser.parser._parse_table  # noqa: SLF001 - it has no public name
    matchers, skip = lexing()
    states, position = [table.start_states[start]], skip(text, 0)
    while states[-1] != table.end_states[start] or position < len(text):
        row = table.states[states[-1]]
        fits = [(name, match(text, position)) for name, match in matchers.items() if name in row]
        ends = (
            [(name, found.end()) for name, found in fits if found] if position < len(text) else [("$END", 0)]
        )
        kind, end = ends[0]
        yield from ((kind, other) for other, stop in ends if stop > end)
        action, argument = row[kind]
        if str(action) == "Shift":
            states.append(argument)
            position = skip(text, end)
        else:
            del states[len(states) - len(argument.expansion) :]
            states.append(table.states[states[-1]][argument.origin.name][1])


@cache
def lexing() -> tuple[dict[str, Callable[[str, int], re.Match[str] | None]], Callable[[str, int], int]]:
    """Return the terminals in the order in which they are tried, and what passes over separators."""
    ignored = set(stock().lexer_conf.ignore)
    ordered = sorted(
        stock().terminals,
        key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name),
    )
    separators = re.compile("|".join(t.pattern.to_regexp() for t in ordered if t.name in ignored))

    def skip(text: str, position: int) -> int:
        found = separators.match(text, position)
        return found.end() if found else position

    return {t.name: re.compile(t.pattern.to_regexp()).match for t in ordered if t.name not in ignored}, skip


def test_every_field_has_a_row_and_every_row_a_field() -> None:
    used = {symbol.name for rule in stock().rules for symbol in rule.expansion if symbol.is_term}
    rows = [*FIELDS, *_TOKENS, *FLAG_RUNS]
    assert sorted(set(rows)) == sorted(rows)
    assert sorted(set(rows) - used) == []
    for terminal in stock().terminals:
        pattern = terminal.pattern
        # A literal that is no field is a label, a title or a parenthesis; an expression that is none, a label.
        if terminal.name in used - set(rows) - NO_FIELDS and not isinstance(pattern, PatternStr):
            assert pattern.value.endswith(":"), terminal


# ---------------------------------------------------------------------------------------------------- samples


class Sample(NamedTuple):
    file: str
    rule: str
    text: str


PLACE = re.compile(
    r"^(?:\tCapabilities:(?: \[[^\]]*\])? ?|(?:[0-9a-f]{4}:)?(?:[0-9a-f]{2}:[0-9a-f]{2}\.\d/?)+ )"
)
"""What stands in front of a device's class and a capability's title, and is read apart."""


def samples() -> Iterator[Sample]:
    """Yield the sample lines above each rule; lines that continue a register belong to it."""
    for path in sorted(grammar_dir().glob("[0-9]*.lark")):
        lines: list[str] = []
        for line in path.read_text("utf-8").split("\n"):
            rule = re.match(r"\??([a-z]\w*):", line)
            alias = re.search(r"-> (\w+)$", line)
            if line.startswith("//     "):
                lines.append(re.sub(r" {2,}\([^()]*(\([^()]*\))?[^()]*\)$", "", line[7:]).replace("->", "\t"))
            elif (rule or alias) and lines:
                name = alias[1] if alias else rule[1] if rule else ""
                yield from (Sample(path.name, name, PLACE.sub("", text)) for text in registers(lines))
                lines = []
            elif not line.startswith(("//", " ")):
                lines = []


def registers(lines: list[str]) -> Iterator[str]:
    """Join the lines that continue a register."""
    start = 0
    for at in range(1, len(lines) + 1):
        deeper = at < len(lines) and (
            depth(lines[at]) > depth(lines[start]) or lines[at].startswith("\t\t      ")
        )
        if not deeper:
            yield "\n".join(lines[start:at])
            start = at


def depth(line: str) -> int:
    return len(line) - len(line.lstrip("\t"))


SAMPLES = [sample for sample in samples() if sample.file != "10-terminals.lark"]


def test_there_are_samples() -> None:
    assert len(SAMPLES) > 300


@pytest.mark.parametrize("sample", SAMPLES, ids=[f"{sample.rule}-{at}" for at, sample in enumerate(SAMPLES)])
def test_the_rule_parses_its_sample(sample: Sample) -> None:
    own = grammar_parser("lspci")
    trees = []
    for start in own.starts:
        try:
            trees.append(own.parse(sample.text, start))
        except NoParseError:
            continue
    hit = {node.data for tree in trees for node in nodes(tree) if isinstance(node, Tree)}
    assert sample.rule in hit, sample


def test_every_rule_of_a_line_has_a_sample() -> None:
    lines = set()
    for rule in stock().rules:
        name = str(rule.origin.name)
        if name == "header" or name.startswith("in_"):
            lines |= {str(symbol.name) for symbol in rule.expansion if not symbol.is_term}
        elif rule.alias:
            lines.add(str(rule.alias))
    assert sorted(lines - {sample.rule for sample in SAMPLES}) == []


def test_what_is_made_ready_is_bounded() -> None:
    """No text begins a terminal with more characters than the grammars are written in."""
    own = Parser(tables(stock(), ""))
    for code in range(0x100, 0x800):
        with pytest.raises(NoParseError):
            own.parse(f"Control: I/O+ {chr(code)}", "header")
    ready = [by_start for by_start in own._ready if by_start]  # noqa: SLF001 - what is kept is not to be seen otherwise
    assert sum(map(len, ready)) < 20
    assert all(head.isascii() for _, found in own._terminals for head, _ in found)  # noqa: SLF001


# ------------------------------------------------------------------------------------------------- ways to match


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("Control:", [("Control:", "")]),
        (
            r"ASPM (not supported|L0s L1|L0s)",
            [("ASPM not supported", ""), ("ASPM L0s L1", ""), ("ASPM L0s", "")],
        ),
        (r"(?:[\d.]+GT\/s|[Uu]nknown)", [("", r"[\d.]+GT\/s"), ("", "[Uu]nknown")]),
        (
            r"(Kernel d|D)river in use:[^\n]*",
            [("Kernel driver in use:", r"[^\n]*"), ("Driver in use:", r"[^\n]*")],
        ),
        (r"a\|(?:b|c(?:d|\)))e+", [("a|b", "e+"), ("a|cd", "e+"), ("a|c)", "e+")]),
        (r"Range( [01])?:", [("Range", r"( [01])?:")]),
        (r"x(?=\S)|[|)]y", [("x", r"(?=\S)"), ("", r"[|)]y")]),
        (r"(?i:fw|nvm) v", [("", r"(?i:fw|nvm) v")]),
    ],
)
def test_ways(pattern: str, expected: list[tuple[str, str]]) -> None:
    assert ways(pattern) == expected


def test_the_ways_of_a_terminal_are_its_pattern(parsed: dict[tuple[str, str], Tree]) -> None:
    """On every token of the corpus, and on what is left of it without its last character."""
    tokens = {node for tree in parsed.values() for node in nodes(tree) if not isinstance(node, Tree)}
    patterns = {t.name: t.pattern.to_regexp() for t in stock().terminals}
    assert len(tokens) > 2000
    for kind, text in tokens:
        found = ways(patterns[kind])
        for part in (text, text[:-1]):
            fits = [re.match(re.escape(head) + tail, part) for head, tail in found]
            first = next((fit for fit in fits if fit), None)
            whole = re.match(patterns[kind], part)
            assert (first and first[0]) == (whole and whole[0]), (kind, part)


# --------------------------------------------------------------------------------------------- damaged lines


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("exp", "\t\tDevSta:\tCorrErr- NonFatalErr- Fatal"),
        ("exp", "\t\tLnkSta:\tSpeed 8GT/s, Wid"),
        ("acs", "\t\tACSCtl:\tSrcValid+ TransBlk- dead"),
        ("header", "\tBus: primary=00, secondary=01, subordinate=01"),
        ("header", "\tLatency: 0, Cache Line Size: 64 byt"),
    ],
)
def test_a_known_label_with_damage_behind_it_is_not_known(kind: str, line: str) -> None:
    start = kind if kind == "header" else f"in_{kind}"
    assert _read_register(start, line) == ((), (Line(1, line),))


def test_a_damaged_continuation_line_leaves_the_lines_above_it() -> None:
    lines = ["\t\tUESta:\tDLP- SDES+", "\t\t\tECRC- Unsup", "\t\t\tPoisonTLPBlocked-"]
    found, strange = _read_register("in_aer", "\n".join(lines))
    assert dict(found) == {"UESta": Register("UESta", {"DLP": False, "SDES": True})}
    assert strange == (Line(2, lines[1]), Line(3, lines[2]))
