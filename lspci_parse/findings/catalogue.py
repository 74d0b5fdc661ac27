"""What a finding is, and the catalogue of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lspci_parse.findings.model import Found, Severity
    from lspci_parse.findings.pair_view import Context


class Rule(NamedTuple):
    """One entry of the catalogue.

    Attributes:
        name: stable name, as it stands in reports.
        severity: the worst severity its findings have.
        summary: what it looks for, one sentence.
        find: the function that yields its findings.
    """

    name: str
    severity: Severity
    summary: str
    find: Callable[[Context], Iterable[Found]]


CATALOGUE: Final[dict[str, Rule]] = {}
"""Every rule by its name, in the order in which findings of one severity are shown."""


def rule(
    name: str, severity: Severity, summary: str
) -> Callable[[Callable[[Context], Iterable[Found]]], Callable[[Context], Iterable[Found]]]:
    """Enter a function into the catalogue. It takes the two hosts side by side and yields what it finds.

    Raises:
        ValueError: the name is taken.
    """

    def enter(find: Callable[[Context], Iterable[Found]]) -> Callable[[Context], Iterable[Found]]:
        if name in CATALOGUE:
            raise ValueError(f"there is a rule {name!r} already")
        CATALOGUE[name] = Rule(name, severity, summary, find)
        return find

    return enter
