from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lspci_parse.cli import main
from lspci_parse.errors import LspciError
from lspci_parse.evidence.load import load
from lspci_parse.evidence.os_names import OsDevice, parse_os_names
from lspci_parse.findings.engine import diff
from lspci_parse.model.address import Address
from tests.paths import CORPUS

NIC = Address.parse("31:00.0")


def test_a_row_is_an_address_names_and_facts() -> None:
    text = (
        "0000:31:00.0 net/eth0 infiniband/mlx5_0 reset_method=flr,bus boot_vga=1 local_cpulist=0-3 numa_node=1 "
        "power_state=D0\n0000:32:00.0\n"
    )
    found = parse_os_names(text)
    assert found[NIC] == OsDevice(
        ("net/eth0", "infiniband/mlx5_0"),
        ("flr", "bus"),
        boot_vga=True,
        local_cpulist="0-3",
        numa_node=1,
        power_state="D0",
    )
    assert found[NIC].short == "eth0, mlx5_0"
    assert found[Address.parse("32:00.0")] == OsDevice()


@pytest.mark.parametrize(
    "row", ["0000:31:00.0 net/\x1b[2J", "0000:31:00.0 numa_node=x", "0000:31:00.0 new=1 ../x"]
)
def test_what_is_no_name_is_passed_over(row: str) -> None:
    assert parse_os_names(row) == {NIC: OsDevice()}


@pytest.mark.parametrize("text", ["no names", "31:00 net/eth0", "<html>", "0000:31:00.9 net/eth0"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(LspciError):
        parse_os_names(text)


@pytest.mark.parametrize("number", ["2", "Network"])
def test_xml_of_hwloc(number: str) -> None:
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE topology SYSTEM "hwloc2.dtd" [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<topology version="2.0">
  <object type="Machine" os_index="0">
    <info name="HostName" value="secret"/>
    <object type="Bridge" bridge_type="0-1" bridge_pci="0000:[00-30]">
      <object type="PCIDev" gp_index="3" pci_busid="0000:31:00.0" pci_type="0200 [15b3:1019]">
        <object type="OSDev" gp_index="4" name="eth0" osdev_type="{number}"><info name="Address" value="00:11"/></object>
        <object type="OSDev" gp_index="5" name="mlx5_0" osdev_type="3"/>
        <object type="OSDev" gp_index="6" name="&b;" osdev_type="3"/>
      </object>
      <object type="OSDev" gp_index="7" name="nobody" osdev_type="2"/>
    </object>
  </object>
</topology>"""
    assert parse_os_names(text)[NIC].short == "eth0, mlx5_0"
    assert set(parse_os_names(text)) == {NIC}


@pytest.fixture
def hosts(tmp_path: Path) -> list[Path]:
    """Two copies of one host whose names changed places, as they do from boot to boot."""
    for name, names in (("a", "eth0 eth1"), ("b", "eth1 eth0")):
        shutil.copytree(CORPUS / "incident" / "good", tmp_path / name)
        first, second = names.split()
        text = f"0000:31:00.0 net/{first} infiniband/mlx5_0\n0000:31:00.1 net/{second}\n"
        (tmp_path / name / "os_names.txt").write_text(text)
    return [tmp_path / "a", tmp_path / "b"]


def test_names_are_shown_and_are_no_identity(hosts: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(hosts[0])]) == 0
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "31:00.0" in line]
    assert "eth0, mlx5_0" in row
    a, b = map(load, hosts)
    assert a.os_names != b.os_names
    assert diff(a, b).findings == ()
