"""A dump as a tree, and single devices in full."""

from __future__ import annotations

import pytest

from lspci_parse.model.dump import Dump, Releases
from lspci_parse.render.text.tree import devices, footer, tree
from tests.texts import ACS_OFF, ACS_ON, bridge, device, dump, express

FLAGS = "(SrcValid ReqRedir CmpltRedir UpstreamFwd)"


def host() -> Dump:
    group = "IOMMU group: {}\n".format
    return dump(
        bridge("00:1c.0", 1, ACS_ON, group(1)),
        device("01:00.0", express("Endpoint"), "Kernel driver in use: nvme\n", group(2), name="Example Disk"),
        bridge("00:1d.0", 2, ACS_OFF, group(3)),
        device("02:00.0", group(3), name="Example Card"),
        device("00:1f.0", name="Example Bridge", class_="ISA bridge"),
    )


def test_bridges_stand_above_what_hangs_below_them() -> None:
    rows = [line.split("  ") for line in tree(host()).splitlines()[:6]]
    assert [[cell.strip() for cell in row if cell.strip()] for row in rows] == [
        ["slot", "what", "link", "ACS", "group", "driver", "name"],
        ["00:1c.0", "Root Port", "8GT/s x4", f"ACS on {FLAGS}", "1", "Example Corporation Port"],
        ["└─ 01:00.0", "Ethernet controller", "8GT/s x4", "2", "nvme", "Example Disk"],
        ["00:1d.0", "Root Port", "8GT/s x4", "ACS off", "3", "Example Corporation Port"],
        ["└─ 02:00.0", "Ethernet controller", "3", "Example Card"],
        ["00:1f.0", "ISA bridge", "Example Bridge"],
    ]


def test_every_device_has_its_line() -> None:
    text = tree(host())
    assert all(device.slot in text for device in host())


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        ("3.8", "3.10", ", printed by lspci 3.8 to 3.10"),
        ("3.8", "3.8", ", printed by lspci 3.8"),
        (None, "3.2.1", ", printed by lspci 3.2.1 or older"),
        ("3.14", None, ", printed by lspci 3.14 or newer"),
        (None, None, ""),
    ],
)
def test_the_release_that_printed_it(low: str | None, high: str | None, words: str) -> None:
    found = dump(device("00:00.0", "Latency: 0\n"))
    vars(found)["lspci"] = Releases(low, high)
    assert footer(found) == f"1 device{words}."


def test_lines_that_no_rule_knows_are_shown() -> None:
    strange = dump(device("00:02.0", "What is this\n"))
    assert tree(strange).endswith("1 line that no rule knows:\n  line 3: What is this")


def test_a_device_in_full() -> None:
    text = devices([host().devices[0]], "acs")
    assert text.splitlines() == [
        "00:1c.0 PCI bridge: Example Corporation Port (rev 00)",
        "  acs [140 v1] Access Control Services",
        "    ACSCap: SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-",
        "    ACSCtl: SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-",
    ]
    assert "  driver: nvme" in devices([host().devices[1]])
