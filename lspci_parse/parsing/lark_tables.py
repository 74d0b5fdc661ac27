"""The grammars under ``grammar/``, and the parsers that Lark makes of them.

The tables are part of the package (``tables.json``), so that Lark need not make them, nor be imported, at every
start. They carry the fingerprint of the grammar: one that was edited is compiled anew.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from lspci_parse.parsing.grammar_files import FILES, TABLES, digest, grammar_text

if TYPE_CHECKING:
    from lark import Lark
    from lark.grammar import Rule


def write_tables() -> None:
    """Compile both grammars and write their tables into the package."""
    found = {name: tables(compiled(name), digest(name)) for name in FILES}
    lines = [f'"{name}":{json.dumps(table, separators=(",", ":"))}' for name, table in found.items()]
    TABLES.write_text("{" + ",\n".join(lines) + "}\n", "utf-8")


def start_rules(text: str) -> list[str]:
    """Return the rules a text can start from: the log's ``message``; or a device's parts and ``in_KIND`` each."""
    return re.findall(r"^\??(device|header|title|generic|message|in_\w+):", text, re.MULTILINE)


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
        lark: an LALR parser with the contextual lexer, which ignores one terminal: characters, repeated.
        grammar: the fingerprint of its grammar.
    """
    ignored = set(lark.lexer_conf.ignore)
    # The order in which Lark's lexer tries terminals.
    terminals = sorted(
        lark.terminals,
        key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name),
    )
    (separators,) = (terminal.pattern.to_regexp() for terminal in terminals if terminal.name in ignored)
    used = [terminal for terminal in terminals if terminal.name not in ignored]
    numbers = {terminal.name: number for number, terminal in enumerate(used)}
    rules: dict[Rule, int] = {}
    table = lark.parser.parser._parse_table  # noqa: SLF001 - it has no public name
    order = _order(table)
    states = [_state(table.states, state, numbers, order, rules) for state in order]
    return {
        "grammar": grammar,
        "separators": "".join(char for char in map(chr, range(128)) if re.fullmatch(separators, char)),
        "starts": {
            rule: (order[state], order[table.end_states[rule]])
            for rule, state in sorted(table.start_states.items())
        },
        "terminals": [(terminal.name, ways(terminal.pattern.to_regexp())) for terminal in used],
        "rules": [_rule(rule) for rule in rules],
        "actions": [actions for actions, _, _ in states],
        "at_end": [action for _, action, _ in states],
        "gotos": [following for _, _, following in states],
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


_Entries = dict[str, tuple[Any, Any]]


def _state(
    states: dict[int, _Entries],
    state: int,
    numbers: dict[str, int],
    order: dict[int, int],
    rules: dict[Rule, int],
) -> tuple[list[int], int, dict[str, int]]:
    """Return what a state does at each terminal, as pairs of numbers; at the end; where it goes after each rule."""
    actions: dict[str, int] = {}
    following: dict[str, int] = {}
    for symbol, (action, argument) in sorted(states[state].items()):
        if str(action) != "Shift":
            actions[symbol] = -rules.setdefault(argument, len(rules)) - 1
        elif symbol in numbers:
            actions[symbol] = order[argument] + 1
        else:
            following[symbol] = order[_behind(states, state, argument)]
    at_end = actions.pop("$END", 0)
    pairs = sorted((numbers[symbol], action) for symbol, action in actions.items())
    return [number for pair in pairs for number in pair], at_end, following


def _behind(states: dict[int, _Entries], state: int, after: int) -> int:
    """Return where a state goes after a rule, past those that only stand for it (``?header: control``)."""
    while True:
        does = {argument if str(action) == "Reduce" else None for action, argument in states[after].values()}
        rule = does.pop() if len(does) == 1 else None
        if rule is None or not rule.options.expand1 or rule.alias or len(rule.expansion) != 1:
            return after
        after = states[state][rule.origin.name][1]


def _rule(rule: Rule) -> tuple[str, int, str, bool, list[int]]:
    """Return a rule's name, its length, what its tree is called, whether its parts are its children, and what it loses.

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
    tree = "" if name.startswith("_") else single + (rule.alias or name)
    parts = any(not symbol.is_term and symbol.name.startswith("_") for symbol in rule.expansion)
    return name, len(rule.expansion), tree, not lost and not parts, lost


_PIECES: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL).findall
_LITERAL: Final = re.compile(r"(?:(?:[^\\\[\](){}*+?.^$|]|\\[^\w])(?![*+?{]))*").match


def ways(pattern: str, head: str = "") -> list[tuple[str, str]]:
    """Return the ways in which a regular expression can match, in the order in which they are tried.

    Each is a literal text that it begins with, and the expression for the rest, either empty. ``ASPM (L0s|L1)``
    is two literal texts: finding those takes no regular expression, which would have to be compiled first.

    Args:
        pattern: the regular expression.
        head: a literal text in front of it.
    """
    found = []
    for branch in _branches(pattern):
        plain = _LITERAL(branch)
        end = plain.end() if plain else 0
        literal, rest = head + re.sub(r"\\(.)", r"\1", branch[:end]), branch[end:]
        inside, behind = _group(rest)
        if inside is None:
            found.append((literal, rest))
        else:
            found += [way for inner in _branches(inside) for way in ways(inner + behind, literal)]
    return found


def _branches(pattern: str) -> list[str]:
    """Split a regular expression at the bars that stand outside of all parentheses."""
    found = [""]
    depth = 0
    for piece in _PIECES(pattern):
        depth += (piece == "(") - (piece == ")")
        if piece == "|" and not depth:
            found.append("")
        else:
            found[-1] += piece
    return found


def _group(pattern: str) -> tuple[str | None, str]:
    """Return what stands in the plain group that an expression begins with, if it does, and what follows."""
    depth = 0
    if re.match(r"\((?!\?)|\(\?:", pattern):
        pieces = _PIECES(pattern)
        for at, piece in enumerate(pieces, 1):
            depth += (piece == "(") - (piece == ")")
            if not depth:
                inside, behind = "".join(pieces[1 : at - 1]).removeprefix("?:"), "".join(pieces[at:])
                return (None if behind[:1] in ("*", "+", "?", "{") else inside), behind
    return None, pattern
