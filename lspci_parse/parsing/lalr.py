"""The parser that Lark makes of a grammar, run from its tables.

Lark turns ``grammar/`` into LALR tables once (``_grammar``); they are part of the package. This module walks them:
the same tokens, the same reductions and the same trees as Lark's contextual LALR parser, to which the tests hold it.
Texts are lines, and each distinct one is parsed once, so what Lark does around its tables (positions, a lexer for
every state, its own import) would cost more than the parsing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    Match: TypeAlias = Callable[[str, int], re.Match[str] | None]
    Candidate: TypeAlias = tuple[str, str, int, Match | None, int]
    """A way in which a terminal may come: its name, the literal text it begins with, the length of that, what
    matches the rest, if there is one, and what to do when it is found."""

Token: TypeAlias = tuple[str, str]
"""A terminal, and the text that is one."""


class NoParseError(ValueError):
    """A text is none that the start rule describes; ``position`` is where it stops being one."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class Tree:
    """A rule, or its alias, and the tokens and trees that it is made of."""

    __slots__ = ("children", "data")

    def __init__(self, data: str, children: list[Any]) -> None:
        self.data = data
        self.children = children

    def __repr__(self) -> str:
        return f"Tree({self.data!r}, {self.children!r})"


class Parser:
    """An LALR parser with one or more start rules.

    Args:
        tables: what ``_grammar.tables`` makes. An action above 0 shifts to that state less one; one below 0
            reduces by the rule of that number, negated and less one. A rule is what ``_grammar._rule`` returns.
    """

    def __init__(self, tables: dict[str, Any]) -> None:
        self.starts: dict[str, tuple[int, int]] = tables["starts"]
        self._separators = frozenset(tables["separators"])
        self._terminals: list[tuple[str, list[tuple[str, str]]]] = tables["terminals"]
        self._rules: list[tuple[str, int, str, bool, list[int]]] = tables["rules"]
        self._actions: list[list[int]] = tables["actions"]
        self._at_end: list[int] = tables["at_end"]
        self._gotos: list[dict[str, int]] = tables["gotos"]
        self._matchers: dict[str, Match] = {}
        self._ready: list[dict[str, list[Candidate]]] = [{} for _ in self._actions]

    def parse(self, text: str, start: str) -> Tree:  # noqa: C901 - the loop that decides the speed
        """Return the tree of ``text``.

        Raises:
            NoParseError: the rule ``start`` does not describe it.
        """
        state, final = self.starts[start]
        states, values = [state], [[]]  # type: tuple[list[int], list[Any]]
        ready, at_end, separators = self._ready, self._at_end, self._separators
        position, end = 0, len(text)
        while True:
            while position < end and text[position] in separators:
                position += 1
            if position < end:
                first = text[position]
                candidates = ready[state].get(first) or self._prepare(state, first)
                for kind, head, width, match, then in candidates:  # noqa: B007 - those of the one that is found
                    if not match:
                        if text.startswith(head, position):
                            stop = position + width
                            break
                    elif text.startswith(head, position) and (found := match(text, position + width)):
                        stop = found.end()
                        break
                else:
                    raise NoParseError(position)
                if then > 0:
                    values.append((kind, text[position:stop]))
                    position = stop
                    state = then - 1
                    states.append(state)
                    continue
            else:
                then = at_end[state]
                if not then:
                    raise NoParseError(position)
            state = self._reduce(-then - 1, states, values)
            if state == final and position >= end:
                return values[-1]  # type: ignore[no-any-return]

    def _reduce(self, number: int, states: list[int], values: list[Any]) -> int:
        """Put one value for the last few of the stack, as the rule says, and return the state after it."""
        rule, size, name, simple, lost = self._rules[number]
        children: list[Any] = []
        if size:
            children = values[-size:]
            del states[-size:], values[-size:]
            if not simple:
                children = _spread(children, lost)
        state = self._gotos[states[-1]][rule]
        states.append(state)
        if not name:
            values.append(children)
        elif name[0] != "?":
            values.append(Tree(name, children))
        else:
            values.append(children[0] if len(children) == 1 else Tree(name[1:], children))
        return state

    def _prepare(self, state: int, first: str) -> list[Candidate]:
        """Make ready what may come in a state when the text goes on with a character: most states are never met."""
        if not first.isascii():
            # No literal text of a grammar begins so: they are one, for there are too many to keep each.
            first = ""
            if first in self._ready[state]:
                return self._ready[state][first]
        row = self._actions[state]
        found: list[Candidate] = []
        for number, then in zip(row[::2], row[1::2], strict=True):
            name, ways = self._terminals[number]
            found += [
                (name, head, len(head), self._matcher(tail) if tail else None, then)
                for head, tail in ways
                if not head or head[0] == first
            ]
        self._ready[state][first] = found
        return found

    def _matcher(self, pattern: str) -> Match:
        match = self._matchers.get(pattern)
        if match is None:
            match = self._matchers[pattern] = re.compile(pattern).match
        return match


def _spread(values: list[Any], lost: list[int]) -> list[Any]:
    """Return the children of a rule: a rule whose name begins with an underscore stands for its own."""
    children: list[Any] = []
    for at, value in enumerate(values):
        if type(value) is list:
            if children:
                children += value
            else:  # kept, not copied: a repetition grows by one at each step
                children = value
        elif at not in lost:
            children.append(value)
    return children
