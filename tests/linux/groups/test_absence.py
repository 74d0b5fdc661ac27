"""Hosts without groups: what tells it, why, and what is no proof."""

from __future__ import annotations

import pytest

from lspci_parse.evidence.cmdline import parse_cmdline
from lspci_parse.evidence.host import Host
from lspci_parse.evidence.log import WHOLE, parse_log
from lspci_parse.linux.groups.absence import absence
from lspci_parse.linux.groups.prediction import boot_of, groups
from lspci_parse.model.dump import Dump
from tests.machines import at, endpoint, express, function, machine, root_port
from tests.paths import CORPUS

EXCERPT = "[    0.000000] Linux version 6.1.0-18-amd64 (builder@host) (gcc) #1 SMP\n"
KERNEL = EXCERPT + "[    0.1] ACPI: Early table checksum verification disabled\n" * WHOLE
DEVICES = ("00:01.0", "01:00.0")
ADDED = "".join(f"[    0.4] pci 0000:{slot}: Adding to iommu group {n}\n" for n, slot in enumerate(DEVICES))
REMOVED = "".join(
    f"[    0.5] pci 0000:{slot}: Removing from iommu group {n}\n" for n, slot in enumerate(DEVICES)
)
PLAIN = machine(root_port("00:01.0", 1), endpoint("01:00.0"))


def cause(host: Host) -> str | None:
    found = absence(host, boot_of(host))
    return None if found is None else found.cause


def running(*lines: str) -> Dump:
    """A dump of a release that prints groups (``IntMsgNum`` is 3.11's word), with a driver bound."""
    text = "Kernel driver in use: pcieport"
    port = express("00:01.0", "Root Port (Slot+), IntMsgNum 0", text, *lines, class_="PCI bridge")
    return machine(port.replace(", MSI 00", ""), function("00:1f.0"), function("00:1f.3"))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (Host("h", PLAIN, groups={}), "iommu off"),
        (Host("h", PLAIN, log=parse_log(KERNEL)), "iommu off"),
        (Host("h", PLAIN, cmdline=parse_cmdline("intel_iommu=off")), "command line"),
        (Host("h", PLAIN, log=parse_log(KERNEL + ADDED + REMOVED)), "given up"),
        (Host("h", running()), "iommu off"),
        # No proof: nothing recorded at all, a log whose beginning is lost, one of a kernel that tells of no group.
        (Host("h", PLAIN), None),
        (Host("h", PLAIN, log=parse_log("[ 9.1] pci 0000:00:01.0: AER: Corrected error received\n")), None),
        (Host("h", PLAIN, log=parse_log(KERNEL.replace("6.1.0", "3.16.0"))), None),
        (Host("h", PLAIN, log=parse_log(EXCERPT)), None),
        (Host("h", PLAIN, log=parse_log(KERNEL + ADDED)), None),
        # Recorded groups count for more than a command line, which may be another boot's.
        (Host("h", PLAIN, groups={at("00:01.0"): 0}, cmdline=parse_cmdline("iommu=off")), None),
    ],
)  # fmt: skip
def test_what_tells_that_there_are_no_groups(host: Host, expected: str | None) -> None:
    assert cause(host) == expected


def test_a_dump_that_would_print_groups_tells() -> None:
    assert cause(Host("h", running("IOMMU group: 3"))) is None
    windows = running().text.replace("pcieport", "pci.sys")
    assert cause(Host("h", machine(windows))) is None
    no_driver = running().text.replace("\tKernel driver in use: pcieport\n", "")
    assert cause(Host("h", machine(no_driver))) is None


@pytest.mark.parametrize(
    ("extra", "log", "why"),
    [
        ((), "", "the IOMMU is off in BIOS setup, or the kernel was not told to use it (on Intel: intel_iommu=on)"),
        ((), "[    0.1] DMAR: IOMMU disabled\n", "the IOMMU is off (the log says: IOMMU disabled)"),
        (
            (function("00:02.0", class_="IOMMU"),), "",
            "the kernel does not use the IOMMU 00:02.0, or has no driver for it",
        ),
        (
            (function("00:03.0", name="Red Hat, Inc. Virtio console"),), "",
            "probably a guest without a virtual IOMMU",
        ),
    ],
)  # fmt: skip
def test_why(extra: tuple[str, ...], log: str, why: str) -> None:
    host = Host("h", machine(root_port("00:01.0", 1), *extra), log=parse_log(KERNEL + log))
    found = groups(host)
    assert found.off == f"the kernel log, complete from its beginning, tells of no group: {why}"
    assert found.groups == ()
    assert found.with_iommu is not None
    assert found.with_iommu.of("00:01.0") is not None


def test_with_the_iommu_on_linux_sets_the_flags_that_ports_have() -> None:
    parts = [
        root_port("00:01.0", 1, acs="off"),
        root_port("00:01.1", 2, acs=None),
        root_port("00:01.2", 3, acs=None),
    ]
    found = groups(Host("h", machine(*parts), groups={}))
    assert found.with_iommu is not None
    assert [[device.slot for device in group.devices] for group in found.with_iommu.groups] == [
        ["00:01.0"], ["00:01.1", "00:01.2"],
    ]  # fmt: skip


def test_groups_that_were_given_up_are_predicted_as_they_were() -> None:
    host = Host("h", PLAIN, log=parse_log(KERNEL + ADDED + REMOVED), groups={})
    found = groups(host)
    assert found.off == f"the kernel took all 2 functions out of their groups again (log, line {WHOLE + 4})"
    assert len(found.groups) == 2
    assert (found.recorded, found.agrees) == ({at("00:01.0"): 0, at("01:00.0"): 1}, True)


def test_a_platform_with_rules_of_its_own_is_not_predicted() -> None:
    numbers = {at("00:01.0"): 5, at("01:00.0"): 5}
    found = groups(Host("h", PLAIN, kernel="5.14.0.s390x", groups=numbers))
    assert found.groups == ()
    assert found.other_rules is not None
    assert found.other_rules.startswith("on s390 each function")
    assert [len(group.devices) for group in found.actual] == [2]


def test_own_machine_with_an_amd_iommu() -> None:
    """In a virtual machine the IOMMU's own function has no group; beside it on real ones the host bridge neither."""
    parts = [
        function("00:00.0", class_="Host bridge"),
        function("00:00.2", class_="IOMMU", name="Advanced Micro Devices, Inc. [AMD] IOMMU"),
        function("00:01.0", class_="Host bridge"),
    ]
    found = groups(machine(*parts))
    assert [entry.device.slot for entry in found.ungrouped] == ["00:00.0", "00:00.2"]
    assert found.of("00:01.0") is not None
    assert (CORPUS / "groups" / "amd-mixed").is_dir()


def test_a_function_that_the_kernel_left_out_is_a_difference() -> None:
    dump = machine(*(function(f"00:0{number}.0") for number in range(1, 5)))
    numbers = {at(f"00:0{number}.0"): number for number in range(1, 4)}
    found = groups(Host("h", dump, groups=numbers))
    assert found.agrees is False
    assert [(entry.kind, entry.text) for entry in found.disagreements] == [
        ("left out", "predicted: 00:04.0 has a group, the kernel left it without one")
    ]


PATCH = "[    0.2] Warning: PCIe ACS overrides enabled; This may allow non-IOMMU protected peer-to-peer DMA\n"


@pytest.mark.parametrize(
    ("log", "kernel", "numbers", "apart"),
    [
        (KERNEL + PATCH + ADDED, None, None, True),
        (KERNEL + ADDED, None, None, False),
        (EXCERPT + ADDED.replace("group 1", "group 0"), None, None, False),
        (None, "6.8.12-4-pve", None, True),
        (None, None, (0, 1), True),
        (None, None, (0, 0), False),
        (None, "6.1.0-18-amd64", None, None),
    ],
    ids=["warned", "not warned", "excerpt", "by name", "recorded apart", "recorded together", "not known"],
)
def test_whether_the_override_means_anything(
    log: str | None,
    kernel: str | None,
    numbers: tuple[int, int] | None,
    apart: bool | None,  # noqa: FBT001
) -> None:
    dump = machine(root_port("00:01.0", 1, acs=None), endpoint("01:00.0"))
    host = Host(
        "h", dump, kernel=kernel, log=None if log is None else parse_log(log),
        cmdline=parse_cmdline("pcie_acs_override=downstream"),
        groups=None if numbers is None else dict(zip(map(at, ("00:01.0", "01:00.0")), numbers, strict=True)),
    )  # fmt: skip
    found = groups(host)
    if apart is None:
        assert [entry.device.slot for entry in found.undecided] == ["01:00.0"]
    else:
        assert len(found.groups) == (2 if apart else 1)


def test_an_excerpt_of_a_dump_tells_nothing_of_the_host() -> None:
    one = machine(*running().text.split("\n\n")[:1])
    assert cause(Host("h", one)) is None


def test_ids_that_the_log_tells_serve_a_dump_without() -> None:
    """A chipset port whose name says nothing isolates by the kernel's workaround, which goes by ids."""
    ports = [
        root_port(slot, bus, acs=None, name="Some Renamed Port")
        for slot, bus in (("00:1c.0", 1), ("00:1c.4", 2))
    ]
    log = EXCERPT + "".join(
        f"[    0.4] pci 0000:{slot}: [8086:{ids}] type 01 class 0x060400\n"
        for slot, ids in (("00:1c.0", "8d10"), ("00:1c.4", "8d18"))
    )
    dump = machine(*ports)
    assert len(groups(Host("h", dump)).groups) == 1
    assert len(groups(Host("h", dump, log=parse_log(log))).groups) == 2
    assert len(groups(Host("h", dump, log=parse_log(log), foreign_log=True)).groups) == 1
