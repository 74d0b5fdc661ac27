"""The lines that switch redirection off, exact and reversible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lspci_parse.cli import main
from tests.machines import downstream, endpoint, root_port, upstream

if TYPE_CHECKING:
    from pathlib import Path

HOST = "".join((
    root_port("00:01.0", 1, last=4), upstream("01:00.0", 2, last=4), downstream("02:00.0", 3),
    downstream("02:01.0", 4, acs="off"), endpoint("03:00.0"), endpoint("04:00.0"),
))  # fmt: skip


@pytest.mark.parametrize(
    ("how", "lines"),
    [
        ("setpci", [
            "# Lost at boot, resume, reset of a function and, from Linux 7.0, when a driver binds.",
            "setpci -s 0000:02:00.0 ECAP_ACS+0x6.w=0000:000c",
            "# undo:",
            "# setpci -s 0000:02:00.0 ECAP_ACS+0x6.w=000c:000c",
        ]),
        ("grub", [
            "# /etc/default/grub: add the parameter to the line that is there, then update-grub and reboot.",
            "# Undo: take it out again. From Linux 6.11 on SrcValid and UpstreamFwd of these ports go off with it;",
            "# IOMMU groups grow: what is below these ports can no longer be passed through one by one.",
            'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT pci=disable_acs_redir=0000:02:00.0"',
        ]),
    ],
)  # fmt: skip
def test_lines(how: str, lines: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "host.txt").write_text(HOST)
    assert main(["check", str(tmp_path / "host.txt"), "--policy", "p2p", "--fix", how]) == 0
    assert capsys.readouterr().out.splitlines() == lines


def test_nothing_to_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "host.txt").write_text(HOST.replace("ReqRedir+ CmpltRedir+", "ReqRedir- CmpltRedir-"))
    assert main(["check", str(tmp_path / "host.txt"), "--policy", "p2p", "--fix", "setpci"]) == 0
    assert capsys.readouterr().out == "# nothing to change: no port between peers redirects\n"


def test_it_belongs_to_peer_to_peer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "host.txt", "--fix", "grub"]) == 2
    assert capsys.readouterr().err == "lspci-parse: --pair and --fix belong to --policy p2p\n"
