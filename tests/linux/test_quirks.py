"""What Linux knows of single devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lspci_parse.errors import LspciError
from lspci_parse.linux.kernel import Boot, Kernel
from lspci_parse.linux.quirks import acs_quirks, alias_quirk
from lspci_parse.lspci.pci_ids import class_id, identify, is_vmd, table
from tests.machines import at, endpoint, function, machine, with_hex

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "release", "version", "point"),
    [
        ("6.1.0-56-amd64", "6.1.0-56-amd64", (6, 1), 0),
        ("4.18.0-147.el8", "4.18.0-147.el8", (4, 18), 0),
        ("5.15.85", "5.15.85", (5, 15), 85),
        ("6.18-rc7", "6.18-rc7", (6, 18), 0),
        ("7.1", "7.1", (7, 1), 0),
        ("Linux version 5.4.0-42-generic (buildd@lgw01) (gcc version 9.3.0)", "5.4.0-42-generic", (5, 4), 0),
    ],
)
def test_releases(text: str, release: str, version: tuple[int, int], point: int) -> None:
    assert Kernel.parse(text) == Kernel(release, version, point)


@pytest.mark.parametrize("text", ["", "six", "6", "v", "Linux", "6.", "x6.1"])
def test_what_is_no_release(text: str) -> None:
    with pytest.raises(LspciError, match="not a kernel release"):
        Kernel.parse(text)


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("6.14.0-1003-nvidia", True),
        ("6.14.0-nvidia-64k", True),
        ("6.8.0-1020-nvidia", False),
        ("6.14.0-27-generic", False),
    ],
)
def test_kernels_with_other_grouping_rules(release: str, expected: bool) -> None:  # noqa: FBT001 - a parameter
    assert Kernel.parse(release).regrouped is expected


def quirk(function_: str, version: str) -> bool:
    (row,) = (row for rows in acs_quirks().values() for row in rows if row.function == function_)
    return row.holds(Kernel.parse(version))


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("5.6", False), ("5.6.4", False), ("5.7.14", True), ("5.8", True), ("7.1", True), ("4.18.0-240.el8", False),
        # Stable series get quirks of newer releases; distributions hide which point release they build.
        ("5.4.18", False), ("5.4.0-42-generic", True), ("5.4.240", True),
    ],
)  # fmt: skip
def test_a_quirk_holds_from_the_release_that_brought_it(version: str, expected: bool) -> None:  # noqa: FBT001
    assert quirk("pci_quirk_rciep_acs", version) is expected


def test_between_the_bounds_a_quirk_is_taken_to_hold_but_not_certain() -> None:
    (row,) = (
        row for row in acs_quirks()["10e8"] if row.function == "pci_quirk_xgene_acs"
    )  # in 4.14, not in 4.4
    assert row.holds(Kernel.parse("4.10"))
    assert not row.certain(Kernel.parse("4.10"))
    assert row.certain(Kernel.parse("4.14"))


def test_ids_from_numbers_from_a_hex_dump_and_from_names() -> None:
    dump = machine(
        "00:01.0 Ethernet controller [0200]: Some Name [8086:1521]\n",
        with_hex(function("00:02.0", name="Some Name"), bytes.fromhex("86802115") + bytes(60)),
        function("00:03.0", name="Intel Corporation Device 1521"),
        function("00:04.0", name="Intel Corporation I350 Gigabit Network Connection"),
        function("00:05.0", name="Nobody's Device 1521"),
    )
    found = [identify(device) for device in dump]
    assert [(identity.vendors, identity.device) for identity in found] == [
        (("8086",), "1521"), (("8086",), "1521"), (("8086",), "1521"), (("8086",), None), ((), "1521"),
    ]  # fmt: skip


def test_a_virtual_function_answers_without_ids() -> None:
    dump = machine(
        with_hex(function("00:02.0", name="Intel Corporation Device 1520"), b"\xff" * 4 + bytes(60))
    )
    assert identify(dump["00:02.0"]).device == "1520"


def test_vendors_that_share_a_name() -> None:
    assert set(
        identify(machine(endpoint("00:01.0", name="Emulex Corporation Device 0720"))["00:01.0"]).vendors
    ) == {"10df", "19a2"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Intel Corporation 6 Series/C200 Series Chipset Family PCI Express Root Port #6", "name"),
        ("Intel Corporation 6 Series/C200 Series Chipset Family PCI Express Root Port 6", "name"),
        ("Intel Corporation 8 Series PCI Express Root Port 3", "shared name"),
        ("Intel Corporation 82801 PCI Bridge", None),
        ("Other Corporation 6 Series/C200 Series Chipset Family PCI Express Root Port #6", None),
    ],
)
def test_names_tell_devices_whose_ids_are_not_printed(name: str, expected: str | None) -> None:
    (row,) = (row for row in acs_quirks()["8086"] if row.rule == "intel-pch" and row.since == (3, 16))
    assert row.target.match(identify(machine(function("00:1c.5", name=name))["00:1c.5"])) == expected


@pytest.mark.parametrize(
    ("slot", "ids", "expected"),
    [
        ("00:05.2", "1180:e832", {(5, 0)}),
        ("00:05.0", "1b4b:9230", {(5, 1)}),
        ("00:05.1", "1b4b:9230", set()),
        ("00:05.0", "8086:2264", {(0x10, 0), (0x11, 0), (0x12, 3)}),
        ("00:05.0", "10b5:87b0", {(device, number) for device in range(32) for number in range(8)}),
        ("00:05.0", "8086:2954", {(device, number) for device in range(32) for number in range(5)}),
        ("00:05.0", "11f8:8536", set()),
    ],
)
def test_aliases(slot: str, ids: str, expected: set[tuple[int, int]]) -> None:
    found = alias_quirk(machine(f"{slot} Ethernet controller [0200]: Name [{ids}]\n")[slot])
    assert found is not None
    row, sure = found
    assert sure
    assert row.functions(at(slot)) == expected


@pytest.mark.parametrize(
    ("subsystem", "expected"),
    [("9005:02bb", (True, True)), ("9005:0285", (False, False)), (None, (True, False))],
)
def test_an_alias_of_some_subsystems_only(subsystem: str | None, expected: tuple[bool, bool]) -> None:
    line = "" if subsystem is None else f"\tSubsystem: Adaptec Name [{subsystem}]\n"
    found = alias_quirk(
        machine(f"00:05.0 RAID bus controller [0104]: Adaptec AAC-RAID [9005:0285]\n{line}")["00:05.0"]
    )
    assert (found is not None, found is not None and found[1]) == expected


def test_devices_without_quirk() -> None:
    assert alias_quirk(machine("00:05.0 Ethernet controller [0200]: Name [8086:1533]\n")["00:05.0"]) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("PCI bridge [0604]: Name [8086:a110]", "0604"),
        ("PCI bridge: Name", "0604"),
        ("VGA compatible controller: Name", "0300"),
        ("IOMMU: Name", "0806"),
        ("Wonderful controller: Name", ""),
    ],
)
def test_class_ids(line: str, expected: str) -> None:
    assert class_id(machine(f"00:01.0 {line}\n")["00:01.0"]) == expected


@pytest.mark.parametrize(
    "text",
    [
        "00:0e.0 RAID bus controller: Intel Corporation Volume Management Device NVMe RAID Controller\n",
        "00:0e.0 RAID bus controller [0104]: Intel Corporation Device [8086:467f]\n",
        "00:0e.0 RAID bus controller: Intel Corporation Device ffff\n\tKernel driver in use: vmd\n",
    ],
)
def test_volume_management_devices(text: str) -> None:
    assert is_vmd(machine(text)["00:0e.0"])
    assert not is_vmd(machine(function("00:0e.0"))["00:0e.0"])


def test_tables_are_whole() -> None:
    """Each row has every column, and the tables say where they come from."""
    for name, columns in (
        ("linux/acs-quirks", 8),
        ("linux/dma-alias-quirks", 5),
        ("lspci/vendors", 2),
        ("lspci/classes", 2),
    ):
        assert {len(row) for row in table(name)} == {columns}
    rows = [row for rows in acs_quirks().values() for row in rows]
    assert {row.rule for row in rows} == {
        "isolated",
        "denied",
        "amd-southbridge",
        "intel-pch",
        "intel-spt",
        "no-srcvalid",
    }
    numbers = [number for row in rows if row.rule == "intel-pch" for number in row.target.devices or ()]
    assert len(numbers) == len(set(numbers)) == 119
    assert [row.rule for row in acs_quirks()["1d17"] if row.ports] == ["isolated", "denied"]


def test_command_line_parameters() -> None:
    boot = Boot(cmdline='quiet intel_iommu=on,sm_on iommu=pt "pci=noaer" intel_iommu=off')
    assert boot.parameter("intel_iommu") == ("on", "sm_on", "off")
    assert boot.parameter("pci") == ("noaer",)
    assert boot.parameter("amd_iommu") == ()


def test_tables_hold_what_the_rule_book_lists(shared: Path) -> None:
    """Every id of the table beside the project is in the package's, under the same kernel function."""
    lines = (shared / "acs-quirks.tsv").read_text().splitlines()
    head, *rows = [line.split("\t") for line in lines if not line.startswith("#")]
    checks = [row for row in (dict(zip(head, row, strict=True)) for row in rows) if row["kind"] == "check"]
    assert checks
    assert [number for row in checks for number in _numbers(row) if not _held(row, number)] == []


def _numbers(row: dict[str, str]) -> Iterator[int]:
    for part in row["device_ids"].replace("any", "fffe").split(","):
        first, _, last = part.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)


def _held(row: dict[str, str], number: int) -> bool:
    quirks = [quirk for quirk in acs_quirks()[row["vendor_id"]] if quirk.function == row["function"]]
    return any(quirk.target.devices is None or number in quirk.target.devices for quirk in quirks)


def test_the_command_line_is_read_as_the_kernel_reads_it() -> None:
    boot = Boot(cmdline='intel-iommu=on,sm_on "pci=noaer,nomsi" quiet -- iommu=off')
    assert boot.parameter("intel_iommu") == ("on", "sm_on")
    assert boot.parameter("pci") == ("noaer", "nomsi")
    assert boot.parameter("iommu") == boot.parameter("quiet") == ()
