from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lspci_parse.evidence import log_facts as f
from lspci_parse.evidence import machine_facts as m
from lspci_parse.evidence.log import LONGEST, foreign, of_another_host, parse_log
from lspci_parse.evidence.log_messages import _tokens
from lspci_parse.model.address import Address
from lspci_parse.parsing.grammar_files import grammar_dir
from lspci_parse.parsing.parser import parse

if TYPE_CHECKING:
    from pathlib import Path

GRAMMAR = (grammar_dir() / "log.lark").read_text("utf-8")
SAMPLES = [re.split(r" {6,}", line[7:])[0] for line in GRAMMAR.splitlines() if re.match(r"// {5}\S", line)]


def address(text: str) -> Address:
    return Address.parse(text)


def only(text: str) -> f.Fact:
    log = parse_log(text)
    assert len(log.facts) == 1, log.facts
    return log.facts[0]


# ------------------------------------------------------------------------------------------------- the grammar


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_sample_of_the_grammar_is_a_fact(sample: str) -> None:
    assert _tokens(sample) is not None


def test_every_rule_has_a_sample() -> None:
    rules = set(re.findall(r"-> (\w+)", GRAMMAR))
    read = {tokens.rule for sample in SAMPLES if (tokens := _tokens(sample))}
    assert read == rules


@pytest.mark.parametrize(
    "line",
    [
        "",
        "usb 1-1: new high-speed USB device number 2",
        "platform MSFT0101:00: Adding to iommu group 2",
        "pci 0000:00:3f.0: Adding to iommu group 2",
        "AMD-Vi: AMD IOMMUv2 functionality not available on this system - This is not a bug.",
        "DMAR: DRHD base: 0x000000fed90000 flags: 0x0",
        "DMI: Memory slots populated: 1/1",
        "i8042: probe of 00:03 failed with error -5",
        "host program: probe of 0000:31:00.0 failed with error -12 \N{SNOWMAN}",
        "\tCapabilities: [148 v1] Access Control Services",
        "pci 0000:00:00.0: Adding to iommu group " + "9" * LONGEST,
    ],
)
def test_other_lines_are_no_facts(line: str) -> None:
    assert parse_log(line).facts == ()


# -------------------------------------------------------------------------------------------------- prefixes

MESSAGE = "pci 0000:00:1c.0: Adding to iommu group 17"


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "   ",
        "[   19.665858] ",
        "[   19.665858][    T1] ",
        "<6>[   19.665858] ",
        "<6>",
        "kern  :info  : [   19.665858] ",
        "[Mon Nov 23 03:11:35 2026] ",
        "[Nov23 03:11] ",
        "[  +0.000012] ",
        "2026-11-23T03:11:35,123456+00:00 ",
        "Nov 23 03:11:35 host kernel: ",
        "Nov  3 03:11:35 host.example kernel: [   19.665858] ",
        "2026-11-23T03:11:35.123456+01:00 host kernel: [   19.665858] ",
        "2026-11-23T03:11:35+0000 host kernel: ",
        "Mon 2026-11-23 03:11:35 UTC host kernel: ",
        "[   19.665858] host kernel: ",
        "Nov 23 03:11:35 host kernel[0]: ",
    ],
)
def test_prefixes(prefix: str) -> None:
    assert only(f"first\n{prefix}{MESSAGE}\r\nlast\n") == f.GroupEvent(2, address("00:1c.0"), 17, "added")


# ------------------------------------------------------------------------------------------------------ facts


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        (
            "iommu: Adding device 0000:00:1c.5 to group 17",
            f.GroupEvent(1, address("00:1c.5"), 17, "added", old_form=True),
        ),
        (
            "vfio-pci 0000:01:00.0: Removing from iommu group 3",
            f.GroupEvent(1, address("01:00.0"), 3, "removed"),
        ),
        (
            "iommu: Failed to add device 0000:01:00.0 to group 3: -16",
            f.GroupEvent(1, address("01:00.0"), 3, "refused", -16, old_form=True),
        ),
        (
            "pci 10000:01:00.0: Failed to add to iommu group 3: -12",
            f.GroupEvent(1, address("10000:01:00.0"), 3, "refused", -12),
        ),
        (
            "pci 0000:02:00.0: DMAR: Failed to get a private domain.",
            f.DomainEvent(1, address("02:00.0"), "private-failed", "Failed to get a private domain."),
        ),
        (
            "DMAR: Failed to get a private domain.",
            f.DomainEvent(1, None, "private-failed", "Failed to get a private domain."),
        ),
        (
            "DMAR: Hardware identity mapping for device 0000:00:1f.3",
            f.DomainEvent(1, address("00:1f.3"), "identity", "Hardware identity mapping for device"),
        ),
        ("iommu: Default domain type: Translated ", f.DomainDefault(1, "Translated", from_cmdline=False)),
        (
            "iommu: Default domain type: Passthrough (set via kernel command line)",
            f.DomainDefault(1, "Passthrough", from_cmdline=True),
        ),
        (
            "DMAR: Intel(R) Virtualization Technology for Directed I/O",
            f.IommuState(1, "intel", "on", "Intel(R) Virtualization Technology for Directed I/O"),
        ),
        (
            "AMD-Vi: Found IOMMU at 0000:00:00.2 cap 0x40",
            f.IommuState(1, "amd", "found", "Found IOMMU at 0000:00:00.2 cap 0x40"),
        ),
        (
            "DMAR: [DMA Read NO_PASID] Request device [31:00.0] fault addr 0x1000 [fault reason 0x06] not set",
            f.DmaFault(1, address("31:00.0"), "fault addr 0x1000 [fault reason 0x06] not set"),
        ),
        ("pci 0000:00:1c.0: Enabling MPC IRBNCE", f.AcsQuirk(1, address("00:1c.0"), "Enabling MPC IRBNCE")),
        (
            "Warning: PCIe ACS overrides enabled; This may allow non-IOMMU protected peer-to-peer DMA",
            f.AcsQuirk(
                1,
                None,
                "Warning: PCIe ACS overrides enabled; This may allow non-IOMMU protected peer-to-peer DMA",
            ),
        ),
        ("pci 0000:05:00.0: Enabling fixed DMA alias to 00.1", f.DmaAlias(1, address("05:00.0"), "00.1")),
        (
            "mlx5_core: probe of 0000:31:00.0 failed with error -12",
            f.ProbeFailure(1, address("31:00.0"), "mlx5_core", -12),
        ),
        (
            "nvme 0000:01:00.0: probe with driver nvme failed with error -12",
            f.ProbeFailure(1, address("01:00.0"), "nvme", -12),
        ),
        (
            "mlx5_core 0000:31:00.0: probe_one:1961:(pid 5): mlx5_init_one failed with error code -12",
            f.Complaint(
                1,
                address("31:00.0"),
                "mlx5_core",
                "probe_one:1961:(pid 5): mlx5_init_one failed with error code -12",
            ),
        ),
        (
            "pci 0000:01:00.0: bridge window [mem size 0x00100000]: can't assign; no space",
            f.Unassigned(
                1, address("01:00.0"), "bridge window [mem size 0x00100000]: can't assign; no space"
            ),
        ),
        (
            "mlx5_core 0000:31:00.0: firmware version: 16.28.2006",
            f.Firmware(1, address("31:00.0"), "mlx5_core", "16.28.2006"),
        ),
        (
            "i40e 0000:3d:00.0: fw 6.0.48442 api 1.7 nvm 6.01 0x800034a4 1.1747.0",
            f.Firmware(1, address("3d:00.0"), "i40e", "6.0.48442"),
        ),
        (
            "bnxt_en 0000:3b:00.0 eth0: FW version 20.6.151.0 ",
            f.Firmware(1, address("3b:00.0"), "bnxt_en", "20.6.151.0"),
        ),
        (
            "i915 0000:00:02.0: Direct firmware load for i915/kbl_dmc_ver1_04.bin failed with error -2",
            f.FirmwareMissing(1, address("00:02.0"), "i915", "i915/kbl_dmc_ver1_04.bin"),
        ),
        (
            "DMAR: [DMA Write PASID 0x1] Request device [0000:00:02.0] fault addr 0xfe3000 [fault reason 0x05] PTE",
            f.DmaFault(1, address("00:02.0"), "fault addr 0xfe3000 [fault reason 0x05] PTE"),
        ),
        (
            "AMD-Vi: Event logged [IO_PAGE_FAULT device=01:00.0 domain=0x000c address=0xfe000 flags=0x0000]",
            f.DmaFault(
                1,
                address("01:00.0"),
                "[IO_PAGE_FAULT device=01:00.0 domain=0x000c address=0xfe000 flags=0x0000]",
            ),
        ),
        (
            "iommu ivhd0: AMD-Vi: Event logged [IOTLB_INV_TIMEOUT device=0000:06:00.0 address=0x100053450]",
            f.IotlbTimeout(
                1, address("06:00.0"), "[IOTLB_INV_TIMEOUT device=0000:06:00.0 address=0x100053450]"
            ),
        ),
        (
            "DMAR: INTR-REMAP: Request device [[02:00.0] fault index 22",
            f.InterruptFault(1, address("02:00.0"), "fault index 22"),
        ),
        ("DMAR: RMRR base: 0x1000 end: 0x1fff", f.ReservedMemory(1, 0x1000, 0x1FFF)),
        (
            "AMD-Vi: Disabling interrupt remapping",
            f.InterruptRemapping(1, False, "AMD-Vi: Disabling interrupt remapping"),  # noqa: FBT003
        ),
        (
            "pci 0000:01:00.0: BAR 0: no space for [mem size 0x1000]",
            f.Unassigned(1, address("01:00.0"), "BAR 0: no space for [mem size 0x1000]"),
        ),
        (
            "igb 0000:01:00.0: SR-IOV: bus number out of range",
            f.SriovShortage(1, address("01:00.0"), "SR-IOV: bus number out of range"),
        ),
        (
            'pci 0000:02:00.0: Max Payload Size 256, but upstream 0000:00:1c.0 set to 128; if necessary, use "x"',
            f.PayloadMismatch(1, address("02:00.0"), 256, address("00:1c.0"), 128),
        ),
        ("{1}[Hardware Error]:   device_id: 0000:01:00.0", f.FirmwareError(1, address("01:00.0"))),
        ("Hypervisor detected: Microsoft Hyper-V", m.Hypervisor(1, "Microsoft Hyper-V")),
        ("Booting paravirtualized kernel on Xen", m.Hypervisor(1, "Xen")),
        ("CPU: 2 PID: 2383 Comm: stats Not tainted 6.10.8-arch1-1 #1", m.Trace(1, "6.10.8-arch1-1")),
        ("CPU: 2 PID: 9 Comm: x Tainted: P OE 6.1.0-18 #1", m.Trace(1, "6.1.0-18")),
        (
            "Hardware name: ASUS System Product Name/ROG STRIX X670E-E, BIOS 2007 04/12/2024",
            m.Dmi(1, "ASUS System Product Name", "ROG STRIX X670E-E", "2007", "04/12/2024"),
        ),
        ("nvme nvme0: pci function 0000:04:00.0", f.NvmeName(1, address("04:00.0"), "nvme0")),
        ("ahci 0000:00:1f.2: version 3.0", f.DriverVersion(1, "ahci", "3.0")),
        ("e1000e: Intel(R) PRO/1000 Network Driver - 3.2.6-k", f.DriverVersion(1, "e1000e", "3.2.6-k")),
        ("tg3.c:v3.137 (May 11, 2014)", f.DriverVersion(1, "tg3", "3.137")),
        (
            "NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  515.65.01  Release Build",
            f.DriverVersion(1, "nvidia", "515.65.01"),
        ),
        ("Compat-mlnx-ofed backport release: f3bf963", f.DriverVersion(1, "mlnx-ofed", "f3bf963")),
        (
            "mlx5_core 0000:31:00.0: 63.008 Gb/s available PCIe bandwidth (8 GT/s x8 link)",
            f.Bandwidth(1, address("31:00.0"), 63.008, "8 GT/s x8 link"),
        ),
        (
            (
                "pci 0000:05:00.0: 4.000 Gb/s available PCIe bandwidth, limited by 5.0 GT/s PCIe x1 link at "
                "0000:00:1c.1 (capable of 7.876 Gb/s with 8.0 GT/s PCIe x1 link)"
            ),
            f.Bandwidth(
                1,
                address("05:00.0"),
                4.0,
                "5.0 GT/s PCIe x1 link",
                address("00:1c.1"),
                7.876,
                "8.0 GT/s PCIe x1 link",
            ),
        ),
        (
            "pcieport 0000:00:1c.0: pciehp: Slot(4-1): Link Down",
            f.LinkEvent(1, address("00:1c.0"), "hotplug", "4-1", "Link Down"),
        ),
        (
            "pciehp 0000:00:1c.0:pcie004: Slot(4): Card present",
            f.LinkEvent(1, address("00:1c.0"), "hotplug", "4", "Card present"),
        ),
        (
            "nvme 0000:01:00.0: Unable to change power state from D3cold to D0, device inaccessible",
            f.LinkEvent(
                1,
                address("01:00.0"),
                "inaccessible",
                None,
                "Unable to change power state from D3cold to D0, device inaccessible",
            ),
        ),
        (
            "pci 0000:00:1c.0: [8086:a195] type 01 class 0x060400 PCIe Root Port",
            f.Enumerated(1, address("00:1c.0"), "8086", "a195", "0604"),
        ),
        (
            "DMI: Dell Inc. PowerEdge R740/06WXJT, BIOS 2.8.2 08/27/2020",
            m.Dmi(1, "Dell Inc. PowerEdge R740", "06WXJT", "2.8.2", "08/27/2020"),
        ),
        (
            "DMI: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.2-debian-1.16.2-1 04/01/2014",
            m.Dmi(1, "QEMU Standard PC (Q35 + ICH9, 2009)", None, "1.16.2-debian-1.16.2-1", "04/01/2014"),
        ),
    ],
)
def test_facts(line: str, fact: f.Fact) -> None:
    assert (type(only(line)), only(line)) == (type(fact), fact)  # kinds of facts may hold the same values


def test_an_error_report_gathers_its_lines() -> None:
    log = parse_log(
        "pcieport 0000:00:1c.0: AER: Corrected error received: 0000:01:00.0\n"
        "e1000e 0000:01:00.0: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=Transaction Layer, (Req ID)\n"
        "e1000e 0000:01:00.0:   device [8086:10d3] error status/mask=00004000/00000000\n"
        "pcieport 0000:00:1c.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, id=00e0(Receiver ID)\n"
        "e1000e 0000:01:00.0:    [14] CmpltTO                (First)\n"
        "e1000e 0000:01:00.0: AER:    [20] UnsupReq\n"
    )
    first, second = log.of(f.AerReport)
    assert first.kinds == ("CmpltTO", "UnsupReq")
    assert (first.severity, first.layer, first.agent) == (
        "Uncorrected (Non-Fatal)",
        "Transaction Layer",
        "Req ID",
    )
    assert (second.address, second.agent, second.kinds) == (address("00:1c.0"), "Receiver ID", ())


@pytest.mark.parametrize(
    ("release", "numbers"),
    [
        ("4.18.0-240.el8.x86_64", (4, 18, 0)),
        ("6.1.0-56-amd64", (6, 1, 0)),
        ("5.3.0-rc2", (5, 3, 0)),
        ("5.15.0-1053-nvidia", (5, 15, 0)),
        ("6.8", (6, 8)),
        ("next", ()),
    ],
)
def test_version_of_a_release(release: str, numbers: tuple[int, ...]) -> None:
    assert m.upstream(release) == numbers


# ---------------------------------------------------------------------------------------------- groups in order


def test_a_removal_cancels_and_the_last_addition_wins() -> None:
    log = parse_log(
        "pci 0000:01:00.0: Adding to iommu group 1\n"
        "pci 0000:02:00.0: Adding to iommu group 2\n"
        "pci 0000:01:00.0: Removing from iommu group 1\n"
        "pci 0000:02:00.0: Adding to iommu group 5\n"
        "pci 0000:03:00.0: Adding to iommu group 1\n"
    )
    assert log.groups == {address("02:00.0"): 5, address("03:00.0"): 1}
    assert log.rollback is None


ROLLED_BACK = (
    "pci 0000:00:1c.0: Adding to iommu group 17\n"
    "pci 0000:02:00.0: Adding to iommu group 17\n"
    "pci 0000:02:00.0: DMAR: Failed to get a private domain.\n"
    "pci 0000:00:1c.0: Removing from iommu group 17\n"
    "pci 0000:02:00.0: Removing from iommu group 17\n"
)


def test_rollback_and_its_cause() -> None:
    rollback = parse_log(ROLLED_BACK).rollback
    assert rollback is not None
    assert rollback.line == 4
    assert rollback.removed == (address("00:1c.0"), address("02:00.0"))
    assert isinstance(rollback.failure, f.DomainEvent)
    assert rollback.failure.address == address("02:00.0")


def test_rollback_whose_cause_the_log_does_not_show() -> None:
    lines = ROLLED_BACK.splitlines(keepends=True)
    rollback = parse_log("".join(lines[3:])).rollback
    assert rollback is not None
    assert rollback.failure is None


def test_rollback_in_an_excerpt() -> None:
    log = parse_log("pci 0000:00:00.0: Adding to iommu group 0\n" + ROLLED_BACK)
    assert log.groups
    assert log.rollback is not None
    assert len(log.rollback.removed) == 2


@pytest.mark.parametrize(
    "lines",
    [
        # One device only was removed; a second attempt succeeded; unplugged long after a refusal.
        [0, 1, 2, 3],
        [0, 1, 2, 3, 4, 0],
        [0, 2, 1, 3, 0, 3, 0, 1, 0, 3],
    ],
)
def test_no_rollback(lines: list[int]) -> None:
    text = ROLLED_BACK.splitlines(keepends=True)
    assert parse_log("".join(text[line] for line in lines)).rollback is None


def test_one_unplugged_device_is_no_rollback() -> None:
    text = "pci 0000:01:00.0: Adding to iommu group 1\npci 0000:01:00.0: Removing from iommu group 1\n"
    assert parse_log(text).rollback is None


# --------------------------------------------------------------------------------------------- boots, beginnings


def test_facts_are_of_the_last_boot() -> None:
    log = parse_log(
        "Nov 22 h kernel: nothing\n"
        "Nov 22 03:11:35 h kernel: Linux version 5.2.0 (gcc)\n"
        "Nov 22 03:11:35 h kernel: pci 0000:01:00.0: Adding to iommu group 1\n"
        "Nov 23 03:11:35 h kernel: Linux version 5.3.0 (gcc)\n"
        "Nov 23 03:11:35 h kernel: pci 0000:02:00.0: Adding to iommu group 7\n"
    )
    assert log.boots == 2
    assert log.complete
    assert log.kernel is not None
    assert log.kernel.release == "5.3.0"
    assert log.groups == {address("02:00.0"): 7}


def test_a_version_line_without_time_does_not_begin_a_boot() -> None:
    log = parse_log("[ 1.0] pci 0000:01:00.0: Adding to iommu group 1\nLinux version 5.3.0 (gcc)\n")
    assert log.groups
    assert not log.complete


def test_a_log_cut_by_the_ring_buffer() -> None:
    log = parse_log("[  900.1] mlx5_core: probe of 0000:31:00.0 failed with error -12\n")
    assert not log.complete
    assert log.kernel is None
    assert log.cmdline is None
    assert log.groups == {}
    assert log.probe_failures[address("31:00.0")].error == -12


def test_command_line_of_the_log() -> None:
    log = parse_log("[    0.0] Kernel command line: root=/dev/sda1 intel_iommu=on iommu=pt\n")
    assert log.cmdline is not None
    assert "iommu=pt" in log.cmdline


# -------------------------------------------------------------------------------------------- whose log is it?

DUMP = parse(
    "00:00.0 Host bridge [0600]: Intel Corporation Device [8086:3ec2]\n\n"
    "00:1c.0 PCI bridge [0604]: Intel Corporation Device [8086:a195]\n\n"
    "02:00.0 VGA compatible controller [0300]: ASPEED Graphics [1a03:2000]\n"
)


def log_of(*devices: str) -> str:
    return "".join(
        f"pci 0000:{slot}: [{ids}] type 00 class 0x060000\n" for slot, ids in map(str.split, devices)
    )


def test_own_log() -> None:
    log = parse_log(
        log_of("00:00.0 8086:3ec2", "00:1c.0 8086:a195", "02:00.0 1a03:2000", "03:00.0 15b3:1015")
    )
    assert foreign(log, DUMP) == {address("03:00.0")}
    assert not of_another_host(log, DUMP)


def test_log_with_other_devices_in_the_same_places() -> None:
    log = parse_log(
        log_of("00:00.0 1022:1480", "00:1c.0 1022:1482", "02:00.0 10de:1db4", "03:00.0 15b3:1015")
    )
    assert foreign(log, DUMP) == {address(slot) for slot in ("00:00.0", "00:1c.0", "02:00.0", "03:00.0")}
    assert of_another_host(log, DUMP)


def test_log_with_devices_in_other_places() -> None:
    lines = [f"pci 0000:8{n}:00.0: Adding to iommu group {n}\n" for n in range(3)]
    assert of_another_host(parse_log("".join(lines)), DUMP)
    assert not of_another_host(parse_log("".join(lines[:2])), DUMP)


def test_a_dump_of_one_device_belongs_to_a_log_of_many() -> None:
    part = parse("02:00.0 VGA compatible controller [0300]: ASPEED Graphics [1a03:2000]\n")
    log = parse_log(log_of("00:00.0 8086:3ec2", "00:1c.0 8086:a195", "02:00.0 1a03:2000"))
    assert not of_another_host(log, part)


def test_a_log_without_devices_is_nobody_elses() -> None:
    assert not of_another_host(parse_log("DMAR: IOMMU enabled\n"), DUMP)


# ---------------------------------------------------------------------------------------------- recorded logs


def test_groups_of_recorded_logs_equal_the_kernels(shared: Path) -> None:
    folders = sorted(path.parent for path in shared.glob("lab/*/dmesg.txt"))
    assert folders
    for folder in folders:
        rows = (folder / "iommu_groups.txt").read_text().split()
        made = {address(rows[i + 1]): int(rows[i]) for i in range(0, len(rows), 2)}
        log = parse_log((folder / "dmesg.txt").read_text(errors="surrogateescape"))
        assert log.groups == made, folder.name
        assert log.complete
        assert log.rollback is None
        assert not of_another_host(log, parse((folder / "lspci-vvvnn.txt").read_bytes())), folder.name


def test_the_published_log(shared: Path) -> None:
    log = parse_log((shared / "incident" / "kernel-log.txt").read_text())
    assert [failure.error for failure in log.probe_failures.values()] == [-12, -12]
    assert log.groups == {address("00:1c.0"): 17, address("00:1c.5"): 17}
    assert [event.old_form for event in log.of(f.GroupEvent)] == [True, True]
    assert not log.complete


def test_a_long_log_takes_linear_time() -> None:
    # Lines that look like candidates, each different, and none of them a fact.
    text = "".join(f"[{n}.0] error at {n}: " + "fw 1.7 " * 20 + "\n" for n in range(2000))
    assert parse_log(text).facts == ()


def test_the_kernel_of_a_trace_serves_where_the_beginning_is_lost() -> None:
    log = parse_log("[ 9.0] CPU: 2 PID: 2383 Comm: stats Not tainted 6.10.8-arch1-1 #1\n")
    assert log.kernel is not None
    assert (log.kernel.release, log.kernel.version) == ("6.10.8-arch1-1", (6, 10, 8))
    assert not log.complete


def test_what_a_driver_said_before_it_failed_whatever_the_words() -> None:
    log = parse_log(
        "ice 0000:e2:00.1: enabling device (0140 -> 0142)\n"
        "ice 0000:e2:00.1: not enough device MSI-X vectors. requested = 260, available = 252\n"
        "ice 0000:e2:00.0: another function's words\n"
        "ice 0000:e2:00.1: ice_init_interrupt_scheme failed: -34\n"
        "ice: probe of 0000:e2:00.1 failed with error -5\n"
        "ice 0000:e2:00.1: what came later\n"
    )
    (failure,) = log.probe_failures.values()
    assert failure.said == (
        "not enough device MSI-X vectors. requested = 260, available = 252",
        "ice_init_interrupt_scheme failed: -34",
    )
