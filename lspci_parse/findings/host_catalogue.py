"""What the evidence of one host tells: rules that need no second host, and how one leads to the other.

Each rule is an entry and one function; a rule without evidence is silent, so a chain reaches as far as the
evidence does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lspci_parse.findings.host_view import Case
    from lspci_parse.findings.model import Found, Severity


class Link(NamedTuple):
    """One entry: a rule about one host.

    Attributes:
        name: stable name, as it stands in reports.
        severity: the worst severity its findings have.
        summary: what it looks for, one sentence.
        find: yields its findings, with the device as host B's.
        alone: it is for ``diagnose`` only; two hosts side by side tell the same better.
        either: it judges the evidence itself, so in a comparison it is asked of both hosts.
    """

    name: str
    severity: Severity
    summary: str
    find: Callable[[Case], Iterable[Found]]
    alone: bool = False
    either: bool = False


CHAIN: Final[dict[str, Link]] = {}
"""Every rule about one host by its name, effects before their causes: the order in which a story is told."""


def link(
    name: str, severity: Severity, summary: str, *, alone: bool = False, either: bool = False
) -> Callable[[Callable[[Case], Iterable[Found]]], Callable[[Case], Iterable[Found]]]:
    """Enter a function into the chain."""

    def enter(find: Callable[[Case], Iterable[Found]]) -> Callable[[Case], Iterable[Found]]:
        CHAIN[name] = Link(name, severity, summary, find, alone, either)
        return find

    return enter
