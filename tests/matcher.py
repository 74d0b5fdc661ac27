"""A matcher of regular expressions that counts its steps, as Python's own cannot: it backtracks in the same order.

And texts that make a pattern work hard, derived from the pattern itself: what leads to each part, then characters
and samples of its parts over and over, then something that fits nothing.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

_parser: Any = importlib.import_module("re._parser")
_Then = Callable[[int], bool]

LIMIT = 100_000
"""Steps after which a match is given up: as much work as a text of a hundred characters never needs."""


class TooManyStepsError(Exception):
    """More than ``LIMIT`` steps."""


class Matcher:
    """One pattern; ``steps`` grows with each node that is tried."""

    def __init__(self, pattern: str, flags: int) -> None:
        self.tree = _parser.parse(pattern, flags)
        self.flags = self.tree.state.flags
        self.steps = 0
        sys.setrecursionlimit(max(sys.getrecursionlimit(), 20_000))

    def work(self, text: str, how: str) -> int:
        """Return the steps that matching takes; ``how`` is ``match``, ``fullmatch``, or ``search`` for all others."""
        self.steps, self.text = 0, text
        end = len(text)
        try:
            if how in ("match", "fullmatch"):
                self._sequence(list(self.tree), 0, 0, lambda at: how == "match" or at == end)
            else:
                any(self._sequence(list(self.tree), 0, start, lambda _: True) for start in range(end + 1))
        except TooManyStepsError:
            pass
        return self.steps

    def _sequence(self, nodes: list[Any], index: int, at: int, then: _Then) -> bool:
        if index == len(nodes):
            return then(at)
        return self._node(nodes[index], at, lambda after: self._sequence(nodes, index + 1, after, then))

    def _node(self, node: Any, at: int, then: _Then) -> bool:
        self.steps += 1
        if self.steps > LIMIT:
            raise TooManyStepsError
        name, value = str(node[0]), node[1]
        if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            return at < len(self.text) and fits(node, self.text[at], self.flags) and then(at + 1)
        if name == "BRANCH":
            return any(self._sequence(list(branch), 0, at, then) for branch in value[1])
        if name == "SUBPATTERN":
            return self._sequence(list(value[3]), 0, at, then)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            low, high, body = value
            return self._repeat(
                list(body), int(low), int(high), greedy=name == "MAX_REPEAT", at=at, then=then
            )
        return self._other(name, value, at, then)

    def _other(self, name: str, value: Any, at: int, then: _Then) -> bool:
        if name in ("POSSESSIVE_REPEAT", "ATOMIC_GROUP"):
            ends: list[int] = []

            def stop(after: int) -> bool:
                ends.append(after)
                return True

            if name == "ATOMIC_GROUP":
                return self._sequence(list(value), 0, at, stop) and then(ends[0])
            low, high, body = value
            return self._repeat(list(body), int(low), int(high), greedy=True, at=at, then=stop) and then(
                ends[0]
            )
        if name in ("ASSERT", "ASSERT_NOT"):
            direction, body = value
            start = at if direction > 0 else at - body.getwidth()[0]
            found = start >= 0 and self._sequence(list(body), 0, start, lambda _: True)
            return found is (name == "ASSERT") and then(at)
        if name == "AT":
            return self._at(str(value), at) and then(at)
        raise NotImplementedError(name)

    def _repeat(self, body: list[Any], low: int, high: int, *, greedy: bool, at: int, then: _Then) -> bool:
        def again(after: int, count: int) -> bool:
            def more(end: int) -> bool:
                return (end > after or count < low) and again(end, count + 1)

            if count < low:
                return self._sequence(body, 0, after, more)
            if greedy:
                return (count < high and self._sequence(body, 0, after, more)) or then(after)
            return then(after) or (count < high and self._sequence(body, 0, after, more))

        return again(at, 0)

    def _at(self, place: str, at: int) -> bool:
        before, after = self.text[at - 1 : at] if at else "", self.text[at : at + 1]
        if place in ("AT_BEGINNING", "AT_BEGINNING_STRING"):
            return not before or bool(self.flags & re.MULTILINE and before == "\n")
        if place in ("AT_END", "AT_END_STRING"):
            return not after or bool(self.flags & re.MULTILINE and after == "\n")
        boundary = bool(re.match(r"\w", before)) != bool(re.match(r"\w", after))
        return boundary is (place == "AT_BOUNDARY")


@cache
def _category(name: str) -> Callable[[str], Any]:
    letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[name.rpartition("_")[2]]
    return re.compile(rf"\{letter.upper() if '_NOT_' in name else letter}").match


def fits(node: Any, char: str, flags: int) -> bool:
    """Whether a node for one character takes this one."""
    name, value = str(node[0]), node[1]
    if name == "ANY":
        return char != "\n" or bool(flags & re.DOTALL)
    chars = {char, char.lower(), char.upper()} if flags & re.IGNORECASE else {char}
    if name == "LITERAL":
        return chr(value) in chars
    if name == "NOT_LITERAL":
        return chr(value) not in chars
    if name == "RANGE":
        return any(value[0] <= ord(one) <= value[1] for one in chars if len(one) == 1)
    if name == "CATEGORY":
        return bool(_category(str(value))(char))
    negated = str(value[0][0]) == "NEGATE"
    return negated != any(fits(item, char, flags) for item in (value[1:] if negated else value))


def _chars(tree: Any) -> Iterator[str]:
    """Yield characters that the pattern tells apart."""
    for node in tree:
        name, value = str(node[0]), node[1]
        if name in ("LITERAL", "NOT_LITERAL"):
            yield chr(value)
        elif name == "RANGE":
            yield chr(value[0])
        elif name == "IN":
            yield from _chars(value)
        else:
            for inner in _inner(node):
                yield from _chars(inner)


def _inner(node: Any) -> list[Any]:
    name, value = str(node[0]), node[1]
    if name == "BRANCH":
        return list(value[1])
    if name == "ATOMIC_GROUP":
        return [value]
    if name == "SUBPATTERN" or name.endswith("_REPEAT") or name.startswith("ASSERT"):
        return [value[-1]]
    return []


def unbounded(tree: Any) -> bool:
    """Whether something in a pattern repeats without end, or nearly."""
    return any(
        (str(node[0]).endswith("_REPEAT") and int(node[1][1]) > 100) or any(map(unbounded, _inner(node)))
        for node in tree
    )


def _sample(tree: Any, flags: int, alphabet: str) -> str:
    """Return a short text that fits, look-arounds aside."""
    found = ""
    for node in tree:
        name, value = str(node[0]), node[1]
        if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            found += next((char for char in alphabet if fits(node, char, flags)), "")
        elif name == "BRANCH":
            found += _sample(value[1][0], flags, alphabet)
        elif name.endswith("_REPEAT"):
            found += _sample(value[2], flags, alphabet) * max(int(value[0]), int(int(value[1]) > 1))
        elif name in ("SUBPATTERN", "ATOMIC_GROUP"):
            found += _sample(_inner(node)[0], flags, alphabet)
    return found


def _spots(tree: Any, flags: int, alphabet: str, before: str = "") -> Iterator[tuple[str, str]]:
    """Yield what leads to each part of a pattern, and a sample of the part."""
    lead = before
    for node in tree:
        sample = _sample([node], flags, alphabet)
        yield lead, sample
        for inner in _inner(node):
            yield from _spots(inner, flags, alphabet, lead)
        lead += sample


def hostile(matcher: Matcher) -> Iterator[tuple[str, str]]:
    """Yield pairs of a beginning and what to repeat after it."""
    alphabet = "".join(dict.fromkeys([*_chars(matcher.tree), *"a0 :"]))
    spots = list(_spots(matcher.tree, matcher.flags, alphabet))
    leads = list(dict.fromkeys(lead for lead, _ in spots))
    whole = _sample(matcher.tree, matcher.flags, alphabet)
    pumps = {*alphabet, *(sample for _, sample in spots), *leads, whole, whole[:-1]} - {""}
    for lead in dict.fromkeys(["", *leads[:6], *leads[-2:]]):
        for pump in sorted(pumps, key=lambda text: (len(text), text))[:24]:
            yield lead, pump
