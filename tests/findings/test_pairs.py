"""Two hosts that differ in one thing: what must be found, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lspci_parse import Comparison, LspciError, diff, parse
from tests.paths import CORPUS

if TYPE_CHECKING:
    from pathlib import Path

Expected = tuple[tuple[str, str, str | None], ...]

PAIRS: dict[str, Expected] = {
    "access-denied": (("access-denied", "warning", None),),
    "acs-lost-switch": (("acs-lost", "critical", "02:01.0"), ("groups-merged", "warning", "02:01.0")),
    "acs-not-needed": (("acs-lost", "info", "01:00.0"), ("acs-lost", "info", "03:00.0")),
    "acs-off": (("acs-off", "critical", "00:02.0"), ("groups-merged", "warning", "00:02.0")),
    "aer-masked": (("aer-masked", "warning", "01:00.0"),),
    "aspm-changed": (("aspm-changed", "warning", "01:00.0"),),
    "ats-changed": (("ats-changed", "warning", "01:00.0"),),
    "bar-resized": (("bar-resized", "warning", "01:00.0"),),
    "capability-lost": (("capability-lost", "warning", "01:00.0"), ("capability-gained", "info", "01:00.0")),
    "card-replaced": (("device-replaced", "warning", "01:00.0"),),
    "cut": (("dump-cut", "warning", None),),
    "device-dead": (("device-dead", "critical", "01:00.0"),),
    "device-dead-rev-ff": (("device-dead", "critical", "01:00.0"),),
    "device-missing": (("device-missing", "critical", "01:00.0"),),
    "domains": (("device-missing", "critical", "10000:02:00.0"),),
    "driver-changed": (("driver-changed", "warning", "01:00.0"),),
    "driver-missing": (("driver-missing", "critical", "01:00.0"),),
    "errors-logged": (("errors-logged", "warning", "01:00.0"),),
    "extended-config-unreadable": (
        ("extended-config-unreadable", "warning", None),
        ("groups-merged", "warning", "00:02.0"),
        ("aer-masked", "info", "00:02.0"),
    ),
    "link-degraded": (("link-degraded", "warning", "01:00.0"),),
    "link-quiet": (("power-state", "warning", "01:00.0"),),
    "moved": (("device-moved", "info", "02:00.0"),),
    "msi-off": (
        ("msi-off", "warning", "00:02.0"),
        ("msi-off", "warning", "00:1f.2"),
        ("msi-off", "warning", "01:00.0"),
        ("aer-masked", "info", "00:02.0"),
    ),
    "payload-changed": (("payload-changed", "warning", "01:00.0"),),
    "power-state": (("power-state", "warning", "01:00.0"),),
    "printing": (),
    "reboot": (),
    "releases": (),
    "renumber": (("device-new", "warning", "00:01.0"),),
    "revision-changed": (("revision-changed", "warning", "01:00.0"),),
    "sriov-off": (("sriov-changed", "warning", "01:00.0"),),
    "swapped": (("device-moved", "info", "01:00.0"), ("device-moved", "info", "02:00.0")),
    "switch-missing": (("device-missing", "critical", "01:00.0"),),
    "verbosity": (("less-detail", "warning", None),),
}
"""Rule, severity and device (of host B, else of A) of every finding, in their order."""


def compare(folder: Path) -> Comparison:
    a, b = (parse((folder / f"{name}.txt").read_bytes(), source=name) for name in "ab")
    return diff(a, b)


def found(comparison: Comparison) -> Expected:
    def slot(address: object) -> str | None:
        return None if address is None else str(address).removeprefix("0000:")

    return tuple((f.rule, f.severity, slot(f.b or f.a)) for f in comparison.findings)


def test_every_pair_has_its_expectation() -> None:
    assert sorted(path.name for path in (CORPUS / "pairs").iterdir()) == sorted(PAIRS)


@pytest.mark.parametrize("name", PAIRS)
def test_pair(name: str) -> None:
    assert found(compare(CORPUS / "pairs" / name)) == PAIRS[name]


@pytest.mark.parametrize("name", PAIRS)
def test_a_host_does_not_differ_from_itself(name: str) -> None:
    for side in "ab":
        dump = parse((CORPUS / "pairs" / name / f"{side}.txt").read_bytes())
        comparison = diff(dump, dump)
        assert (comparison.findings, comparison.changes, comparison.moved) == ((), (), ())


@pytest.mark.parametrize("name", PAIRS)
def test_links_point_both_ways(name: str) -> None:
    findings = compare(CORPUS / "pairs" / name).findings
    for index, finding in enumerate(findings):
        assert all(index in findings[cause].leads_to for cause in finding.because)
        assert all(index in findings[effect].because for effect in finding.leads_to)


@pytest.mark.parametrize("name", PAIRS)
def test_findings_say_what_to_make_of_them(name: str) -> None:
    for finding in compare(CORPUS / "pairs" / name).findings:
        assert finding.title
        assert finding.detail
        if finding.severity == "critical":
            assert finding.remedy


OPPOSITE = {
    "acs-lost": "acs-gained", "acs-off": "acs-gained", "groups-merged": "groups-split",
    "device-missing": "device-new", "capability-lost": "capability-gained", "driver-missing": "driver-changed",
}  # fmt: skip
"""What the other direction calls a loss."""


@pytest.mark.parametrize(
    "name", sorted(name for name in PAIRS if any(rule in OPPOSITE for rule, _, _ in PAIRS[name]))
)
def test_the_other_direction_finds_the_gain(name: str) -> None:
    folder = CORPUS / "pairs" / name
    a, b = (parse((folder / f"{side}.txt").read_bytes()) for side in "ab")
    back = {finding.rule for finding in diff(b, a).findings}
    assert back >= {OPPOSITE[rule] for rule, _, _ in PAIRS[name] if rule in OPPOSITE}


def test_a_switch_that_is_gone_names_what_hung_below() -> None:
    (finding,) = compare(CORPUS / "pairs" / "switch-missing").findings
    assert [device.slot for device in finding.devices] == ["02:00.0", "02:01.0", "03:00.0", "04:00.0"]


def test_two_releases_differ_in_what_one_cannot_show_only() -> None:
    changes = compare(CORPUS / "pairs" / "releases").changes
    assert [change for change in changes if change.known and not change.volatile] == []


LAB: dict[tuple[str, str], set[str]] = {
    ("incident-good", "incident-bad"): {"acs-lost", "groups-merged"},
    ("cmdline-default", "cmdline-acs-redir-off"): {"acs-off", "groups-merged"},
    ("cmdline-default", "cmdline-noaer"): {"aer-masked"},
    ("cmdline-default", "cmdline-noacpi-hp"): {"driver-missing", "aer-masked"},
    ("cmdline-default", "cmdline-nopt"): set(),
    ("cmdline-default", "cmdline-pt"): set(),
    ("cmdline-default", "cmdline-off"): {"iommu-off", "acs-off"},
    ("fault-none", "fault-none-again"): set(),
    ("fault-none", "fault-missing-device"): {"device-missing"},
    ("fault-none", "fault-missing-driver"): {"driver-missing"},
    ("fault-none", "fault-no-msi"): {"msi-off", "aer-masked"},
    ("fault-none", "fault-vfio"): {"driver-changed"},
    ("link-good", "link-bad-endpoint"): {"link-degraded"},
    ("link-good", "link-bad-port"): {"link-degraded"},
    ("renumber-a", "renumber-b"): {"device-new"},
    ("switch-acs", "switch-noacs"): {"acs-lost", "groups-merged"},
    ("switch-acs", "switch-partial"): {"acs-lost", "groups-merged"},
    ("switch-mf-acs", "switch-mf-noacs"): {"acs-lost", "groups-merged"},
    ("large-good", "large-bad"): {"acs-lost", "groups-merged"},
}
"""Which rules speak for two recorded machines."""


@pytest.mark.parametrize(("a", "b"), LAB)
def test_recorded_machines(shared: Path, a: str, b: str) -> None:
    one, other = (parse((shared / "lab" / name / "lspci-vvv.txt").read_bytes()) for name in (a, b))
    assert {finding.rule for finding in diff(one, other).findings} == LAB[a, b]


@pytest.mark.slow
def test_every_dump_at_hand_equals_itself(shared: Path) -> None:
    paths = [path for path in sorted(shared.rglob("*.txt")) if path.stat().st_size < 200_000]
    assert paths
    for path in paths:
        try:
            dump = parse(path.read_bytes())
        except LspciError:
            continue
        comparison = diff(dump, dump)
        assert (path, comparison.findings, comparison.changes) == (path, (), ())


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("access-denied", ("not denied", "denied")),
        ("cut", ("ends behind a device", "ends in the middle of a device")),
        ("extended-config-unreadable", ("readable", "not readable")),
        ("verbosity", ("-vv or -vvv", "-v")),
    ],
)
def test_a_finding_about_a_host_tells_what_each_side_shows(name: str, values: tuple[str, str]) -> None:
    folder = CORPUS / "pairs" / name
    a, b = (parse((folder / f"{side}.txt").read_bytes()) for side in "ab")
    for comparison, expected in ((diff(a, b), values), (diff(b, a), values[::-1])):
        told = next(one for one in comparison.findings if one.rule == PAIRS[name][0][0])
        assert (told.before, told.after) == expected


def test_a_host_without_groups_has_its_iommu_off() -> None:
    text = (CORPUS / "incident" / "good" / "lspci.txt").read_text("utf-8")
    without = re.sub(r"\tIOMMU group: \d+\n", "", text)
    (told,) = (one for one in diff(parse(text), parse(without)).findings if one.rule == "iommu-off")
    assert (told.severity, told.before, told.after) == ("critical", "groups", "no groups")
    assert all(one.rule != "iommu-off" for one in diff(parse(without), parse(text)).findings)
