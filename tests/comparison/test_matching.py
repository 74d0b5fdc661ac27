"""Which device is which."""

from __future__ import annotations

import pytest

from lspci_parse.comparison.matching import by_address, by_topology, same_kind
from lspci_parse.model.dump import Dump
from lspci_parse.topology.tree import topology
from tests.texts import bridge, device, dump, express, serial

NIC = "Example Corporation Fast NIC"
DISK = "Example Corporation Quick Disk"
ONE, TWO = "00-00-00-ff-ff-00-00-01", "00-00-00-ff-ff-00-00-02"


def card(slot: str, *parts: str, name: str = NIC) -> str:
    return device(slot, express("Endpoint"), *parts, name=name)


def pairs(a: Dump, b: Dump, how: str | None = None) -> dict[str, str]:
    match = by_topology(topology(a), topology(b))
    return {pair.a.slot: pair.b.slot for pair in match.pairs if how in (None, pair.how)}


def rest(a: Dump, b: Dump) -> tuple[list[str], list[str]]:
    match = by_topology(topology(a), topology(b))
    return [device.slot for device in match.only_a], [device.slot for device in match.only_b]


def test_renumbered_buses_change_nothing() -> None:
    a = dump(bridge("00:02.0", 1), bridge("00:03.0", 2), card("01:00.0"), card("02:00.0", name=DISK))
    b = dump(
        bridge("00:01.0", 1), bridge("00:02.0", 2), bridge("00:03.0", 3),
        card("01:00.0", name="Example Corporation New Card"), card("02:00.0"), card("03:00.0", name=DISK),
    )  # fmt: skip
    assert pairs(a, b) == {
        "00:02.0": "00:02.0",
        "00:03.0": "00:03.0",
        "01:00.0": "02:00.0",
        "02:00.0": "03:00.0",
    }
    assert rest(a, b) == ([], ["00:01.0", "01:00.0"])


def test_addresses_can_be_taken_at_their_word() -> None:
    a = dump(bridge("00:02.0", 1), card("01:00.0"))
    b = dump(bridge("00:02.0", 1), card("01:00.0", name=DISK), card("01:01.0"))
    match = by_address(topology(a), topology(b))
    assert [(pair.a.slot, pair.b.name) for pair in match.pairs][1] == ("01:00.0", DISK)
    assert [device.slot for device in match.only_b] == ["01:01.0"]


def test_another_model_in_the_same_slot_is_another_device() -> None:
    a = dump(bridge("00:02.0", 1), card("01:00.0"))
    b = dump(bridge("00:02.0", 1), card("01:00.0", name=DISK))
    assert rest(a, b) == (["01:00.0"], ["01:00.0"])


def test_a_card_in_another_slot_has_moved() -> None:
    a = dump(bridge("00:02.0", 1), bridge("00:03.0", 2), card("01:00.0"))
    b = dump(bridge("00:02.0", 1), bridge("00:03.0", 2), card("02:00.0"))
    assert pairs(a, b, "identity") == {"01:00.0": "02:00.0"}
    assert rest(a, b) == ([], [])


def test_what_hangs_below_a_moved_switch_moves_along() -> None:
    switch = "Example Corporation Switch"

    def host(port: int) -> Dump:
        upper, lower = port, port + 1
        return dump(
            bridge("00:02.0", 1), bridge("00:03.0", 4),
            bridge(f"{upper:02x}:00.0", lower, kind="Upstream Port", name=switch),
            card(f"{lower:02x}:00.0"), card(f"{lower:02x}:01.0"),
        )  # fmt: skip

    found = pairs(host(1), host(4))
    assert found["02:00.0"] == "05:00.0"
    assert found["02:01.0"] == "05:01.0"


def test_equal_cards_that_were_swapped_are_told_apart_by_serial_number() -> None:
    ports = bridge("00:02.0", 1), bridge("00:03.0", 2)
    a = dump(*ports, card("01:00.0", serial(ONE)), card("02:00.0", serial(TWO)))
    b = dump(*ports, card("01:00.0", serial(TWO)), card("02:00.0", serial(ONE)))
    assert pairs(a, b, "serial") == {"01:00.0": "02:00.0", "02:00.0": "01:00.0"}


def test_a_spare_of_the_same_model_takes_the_place() -> None:
    a = dump(bridge("00:02.0", 1), card("01:00.0", serial(ONE)))
    b = dump(bridge("00:02.0", 1), card("01:00.0", serial(TWO)))
    assert pairs(a, b, "path") == {"00:02.0": "00:02.0", "01:00.0": "01:00.0"}


def test_a_serial_number_that_is_none_tells_nothing() -> None:
    zero = serial("00-00-00-00-00-00-00-00")
    ports = bridge("00:02.0", 1), bridge("00:03.0", 2)
    a, b = dump(*ports, card("01:00.0", zero)), dump(*ports, card("02:00.0", zero))
    assert pairs(a, b, "identity") == {"01:00.0": "02:00.0"}


def test_several_equal_cards_elsewhere_are_not_guessed() -> None:
    ports = [bridge(f"00:0{n}.0", n) for n in range(1, 5)]
    a = dump(*ports, card("01:00.0"), card("02:00.0"))
    b = dump(*ports, card("03:00.0"), card("04:00.0"))
    assert rest(a, b) == (["01:00.0", "02:00.0"], ["03:00.0", "04:00.0"])


def test_a_newer_pci_ids_renames_no_device() -> None:
    def named(name: str) -> str:
        return card("00:02.0", name=name)

    same = [
        ("Intel Corporation Device a195", "Intel Corporation 200 Series Root Port #6"),
        (
            "Intel Corporation Sunrise Point-H PCIe Root Port #6",
            "Intel Corporation 100 Series PCIe Root Port #6",
        ),
    ]
    for one, other in same:
        assert same_kind(dump(named(one)).devices[0], dump(named(other)).devices[0])
    assert not same_kind(dump(named("Example NIC 100")).devices[0], dump(named("Other Disk 7")).devices[0])


def test_ids_decide_where_both_print_them() -> None:
    def ids(device_id: str) -> str:
        return f"00:02.0 Ethernet controller [0200]: Example Corporation NIC [8086:{device_id}]\n"

    assert not same_kind(dump(ids("1533")).devices[0], dump(ids("1521")).devices[0])
    assert same_kind(dump(ids("1533")).devices[0], dump(ids("1533").replace("NIC", "Other name")).devices[0])


def test_domains_are_kept_apart() -> None:
    a = dump(card("0000:00:02.0"), card("0001:00:02.0", name=DISK))
    b = dump(card("0000:00:02.0"), card("0001:00:02.0", name=DISK), card("0002:00:02.0"))
    assert pairs(a, b) == {"0000:00:02.0": "0000:00:02.0", "0001:00:02.0": "0001:00:02.0"}
    assert rest(a, b) == ([], ["0002:00:02.0"])


def plain(slot: str, class_: str, name: str, *lines: str) -> str:
    return f"{slot} {class_}: {name}\n" + "".join(f"\t{line}\n" for line in lines) + "\n"


def bus(own: int, first: int, last: int | None = None) -> str:
    return f"Bus: primary={own:02x}, secondary={first:02x}, subordinate={last or first:02x}, sec-latency=0"


def test_root_buses_that_look_alike_are_not_exchanged() -> None:
    """A card moved from one socket to the other: each root bus is still itself."""

    def socket(number: int, *ports: int) -> list[str]:
        return [
            plain(f"{number:02x}:00.0", "Host bridge", "Root Complex"),
            *(
                plain(f"{number:02x}:0{port}.1", "PCI bridge", "GPP Bridge", bus(number, number + index))
                for index, port in enumerate(ports, 1)
            ),
        ]

    a = topology(
        dump(*socket(0x20, 1, 3), plain("22:00.0", "VGA compatible controller", "GPU"), *socket(0x60))
    )
    b = topology(
        dump(*socket(0x20, 1), *socket(0x60, 1, 3), plain("62:00.0", "VGA compatible controller", "GPU"))
    )
    found = by_topology(a, b)
    assert {(pair.a.address.slot, pair.b.address.slot) for pair in found.pairs} >= {
        ("20:00.0", "20:00.0"), ("20:01.1", "20:01.1"), ("60:00.0", "60:00.0"),
    }  # fmt: skip
    assert "20:03.1" in {device.address.slot for device in found.only_a}


@pytest.mark.parametrize("how", ["dead", "without Bus"])
def test_behind_a_bridge_that_tells_no_bus_equal_addresses_are_one_device(how: str) -> None:
    top = plain("00:1c.0", "PCI bridge", "Root Port", bus(0, 1, 4))
    gpus = [plain(f"0{number}:00.0", "3D controller", "A100") for number in (3, 4)]
    switch = [
        plain("01:00.0", "PCI bridge", "Switch", bus(1, 2, 4)),
        plain("02:00.0", "PCI bridge", "Switch", bus(2, 3)),
        plain("02:01.0", "PCI bridge", "Switch", bus(2, 4)),
    ]
    gone = {"dead": "!!! Unknown header type 7f", "without Bus": "Kernel driver in use: pcieport"}[how]
    rev = " (rev ff) (prog-if ff)" if how == "dead" else ""
    broken = [plain(part[:7], "PCI bridge", f"Switch{rev}", gone) for part in switch]
    found = by_topology(topology(dump(top, *switch, *gpus)), topology(dump(top, *broken, *gpus)))
    assert (found.only_a, found.only_b) == ((), ())
    assert all(pair.a.address == pair.b.address and not pair.moved for pair in found.pairs)
