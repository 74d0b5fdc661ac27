"""Groups under a condition: what changes, what goes along, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lspci_parse.errors import LspciError
from lspci_parse.evidence.cmdline import parse_cmdline
from lspci_parse.evidence.host import Host
from lspci_parse.evidence.load import load
from lspci_parse.linux.groups.what_if import WhatIf, what_if
from lspci_parse.model.address import Address
from tests.machines import at, endpoint, function, machine, pci_bridge, root_port, sriov, upstream

if TYPE_CHECKING:
    from pathlib import Path

PORTS = (root_port("00:1c.0", 1), root_port("00:1c.5", 2))
CARDS = (endpoint("01:00.0"), endpoint("02:00.0"), endpoint("02:00.1"))
HOST = Host("host", machine(*PORTS, *CARDS), kernel="6.1.0")


def text(found: WhatIf) -> str:
    groups = (",".join(device.slot for device in group.devices) for group in found.then.groups)
    return " ".join(f"{{{group}}}" for group in groups)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"acs": {"00:1c.5": False}}, "{00:1c.0} {00:1c.5,02:00.0,02:00.1} {01:00.0}"),
        ({"acs": {"00:1c.5": False, "00:1c.0": False}}, "{00:1c.0,00:1c.5,01:00.0,02:00.0,02:00.1}"),
        ({"acs": {"02:00.0": True, "02:00.1": True}}, "{00:1c.0} {00:1c.5} {01:00.0} {02:00.0} {02:00.1}"),
        # A single function needs no ACS, whatever is set.
        ({"acs": {"01:00.0": False}}, "{00:1c.0} {00:1c.5} {01:00.0} {02:00.0,02:00.1}"),
        ({"without": ["02:00.1"]}, "{00:1c.0} {00:1c.5} {01:00.0} {02:00.0}"),
        ({"without": ["02:00.0"]}, "{00:1c.0} {00:1c.5} {01:00.0}"),
        ({"without": ["00:1c.5"]}, "{00:1c.0} {01:00.0}"),
        ({"override": "multifunction"}, "{00:1c.0} {00:1c.5} {01:00.0} {02:00.0} {02:00.1}"),
        ({"override": "downstream"}, "{00:1c.0} {00:1c.5} {01:00.0} {02:00.0,02:00.1}"),
    ],
)
def test_conditions(condition: dict[str, Any], expected: str) -> None:
    assert text(what_if(HOST, **condition)) == expected


def test_what_changes_is_told_as_groups() -> None:
    found = what_if(HOST, acs={"00:1c.5": False})
    assert found.conditions == ("ACS of 00:1c.5 is off",)
    assert found.joined == (((at("00:1c.5"),), (at("02:00.0"), at("02:00.1"))),)
    assert found.split == ()
    back = what_if(
        Host("host", machine(PORTS[0], root_port("00:1c.5", 2, acs="off"), *CARDS)), acs={"00:1c.5": True}
    )
    assert (back.joined, back.split) == ((), found.joined)


def test_a_kernel_is_a_condition() -> None:
    express = "Capabilities: [40] Express (v2) Root Complex Integrated Endpoint, MSI 00"
    dump = machine(function("00:14.0"), function("00:14.3", express, name="Intel Corporation Wi-Fi"))
    found = what_if(Host("host", dump, kernel="6.1.0"), kernel="5.6")
    assert found.conditions == ("the kernel is Linux 5.6",)
    assert len(found.joined) == 1


def test_what_hangs_below_goes_along_and_virtual_functions_do() -> None:
    dump = machine(
        root_port("00:01.0", 1, last=2), upstream("01:00.0", 2, last=2), endpoint("02:00.0"),
        root_port("00:02.0", 3), endpoint("03:00.0", sriov(2, 1, 1)), endpoint("03:00.1"), endpoint("03:00.2"),
    )  # fmt: skip
    gone = what_if(Host("host", dump), without=["01:00.0", "03:00.0"]).gone
    assert [device.slot for device in gone] == ["01:00.0", "02:00.0", "03:00.0", "03:00.1", "03:00.2"]


def test_an_override_of_today_gives_way_to_the_supposed_one() -> None:
    dump = machine(root_port("00:1c.0", 1, acs=None), root_port("00:1c.5", 2, acs=None), *CARDS)
    today = Host(
        "host",
        dump,
        kernel="6.8.12-4-pve",
        cmdline=parse_cmdline("quiet pcie_acs_override=downstream,multifunction"),
    )
    found = what_if(today, override="multifunction")
    assert len(found.today.groups) == 5
    assert text(found) == "{00:1c.0,00:1c.5,01:00.0,02:00.0,02:00.1}"


def test_of_a_host_without_groups_those_with_the_iommu_on_are_compared() -> None:
    dump = machine(root_port("00:1c.0", 1, acs="off"), root_port("00:1c.5", 2, acs="off"), *CARDS)
    found = what_if(Host("host", dump, groups={}), acs={"00:1c.5": False})
    assert found.today.off is not None
    assert text(found) == "{00:1c.0} {00:1c.5,02:00.0,02:00.1} {01:00.0}"
    assert len(found.joined) == 1


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"acs": {"00:1e.0": True}}, "00:1e.0 has no ACS to set: conventional PCI has no ACS"),
        ({"acs": {"05:00.0": True}}, "the dump has no device 0000:05:00.0"),
        ({"without": ["nic"]}, "'nic' is no address; expected such as 31:00.0"),
        ({"override": "down"}, "unknown override 'down'; expected downstream, multifunction or id:8086:1234"),
        ({"kernel": "newest"}, "not a kernel release: 'newest'"),
    ],
)
def test_what_cannot_be_supposed(condition: dict[str, Any], message: str) -> None:
    host = Host("host", machine(*PORTS, *CARDS, pci_bridge("00:1e.0", 5)))
    with pytest.raises(LspciError) as caught:
        what_if(host, **condition)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(("off", "recorded"), [(("00:1c.0", "00:1c.5"), "incident-bad")])
def test_a_real_kernel_makes_what_was_supposed(shared: Path, off: tuple[str, ...], recorded: str) -> None:
    """The lab's good machine under the condition has the groups that its bad one recorded."""
    good, bad = (load(str(shared / "lab" / name)) for name in ("incident-good", recorded))
    found = what_if(good, acs=dict.fromkeys(off, False))
    there = bad.recorded or {}
    assert there
    for group in found.then.groups:
        numbers = {there[device] for device in group.devices if device in there}
        assert len(numbers) <= 1
    assert len(found.then.groups) == len(set(there.values()))
    assert all(isinstance(device, Address) for device in there)
