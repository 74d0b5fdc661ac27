"""What differs: values, not text; and three answers, not two."""

from __future__ import annotations

from typing import Any

import pytest

from lspci_parse.comparison.difference import Change, compare
from lspci_parse.model.dump import Dump
from tests.texts import ACS_ON, AER, bridge, device, dump, express


def facts(a: Dump, b: Dump, *, volatile: bool = False) -> dict[str, tuple[Any, Any]]:
    return {
        change.path: (change.before, change.after)
        for change in compare(a, b).changes
        if change.volatile == volatile
    }


def unknown(a: Dump, b: Dump) -> list[str]:
    return [change.path for change in compare(a, b).changes if not change.known]


def port(*parts: str) -> Dump:
    return dump(bridge("00:1c.5", 2, *parts), device("02:00.0", express("Endpoint"), ACS_ON))


def test_a_dump_does_not_differ_from_itself() -> None:
    assert compare(port(ACS_ON), port(ACS_ON)).changes == ()


def test_a_lost_capability_is_one_change() -> None:
    assert facts(port(ACS_ON), port()) == {"acs": ("[140 v1] Access Control Services", None)}


def test_the_other_way_round_it_is_the_mirror() -> None:
    a, b = port(ACS_ON), dump(bridge("00:1c.5", 2, AER), device("02:00.0", express("Endpoint", width=2)))
    kinds = {"added": "removed", "removed": "added", "changed": "changed"}

    def mirror(change: Change) -> Change:
        return Change(
            kinds[change.kind], change.b, change.a, change.path, change.after, change.before,  # type: ignore[arg-type]
            change.volatile, change.known,
        )  # fmt: skip

    forth, back = compare(a, b).changes, compare(b, a).changes
    assert forth
    assert {mirror(change) for change in back} == set(forth)


def test_spelling_is_no_difference() -> None:
    old = port("Capabilities: [48] MSI-X: Enable+ Count=4 Masked-\n\tVector table: BAR=0 offset=00002000\n")
    new = port("Capabilities: [48] MSI-X: Enable+ Count=4 Masked-\n\tVector table:  BAR=0  offset=00002000\n")
    assert compare(old, new).changes == ()


def test_a_value_that_differs_has_a_path() -> None:
    a, b = (
        dump(device("00:02.0", express("Endpoint"))),
        dump(device("00:02.0", express("Endpoint", "2.5GT/s", 1))),
    )
    assert facts(a, b)["exp/LnkSta/Speed"] == ("8GT/s", "2.5GT/s")
    assert facts(a, b)["exp/LnkSta/Width"] == (4, 1)


def test_interrupts_and_addresses_are_volatile() -> None:
    def text(irq: int, at: str) -> Dump:
        return dump(
            device(
                "00:02.0",
                f"Interrupt: pin A routed to IRQ {irq}\n",
                f"Region 0: Memory at {at} (32-bit, non-prefetchable) [size=4K]\n",
            )
        )

    a, b = text(16, "fe000000"), text(17, "fe001000")
    assert facts(a, b) == {}
    assert set(facts(a, b, volatile=True)) == {"Interrupt/IRQ", "Region 0/address"}


def test_a_device_on_one_host_only_is_one_change() -> None:
    a = dump(device("00:02.0", express("Endpoint")), device("00:03.0", name="Example Corporation Disk"))
    b = dump(device("00:02.0", express("Endpoint")))
    (change,) = compare(a, b).changes
    assert (change.kind, str(change.a), change.b, change.path) == ("removed", "0000:00:03.0", None, "")


def test_a_second_capability_of_a_kind_keeps_its_partner() -> None:
    """The first of two goes; the second, at its old offset, has not changed."""

    def vendor(offset: int, length: str) -> str:
        return f"Capabilities: [{offset:x}] MSI: Enable+ Count=1/{length} Maskable- 64bit-\n"

    a = dump(device("00:02.0", vendor(0x50, "2"), vendor(0x60, "4")))
    b = dump(device("00:02.0", vendor(0x60, "4")))
    assert list(facts(a, b)) == ["msi"]


@pytest.mark.parametrize(
    "blind",
    [
        pytest.param("Capabilities: <access denied>\n", id="access denied"),
        pytest.param("Capabilities: [40] <chain broken>\n", id="broken chain"),
    ],
)
def test_hidden_capabilities_are_not_lost(blind: str) -> None:
    a, b = dump(device("00:02.0", express("Endpoint"), ACS_ON)), dump(device("00:02.0", blind))
    assert set(unknown(a, b)) == {"exp", "acs"}


def test_a_dead_function_has_lost_nothing() -> None:
    a = dump(device("00:02.0", express("Endpoint"), ACS_ON))
    b = dump(
        "00:02.0 Ethernet controller: Example Corporation Device (rev ff) (prog-if ff)\n\t!!! Unknown header type 7f\n"
    )
    assert "acs" in unknown(a, b)
    assert [change.path for change in compare(a, b).changes if change.known] == ["!!!"]


def test_a_host_without_extended_space_has_lost_no_extended_capability() -> None:
    a = port(ACS_ON)
    b = dump(bridge("00:1c.5", 2), device("02:00.0", express("Endpoint")))
    assert unknown(a, b) == ["acs", "acs"]


def test_a_single_function_without_extended_capabilities_has_lost_them() -> None:
    assert unknown(port(ACS_ON), port()) == []


def test_registers_are_not_known_from_a_dump_with_one_v() -> None:
    brief = "00:02.0 Ethernet controller: Example Corporation Device\n\tFlags: bus master, fast devsel, latency 0\n\tCapabilities: [40] Express Endpoint, MSI 00\n"
    changes = compare(dump(device("00:02.0", express("Endpoint"))), dump(brief)).changes
    assert changes
    assert [change.path for change in changes if change.known and not change.volatile] == []


def test_names_alone_say_nothing_of_drivers() -> None:
    a = dump(device("00:02.0", "Kernel driver in use: nvme\n"))
    b = dump("00:02.0 Ethernet controller: Example Corporation Device\n")
    assert [change.path for change in compare(a, b).changes if change.known] == []


def test_a_driver_is_known_missing_where_others_show_theirs() -> None:
    other = device("00:03.0", "Kernel driver in use: ahci\n")
    a = dump(device("00:02.0", "Kernel driver in use: nvme\n"), other)
    b = dump(device("00:02.0"), other)
    assert facts(a, b) == {"driver": ("nvme", None)}
    assert unknown(a, b) == []


def test_recorded_reboot_is_no_change(shared: Any) -> None:
    a, b = (
        dump((shared / "lab" / name / "lspci-vvv.txt").read_text())
        for name in ("fault-none", "fault-none-again")
    )
    assert [change for change in compare(a, b).changes if not change.volatile] == []
