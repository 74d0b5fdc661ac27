"""How a rule is declared: one function, and beside it its name, its worst severity and what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lspci_parse.findings.host_view import HostView
    from lspci_parse.findings.model import Found, Severity
    from lspci_parse.findings.pair_view import PairView

Needs = Literal["host", "pair"]
HOST: Final = "host"
"""The rule looks at one host; its findings have the device, and the value, as host B's."""
PAIR: Final = "pair"
"""The rule looks at two hosts and their difference."""


class Rule(NamedTuple):
    """One entry of the catalogue.

    Attributes:
        name: stable name, as it stands in reports.
        severity: the worst severity its findings have.
        summary: what it looks for, one sentence.
        find: the function that yields its findings.
        needs: ``host`` or ``pair``.
        of_evidence: it judges how far a host's evidence reaches; a comparison tells it of either host.
        told_by: rules about a pair that tell the same of two hosts, and better: a comparison leaves it to them,
            and what it would cause is caused by theirs.
    """

    name: str
    severity: Severity
    summary: str
    find: Callable[[Any], Iterable[Found]]
    needs: Needs = PAIR
    of_evidence: bool = False
    told_by: tuple[str, ...] = ()


@overload
def rule(
    name: str,
    severity: Severity,
    summary: str,
    *,
    needs: Literal["host"],
    of_evidence: bool = False,
    told_by: tuple[str, ...] = (),
) -> Callable[[Callable[[HostView], Iterable[Found]]], Rule]: ...


@overload
def rule(
    name: str, severity: Severity, summary: str, *, needs: Literal["pair"] = "pair"
) -> Callable[[Callable[[PairView], Iterable[Found]]], Rule]: ...


def rule(  # noqa: PLR0913 - a rule is declared by this much
    name: str,
    severity: Severity,
    summary: str,
    *,
    needs: Needs = PAIR,
    of_evidence: bool = False,
    told_by: tuple[str, ...] = (),
) -> Callable[[Callable[[Any], Iterable[Found]]], Rule]:
    """Make a function a rule. It takes a view of one host, or of two, and yields what it finds.

    The catalogue lists the rules that are asked; ``Rule`` says what the arguments mean.
    """

    def declare(find: Callable[[Any], Iterable[Found]]) -> Rule:
        return Rule(name, severity, summary, find, needs, of_evidence, told_by)

    return declare
