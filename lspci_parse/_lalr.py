"""The parser that Lark makes of a grammar, run from its tables.

Lark turns ``grammar/`` into LALR tables once (``_grammar``); they are part of the package. This module walks them:
the same tokens, the same reductions and the same trees as Lark's contextual LALR parser, to which the tests hold it.
Texts are lines, and each distinct one is parsed once, so what Lark does around its tables (positions, a lexer for
every state, its own import) would cost more than the parsing.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    Match: TypeAlias = Callable[[str, int], int]
    """Takes a text and a position; returns where the terminal that begins there ends, or -1."""
    Candidate: TypeAlias = tuple[Match, str, int]
    """A terminal that may come: what finds it, its name, and what to do when it is found."""
    _State: TypeAlias = tuple[dict[str, list[Candidate]], list[Candidate], int]
    """The terminals that may come by the character they begin with; those that may begin with any other; and what
    to do at the end of the text."""

END: Final = 0
"""The number of the terminal that ends every text."""


class NoParseError(ValueError):
    """A text is none that the start rule describes; ``position`` is where it stops being one."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class Token(str):
    """A piece of text, and the terminal that it is."""

    __slots__ = ("type",)
    type: str


class Tree:
    """A rule, or its alias, and what it is made of."""

    __slots__ = ("children", "data")

    def __init__(self, data: str, children: list[Token | Tree]) -> None:
        self.data = data
        self.children = children

    def __repr__(self) -> str:
        return f"Tree({self.data!r}, {self.children!r})"


class Parser:
    """An LALR parser with one or more start rules.

    Args:
        tables: what ``_grammar.tables`` makes. An action above 0 shifts to that state less one; one below 0
            reduces by the rule of that number, negated and less one.
    """

    def __init__(self, tables: dict[str, Any]) -> None:
        self.starts: dict[str, tuple[int, int]] = tables["starts"]
        self._skip = re.compile(f"(?:{tables['ignore']})*").match if tables["ignore"] else None
        self._terminals: list[tuple[str, str, str]] = tables["terminals"]
        self._rules: list[tuple[str, int, str, list[int]]] = tables["rules"]
        self._actions: list[list[int]] = tables["actions"]
        self._gotos: list[dict[str, int]] = tables["gotos"]
        self._ready: dict[int, _State] = {}

    def parse(self, text: str, start: str) -> Tree:
        """Return the tree of ``text``.

        Raises:
            NoParseError: the rule ``start`` does not describe it.
        """
        state, final = self.starts[start]
        states, values = [state], [[]]  # type: tuple[list[int], list[Any]]
        ready, skip = self._ready, self._skip
        position, end = skip(text).end() if skip else 0, len(text)  # type: ignore[union-attr]  # it always matches
        while True:
            by_start, others, action = ready.get(state) or self._prepare(state)
            if position < end:
                for candidate in by_start.get(text[position], others):
                    stop = candidate[0](text, position)
                    if stop >= 0:
                        break
                else:
                    raise NoParseError(position)
                _, kind, then = candidate
                if then > 0:
                    token = Token(text[position:stop])
                    token.type = kind
                    values.append(token)
                    position = skip(text, stop).end() if skip else stop  # type: ignore[union-attr]
                    state = then - 1
                    states.append(state)
                    continue
                action = then
            elif not action:
                raise NoParseError(position)
            state = self._reduce(-action - 1, states, values)
            if state == final and position >= end:
                return values[-1]  # type: ignore[no-any-return]

    def _reduce(self, number: int, states: list[int], values: list[Any]) -> int:
        """Put one value for the last few of the stack, as the rule says, and return the state after it."""
        rule, size, name, dropped = self._rules[number]
        children: list[Any] = []
        if size:
            for at, value in enumerate(values[-size:]):
                # A rule whose name begins with an underscore stands for its children.
                if type(value) is list:
                    if children:
                        children += value
                    else:  # kept, not copied: a repetition grows by one at each step
                        children = value
                elif at not in dropped:
                    children.append(value)
            del states[-size:], values[-size:]
        state = self._gotos[states[-1]][rule]
        states.append(state)
        if name.startswith("?"):
            values.append(children[0] if len(children) == 1 else Tree(name[1:], children))
        else:
            values.append(Tree(name, children) if name else children)
        return state

    def _prepare(self, state: int) -> _State:
        """Make ready what a state needs when it is first met: most never are."""
        row = self._actions[state]
        actions = dict(zip(row[::2], row[1::2], strict=True))
        at_end = actions.pop(END, 0)
        terminals = [(*self._terminals[number], action) for number, action in actions.items()]

        def fitting(start: str) -> list[Candidate]:
            return [
                (_matcher(head, tail), name, action)
                for name, head, tail, action in terminals
                if head[:1] in ("", start)
            ]

        starts = {head[0] for _, head, _, _ in terminals if head}
        self._ready[state] = {start: fitting(start) for start in starts}, fitting(""), at_end
        return self._ready[state]


@cache
def _matcher(head: str, tail: str) -> Match:
    """Return what finds a terminal: a literal beginning, and a regular expression for the rest, either empty."""
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
