"""How near two devices are, and which ports send their traffic up."""

from __future__ import annotations

import pytest

from lspci_parse.linux.peers import path, peers
from lspci_parse.render.text.topo import topo
from lspci_parse.serialization.topo import as_json
from lspci_parse.topology.tree import topology
from tests.machines import at, downstream, endpoint, function, machine, root_port, upstream

GPU = "3D controller"
MACHINE = (
    root_port("00:01.0", 1, last=8), upstream("01:00.0", 2, last=8),
    downstream("02:00.0", 3, acs="off"), downstream("02:01.0", 4, acs="on"),
    downstream("02:02.0", 5, acs="off", last=8), upstream("05:00.0", 6, last=8), downstream("06:00.0", 7, acs=None),
    endpoint("03:00.0", "NUMA node: 0", class_=GPU, name="Accelerator A"), endpoint("04:00.0", "NUMA node: 0"),
    endpoint("07:00.0", "NUMA node: 0", class_="Non-Volatile memory controller"),
    root_port("00:02.0", 9), endpoint("09:00.0", "NUMA node: 0", "Capabilities: [150 v1] Address Translation Service (ATS)"),
    root_port("80:01.0", 0x81), endpoint("81:00.0", "NUMA node: 1", class_=GPU, name="Accelerator B"),
    root_port("40:01.0", 0x41), endpoint("41:00.0", "NUMA node: 0"),
    function("00:1f.2", class_="SATA controller"),
)  # fmt: skip
TREE = topology(machine(*MACHINE))


@pytest.mark.parametrize(
    ("a", "b", "level", "redirecting"),
    [
        ("03:00.0", "04:00.0", "PIX", ["02:01.0"]),
        ("03:00.0", "07:00.0", "PXB", []),
        ("03:00.0", "09:00.0", "PHB", ["00:01.0", "00:02.0"]),
        ("03:00.0", "41:00.0", "NODE", ["00:01.0", "40:01.0"]),
        ("03:00.0", "81:00.0", "SYS", ["00:01.0", "80:01.0"]),
    ],
)
def test_levels(a: str, b: str, level: str, redirecting: list[str]) -> None:
    for one, other in ((a, b), (b, a)):
        way = path(TREE, at(one), at(other))
        assert way.level == level
        assert sorted(port.slot for port in way.redirecting) == redirecting


def test_who_is_a_peer() -> None:
    assert {address.slot: kind for address, kind in peers(TREE).items()} == {
        "03:00.0": "GPU", "04:00.0": "NIC", "07:00.0": "NVMe disk", "09:00.0": "NIC", "41:00.0": "NIC", "81:00.0": "GPU",
    }  # fmt: skip


def test_the_matrix() -> None:
    assert topo(TREE).split("\n") == [
        "       GPU0    NIC1    NVMe2    NIC3    NIC4    GPU5    NUMA",
        "GPU0   X       PIX*    PXB      PHB     NODE    SYS     0",
        "NIC1   PIX*    X       PXB*     PHB     NODE    SYS     0",
        "NVMe2  PXB     PXB*    X        PHB     NODE    SYS     0",
        "NIC3   PHB     PHB     PHB      X       NODE    SYS     0",
        "NIC4   NODE    NODE    NODE     NODE    X       SYS     0",
        "GPU5   SYS     SYS     SYS      SYS     SYS     X       1",
        "",
        "GPU0    03:00.0  Accelerator A",
        "NIC1    04:00.0  Example Corporation Device",
        "NVMe2   07:00.0  Example Corporation Device",
        "NIC3    09:00.0  Example Corporation Device",
        "NIC4    41:00.0  Example Corporation Device",
        "GPU5    81:00.0  Accelerator B",
        "",
        "PIX   below one switch, or one port",
        "PXB   below one root port, over several switches",
        "PHB   over one host bridge",
        "NODE  over several host bridges of one NUMA node",
        "SYS   over the link between NUMA nodes",
        "*     ACS of a port between the two sends their traffic up to the root complex",
    ]


def test_a_host_without_peers() -> None:
    assert topo(topology(machine(function("00:00.0", class_="Host bridge")))).startswith("No GPU, NIC")


def test_json() -> None:
    document = as_json(TREE)
    assert document["schema"] == "lspci-parse.topo/1"
    assert document["devices"][0] == {
        "device": "0000:03:00.0", "kind": "GPU", "name": "Accelerator A", "root": "pci0000:00", "numa_node": 0,
    }  # fmt: skip
    assert document["pairs"][0] == {
        "a": "0000:03:00.0", "b": "0000:04:00.0", "level": "PIX", "common": "0000:01:00.0",
        "ports": ["0000:02:00.0", "0000:02:01.0"], "redirecting": ["0000:02:01.0"], "unknown": [],
    }  # fmt: skip


def test_what_cannot_be_read_is_not_known() -> None:
    plain = topology(machine("01:00.0 3D controller: A\n", "02:00.0 Ethernet controller: B\n"))
    assert path(plain, at("01:00.0"), at("02:00.0")).level == "?"
