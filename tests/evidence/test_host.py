from __future__ import annotations

import gzip
import io
import sys
from typing import TYPE_CHECKING

import pytest

from lspci_parse.errors import LspciError
from lspci_parse.evidence.load import load
from lspci_parse.model.address import Address
from tests.paths import CORPUS

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = "00:00.0 Host bridge: Example Corporation Device\n\tControl: I/O+ Mem+ BusMaster+\n"
USER = PLAIN + "\tCapabilities: <access denied>\n"
FULL = (
    PLAIN + "\tIOMMU group: 3\n\tCapabilities: [e0] MSI: Enable- Count=1/1 Maskable- 64bit+\n"
    "\t\tAddress: 0000000000000000  Data: 0000\n"
)
NUMBERED = FULL.replace(
    "Host bridge: Example Corporation Device", "Host bridge [0600]: Example Device [8086:3ec2]"
)
HEX = "00: 86 80 c2 3e 06 00 90 20 00 00 00 06 00 00 00 00\n"
BEGIN = "[    0.000000] Linux version 5.3.0-rc2 (gcc)\n[    0.000000] Command line: ro iommu=pt\n"
DMI = "[    0.000000] DMI: Dell Inc. PowerEdge R740/06WXJT, BIOS 2.8.2 08/27/2020\n"
GROUP = "[    1.000000] pci 0000:00:00.0: Adding to iommu group 5\n"
BRIDGE = Address(0, 0, 0, 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lspci.txt").write_text(FULL)
    return tmp_path


# --------------------------------------------------------------------------------------------------- one file


def test_a_file(folder: Path) -> None:
    host = load(folder / "lspci.txt")
    assert str(host.dump) == FULL
    assert host.source == str(folder / "lspci.txt")
    assert host.files == {"dump": host.source}
    assert (host.log, host.cmdline, host.groups, host.kernel, host.dmi) == (None,) * 5
    assert host.recorded == {BRIDGE: 3}


def test_a_compressed_file(tmp_path: Path) -> None:
    path = tmp_path / "lspci.gz"
    path.write_bytes(gzip.compress(FULL.encode()))
    assert str(load(path).dump) == FULL


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(FULL.encode())))
    host = load("-")
    assert (host.source, str(host.dump)) == ("-", FULL)


def test_a_bug_report_with_dump_and_log(tmp_path: Path) -> None:
    path = tmp_path / "bug-report.log"
    path.write_text(f"start\n{NUMBERED}\n{BEGIN}{DMI}{GROUP}")
    host = load(path)
    assert host.log is not None
    assert host.log.groups == {BRIDGE: 5}
    assert host.kernel == "5.3.0-rc2"
    assert host.cmdline is not None
    assert "iommu=pt" in host.cmdline
    assert host.files == {"dump": str(path), "log": str(path)}


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(LspciError, match="no such file"):
        load(tmp_path / "nothing")


def test_strict(folder: Path) -> None:
    (folder / "lspci.txt").write_text(FULL + "\tSurprise\n")
    assert len(load(folder).dump.unrecognised) == 1
    for path in (folder, folder / "lspci.txt"):
        with pytest.raises(LspciError, match=r"lspci\.txt:\d+:1: no rule knows this line"):
            load(path, strict=True)


def test_several_dumps_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "lspci.txt"
    path.write_text(f"$ lspci -v\n{PLAIN}\n$ lspci -vvv\n{FULL}")
    host = load(path)
    assert len(host.dumps) == 2
    assert host.dump == host.dumps[1]


# ---------------------------------------------------------------------------------------------------- folders


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ({"lspci-user.txt": USER, "lspci-z.txt": FULL}, "lspci-z.txt"),
        ({"lspci-a.txt": FULL, "lspci-nn.txt": NUMBERED, "lspci-x.txt": FULL + HEX}, "lspci-nn.txt"),
        ({"lspci-a.txt": FULL, "lspci-x.txt": FULL + HEX}, "lspci-x.txt"),
        ({"lspci-t.txt": "-[0000:00]---00.0\n", "lspci-v.txt": PLAIN}, "lspci-v.txt"),
        ({"lspci-t.txt": "-[0000:00]---00.0\n" * 99, "LSPCI.LOG": USER}, "LSPCI.LOG"),
    ],
)
def test_the_dump_that_says_most_is_taken(tmp_path: Path, files: dict[str, str], chosen: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert load(tmp_path).files["dump"] == str(tmp_path / chosen)


def test_everything_in_a_folder(folder: Path) -> None:
    (folder / "dmesg.txt").write_text(BEGIN + DMI + GROUP)
    (folder / "cmdline").write_text("quiet iommu=off\n")
    (folder / "iommu_groups.txt").write_text("4 0000:00:00.0\n")
    (folder / "iommu_group_types.txt").write_text("4 identity\n")
    (folder / "uname.txt").write_text("Linux host 6.1.0-56-amd64 #1 SMP x86_64 GNU/Linux\n")
    (folder / "dmi.txt").write_text("bios_version: 9.9\nbios_date: 01/02/2023\n")
    (folder / "notes.txt").write_text("bought second-hand")
    host = load(folder)
    assert host.log is not None
    assert host.cmdline is not None
    assert host.cmdline.text == "quiet iommu=off"
    assert host.groups == host.recorded == {BRIDGE: 4}
    assert host.kernel == "6.1.0-56-amd64"
    assert host.dmi is not None
    assert host.dmi.bios == "9.9"
    names = ("lspci.txt", "dmesg.txt", "cmdline", "iommu_groups.txt", "uname.txt", "dmi.txt")
    assert set(host.files.values()) == {str(folder / name) for name in names}
    assert host.notes == ()


def test_the_log_fills_in_what_has_no_file(folder: Path) -> None:
    (folder / "dmesg").write_text(BEGIN + DMI + GROUP)
    host = load(folder)
    assert host.kernel == "5.3.0-rc2"
    assert host.cmdline is not None
    assert host.cmdline.text == "ro iommu=pt"
    assert host.dmi is not None
    assert host.dmi.bios == "2.8.2"


def test_an_empty_file_says_nothing_of_groups(folder: Path) -> None:
    (folder / "iommu_groups.txt").write_text("")
    (folder / "lspci.txt").write_text(PLAIN)
    host = load(folder)
    assert host.groups is None
    assert "iommu_groups.txt was left out: no IOMMU group found" in " ".join(host.notes)


def test_an_empty_listing_says_that_there_are_no_groups(folder: Path) -> None:
    (folder / "iommu_groups.txt").write_text("# /sys/kernel/iommu_groups is empty: no IOMMU is in use\n")
    (folder / "lspci.txt").write_text(PLAIN)
    host = load(folder)
    assert host.groups == {}
    assert host.recorded == {}


def test_groups_of_a_set_up_that_was_given_up_are_recorded_in_the_log(folder: Path) -> None:
    (folder / "iommu_groups.txt").write_text("# /sys/kernel/iommu_groups is empty: no IOMMU is in use\n")
    (folder / "lspci.txt").write_text(PLAIN)
    more = GROUP.replace("00:00.0", "00:01.0")
    (folder / "dmesg").write_text(BEGIN + GROUP + more + (GROUP + more).replace("Adding to", "Removing from"))
    host = load(folder)
    assert host.log is not None
    assert host.log.groups == {}
    assert host.recorded == host.log.made == {BRIDGE: 5, Address(0, 0, 1, 0): 5}


def test_recorded_groups_come_from_a_complete_log(folder: Path) -> None:
    (folder / "lspci.txt").write_text(PLAIN)
    (folder / "dmesg").write_text(BEGIN + GROUP)
    assert load(folder).recorded == {BRIDGE: 5}
    (folder / "dmesg").write_text(GROUP)
    assert load(folder).recorded is None


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ({"dmesg.txt": GROUP, "journalctl-k.txt": BEGIN + GROUP}, "journalctl-k.txt"),
        ({"dmesg.txt": GROUP, "journalctl.txt": "nothing"}, "dmesg.txt"),
        ({"dmesg.txt": BEGIN, "kern.log": BEGIN}, "dmesg.txt"),
        ({"kern.log": BEGIN, "kern.log.1": BEGIN, "messages": BEGIN}, "kern.log"),
        ({"kern.log.1": BEGIN, "messages": BEGIN}, "messages"),
        ({"journalctl_--boot_-1": BEGIN, "syslog": GROUP}, "syslog"),
    ],
)
def test_the_log_with_its_beginning_is_taken(folder: Path, files: dict[str, str], chosen: str) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)
    assert load(folder).files["log"] == str(folder / chosen)


def test_of_several_outputs_it_tells_which_it_took(folder: Path) -> None:
    (folder / "lspci.txt").write_text(
        "00:00.0 Host bridge: b\n$ lspci -v\n00:00.0 Host bridge: a\n\tLatency: 0\n"
    )
    host = load(folder / "lspci.txt")
    assert "Latency" in host.dump.devices[0].registers
    path = folder / "lspci.txt"
    note = f"{path} shows 2 hosts or times; taken is the newest, from line 3 on ({path}#1 is the first)"
    assert host.notes == (note,)


def test_another_machines_log_fills_in_nothing(folder: Path) -> None:
    elsewhere = "".join(GROUP.replace("00:00.0", f"80:00.{function}") for function in range(3))
    (folder / "dmesg").write_text(BEGIN + DMI + elsewhere)
    host = load(folder)
    assert host.foreign_log
    assert host.log is not None
    assert (host.own_log, host.cmdline, host.kernel, host.dmi) == (None,) * 4
    assert host.notes == (f"{folder / 'dmesg'} is another machine's log: it names other devices",)


def test_evidence_that_cannot_be_read_is_left_out(folder: Path) -> None:
    (folder / "dmesg.gz").write_bytes(gzip.compress(b"x" * 1000)[:-12])
    (folder / "iommu_groups.txt").write_text("nothing of the kind")
    (folder / "iommu_groups.txt.1").write_text("4 0000:00:00.0\n")
    host = load(folder)
    assert host.log is None
    assert host.groups == {BRIDGE: 4}
    assert [note.partition(" was ")[0] for note in host.notes] == [
        str(folder / "dmesg.gz"), str(folder / "iommu_groups.txt"),
    ]  # fmt: skip


def test_a_folder_without_a_dump(tmp_path: Path) -> None:
    (tmp_path / "dmesg").write_text(BEGIN)
    with pytest.raises(LspciError) as caught:
        load(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: no lspci output in it; expected a file named sos_commands/pci/lspci*, lspci* (there is none)"
    )


def test_a_folder_with_nothing_but_a_bus_tree(tmp_path: Path) -> None:
    (tmp_path / "lspci-t.txt").write_text("-[0000:00]---00.0\n")
    with pytest.raises(LspciError, match=r"lspci-t\.txt:1:1: this is the bus tree"):
        load(tmp_path)


def test_a_folder_that_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    with pytest.raises(LspciError, match="permission denied; expected a folder that can be read"):
        load(folder)


def test_a_dump_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "lspci.gz").write_bytes(gzip.compress(FULL.encode())[:-12])
    with pytest.raises(
        LspciError, match=r"no lspci output in it; .* \(.*lspci\.gz was left out: the gzip data ends"
    ):
        load(tmp_path)


# ------------------------------------------------------------------------------------------------- sosreports


def test_a_sosreport_folder_and_the_folder_around_it(tmp_path: Path) -> None:
    host = load(CORPUS / "hosts" / "sosreport")
    assert host.files["dump"].endswith("sos_commands/pci/lspci_-nnvv")
    assert host.files["cmdline"].endswith("proc/cmdline")
    assert host.files["log"].endswith("sos_commands/kernel/dmesg")
    assert host.files["kernel"].endswith("sos_commands/kernel/uname_-a")
    (tmp_path / "sosreport-h").symlink_to(CORPUS / "hosts" / "sosreport", target_is_directory=True)
    assert load(tmp_path).dump == host.dump


def test_recorded_hosts(shared: Path) -> None:
    for folder in sorted(path.parent for path in shared.glob("lab/*/dmesg.txt")):
        host = load(folder)
        assert host.files["dump"].endswith("lspci-vvvnn.txt")
        assert set(host.files) >= {"dump", "log", "cmdline"}
        assert ("groups" in host.files) == bool((folder / "iommu_groups.txt").read_text())
        assert host.log is not None
        assert (host.groups or {}) == host.log.groups
        assert host.cmdline == host.log.cmdline
        assert host.kernel == "6.1.0-56-amd64"
        assert not host.foreign_log
        assert [note for note in host.notes if "iommu_groups.txt was left out" not in note] == []


def test_the_log_tells_aliases_and_failed_quirks(tmp_path: Path) -> None:
    (tmp_path / "lspci.txt").write_text("00:1c.0 PCI bridge: Example Port\n01:00.0 Class: Example Card\n")
    (tmp_path / "dmesg.txt").write_text(
        "[    0.000000] Linux version 6.1.0\n"
        "[    1.000000] pci 0000:01:00.0: Enabling fixed DMA alias to 00.1\n"
        "[    1.000000] pci 0000:00:1c.0: Failed to enable Intel PCH ACS quirk\n"
    )
    host = load(tmp_path)
    assert host.aliases == {Address.parse("01:00.0"): {Address.parse("01:00.1")}}
    assert host.pch_failed == {Address.parse("00:1c.0")}
