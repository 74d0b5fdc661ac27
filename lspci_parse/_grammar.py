"""The grammars under ``grammar/``, and the parsers that Lark makes of them.

The tables are part of the package (``tables.json``), so that Lark need not make them, nor be imported, at every
start. They carry the fingerprint of the grammar: one that was edited is compiled anew.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lspci_parse._lalr import Parser

if TYPE_CHECKING:
    from lark import Lark
    from lark.grammar import Rule

_PACKAGE: Final = Path(__file__).resolve().parent
TABLES: Final = _PACKAGE / "tables.json"
"""The tables of both grammars; ``write_tables`` makes them."""
FILES: Final = {"lspci": "[0-9]*.lark", "log": "log.lark"}
"""Which files are the grammar of lspci's output (one text, in the order of their names) and of the kernel log."""


def grammar_dir() -> Path:
    """Return the folder of ``.lark`` files: inside the package in a wheel, beside it in a checkout."""
    packaged = _PACKAGE / "grammar"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "grammar"


def grammar_text(name: str) -> str:
    """Return a grammar, ``lspci`` or ``log``, as one text."""
    return "\n".join(path.read_text("utf-8") for path in sorted(grammar_dir().glob(FILES[name])))


def digest(name: str) -> str:
    """Return the fingerprint of a grammar, which its tables carry."""
    return hashlib.sha256(grammar_text(name).encode()).hexdigest()


@cache
def parser(name: str) -> Parser:
    """Return the parser of a grammar: from the package's tables where they fit it, else compiled from its text."""
    found = _stored().get(name, {})
    return Parser(found if found.get("grammar") == digest(name) else tables(compiled(name), digest(name)))


@cache
def _stored() -> dict[str, Any]:
    try:
        stored: dict[str, Any] = json.loads(TABLES.read_bytes())
    except FileNotFoundError:
        return {}
    return stored


def write_tables() -> None:
    """Compile both grammars and write their tables into the package."""
    found = {name: tables(compiled(name), digest(name)) for name in FILES}
    lines = [f'"{name}":{json.dumps(table, separators=(",", ":"))}' for name, table in found.items()]
    TABLES.write_text("{" + ",\n".join(lines) + "}\n", "utf-8")


def start_rules(text: str) -> list[str]:
    """Return the rules a text can start from: the log's ``message``; or a device's parts and ``in_KIND`` each."""
    return re.findall(r"^(device|header|title|generic|message|in_\w+):", text, re.MULTILINE)


def compiled(name: str, *, usable: bool = False) -> Lark:
    """Return Lark's parser of a grammar (half a second).

    Args:
        name: ``lspci`` or ``log``.
        usable: make Lark's lexer, too, which the tables do without.
    """
    from lark import Lark  # noqa: PLC0415 - 50 ms that only a changed grammar needs

    text = grammar_text(name)
    return Lark(
        text,
        parser="lalr",
        lexer="contextual",
        start=start_rules(text),
        keep_all_tokens=name == "lspci",
        maybe_placeholders=False,
        _plugins={} if usable else {"ContextualLexer": lambda *_, **__: None},
    )


def tables(lark: Lark, grammar: str) -> dict[str, Any]:
    """Return what ``_lalr.Parser`` needs of a parser that Lark made.

    Args:
        lark: an LALR parser with the contextual lexer.
        grammar: the fingerprint of its grammar.
    """
    ignored = set(lark.lexer_conf.ignore)
    # The order in which Lark's lexer tries terminals.
    terminals = sorted(
        lark.terminals,
        key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name),
    )
    used = [terminal for terminal in terminals if terminal.name not in ignored]
    numbers = {"$END": 0, **{terminal.name: number for number, terminal in enumerate(used, 1)}}
    rules: dict[Rule, int] = {}
    table = lark.parser.parser._parse_table  # noqa: SLF001 - it has no public name
    order = _order(table)
    states = [_state(table.states[state], numbers, order, rules) for state in order]
    return {
        "grammar": grammar,
        "ignore": "|".join(t.pattern.to_regexp() for t in terminals if t.name in ignored),
        "starts": {
            rule: (order[state], order[table.end_states[rule]])
            for rule, state in sorted(table.start_states.items())
        },
        "terminals": [("$END", "", ""), *((t.name, *split(t.pattern.to_regexp())) for t in used)],
        "rules": [_rule(rule) for rule in rules],
        "actions": [actions for actions, _ in states],
        "gotos": [following for _, following in states],
    }


def _order(table: Any) -> dict[int, int]:
    """Give each state the number at which it is first met: Lark's own numbers differ from run to run."""
    order: dict[int, int] = {}
    found = [table.start_states[rule] for rule in sorted(table.start_states, reverse=True)]
    while found:
        state = found.pop()
        if state not in order:
            order[state] = len(order)
            row = sorted(table.states[state].items(), reverse=True)
            found += [argument for _, (_, argument) in row if isinstance(argument, int)]
    return order


def _state(
    entries: dict[str, tuple[Any, Any]],
    numbers: dict[str, int],
    order: dict[int, int],
    rules: dict[Rule, int],
) -> tuple[list[int], dict[str, int]]:
    """Return what a state does at each terminal, as pairs of numbers, and where it goes after each rule."""
    actions: dict[int, int] = {}
    following: dict[str, int] = {}
    for symbol, (action, argument) in sorted(entries.items()):
        if symbol not in numbers:
            following[symbol] = order[argument]
        elif str(action) == "Shift":
            actions[numbers[symbol]] = order[argument] + 1
        else:
            actions[numbers[symbol]] = -rules.setdefault(argument, len(rules)) - 1
    return [number for pair in sorted(actions.items()) for number in pair], following


def _rule(rule: Rule) -> tuple[str, int, str, list[int]]:
    """Return a rule's name, its length, what its tree is called, and the tokens it loses.

    A tree without a name is its children, as Lark has it for names that begin with an underscore; one whose name
    begins with a question mark is its child where it has only one.
    """
    from lark.grammar import Terminal  # noqa: PLC0415 - Lark is imported when tables are made

    name = rule.origin.name
    single = "?" if rule.options.expand1 and not rule.alias else ""
    keep = rule.options.keep_all_tokens
    lost = [
        at
        for at, symbol in enumerate(rule.expansion)
        if isinstance(symbol, Terminal) and symbol.filter_out and not keep
    ]
    return name, len(rule.expansion), "" if name.startswith("_") else single + (rule.alias or name), lost


_PLAIN: Final = r"(?:[^\\\[\](){}*+?.^$|]|\\[^\w])"


def split(pattern: str) -> tuple[str, str]:
    """Split a regular expression into the literal text it begins with, and the expression for the rest."""
    if _has_choice(pattern):
        return "", pattern
    match = re.match(rf"(?:{_PLAIN}(?![*+?{{]))*", pattern)
    head = match[0] if match else ""
    return re.sub(r"\\(.)", r"\1", head), pattern[len(head) :]


def _has_choice(pattern: str) -> bool:
    """Whether a regular expression has alternatives outside of all parentheses."""
    bare = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "", pattern)
    while True:
        inner = re.sub(r"\([^()]*\)", "", bare)
        if inner == bare:
            return "|" in bare
        bare = inner
