"""The parser that Lark makes of the grammar, run from tables.

Lark turns ``grammar/`` into LALR tables once (``_grammar``); they are part of the package as ``tables.json``. This
module walks them: the same tokens, the same reductions, the same trees as Lark's contextual LALR parser, which the
tests hold it to. Lines are short and each distinct one is parsed once, so what Lark does around them (positions, a
lexer object for every state, importing Lark itself) would cost more than the parsing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypeAlias

Match: TypeAlias = Callable[[str, int], int]
"""Takes a text and a position; returns where the terminal that begins there ends, or -1."""

_END: Final = 0
"""The number of the terminal that ends every text."""


class NoParseError(ValueError):
    """The text is none that the start rule describes; ``position`` is where it stops being one."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class Token(str):
    """A piece of text and the terminal that it is."""

    __slots__ = ("type",)
    type: str


class Tree:
    """A rule (or its alias) and what it is made of."""

    __slots__ = ("children", "data")

    def __init__(self, data: str, children: list[Token | Tree]) -> None:
        self.data = data
        self.children = children

    def __repr__(self) -> str:
        return f"Tree({self.data!r}, {self.children!r})"


class Parser:
    """An LALR parser with several start rules.

    Args:
        tables: what ``_grammar.tables`` makes. Actions above 0 shift to that state less one; those below 0 reduce
            by the rule of that number, negated, less one.
    """

    def __init__(self, tables: dict[str, Any]) -> None:
        self.starts: dict[str, tuple[int, int]] = {rule: tuple(ends) for rule, ends in tables["starts"].items()}
        self._skip = re.compile(f"(?:{tables['ignore']})*").match
        self._terminals: list[tuple[str, str, str]] = tables["terminals"]
        self._rules: list[tuple[str, int, str]] = tables["rules"]
        self._actions: list[list[int]] = tables["actions"]
        self._gotos: list[dict[str, int]] = tables["gotos"]
        self._ready: dict[int, tuple[list[tuple[Match, str, int]], int]] = {}

    def parse(self, text: str, start: str) -> Tree:
        """Return the tree of ``text``.

        Raises:
            NoParseError: the rule ``start`` does not describe it.
        """
        state, final = self.starts[start]
        states, values = [state], [None]
        ready, skip = self._ready, self._skip
        position, end = skip(text).end(), len(text)  # type: ignore[union-attr]  # it matches everywhere
        while True:
            candidates, at_end = ready.get(state) or self._prepare(state)
            if position < end:
                for match, name, action in candidates:
                    stop = match(text, position)
                    if stop >= 0:
                        break
                else:
                    raise NoParseError(position)
                if action > 0:
                    token = Token(text[position:stop])
                    token.type = name
                    position = skip(text, stop).end()  # type: ignore[union-attr]
                    state = action - 1
                    states.append(state)
                    values.append(token)
                    continue
            else:
                action = at_end
                if not action:
                    raise NoParseError(position)
            state = self._reduce(-action - 1, states, values)
            if position >= end and state == final:
                return values[-1]  # type: ignore[return-value]

    def _reduce(self, number: int, states: list[int], values: list[Any]) -> int:
        """Put one value for the last few of the stack, as the rule says, and return the state after it."""
        rule, size, alias = self._rules[number]
        children: list[Token | Tree] = []
        for value in values[len(values) - size :]:
            # Rules whose names begin with an underscore stand for their children.
            if isinstance(value, list):
                children += value
            else:
                children.append(value)
        del states[len(states) - size :], values[len(values) - size :]
        state = self._gotos[states[-1]][rule]
        states.append(state)
        values.append(children if not alias else Tree(alias, children))
        return state

    def _prepare(self, state: int) -> tuple[list[tuple[Match, str, int]], int]:
        """Make ready what a state needs when it is first met: most are never met."""
        row = self._actions[state]
        pairs = dict(zip(row[::2], row[1::2], strict=True))
        candidates = [
            (_matcher(*self._terminals[number][1:]), self._terminals[number][0], action)
            for number, action in pairs.items()
            if number != _END
        ]
        self._ready[state] = candidates, pairs.get(_END, 0)
        return self._ready[state]


@cache
def _matcher(head: str, tail: str) -> Match:
    """Return what finds a terminal: a literal beginning, and a regular expression for the rest."""
    width = len(head)
    if not tail:
        return lambda text, at: at + width if text.startswith(head, at) else -1
    found = _compiled(tail)

    def match(text: str, at: int) -> int:
        if head and not text.startswith(head, at):
            return -1
        rest = found(text, at + width)
        return rest.end() if rest else -1

    return match


@cache
def _compiled(pattern: str) -> Callable[[str, int], re.Match[str] | None]:
    return re.compile(pattern).match
