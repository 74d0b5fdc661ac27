"""The grammar under ``grammar/``, compiled: one LALR parser with a start rule for each kind of line.

This module and the tree building are the only ones that know Lark.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lark import Lark, Token, UnexpectedCharacters
from lark.grammar import Rule
from lark.lexer import Lexer, PatternStr, TerminalDef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lark.common import LexerConf
    from lark.lexer import LexerState
    from lark.parsers.lalr_parser_state import ParserState

_PACKAGE: Final = Path(__file__).resolve().parent
TABLES: Final = _PACKAGE / "tables.json"
"""The parse tables built from the grammar, part of the package; ``python -m lspci_parse._grammar`` writes them."""


def grammar_dir() -> Path:
    """Return the folder of ``.lark`` files: inside the package in a wheel, beside it in a checkout."""
    packaged = _PACKAGE / "grammar"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "grammar"


def grammar_text() -> str:
    """Return the grammar of lspci's output: its files in the order of their names, as one text."""
    return "\n".join(path.read_text("utf-8") for path in sorted(grammar_dir().glob("[0-9]*.lark")))


def start_rules(text: str) -> list[str]:
    """Return the rules a line can start from: those for a device's parts, and ``in_KIND`` for each capability."""
    return ["device", "header", "title", "generic", *re.findall(r"^\??(in_\w+):", text, re.MULTILINE)]


class LineLexer(Lexer):
    """Lark's contextual lexer, less what short texts do not need.

    At each step it tries only the terminals that the parser can accept there, in Lark's own order. Lark's lexer
    compiles one regular expression for each such set and keeps line numbers; over lines that are parsed once
    each, that costs more than the parsing. Here each terminal is compiled once, when it is first met.
    """

    __future_interface__ = 2

    def __init__(self, conf: LexerConf) -> None:
        ordered = sorted(
            conf.terminals,
            key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name),
        )
        self._terminals: dict[str, TerminalDef] = {t.name: t for t in ordered}
        self._matchers: dict[str, Callable[[str, int], int | None]] = {}
        ignored = "|".join(self._terminals[name].pattern.to_regexp() for name in conf.ignore)
        self._skip = re.compile(f"(?:{ignored})*").match
        self._candidates: dict[int, list[tuple[str, Callable[[str, int], int | None]]]] = {}

    def _matcher(self, name: str) -> Callable[[str, int], int | None]:
        """Return a function that takes text and position and gives the end of the terminal there, or None."""
        if name not in self._matchers:
            pattern = self._terminals[name].pattern
            if isinstance(pattern, PatternStr):
                literal = pattern.value
                width = len(literal)

                def match(text: str, start: int) -> int | None:
                    return start + width if text.startswith(literal, start) else None
            else:
                search = re.compile(pattern.to_regexp()).match

                def match(text: str, start: int) -> int | None:
                    found = search(text, start)
                    return found.end() if found else None

            self._matchers[name] = match
        return self._matchers[name]

    def lex(self, lexer_state: LexerState, parser_state: ParserState[Any]) -> Iterator[Token]:
        """Yield the tokens of a text, asking the parser's state before each which ones may come."""
        text = lexer_state.text.text
        states = parser_state.parse_conf.states
        position, end = self._skip(text).end(), len(text)  # type: ignore[union-attr]  # it matches everywhere
        while position < end:
            state = parser_state.position
            candidates = self._candidates.get(state)
            if candidates is None:
                accepts = states[state]
                candidates = [(name, self._matcher(name)) for name in self._terminals if name in accepts]
                self._candidates[state] = candidates
            for name, match in candidates:
                stop = match(text, position)
                if stop is not None:
                    break
            else:
                raise UnexpectedCharacters(
                    text, position, 1, position + 1, allowed={name for name, _ in candidates}
                )
            yield Token(name, text[position:stop], position)
            position = self._skip(text, stop).end()  # type: ignore[union-attr]


def build() -> Lark:
    """Compile the grammar from its text (about a second)."""
    text = grammar_text()
    return Lark(
        text,
        parser="lalr",
        lexer=LineLexer,
        start=start_rules(text),
        keep_all_tokens=True,
        maybe_placeholders=False,
    )


def digest() -> str:
    """Return the fingerprint of the grammar's text, which the tables carry."""
    return hashlib.sha256(grammar_text().encode()).hexdigest()


@cache
def parser() -> Lark:
    """Return the parser: from the package's tables where they fit the grammar, else built from its text."""
    try:
        tables = json.loads(TABLES.read_bytes())
    except FileNotFoundError:
        return build()
    return _load(tables) if tables["grammar"] == digest() else build()


def dump_tables(lark: Lark) -> str:
    """Return the parser's tables as JSON: what ``Lark.save`` would pickle, less the lexer class."""
    data, memo = lark.memo_serialize([TerminalDef, Rule])
    data["options"]["lexer"] = data["parser"]["lexer_conf"]["lexer_type"] = None
    tables = {"grammar": digest(), "data": data, "memo": memo}
    return json.dumps(tables, separators=(",", ":"), default=sorted) + "\n"


def _load(tables: dict[str, Any]) -> Lark:
    """Return the parser whose tables ``dump_tables`` wrote. JSON made strings of the numbers that are keys."""
    data = tables["data"]
    data["options"]["lexer"] = data["parser"]["lexer_conf"]["lexer_type"] = LineLexer
    table = data["parser"]["parser"]
    table["tokens"] = {int(key): name for key, name in table["tokens"].items()}
    table["states"] = {
        int(state): {int(key): action for key, action in actions.items()}
        for state, actions in table["states"].items()
    }
    memo = {int(key): value for key, value in tables["memo"].items()}
    return Lark.load({"data": data, "memo": memo})  # type: ignore[arg-type]  # it takes the dictionary, too


if __name__ == "__main__":
    TABLES.write_text(dump_tables(build()), "utf-8")
