"""The first screen: a cause in full, what follows from it, one next step, and what else there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from lspci_parse import Comparison, diagnose, diff
from lspci_parse.evidence.load import load
from lspci_parse.findings.report import Side
from lspci_parse.render.text.overview import SCREEN, blocks, headline, overview, step
from tests.paths import CORPUS
from tests.render.text.test_report import OTHER, PORT, A, B, finding

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from lspci_parse import Finding

PAIRS = sorted(path.name for path in (CORPUS / "pairs").iterdir())


class Screens(SingleFileSnapshotExtension):
    """A file for each screen."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def screens(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Screens)


def pair(name: str) -> Comparison:
    a, b = (load(CORPUS / "pairs" / name / f"{side}.txt") for side in "ab")
    report = diff(a, b)
    return report._replace(a=report.a._replace(source="a.txt"), b=report.b._replace(source="b.txt"))


@pytest.mark.parametrize("name", PAIRS)
def test_a_pair_on_one_screen(name: str, screens: SnapshotAssertion) -> None:
    assert overview(pair(name)) == screens


HOSTS = {
    "incident-bad": "incident/bad",
    "not-root": "hosts/v-user.txt",
    "names": "hosts/plain.txt",
    "server": "hosts/server.txt",
}


@pytest.mark.parametrize("name", HOSTS)
def test_one_host_on_one_screen(name: str, screens: SnapshotAssertion) -> None:
    report = diagnose(load(CORPUS / HOSTS[name]))
    side = report.b._replace(source=name)
    assert overview(report._replace(a=side, b=side)) == screens


def test_the_incident_on_one_screen(screens: SnapshotAssertion) -> None:
    report = diff(load(CORPUS / "incident" / "good"), load(CORPUS / "incident" / "bad"))
    text = overview(report._replace(a=report.a._replace(source="good"), b=report.b._replace(source="bad")))
    assert text == screens


def fits(text: str, width: int) -> bool:
    lines = text.split("\n")
    return len(lines) <= SCREEN and all(len(line) <= width for line in lines)


@pytest.mark.parametrize("width", [80, 100, 132])
@pytest.mark.parametrize("name", PAIRS)
def test_it_fits_a_screen(name: str, width: int) -> None:
    assert fits(overview(pair(name), width=width), width)


def test_hosts_that_have_nothing_in_common_fit_a_screen() -> None:
    a, b = load(CORPUS / "hosts" / "server.txt"), load(CORPUS / "hosts" / "amd.txt")
    report = diff(a, b)
    report = report._replace(a=report.a._replace(source="a"), b=report.b._replace(source="b"))
    text = overview(report)
    assert fits(text, 80)
    assert "more (--explain)" not in text or len(text.split("\n")) == SCREEN


def report(*findings: Finding) -> Comparison:
    return Comparison(A, B, findings)


def test_causes_that_are_no_more_than_likely_are_told_with_their_effect() -> None:
    bios = finding(
        PORT, "bios-changed", a=None, b=None, title="B runs BIOS 2", severity="warning", leads_to=(1,)
    )
    lost = finding(PORT, because=(0,), likely=(0,), title="00:1c.5 (Root Port) has lost it")
    (block,) = blocks(report(bios, lost))
    assert [tree.finding for tree in block.heads] == [1]
    assert "  likely because B runs BIOS 2" in overview(report(bios, lost)).split("\n")


def test_a_likely_cause_of_two_is_told_once() -> None:
    bios = finding(
        PORT, "bios-changed", a=None, b=None, title="B runs BIOS 2", severity="warning", leads_to=(1, 2)
    )
    lost = finding(PORT, because=(0,), likely=(0,), title="00:1c.5 (Root Port) has lost it")
    slow = finding(
        OTHER, "link", because=(0,), likely=(0,), title="0001:02:00.0 (NVMe) is slow", remedy="Look."
    )
    text = overview(report(bios, lost, slow))
    assert text.count("B runs BIOS 2") == 1
    assert "  likely because of bios-changed, as above" in text.split("\n")


def test_alike_findings_are_one_line_with_their_devices() -> None:
    two = [
        finding(at, title=f"{name} (Root Port) has lost it")
        for at, name in ((PORT, "00:1c.5"), (OTHER, "0001:02:00.0"))
    ]
    assert headline(two) == "00:1c.5 and 0001:02:00.0 have lost it"
    (block,) = blocks(report(*two))
    assert len(block.heads) == 2
    host = [finding(PORT, a=None, b=None, title="the log is cut")] * 2
    assert headline(host) == "the log is cut (2 times)"


def test_several_causes_of_one_thing_are_one_block() -> None:
    one = finding(PORT, "acs-missing", title="00:1c.5 (Root Port) isolates nothing", leads_to=(2,))
    other = finding(OTHER, "acs-missing", title="0001:02:00.0 isolates nothing", leads_to=(2,))
    shared = finding(OTHER, "group-shared", because=(0, 1), title="they share a group")
    (block,) = blocks(report(one, other, shared))
    assert [tree.finding for tree in block.shared] == [1]
    assert "  and 0001:02:00.0 isolates nothing" in overview(report(one, other, shared)).split("\n")


def test_the_next_step_is_the_first_of_those_that_an_effect_numbers() -> None:
    lost = finding(PORT, remedy="Compare BIOS. Move the card.", leads_to=(1,))
    failed = finding(
        OTHER, "probe-failed", because=(0,), remedy="1. Bring the BIOS up to 1.5. Power off. 2. Wait."
    )
    (tree,) = report(lost, failed).causes
    assert step(report(lost, failed), tree) == "Bring the BIOS up to 1.5. Power off."
    (alone,) = report(lost).causes
    assert step(report(lost), alone) == "Compare BIOS."


def test_the_same_step_is_not_told_twice() -> None:
    text = overview(
        report(*(finding(at, rule, remedy="Look.", title=rule) for at, rule in ((PORT, "x"), (OTHER, "y"))))
    )
    assert text.count("Look.") == 1
    assert "  do  as above" in text.split("\n")


def test_what_could_not_be_seen_is_said_with_no_findings() -> None:
    side = Side("user.txt", 8, ("capabilities of none could be read",))
    assert overview(Comparison(side, side)).split("\n")[-2:] == [
        "Looked at 8 devices: capabilities of none could be read.",
        "No findings.",
    ]
    text = overview(Comparison(A, side))
    assert "Not seen on B: capabilities of none could be read." in text.split("\n")
    both = overview(Comparison(side._replace(source="other.txt"), side))
    assert "Not seen on A and B: capabilities of none could be read." in both.split("\n")


def test_colour_marks_severity_alone() -> None:
    plain, painted = (overview(report(finding(PORT)), colour=on) for on in (False, True))
    assert "\x1b[1;31mCRITICAL\x1b[0m" in painted
    assert painted.replace("\x1b[1;31m", "").replace("\x1b[0m", "") == plain
