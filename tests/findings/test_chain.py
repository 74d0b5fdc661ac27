"""From a failed driver back to the lost capability: each link alone, chains that stop half-way, and the whole story."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from lspci_parse.evidence.cmdline import parse_cmdline
from lspci_parse.evidence.host import Host
from lspci_parse.evidence.load import load
from lspci_parse.evidence.log import of_another_host, parse_log
from lspci_parse.findings.engine import diagnose, diff
from lspci_parse.model.address import Address
from lspci_parse.parsing.parser import parse
from tests.paths import CORPUS

if TYPE_CHECKING:
    from pathlib import Path

    from lspci_parse.findings.model import Finding
    from lspci_parse.findings.report import Comparison
    from lspci_parse.model.dump import Dump

BEGIN = "[ 0.0] Linux version {release} (gcc)\n[ 0.0] Command line: ro intel_iommu=on iommu=pt\n"
DMI = "[ 0.0] DMI: Example Systems Rack Server/EXB, BIOS {bios}\n"
JOIN = "".join(
    f"[ 19.6] iommu: Adding device 0000:{slot} to group {group}\n"
    for slot, group in (("00:00.0", 0), ("00:1c.0", 17), ("00:1c.5", 17), ("01:00.0", 17), ("02:00.0", 17))
)
REFUSAL = "[ 19.7] pci 0000:02:00.0: DMAR: Failed to get a private domain.\n"
LEAVE = re.sub(r"Adding device (\S+) to", r"Removing device \1 from", JOIN)
PROBES = "".join(
    f"[ 37.5] mlx5_core 0000:31:00.{n}: probe_one:1961:(pid 5): mlx5_init_one failed with error code -12\n"
    f"[ 37.6] mlx5_core: probe of 0000:31:00.{n} failed with error -12\n"
    for n in (0, 1)
)
RELEASE = "4.19.0-118.vendor.x86_64"
STORY = BEGIN.format(release=RELEASE) + JOIN + REFUSAL + LEAVE + PROBES


@cache
def dump(side: str) -> Dump:
    """The dumps of the incident, without the groups: the kernel that printed the logs here kept none."""
    text = (CORPUS / "incident" / side / "lspci.txt").read_text()
    return parse(re.sub(r"\tIOMMU group: \d+\n", "", text), source=side)


def host(side: str, log: str = "", cmdline: str | None = None) -> Host:
    read = parse_log(log) if log else None
    foreign = read is not None and of_another_host(read, dump(side))
    own = None if foreign else read
    return Host(
        side,
        dump(side),
        log=read,
        cmdline=parse_cmdline(cmdline) if cmdline is not None else own.cmdline if own else None,
        kernel=own.kernel.release if own and own.kernel else None,
        dmi=own.dmi if own else None,
        foreign_log=foreign,
    )


def chain(report: Comparison, rule: str, slot: str | None = None) -> list[str]:
    """The rules on the way from a finding back to its last cause; of several causes, the first."""
    found = one(report, rule, slot)
    way = [found.rule]
    while found.because:
        found = report.findings[found.because[0]]
        way.append(found.rule)
    return way


def one(report: Comparison, rule: str, slot: str | None = None) -> Finding:
    found = [f for f in report.findings if f.rule == rule and (slot is None or f.b == Address.parse(slot))]
    assert len(found) == 1, [f.title for f in report.findings]
    return found[0]


def rules(report: Comparison) -> list[str]:
    return [finding.rule for finding in report.findings]


# --------------------------------------------------------------------------------------------- the whole story


def test_the_incident_told_by_two_hosts() -> None:
    report = diff(load(CORPUS / "incident" / "good"), load(CORPUS / "incident" / "bad"))
    way = ["probe-failed", "iommu-rolled-back", "iommu-refused", "groups-merged", "acs-lost"]
    for slot in ("31:00.0", "31:00.1"):
        assert chain(report, "probe-failed", slot)[:5] == way
    cause = one(report, "acs-lost")
    assert (str(cause.a), str(cause.b)) == ("0000:00:1c.5",) * 2
    assert "bios-changed" in rules(report)
    story = one(report, "probe-failed", "31:00.0").detail
    parts = [
        "rolled back",
        "inferred from the error",
        "02:00.0 (PCI-Express to PCI/PCI-X Bridge) could not get its domain in group 17",
        "02:00.0 is a bridge from PCI Express to conventional PCI",
        "Group 17 also holds 00:1c.0 and 00:1c.5",
        "because 00:1c.5 has no ACS here and has it on A",
        "BIOS versions differ: 1.4.2 (03/12/2019) here, 1.5.0 (06/18/2020) on A; that may be why (inferred)",
        "It happened with intel_iommu=on iommu=pt.",
    ]
    places = [story.find(part) for part in parts]
    assert -1 not in places, story
    assert places == sorted(places)


def test_links_go_both_ways() -> None:
    report = diff(load(CORPUS / "incident" / "good"), load(CORPUS / "incident" / "bad"))
    for index, finding in enumerate(report.findings):
        assert all(index in report.findings[cause].leads_to for cause in finding.because)
        assert all(index in report.findings[effect].because for effect in finding.leads_to)


def test_what_to_try_best_first() -> None:
    report = diff(load(CORPUS / "incident" / "good"), load(CORPUS / "incident" / "bad"))
    steps = re.findall(r"(\d)\. (\w+ \w+)", one(report, "probe-failed", "31:00.0").remedy)
    assert steps == [("1", "Power off"), ("2", "Boot Linux"), ("3", "Until then"), ("4", "If 02")]


def test_the_incident_told_by_one_host() -> None:
    report = diagnose(load(CORPUS / "incident" / "bad"))
    way = ["probe-failed", "iommu-rolled-back", "iommu-refused", "group-shared", "acs-missing"]
    assert chain(report, "probe-failed", "31:00.0") == way
    blamed = [str(finding.b) for finding in report.findings if finding.rule == "acs-missing"]
    assert blamed == ["0000:00:1c.0", "0000:00:1c.5"]
    story = one(report, "probe-failed", "31:00.0").detail
    assert "They share it because 00:1c.0 and 00:1c.5 do not isolate (no ACS)." in story
    assert "BIOS" not in story
    assert all(finding.a is None for finding in report.findings)


def test_the_healthy_host_has_nothing_to_tell() -> None:
    assert rules(diagnose(load(CORPUS / "incident" / "good"))) == []


def test_a_host_compared_with_itself_has_nothing_to_tell() -> None:
    bad = load(CORPUS / "incident" / "bad")
    assert [rule for rule in rules(diff(bad, bad)) if rule != "groups-contradict"] == []


def test_recorded_incident_with_a_log_of_that_generation(shared: Path) -> None:
    good, bad = (load(shared / "lab" / f"incident-{side}") for side in ("good", "bad"))
    sick = bad._replace(
        log=parse_log(STORY), cmdline=parse_cmdline("intel_iommu=on iommu=pt"), kernel=RELEASE
    )
    report = diff(good._replace(log=None), sick)
    way = ["probe-failed", "iommu-rolled-back", "iommu-refused", "groups-merged", "acs-lost"]
    assert chain(report, "probe-failed", "31:00.0")[:5] == way
    assert one(report, "acs-lost").b == Address.parse("00:1c.5")


# --------------------------------------------------------------------------------------------- each link alone


def test_probe_failed_without_a_reason() -> None:
    report = diagnose(host("bad", BEGIN.format(release="6.1.0-18") + PROBES.replace("-12", "-22")))
    found = one(report, "probe-failed", "31:00.0")
    assert (found.severity, found.because) == ("critical", ())
    assert found.after == "mlx5_core: error -22 (EINVAL)"
    assert found.detail == (
        "The driver's first complaint: 'probe_one:1961:(pid 5): mlx5_init_one failed with error code -22'."
    )


def test_a_failed_probe_of_a_device_that_has_a_driver_now_is_no_alarm() -> None:
    found = one(diagnose(host("good", PROBES)), "probe-failed", "31:00.0")
    assert found.severity == "warning"
    assert found.detail.startswith("mlx5_core drives the device now, so a later attempt succeeded.")


def test_a_failed_probe_of_a_device_that_is_not_in_the_dump() -> None:
    log = BEGIN.format(release="6.1.0-18") + "[ 1.0] nvme: probe of 0000:44:00.0 failed with error -19\n"
    assert "44:00.0 (not in the dump): nvme failed" in one(diagnose(host("bad", log)), "probe-failed").title


def test_want_of_memory_is_no_proof_of_a_rollback() -> None:
    log = BEGIN.format(release="6.1.0-18") + JOIN + PROBES
    report = diagnose(host("bad", log))
    assert rules(report) == ["probe-failed", "probe-failed"]
    assert "IOMMU" not in report.findings[0].detail


def test_a_probe_before_the_rollback_is_not_explained_by_it() -> None:
    report = diagnose(host("bad", BEGIN.format(release=RELEASE) + PROBES + JOIN + REFUSAL + LEAVE))
    assert one(report, "probe-failed", "31:00.0").because == ()


def test_another_error_is_not_explained_by_a_rollback() -> None:
    report = diagnose(host("bad", STORY.replace("-12", "-22")))
    assert one(report, "probe-failed", "31:00.0").because == ()


def test_no_address_space_explains_a_failed_probe() -> None:
    log = BEGIN.format(release="6.1.0-18") + (
        "[ 1.0] pci 0000:31:00.0: BAR 0: failed to assign [mem size 0x2000000 64bit pref]\n"
        "[ 1.0] pci 0000:00:02.0: BAR 0: failed to assign [mem size 0x1000]\n"
    )
    report = diagnose(host("bad", log + PROBES))
    assert chain(report, "probe-failed", "31:00.0") == ["probe-failed", "resource-unassigned"]
    assert rules(report).count("resource-unassigned") == 1


def test_a_refused_group() -> None:
    log = BEGIN.format(release="4.14.0") + JOIN
    log += "[ 19.7] iommu: Failed to add device 0000:02:00.0 to group 17: -16\n" + LEAVE
    report = diagnose(host("bad", log))
    assert chain(report, "iommu-rolled-back")[:2] == ["iommu-rolled-back", "iommu-refused"]
    found = one(report, "iommu-refused")
    assert "could not be added to group 17, error -16" in found.detail
    assert "private" not in found.detail + found.remedy


# ----------------------------------------------------------------------------------- chains that stop half-way


def test_a_rollback_without_its_cause() -> None:
    report = diagnose(host("bad", BEGIN.format(release=RELEASE) + JOIN + LEAVE + PROBES))
    assert chain(report, "probe-failed", "31:00.0") == ["probe-failed", "iommu-rolled-back"]
    found = one(report, "probe-failed", "31:00.0")
    assert found.detail.endswith("Why it was rolled back, the log does not show.")
    assert found.remedy == ""


def test_a_refusal_without_a_failed_probe_tells_the_story_itself() -> None:
    report = diagnose(host("bad", BEGIN.format(release=RELEASE) + JOIN + REFUSAL + LEAVE))
    found = one(report, "iommu-refused")
    assert "Group 17 also holds 00:1c.0, 00:1c.5 and 01:00.0" in found.detail
    assert found.remedy.startswith("1. ")


def test_a_refusal_whose_groups_are_lost() -> None:
    report = diagnose(host("bad", "[ 19.7] pci 0000:02:00.0: DMAR: Failed to get a private domain.\n"))
    found = one(report, "iommu-refused")
    assert "Its group also holds 00:1c.0, 00:1c.5 and 03:00.0 (predicted from the dump" in found.detail
    assert chain(report, "iommu-refused") == ["iommu-refused", "group-shared", "acs-missing"]


def test_a_message_that_names_no_device() -> None:
    report = diagnose(host("bad", STORY.replace("pci 0000:02:00.0: DMAR: Failed", "DMAR: Failed")))
    found = one(report, "iommu-refused", "02:00.0")
    assert found.detail.startswith(
        "The message names no device; 02:00.0 was the last one added before it (inferred)."
    )


def test_acs_is_not_blamed_when_the_healthy_host_has_none_either() -> None:
    report = diff(host("bad"), host("bad", STORY))
    assert chain(report, "probe-failed", "31:00.0") == ["probe-failed", "iommu-rolled-back", "iommu-refused"]
    assert "on A" not in one(report, "probe-failed", "31:00.0").detail


def test_the_kernel_kept_no_groups_and_still_acs_is_found() -> None:
    report = diff(host("good", BEGIN.format(release=RELEASE) + JOIN), host("bad", STORY))
    assert chain(report, "probe-failed", "31:00.0")[-1] in {"acs-lost", "bios-changed"}
    assert "acs-lost" in chain(report, "probe-failed", "31:00.0")


@pytest.mark.parametrize(
    ("here", "healthy", "words"),
    [
        ("1.4.2 03/12/2019", "1.5.0 06/18/2020", "BIOS versions differ"),
        (
            "1.5.0 06/18/2020",
            "1.5.0 06/18/2020",
            "Both hosts run BIOS 1.5.0 (06/18/2020), so the version is not why.",
        ),
    ],
)
def test_bios_versions_differ_or_do_not(here: str, healthy: str, words: str) -> None:
    sick = host("bad", STORY)._replace(dmi=parse_log(DMI.format(bios=here)).dmi)
    well = host("good")._replace(dmi=parse_log(DMI.format(bios=healthy)).dmi)
    found = one(diff(well, sick), "probe-failed", "31:00.0")
    assert words in found.detail
    assert ("and bring BIOS" in found.remedy) == (here != healthy)
    assert ("and compare BIOS settings" in found.remedy) == (here == healthy)


def test_bios_versions_that_are_not_known_are_not_told() -> None:
    found = one(diff(host("good"), host("bad", STORY)), "probe-failed", "31:00.0")
    assert "BIOS" not in found.detail
    assert "and compare BIOS versions and settings" in found.remedy


# ----------------------------------------------------------------------------------------- what kernels are said


@pytest.mark.parametrize(
    ("release", "words"),
    [
        ("4.18.0-193.el8.x86_64", "its vendor took it over"),
        ("5.3.0-rc2", "5.3.0-rc2 has a defect"),
        ("5.4.18", "Mainline 5.4.18 has this code and its correction"),
        ("5.10.7", "Linux 5.8 removed this code"),
        ("next-20260101", "which kernel ran here is not known"),
    ],
)
def test_only_what_is_known_of_the_kernel_at_hand_is_said(release: str, words: str) -> None:
    report = diagnose(host("bad", STORY.replace(RELEASE, release)))
    assert words in one(report, "iommu-refused").detail


def test_a_crash_kernel() -> None:
    copied = "[ 1.0] DMAR: Translation already enabled - trying to copy translation structures\n"
    report = diagnose(host("bad", STORY.replace(RELEASE, "5.4.18").replace(JOIN, copied + JOIN)))
    assert "a crash kernel that took over a running IOMMU" in one(report, "iommu-refused").detail


def test_passthrough_is_only_named_where_it_is_given() -> None:
    report = diagnose(host("bad", STORY, cmdline="ro intel_iommu=on"))
    found = one(report, "probe-failed", "31:00.0")
    assert "iommu=pt" not in found.detail + found.remedy
    assert "It happened with intel_iommu=on." in found.detail


def test_a_default_of_the_build_is_named_as_such() -> None:
    built = "[ 1.0] iommu: Default domain type: Passthrough \n"
    report = diagnose(host("bad", STORY + built, cmdline="ro"))
    assert "identity domain that the kernel's default (Passthrough)" in one(report, "iommu-refused").detail


def test_a_device_that_wants_no_dma_domain_by_the_dump_is_not_explained() -> None:
    report = diagnose(host("bad", STORY.replace("0000:02:00.0", "0000:04:00.0")))
    assert "requester ID" not in one(report, "iommu-refused", "04:00.0").detail


# ------------------------------------------------------------------------------- logs that do not fit, or are cut


def test_a_log_that_contradicts_the_dump() -> None:
    folder = CORPUS / "incident" / "bad"
    printed = load(CORPUS / "incident" / "good").dump
    sick = load(folder)._replace(log=parse_log(STORY), groups=None, dump=printed)
    found = one(diagnose(sick), "groups-contradict")
    assert found.title == "dump records IOMMU groups, which the log says were given up"
    assert found.severity == "info"


def test_a_log_and_a_listing_that_differ() -> None:
    listing = {Address.parse("00:1c.0"): 1, Address.parse("00:1c.5"): 2}
    sick = host("bad", BEGIN.format(release="4.14.0") + JOIN)._replace(groups=listing)
    assert one(diagnose(sick), "groups-contradict").title == "listing and log record different IOMMU groups"


def test_other_numbers_for_the_same_groups_are_no_contradiction() -> None:
    listing = {Address.parse("00:1c.0"): 5, Address.parse("00:1c.5"): 5, Address.parse("00:00.0"): 9}
    sick = host("bad", BEGIN.format(release="4.14.0") + JOIN)._replace(groups=listing)
    assert "groups-contradict" not in rules(diagnose(sick))


def test_groups_that_the_dump_does_not_let_expect() -> None:
    report = diagnose(host("good", BEGIN.format(release="4.19.0") + JOIN))
    found = one(report, "groups-unpredicted")
    assert "00:1c.5" in found.detail
    assert "groups-unpredicted" not in rules(diagnose(host("bad", BEGIN.format(release="4.19.0") + JOIN)))


def test_another_hosts_log_tells_nothing() -> None:
    moved = STORY.replace("0000:", "0007:")
    report = diff(host("good"), host("bad", moved))
    assert "probe-failed" not in rules(report)
    found = one(report, "log-foreign")
    assert (found.severity, found.title) == ("warning", "B: the kernel log is another machine's")
    assert found.before is None
    assert one(diff(host("good", moved), host("bad")), "log-foreign").title.startswith("A: ")


def test_a_log_cut_by_the_ring_buffer() -> None:
    report = diagnose(host("bad", PROBES))
    found = one(report, "probe-failed", "31:00.0")
    assert found.because == ()
    assert "The log has lost its beginning" in found.detail
    assert one(report, "log-cut").severity == "info"


def test_a_log_cut_in_the_middle_of_the_removals() -> None:
    report = diagnose(host("bad", LEAVE[60:] + PROBES))
    assert chain(report, "probe-failed", "31:00.0") == ["probe-failed", "iommu-rolled-back"]


# ------------------------------------------------------------------------------------------- other log entries


@pytest.mark.parametrize(
    ("line", "rule", "severity"),
    [
        ("DMAR: [DMA Read] Request device [31:00.0] fault addr fe3000 not set", "dma-fault", "warning"),
        ("pcieport 0000:30:00.0: pciehp: Slot(4): Link Down", "link-lost", "warning"),
        (
            "pcieport 0000:30:00.0: DPC: containment event, status:0x1f01 source:0x0000",
            "link-lost",
            "warning",
        ),
        (
            "pcieport 0000:30:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)",
            "aer-reported",
            "info",
        ),
        (
            "pcieport 0000:30:00.0: PCIe Bus Error: severity=Uncorrected (Fatal), type=Physical Layer, (Receiver ID)",
            "aer-reported",
            "warning",
        ),
    ],
)
def test_other_entries(line: str, rule: str, severity: str) -> None:
    sick = host("bad", BEGIN.format(release="6.1.0-18") + f"[ 9.0] {line}\n" * 2)
    assert one(diagnose(sick), rule).severity == severity
    assert rule in rules(diff(host("bad"), sick))
    assert rule not in rules(diff(sick, sick))
    assert rule not in rules(diff(sick, host("bad")))


@pytest.mark.parametrize("event", ["Link Up", "Card present", "Attention button pressed"])
def test_hot_plug_is_no_trouble(event: str) -> None:
    log = BEGIN.format(release="6.1.0-18") + f"[ 9.0] pcieport 0000:30:00.0: pciehp: Slot(4): {event}\n"
    assert "link-lost" not in rules(diagnose(host("bad", log)))


def test_limited_bandwidth() -> None:
    log = BEGIN.format(release="6.1.0-18") + (
        "[ 9.0] pci 0000:31:00.0: 16.000 Gb/s available PCIe bandwidth, limited by 5.0 GT/s PCIe x4 link at "
        "0000:30:00.0 (capable of 63.008 Gb/s with 8.0 GT/s PCIe x8 link)\n"
    )
    found = one(diagnose(host("bad", log)), "bandwidth-limited")
    assert found.title == "31:00.0 (Ethernet controller) gets 16.0 Gb/s, not 63.008 Gb/s"


def test_a_host_without_evidence_tells_nothing() -> None:
    text = re.sub(r"\tKernel driver in use: .*\n", "", dump("bad").text)
    assert diagnose(parse(text)).findings == ()


def test_the_recorded_failure_that_is_none_of_the_iommus(shared: Path) -> None:
    report = diagnose(load(shared / "lab" / "incident-probe-12"))
    found = one(report, "probe-failed")
    assert (found.after, found.because) == ("tg3: error -12 (ENOMEM)", ())
    assert "Cannot map device registers, aborting" in found.detail
    assert "iommu-rolled-back" not in rules(report)
