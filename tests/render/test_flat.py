"""A dump as one fact a line."""

from lspci_parse.render.flat import flat
from tests.texts import ACS_ON, bridge, device, dump, express

HOST = dump(bridge("00:1c.0", 1, ACS_ON), device("01:00.0", express("Endpoint"), "Kernel modules: a, b\n"))


def test_facts_have_paths_units_and_plain_values() -> None:
    lines = list(flat(HOST))
    assert lines[:2] == ["00:1c.0/class = PCI bridge", "00:1c.0/name = Example Corporation Port"]
    assert "00:1c.0/Bus/secondary = 1" in lines
    assert "00:1c.0/acs = [140 v1] Access Control Services" in lines
    assert "00:1c.0/acs/ACSCtl/TransBlk = false" in lines
    assert "01:00.0/exp/DevCtl/MaxPayload = 256 bytes" in lines
    assert "01:00.0/modules = a b" in lines
    assert len(lines) == len({line.split(" = ")[0] for line in lines})


def test_one_kind_only() -> None:
    assert {line.split("/")[1].split(" ")[0] for line in flat(HOST, "acs")} == {"acs"}
