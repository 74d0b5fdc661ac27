"""One text with all that bug reports and templates ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lspci_parse.cli import main
from lspci_parse.errors import LspciError
from lspci_parse.evidence.bug_report import in_text
from lspci_parse.evidence.load import load
from lspci_parse.model.address import Address
from tests.paths import CORPUS

if TYPE_CHECKING:
    from pathlib import Path

GOOD = CORPUS / "incident" / "good"


def test_dump_log_kernel_command_line_and_groups_in_one_text(tmp_path: Path) -> None:
    parts = [
        "**Describe the bug** my NIC is gone", "$ uname -r", "4.19.0-118.vendor.x86_64",
        "$ cat /proc/cmdline", (GOOD / "cmdline").read_text(), "$ dmesg", (GOOD / "dmesg.txt").read_text(),
        "$ lspci -vvv", (GOOD / "lspci.txt").read_text(), "$ listing", (GOOD / "iommu_groups.txt").read_text(),
    ]  # fmt: skip
    report = tmp_path / "report.txt"
    report.write_text("\n".join(parts))
    one, folder = load(report), load(GOOD)
    assert one.dump == folder.dump
    assert (one.kernel, one.groups) == (folder.kernel, folder.groups)
    assert one.dmi is not None
    assert one.dmi.bios == "1.5.0"
    assert one.cmdline is not None
    assert "iommu=pt" in one.cmdline
    assert one.log is not None
    assert one.log.facts != ()


@pytest.mark.parametrize(
    ("lines", "kernel"),
    [
        (
            ["$ uname -a", "Linux host 6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux"],
            "6.1.0-18-amd64",
        ),
        (["uname -r", "6.8.12-4-pve"], "6.8.12-4-pve"),
        (["I run 6.8.12", "6.8.12"], None),
        (["Linux is great #1"], None),
    ],
)
def test_the_kernel(lines: list[str], kernel: str | None) -> None:
    assert in_text(lines).kernel == kernel


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        (["IOMMU Group 0:", "  00:00.0 Host bridge", "IOMMU Group 1:"], None),
        (["IOMMU Group 0: 00:00.0 Host bridge", "IOMMU Group 1: 00:01.0 PCI bridge"], 2),
        (["0 0000:00:00.0", "1 0000:00:01.0"], 2),
        (["see group 1 of our users"], None),
    ],
)
def test_a_listing_of_groups(lines: list[str], count: int | None) -> None:
    groups = in_text(lines).groups
    assert (None if groups is None else len(groups)) == count


def test_a_log_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = CORPUS / "incident" / "bad" / "dmesg.txt"
    for place in (log, tmp_path):
        (tmp_path / "dmesg.txt").write_bytes(log.read_bytes())
        assert main(["diagnose", str(place)]) == 1
        out = capsys.readouterr().out
        assert "31:00.0 and 31:00.1: mlx5_core failed to probe it, error -12 (ENOMEM)" in out
        assert "there is no dump, only a kernel log" in " ".join(out.split())
        assert "not in the dump" not in out


def test_other_commands_say_what_a_log_is_good_for(tmp_path: Path) -> None:
    with pytest.raises(LspciError, match="this is a kernel log, which 'lspci-parse diagnose' takes alone"):
        load(CORPUS / "incident" / "bad" / "dmesg.txt")
    (tmp_path / "notes.txt").write_text("nothing of the kind\n")
    with pytest.raises(LspciError, match="no PCI device found"):
        load(tmp_path / "notes.txt", log_alone=True)


def test_addresses_of_a_listing_are_read() -> None:
    groups = in_text(["7 0000:00:00.0", "8 0000:00:01.0"]).groups
    assert groups == {Address.parse("00:00.0"): 7, Address.parse("00:01.0"): 8}
