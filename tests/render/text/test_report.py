"""The report for people at a terminal."""

from __future__ import annotations

from lspci_parse import Address, Change, Comparison, Finding
from lspci_parse.findings.report import Side
from lspci_parse.render.text.report import text

PORT, OTHER = Address.parse("00:1c.5"), Address.parse("0001:02:00.0")
A, B = Side("good.txt", 3), Side("worse.txt", 2)


def finding(at: Address, rule: str = "acs-lost", **more: object) -> Finding:
    values: dict[str, object] = {
        "severity": "critical",
        "path": "acs",
        "before": "[148 v1] ACS",
        "after": None,
        "detail": "It isolates.",
    }
    values |= {"title": f"{at.slot} lost it", "a": at, "b": at, **more}
    return Finding(rule, **values)  # type: ignore[arg-type]


def test_a_report() -> None:
    findings = (
        finding(PORT, leads_to=(1,), remedy="Look at BIOS.", name="Example Port"),
        finding(OTHER, "groups-merged", severity="warning", because=(0,), after=["1 | 2"], detail=""),
    )
    changes = (
        Change("changed", PORT, PORT, "x", 1, 2),
        Change("changed", PORT, PORT, "y", 1, 2, volatile=True),
        Change("removed", PORT, PORT, "z", 1, known=False),
    )
    report = text(Comparison(A, B, findings, changes, hidden={"--only": 4}))
    assert (
        report
        == """\
A  good.txt   3 devices
B  worse.txt  2 devices

CRITICAL  acs-lost  00:1c.5 lost it
  device    Example Port
  A         [148 v1] ACS
  B         not there
  why       It isolates.
  try       Look at BIOS.
  leads to  groups-merged 0001:02:00.0

WARNING  groups-merged  02:00.0 lost it
  A         [148 v1] ACS
  B         1 | 2
  because   acs-lost 00:1c.5

1 critical, 1 warning; 1 change, 1 that one side cannot show and 1 volatile not shown (--all); 4 hidden by --only."""
    )


def test_a_device_that_one_side_lacks_is_named_once() -> None:
    gone = finding(PORT, "device-missing", name="Example Port", before="Example Port")
    report = text(Comparison(A, B, (gone,)))
    assert "  A         Example Port\n  B         not there\n" in report
    assert report.count("Example Port") == 1


def test_one_and_several_are_told_apart() -> None:
    warnings = tuple(finding(at, severity="warning") for at in (PORT, OTHER))
    report = text(Comparison(Side("good.txt", 1), B, warnings))
    assert "  1 device\n" in report
    assert report.endswith("\n2 warnings.")


def test_findings_that_say_the_same_share_their_words() -> None:
    report = text(Comparison(A, B, (finding(PORT), finding(OTHER))))
    assert "CRITICAL  acs-lost  00:1c.5 lost it\n          acs-lost  02:00.0 lost it\n" in report
    assert report.count("It isolates.") == 1


def test_it_wraps_to_the_terminal() -> None:
    report = text(Comparison(A, B, (finding(PORT, detail="word " * 40),)), width=50)
    lines = [line for line in report.splitlines() if "word" in line]
    assert len(lines) > 4
    assert max(map(len, lines)) <= 50
    assert all(line.startswith(" " * 12 + "word") for line in lines[1:])


def test_everything_shows_the_changes() -> None:
    changes = (
        Change("changed", PORT, OTHER, "exp/LnkSta/Speed", "8GT/s", "5GT/s"),
        Change("removed", PORT, PORT, "ats", "[1e0 v1] ATS", None, known=False),
        Change("added", None, OTHER, "", None, "1e31", volatile=True),
    )
    lines = text(Comparison(A, B, (), changes), everything=True).splitlines()
    assert lines[3:7] == [
        "device                  fact              A             B",
        "00:1c.5 > 0001:02:00.0  exp/LnkSta/Speed  8GT/s         5GT/s",
        "00:1c.5                 ats               [1e0 v1] ATS  not there  not known on one side",
        "0001:02:00.0                              not there     1e31       volatile",
    ]
    assert lines[-1] == "No findings."


def test_one_host_alone_has_no_sides() -> None:
    report = text(Comparison(B, B, (finding(PORT, before=None, after="no ACS"),)))
    assert "\n  A  " not in report
    assert "  found     no ACS\n" in report
