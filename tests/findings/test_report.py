"""How findings form trees."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lspci_parse.findings.model import Finding, Severity
from lspci_parse.findings.report import CauseTree, Comparison, Side

SIDE = Side("a", 1)


def finding(
    name: str, severity: Severity = "warning", *because: int, likely: tuple[int, ...] = ()
) -> Finding:
    return Finding(name, severity, None, None, "", None, None, name, "", because=because, likely=likely)


def report(*findings: Finding) -> Comparison:
    return Comparison(SIDE, SIDE, findings)


def shape(tree: CauseTree) -> object:
    return (tree.finding, tree.link, [shape(effect) for effect in tree.effects])


def test_a_chain_is_one_tree_with_its_root_first() -> None:
    found = report(
        finding("probe-failed", "critical", 1),
        finding("rolled-back", "critical", 2),
        finding("acs-lost", "warning", 3, likely=(3,)),
        finding("bios-changed"),
        finding("alone", "info"),
    )
    assert [shape(tree) for tree in found.causes] == [
        (3, "root", [(2, "likely", [(1, "certain", [(0, "certain", [])])])]),
        (4, "root", []),
    ]
    assert [found.severity(tree) for tree in found.causes] == ["critical", "info"]


def test_the_tree_with_the_worst_effect_comes_first() -> None:
    found = report(finding("effect", "critical", 2), finding("other", "warning"), finding("cause", "info"))
    assert [tree.finding for tree in found.causes] == [2, 1]


def test_a_certain_cause_goes_before_a_likely_one() -> None:
    found = report(finding("effect", "warning", 1, 2, likely=(1,)), finding("likely"), finding("certain"))
    assert [shape(tree) for tree in found.causes] == [(2, "root", [(0, "certain", [])]), (1, "root", [])]


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), min_size=10, max_size=10))
def test_every_finding_stands_in_one_tree_whatever_the_links(links: list[list[int]]) -> None:
    findings = [
        finding(
            str(number), "warning", *(link for link in because if link != number), likely=tuple(because[1:2])
        )
        for number, because in enumerate(links)
    ]
    found = report(*findings)
    members = [tree.finding for root in found.causes for tree in root.members()]
    assert sorted(members) == list(range(10))
    for root in found.causes:
        for tree in root.members():
            assert all(tree.finding in findings[effect.finding].because for effect in tree.effects)
