"""What hangs where."""

from __future__ import annotations

import pytest

from lspci_parse.model.address import Address
from lspci_parse.model.device import Device, NamedId
from lspci_parse.model.fields import Register
from lspci_parse.topology.tree import BusKind, BusNumber, Topology, match_roots, topology
from tests.machines import (
    at,
    buses,
    downstream,
    endpoint,
    express,
    function,
    machine,
    pci_bridge,
    port,
    root_port,
    sriov,
    upstream,
    with_hex,
)


def tree(*functions: str) -> Topology:
    return topology(machine(*functions))


def kind(tree_: Topology, slot: str) -> BusKind:
    return tree_.bus(at(slot)).kind


SWITCH = (
    root_port("00:01.0", 1, last=4),
    upstream("01:00.0", 2, last=4),
    downstream("02:00.0", 3),
    downstream("02:01.0", 4),
    endpoint("03:00.0"),
    endpoint("04:00.0"),
)


def test_bridges_have_children_and_functions_ancestors() -> None:
    found = tree(*SWITCH)
    assert found.parent(at("03:00.0")) == at("02:00.0")
    assert list(found.ancestors(at("04:00.0"))) == [at("02:01.0"), at("01:00.0"), at("00:01.0")]
    assert found.children(at("01:00.0")) == (at("02:00.0"), at("02:01.0"))
    assert found.children(at("03:00.0")) == ()
    assert found.parent(at("00:01.0")) is None
    assert found.root(at("04:00.0")).number == BusNumber(0, 0)


def test_functions_are_walked_as_linux_enumerates_them() -> None:
    found = tree(
        root_port("00:02.0", 7),
        root_port("00:01.0", 9),
        endpoint("09:00.0"),
        endpoint("07:00.0"),
        endpoint("00:1f.0"),
    )
    assert [address.slot for address in found.walk()] == [
        "00:01.0",
        "00:02.0",
        "00:1f.0",
        "09:00.0",
        "07:00.0",
    ]


def test_each_domain_and_each_expander_has_a_root_bus() -> None:
    found = tree(
        function("0000:00:00.0", class_="Host bridge"),
        express("0000:30:00.0", "Root Port (Slot+)", buses("0000:30:00.0", 0x31)),
        endpoint("0000:31:00.0"),
        function("0001:00:00.0", class_="Host bridge"),
    )
    assert [str(bus.number) for bus in found.roots] == ["0000:00", "0000:30", "0001:00"]
    assert found.parent(at("0000:31:00.0")) == at("0000:30:00.0")


def test_conventional_functions_make_a_root_bus_where_nothing_leads_there() -> None:
    """Servers have root buses with nothing but conventional functions on them."""
    assert kind(tree(*SWITCH, function("7f:08.0", class_="System peripheral")), "7f:08.0") is BusKind.ROOT


@pytest.mark.parametrize("type_", ["Endpoint", "Legacy Endpoint", "Upstream Port", "Downstream Port (Slot+)"])
def test_a_function_that_cannot_be_on_a_root_bus_hangs_below_an_unknown_bridge(type_: str) -> None:
    found = tree(*SWITCH, express("31:00.0", type_))
    assert kind(found, "31:00.0") is BusKind.UNKNOWN
    assert found.parent(at("31:00.0")) is None
    assert BusNumber(0, 0x31) not in [bus.number for bus in found.roots]


def test_an_excerpt_has_no_root() -> None:
    assert kind(tree(function("02:00.0")), "02:00.0") is BusKind.UNKNOWN


def test_a_missing_bridge_is_looked_for_below_the_nearest_one_known() -> None:
    found = tree(
        root_port("00:01.0", 1, last=9),
        upstream("01:00.0", 2, last=6),
        endpoint("04:00.0"),
        endpoint("09:00.0"),
    )
    assert found.bus(at("04:00.0")).bridge == at("01:00.0")
    assert found.bus(at("09:00.0")).bridge == at("00:01.0")
    assert kind(found, "04:00.0") is BusKind.UNKNOWN


def test_what_hangs_below_an_unknown_bridge_keeps_its_own_tree() -> None:
    found = tree(upstream("05:00.0", 6, last=7), downstream("06:00.0", 7), endpoint("07:00.0"))
    assert list(found.ancestors(at("07:00.0"))) == [at("06:00.0"), at("05:00.0")]
    assert found.root(at("07:00.0")).kind is BusKind.UNKNOWN


def test_a_bridge_that_is_not_set_up_leads_nowhere() -> None:
    found = tree(root_port("00:01.0", 0), root_port("00:02.0", 2), endpoint("02:00.0"))
    assert found.children(at("00:01.0")) == ()
    assert found.root(at("02:00.0")).kind is BusKind.ROOT


def test_two_bridges_that_claim_one_bus() -> None:
    found = tree(root_port("00:02.0", 1), root_port("00:01.0", 1), endpoint("01:00.0"))
    assert found.parent(at("01:00.0")) == at("00:01.0")
    assert found.children(at("00:02.0")) == ()


def test_bridges_that_claim_each_others_bus_make_no_loop() -> None:
    found = tree(pci_bridge("05:00.0", 6), pci_bridge("06:00.0", 5))
    assert len(list(found.walk())) == 2


def test_multifunction_by_number_by_neighbour_and_by_header_type() -> None:
    header = bytearray(64)
    header[0x0E] = 0x80
    found = tree(
        function("00:01.0"), function("00:02.0"), function("00:02.3"), function("00:03.5"),
        with_hex(function("00:04.0"), bytes(header)),
    )  # fmt: skip
    assert [a.slot for a in found.walk() if found.multifunction(a)] == [
        "00:02.0",
        "00:02.3",
        "00:03.5",
        "00:04.0",
    ]


@pytest.mark.parametrize(
    ("ari", "forward", "expected"), [(True, "+", True), (True, "-", False), (False, "+", False)]
)
def test_multifunction_by_ari(ari: bool, forward: str, expected: bool) -> None:  # noqa: FBT001 - a parameter
    """Below a port with ARI, function 8 looks like function 0 of device 1."""
    control = f"\t\tDevCtl2: Completion Timeout: 50us to 50ms, TimeoutDis- ARIFwd{forward}"
    above = ("Capabilities: [40] Express (v2) Root Port (Slot+), MSI 00", control)
    own = ["Capabilities: [150 v1] Alternative Routing-ID Interpretation (ARI)"] if ari else []
    found = tree(
        function("00:01.0", buses("00:01.0", 1), *above, class_="PCI bridge"),
        endpoint("01:00.0"),
        endpoint("01:01.0", *own),
    )
    assert found.multifunction(at("01:01.0")) is expected


def test_virtual_functions_are_no_functions_of_a_multifunction_device() -> None:
    found = tree(
        root_port("00:01.0", 1),
        endpoint("01:00.0", sriov(3, 1, 1)),
        *(endpoint(f"01:00.{n}") for n in (1, 2, 3)),
    )
    assert {a.slot: vf.number for a, vf in found.virtual.items()} == {
        "01:00.1": 0,
        "01:00.2": 1,
        "01:00.3": 2,
    }
    assert not any(map(found.multifunction, found.devices))


def test_virtual_functions_beyond_their_bus() -> None:
    """Routing ids run over into bus numbers that have no bridge of their own."""
    found = tree(
        root_port("00:01.0", 1, last=2), endpoint("01:00.0", sriov(2, 0x100, 2)), endpoint("02:00.0"),
        endpoint("02:00.2"),
    )  # fmt: skip
    assert kind(found, "02:00.0") is BusKind.VIRTUAL
    assert found.parent(at("02:00.2")) == at("00:01.0")
    assert found.path(at("02:00.2")) == ("0000:00", "01.0", "00.0", "vf1")


def test_virtual_functions_end_with_the_routing_ids() -> None:
    found = tree(
        root_port("00:01.0", 0xFE, last=0xFF), endpoint("fe:00.0", sriov(900, 0x80, 1)), endpoint("ff:1f.7")
    )
    assert not found.virtual  # the first ones are missing, so this is none of them


@pytest.mark.parametrize("numbers", [(0, 1, 1), (4, 0, 1), (4, 4, 0)])
def test_numbers_that_make_no_virtual_functions(numbers: tuple[int, int, int]) -> None:
    found = tree(
        root_port("00:01.0", 1),
        endpoint("01:00.0", sriov(*numbers)),
        endpoint("01:00.1"),
        endpoint("01:00.5"),
    )
    assert not found.virtual


def test_topology_paths_survive_new_bus_numbers() -> None:
    one = tree(*SWITCH)
    other = tree(
        root_port("00:01.0", 0x11, last=0x14), upstream("11:00.0", 0x12, last=0x14), downstream("12:00.0", 0x13),
        downstream("12:01.0", 0x14), endpoint("13:00.0"), endpoint("14:00.0"),
    )  # fmt: skip
    assert [one.path(a) for a in one.walk()] == [other.path(a) for a in other.walk()]
    assert one.path(at("04:00.0")) == ("0000:00", "01.0", "00.0", "01.0", "00.0")


def test_every_topology_path_is_another() -> None:
    found = tree(
        *SWITCH, endpoint("05:00.0"), endpoint("05:00.1"), endpoint("06:00.0"), function("80:00.0"),
        endpoint("0001:05:00.0"), function("10000:e0:06.0"),
    )  # fmt: skip
    assert len({found.path(address) for address in found.devices}) == len(found.devices)


def test_root_buses_that_were_numbered_otherwise_are_found() -> None:
    def host(first: int, second: int) -> Topology:
        return tree(
            function("00:00.0", class_="Host bridge"),
            *(root_port(f"{first:02x}:0{n}.0", first + n) for n in (1, 2)),
            root_port(f"{second:02x}:00.0", second + 1, name="Other Corporation Port"),
        )

    assert match_roots(host(0x40, 0x80), host(0x40, 0x80)) == {
        "0000:00": "0000:00",
        "0000:40": "0000:40",
        "0000:80": "0000:80",
    }
    assert match_roots(host(0x40, 0x80), host(0x80, 0xC0)) == {
        "0000:00": "0000:00",
        "0000:80": "0000:40",
        "0000:c0": "0000:80",
    }


def test_root_buses_without_counterpart_are_left_out() -> None:
    one, two = tree(*SWITCH), tree(*SWITCH, root_port("80:00.0", 0x81))
    assert match_roots(one, two) == {"0000:00": "0000:00"}
    assert match_roots(two, one) == {"0000:00": "0000:00"}


def test_a_dump_has_one_tree() -> None:
    dump = machine(*SWITCH)
    assert topology(dump) is topology(dump)


def test_the_first_of_two_devices_with_one_address_counts() -> None:
    first = machine(function("00:01.0", name="First Corporation Device"))
    second = machine(function("00:01.0", name="Second Corporation Device"))
    found = Topology((*first, *second))
    assert found.devices[at("00:01.0")].name == "First Corporation Device"


def test_a_plain_listing_has_no_tree() -> None:
    """lspci without -v prints no bus numbers."""
    dump = machine("00:01.0 PCI bridge: Example Port\n", "01:00.0 Ethernet controller: Example Device\n")
    assert kind(topology(dump), "01:00.0") is BusKind.UNKNOWN


def test_a_port_below_a_hidden_range_is_a_root_port_still() -> None:
    """Firmware may leave a root port a range that another root bus lies in."""
    found = tree(
        root_port("00:01.0", 1, last=0xFF), port("80:00.0", 0x81, "Root Port (Slot+)"), endpoint("81:00.0")
    )
    assert kind(found, "80:00.0") is BusKind.ROOT


@pytest.mark.slow
def test_a_hundred_thousand_devices() -> None:
    def bridge(address: Address, secondary: int) -> Device:
        bus = Register("Bus", {"primary": address.bus, "secondary": secondary, "subordinate": secondary})
        return Device(address, str(address), NamedId("0604", None), "", registers={"Bus": bus})

    devices = [
        bridge(Address(domain, 0, number // 8, number % 8), number + 1)
        for domain in range(400)
        for number in range(125)
    ] + [
        Device(Address(domain, number, 0, 0), "", NamedId("0200", None), "", registers={"Control": None})
        for domain in range(400)
        for number in range(1, 126)
    ]
    found = Topology(devices)
    paths = {found.path(address) for address in found.devices}
    assert len(paths) == len(devices) == 100_000
    # It takes 1 s; work in proportion to the square would take hours.
