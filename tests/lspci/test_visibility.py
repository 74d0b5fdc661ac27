"""What a dump is able to show."""

from __future__ import annotations

import pytest

from lspci_parse.lspci.visibility import Detail, Visibility
from tests.texts import ACS_ON, device, dump, express

FULL = dump(device("00:02.0", express("Endpoint"), ACS_ON, "Kernel driver in use: nvme\n"))
BRIEF = dump("00:02.0 Class: Name\n\tFlags: fast devsel\n\tCapabilities: [40] Express Endpoint, MSI 00\n")
NAMES = dump("00:02.0 Class: Name\n")


@pytest.mark.parametrize(
    ("shown", "detail"), [(FULL, Detail.REGISTERS), (BRIEF, Detail.TITLES), (NAMES, Detail.NAMES)]
)
def test_detail(shown: object, detail: Detail) -> None:
    assert Visibility(shown).detail == detail  # type: ignore[arg-type]


def test_extended_space_is_unreadable_only_where_express_functions_show_none() -> None:
    assert Visibility(FULL).extended_readable
    assert Visibility(NAMES).extended_readable
    assert not Visibility(dump(device("00:02.0", express("Endpoint")))).extended_readable


def test_kernel_facts_are_known_where_some_device_has_them() -> None:
    full, names = Visibility(FULL), Visibility(NAMES)
    assert full.knows(FULL.devices[0], "driver", full)
    assert not full.knows(FULL.devices[0], "numa_node", full)
    assert not names.knows(NAMES.devices[0], "driver", full)


def test_names_are_known_everywhere_and_registers_are_not() -> None:
    full = Visibility(FULL)
    for shown in (BRIEF, NAMES):
        visible = Visibility(shown)
        assert visible.knows(shown.devices[0], "name", full)
        assert not visible.knows(shown.devices[0], "Control/Mem", full)
        assert not visible.knows(shown.devices[0], "exp/LnkSta/Speed", full)


def test_capabilities_of_a_brief_dump_are_known() -> None:
    (express_,) = (cap for cap in FULL.devices[0].capabilities if cap.kind == "exp")
    full, brief, names = Visibility(FULL), Visibility(BRIEF), Visibility(NAMES)
    assert brief.knows_capability(BRIEF.devices[0], express_, full)
    assert not names.knows_capability(NAMES.devices[0], express_, full)


def test_an_old_release_does_not_know_what_it_cannot_print() -> None:
    registers = "\tDevCtl:\tReport errors: Correctable+ Non-Fatal+ Fatal+ Unsupported+\n"
    old = dump(device("00:02.0", "Capabilities: [40] Express (v2) Endpoint, MSI 00\n" + registers))
    visible = Visibility(old)
    assert visible.releases.max is not None
    assert not visible.knows(old.devices[0], "exp/LnkCap2", Visibility(FULL))
    assert visible.knows(old.devices[0], "exp/LnkCap", Visibility(FULL))
