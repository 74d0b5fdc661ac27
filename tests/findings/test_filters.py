"""What is hidden, and that it is counted."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from lspci_parse import Address, Change, Comparison, Finding, LspciError
from lspci_parse.findings.filters import Ignore, ignore, only, read_ignores
from lspci_parse.findings.report import Side

if TYPE_CHECKING:
    from pathlib import Path

PORT, CARD = Address.parse("00:1c.5"), Address.parse("0001:02:00.0")


def finding(rule: str, at: Address, path: str, **links: tuple[int, ...]) -> Finding:
    facts = ("exp/LnkSta/Speed", "exp/LnkSta/Width") if path == "exp/LnkSta" else ()
    return Finding(rule, "warning", at, at, path, 1, 2, f"{rule} title", "why", facts=facts, **links)  # type: ignore[arg-type]


COMPARISON = Comparison(
    Side("a", 2),
    Side("b", 2),
    (
        finding("acs-lost", PORT, "acs", leads_to=(2,)),
        finding("link-degraded", CARD, "exp/LnkSta"),
        finding("groups-merged", PORT, "iommu_group", because=(0,)),
    ),
    (Change("changed", CARD, CARD, "exp/LnkSta/Speed", "8GT/s", "5GT/s"),),
)


def rules(comparison: Comparison) -> list[str]:
    return [finding.rule for finding in comparison.findings]


def test_only_keeps_what_is_named() -> None:
    kept = only(COMPARISON, ["link-degraded"])
    assert rules(kept) == ["link-degraded"]
    assert kept.hidden == {"--only": 2}


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("link-degraded", ["acs-lost", "groups-merged"]),
        ("00:1c.5", ["link-degraded"]),
        ("0000:00:1c.5", ["link-degraded"]),
        ("00:1c.*", ["link-degraded"]),
        ("0001:*", ["acs-lost", "groups-merged"]),
        ("acs", ["link-degraded", "groups-merged"]),
        ("00:1c.5/acs", ["link-degraded", "groups-merged"]),
        ("*/exp/*", ["acs-lost", "groups-merged"]),
        ("exp/*", ["acs-lost", "groups-merged"]),
        ("exp/LnkSta/*", ["acs-lost", "groups-merged"]),
        ("0001:02:00.0/exp/LnkSta/Width", ["acs-lost", "groups-merged"]),
        ("exp/LnkSta/Speed2", ["acs-lost", "link-degraded", "groups-merged"]),
        ("02:00.0", ["acs-lost", "link-degraded", "groups-merged"]),
        ("acs-lost ", ["acs-lost", "link-degraded", "groups-merged"]),
    ],
)
def test_patterns(pattern: str, left: list[str]) -> None:
    assert rules(ignore(COMPARISON, [Ignore(pattern)])) == left


def test_links_are_numbered_again() -> None:
    kept = ignore(COMPARISON, [Ignore("link-degraded")]).findings
    assert (kept[0].leads_to, kept[1].because) == ((1,), (0,))
    (rest,) = ignore(COMPARISON, [Ignore("link-degraded"), Ignore("acs-lost")]).findings
    assert rest.because == ()


def test_changes_are_hidden_too() -> None:
    assert ignore(COMPARISON, [Ignore("exp/LnkSta/*")]).changes == ()
    assert ignore(COMPARISON, [Ignore("acs")]).changes == COMPARISON.changes


def test_an_ignore_counts_up_to_its_last_day() -> None:
    item = Ignore("acs-lost", "known", date(2030, 1, 31))
    assert rules(ignore(COMPARISON, [item], today=date(2030, 1, 31))) == ["link-degraded", "groups-merged"]
    assert ignore(COMPARISON, [item], today=date(2030, 2, 1)) == COMPARISON


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "ignores.toml"
    path.write_text(
        '[[ignore]]\npattern = "acs-lost"\nreason = "ticket 7"\nuntil = 2030-01-31\n[[ignore]]\npattern = "a"\nreason = "b"\n'
    )
    assert read_ignores(path) == [Ignore("acs-lost", "ticket 7", date(2030, 1, 31)), Ignore("a", "b")]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[ignore]]\npattern = 'a'\n", 'an ignore has no reason; expected reason = "..."'),
        ("[[ignore]]\nreason = 'a'\n", 'an ignore has no pattern; expected pattern = "..."'),
        (
            "[[ignore]]\npattern = 'a'\nreason = 'b'\nuntil = 'soon'\n",
            "until is 'soon'; expected a date such as 2030-12-31",
        ),
        (
            "[[ignore]]\npattern = 'a'\nreason = 'b'\nby = 'c'\n",
            "an ignore has 'by'; expected pattern, reason and until",
        ),
        ("ignore = 3\n", "expected tables [[ignore]]"),
        ("ignore = [3]\n", "expected tables [[ignore]]"),
    ],
)
def test_a_file_that_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "ignores.toml"
    path.write_text(text)
    with pytest.raises(LspciError) as error:
        read_ignores(path)
    assert str(error.value) == f"{path}: {complaint}"


def test_no_file_and_no_toml(tmp_path: Path) -> None:
    with pytest.raises(
        LspciError, match=r"none\.toml: No such file or directory; expected a file of ignores"
    ):
        read_ignores(tmp_path / "none.toml")
    path = tmp_path / "ignores.toml"
    path.write_text("= = =")
    with pytest.raises(LspciError, match="this is no TOML: "):
        read_ignores(path)
