"""Hosts held against policies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lspci_parse.errors import LspciError
from lspci_parse.evidence.cmdline import parse_cmdline
from lspci_parse.evidence.host import Host
from lspci_parse.parsing.parser import parse
from lspci_parse.policies.check import check
from lspci_parse.policies.model import Breach, Check
from lspci_parse.policies.policy_file import MISSING, look_up
from lspci_parse.serialization.check import as_json
from tests.machines import (
    REQUIRED,
    acs,
    at,
    downstream,
    endpoint,
    function,
    machine,
    port,
    root_port,
    upstream,
)
from tests.paths import CORPUS

if TYPE_CHECKING:
    from pathlib import Path

    from lspci_parse.model.dump import Dump


def held(policy: str | Path, *functions: str) -> Check:
    return check(machine(*functions), policy)


def brief(found: Check) -> list[tuple[str, str | None]]:
    return [
        (breach.severity, None if breach.device is None else breach.device.slot) for breach in found.breaches
    ]


def actions(breach: Breach) -> str:
    return "\n".join(remedy.action for remedy in breach.remedies)


# ---------------------------------------------------------------------------------------------------------- vfio


def test_a_group_for_each_device_is_all_that_is_wanted() -> None:
    found = held(
        "vfio", root_port("00:01.0", 1), root_port("00:02.0", 2), endpoint("01:00.0"), endpoint("02:00.0")
    )
    assert (found.breaches, found.failed) == ((), False)


def test_devices_below_ports_without_acs() -> None:
    ports = [root_port("00:1c.0", 1, acs=None), root_port("00:1c.5", 2, acs="off"), root_port("00:1d.0", 3)]
    found = held("vfio", *ports, endpoint("01:00.0"), endpoint("02:00.0"))
    (breach,) = found.breaches
    assert (breach.severity, breach.device, found.failed) == ("critical", at("00:1c.0"), True)
    assert [device.slot for device in breach.devices] == ["00:1c.0", "00:1c.5", "01:00.0", "02:00.0"]
    assert (
        "01:00.0, 02:00.0 cannot go to different guests, nor one to a guest while the host" in breach.detail
    )
    assert (
        "00:1c.5: its ACS flags SrcValid ReqRedir CmpltRedir UpstreamFwd are off, multi-function slot 00:1c"
        in breach.detail
    )
    assert "below a port that isolates: 00:1d.0" in actions(breach)
    assert "pci=config_acs=xx111x1@0000:00:1c.5 " in actions(breach)
    assert "BIOS" in actions(breach)
    override = breach.remedies[-1]
    assert override.action.startswith("kernel parameter pcie_acs_override=downstream ")
    assert "isolates nothing" in override.risk


def test_ports_that_are_one_with_nothing_but_bridges_between_are_a_warning() -> None:
    """One device comes to a guest, but so does whatever is plugged into the other port."""
    found = held(
        "vfio", root_port("00:1c.0", 3, acs=None), root_port("00:1c.5", 1, acs=None, last=2),
        port("01:00.0", 2, "PCI-Express to PCI/PCI-X Bridge"), function("02:00.0"),
    )  # fmt: skip
    (breach,) = found.breaches
    assert breach.severity == "warning"
    assert "plugged in below 00:1c.0, 00:1c.5" in breach.detail
    assert "use PCI Express cards" in actions(breach)


@pytest.mark.parametrize(
    "functions",
    [
        [root_port("00:01.0", 1, acs=None), endpoint("01:00.0")],
        [root_port("00:01.0", 1), endpoint("01:00.0"), endpoint("01:00.1")],
        [function("00:1f.0", class_="ISA bridge"), function("00:1f.3", class_="SMBus")],
        [root_port("00:01.0", 1), port("01:00.0", 2, "PCI-Express to PCI/PCI-X Bridge"), function("02:00.0")],
    ],
    ids=["port", "slot", "chipset", "bridge"],
)
def test_groups_that_keep_nothing_from_a_guest_are_remarks(functions: list[str]) -> None:
    found = held("vfio", *functions)
    assert [breach.severity for breach in found.breaches] == ["info"]
    assert not found.failed


def test_functions_of_one_card_are_a_matter_of_the_card() -> None:
    (breach,) = held("vfio", root_port("00:01.0", 1), endpoint("01:00.0"), endpoint("01:00.1")).breaches
    assert "functions of one slot" in breach.detail
    assert breach.remedies == ()


SWITCH = (
    root_port("00:01.0", 1, last=4),
    upstream("01:00.0", 2, last=4),
    downstream("02:00.0", 3),
    downstream("02:01.0", 4, acs="off"),
    endpoint("03:00.0", class_="Non-Volatile memory controller"),
    endpoint("04:00.0", class_="VGA compatible controller", name="Example GPU"),
)


def test_a_switch_that_leaks_though_its_groups_are_apart() -> None:
    first, second = held("vfio", *SWITCH).breaches
    assert (first.severity, first.device) == ("warning", at("01:00.0"))
    assert "At 02:01.0 peer-to-peer traffic is not redirected" in first.detail
    assert "config_acs=xx111x1@0000:02:01.0" in actions(first)
    assert "override" not in actions(first)
    assert second.severity == "info"


def test_a_switch_whose_groups_are_one_does_not_leak_besides() -> None:
    slots = [part.replace("02:01.0", "02:00.1") for part in SWITCH]
    found = held("vfio", *slots, downstream("02:00.2", 5, acs="off"), endpoint("05:00.0"))
    assert [breach.title.split(":")[0] for breach in found.breaches if breach.severity == "critical"] == [
        "one IOMMU group holds 4 functions"
    ]


def test_no_groups_at_all() -> None:
    host = Host("host", machine(function("00:00.0")), cmdline=parse_cmdline("intel_iommu=off"))
    (breach,) = check(host, "vfio").breaches
    assert (breach.severity, breach.device) == ("critical", None)
    assert "intel_iommu=on" in actions(breach)


def test_without_iommu_the_groups_are_judged_that_there_would_be() -> None:
    """With the IOMMU off no port has its flags on; with it on, Linux sets them as far as the port has them."""
    parts = [
        root_port("00:1c.0", 1, acs="off"), root_port("00:1c.5", 2, acs=None), root_port("00:1c.6", 3, acs=None),
        *(endpoint(f"0{bus}:00.0") for bus in (1, 2, 3)),
    ]  # fmt: skip
    off = check(Host("host", machine(*parts), groups={}), "vfio")
    first, second = off.breaches
    assert first.title == "there are no IOMMU groups"
    assert first.detail.startswith("the listing of IOMMU groups is empty: the IOMMU is off in BIOS setup, or")
    assert second.title == (
        "with the IOMMU on, one group would hold 4 functions: 00:1c.5, 00:1c.6, 02:00.0, 03:00.0"
    )


def test_what_a_dump_does_not_show() -> None:
    found = held("vfio", root_port("00:01.0", 1), endpoint("01:00.0"), endpoint("09:00.0"))
    (breach,) = found.breaches
    assert (breach.severity, breach.device, breach.known) == ("warning", at("09:00.0"), False)
    assert (found.failed, found.cannot_tell) == (False, True)


def test_a_dump_that_shows_nothing_cannot_tell() -> None:
    found = held("vfio", endpoint("09:00.0"))
    (breach,) = found.breaches
    assert breach.title == "the IOMMU groups cannot be told"
    assert (found.failed, found.cannot_tell) == (False, True)


def grouped(*parts: str, numbers: dict[str, int]) -> list[str]:
    """The same functions with recorded groups."""
    return [part.replace("\n\n", f"\n\tIOMMU group: {numbers[part[:7]]}\n") for part in parts]


def test_recorded_groups_count_and_the_prediction_explains_them() -> None:
    """The kernel put together what the text lets expect apart: the group is judged, and the difference told."""
    parts = [
        root_port("00:01.0", 1), root_port("00:02.0", 2), endpoint("01:00.0"), endpoint("02:00.0"),
    ]  # fmt: skip
    numbers = {"00:01.0": 0, "00:02.0": 1, "01:00.0": 7, "02:00.0": 7}
    found = held("vfio", *grouped(*parts, numbers=numbers))
    group, difference = found.breaches
    assert (group.severity, group.title) == (
        "critical",
        "one IOMMU group holds 2 functions: 01:00.0, 02:00.0",
    )
    assert "the kernel recorded it, and the dump does not tell why" in group.detail
    assert (difference.severity, "recorded together" in difference.title) == ("info", True)
    assert "takes for granted: " in difference.detail


@pytest.mark.parametrize(("state", "told"), [("off", True), (None, False)])
def test_acs_that_was_switched_off_after_boot(state: str | None, told: bool) -> None:  # noqa: FBT001
    """Recorded apart, predicted together by flags that are off; a port without ACS was never on."""
    parts = [root_port("00:01.0", 1, acs=state), endpoint("01:00.0")]
    found = held("vfio", *grouped(*parts, numbers={"00:01.0": 0, "01:00.0": 1}))
    titles = [breach.title for breach in found.breaches]
    assert ("ACS was switched off after the groups were made: 00:01.0" in titles) is told
    assert found.failed is told


def driven(part: str, driver: str) -> str:
    return part.replace("\n\n", f"\n\tKernel driver in use: {driver}\n")


@pytest.mark.parametrize(
    ("kernel", "drivers", "holders"),
    [
        ("6.1", ("pcieport", "vfio-pci", None), None),
        ("6.1", ("pcieport", "vfio-pci", "snd_hda_intel"), "01:00.1 (snd_hda_intel)"),
        ("6.1", ("shpchp", "pci-stub", None), "00:01.0 (shpchp)"),
        ("5.18", ("shpchp", "nouveau", None), "01:00.0 (nouveau)"),
    ],
)
def test_who_keeps_a_group_from_a_guest(
    kernel: str, drivers: tuple[str | None, ...], holders: str | None
) -> None:
    """A member hinders by a driver that does DMA for the host; a bridge's before Linux 5.19 never."""
    parts = [root_port("00:01.0", 1, acs=None), endpoint("01:00.0"), endpoint("01:00.1")]
    dump = machine(
        *(
            part if driver is None else driven(part, driver)
            for part, driver in zip(parts, drivers, strict=True)
        )
    )
    (breach,) = check(dump, "vfio", kernel=kernel).breaches
    if holders is None:
        assert "No driver of the host holds any of them now." in breach.detail
    else:
        assert f"before a guest can have one of the others: {holders}." in breach.detail


def test_functions_of_the_chipset_are_one_remark() -> None:
    slots = ("00:14.0", "00:14.2", "00:16.0", "00:16.3", "00:1f.0", "00:1f.3")
    (breach,) = held("vfio", *map(function, slots)).breaches
    assert breach.title == (
        "3 groups hold functions of the chipset: 00:14.0, 00:14.2; 00:16.0, 00:16.3; 00:1f.0, 00:1f.3"
    )


def test_a_port_without_a_slot_is_no_place_for_a_card() -> None:
    ports = [root_port("00:1c.0", 1, acs=None), root_port("00:1c.5", 2, acs="off")]
    free = root_port("00:1d.0", 3).replace("(Slot+)", "(Slot-)")
    (breach,) = held("vfio", *ports, free, endpoint("01:00.0"), endpoint("02:00.0")).breaches
    assert "below a port that isolates" not in actions(breach)


def test_the_kernel_counts() -> None:
    express = "Capabilities: [40] Express (v2) Root Complex Integrated Endpoint, MSI 00"
    dump = machine(function("00:14.0"), function("00:14.3", express, name="Intel Corporation Wi-Fi"))
    assert check(dump, "vfio").breaches == ()
    assert len(check(dump, "vfio", kernel="5.6").breaches) == 1


# ----------------------------------------------------------------------------------------------------------- p2p


def test_ports_between_peers_below_one_switch() -> None:
    found = held("p2p", *SWITCH)
    assert brief(found) == [("warning", "02:00.0")]
    (breach,) = found.breaches
    assert breach.title == "the switch at 01:00.0 redirects peer-to-peer traffic at 02:00.0"
    assert (
        "between NVMe disk 03:00.0 below and GPU 04:00.0, which could meet in the switch at 01:00.0"
        in breach.detail
    )
    assert "pci=disable_acs_redir=0000:02:00.0 (" in actions(breach)
    assert "setpci -s 0000:02:00.0 ECAP_ACS+0x6.w=0000:000c" in actions(breach)
    assert all(remedy.risk for remedy in breach.remedies)


def peers(*flags: str) -> tuple[str, ...]:
    """Two NICs below one switch; one port has the flags on."""
    able = REQUIRED | {"EgressCtrl", "DirectTrans"}
    return (
        *SWITCH[:2],
        downstream("02:00.0", 3, acs=acs("on", able=able, on=frozenset(flags))),
        downstream("02:01.0", 4, acs="off"),
        endpoint("03:00.0", "Capabilities: [150 v1] Address Translation Service (ATS)"),
        endpoint("04:00.0"),
    )


@pytest.mark.parametrize("flag", ["ReqRedir", "CmpltRedir", "EgressCtrl"])
def test_flags_that_redirect(flag: str) -> None:
    assert brief(held("p2p", *peers(flag))) == [("warning", "02:00.0")]


@pytest.mark.parametrize("flag", ["SrcValid", "UpstreamFwd", "DirectTrans"])
def test_flags_that_do_not_redirect(flag: str) -> None:
    """NCCL's advice looks for SrcValid, which redirects nothing."""
    assert held("p2p", *peers(flag)).breaches == ()


def test_the_middle_way_where_devices_translate() -> None:
    (breach,) = held("p2p", *peers("ReqRedir")).breaches
    assert "pci=config_acs=1x111x1@0000:02:00.0" in breach.remedies[0].action
    without = [
        part.replace("Address Translation Service (ATS)", "Power Budgeting <?>") for part in peers("ReqRedir")
    ]
    assert "config_acs" not in actions(held("p2p", *without).breaches[0])


def test_between_root_ports_the_root_complex_decides() -> None:
    found = held(
        "p2p", root_port("00:01.0", 1), root_port("00:02.0", 2), endpoint("01:00.0"), endpoint("02:00.0")
    )
    assert brief(found) == [("info", "00:01.0")]
    assert found.breaches[0].title == "the root complex redirects peer-to-peer traffic at 00:01.0 and 00:02.0"
    assert "host bridges that it knows" in found.breaches[0].detail
    assert found.breaches[0].remedies == (), "disable_acs_redir gains nothing there"


def test_graphics_of_a_management_controller_are_no_peer() -> None:
    bmc = endpoint(
        "04:00.0", class_="VGA compatible controller", name="ASPEED Technology, Inc. ASPEED Graphics Family"
    )
    assert (
        held("p2p", *SWITCH[:2], downstream("02:00.0", 3), downstream("02:01.0", 4), SWITCH[4], bmc).breaches
        == ()
    )


GPU, NIC = "03:00.0", "04:00.0"


@pytest.mark.parametrize(
    ("flags", "severity", "words"),
    [
        ((), "info", "the direct way: traffic turns round in the switch"),
        (("ReqRedir",), "warning", "refuses the pair, unless the CPU or the host bridge is on its list"),
        (("SrcValid",), "info", "the direct way"),
    ],
)
def test_the_verdict_for_a_pair(flags: tuple[str, ...], severity: str, words: str) -> None:
    (breach,) = check(machine(*peers(*flags)), "p2p", pairs=[(GPU, NIC)]).breaches
    assert (breach.severity, breach.known) == (severity, True)
    assert breach.title.startswith("NIC 03:00.0 and NIC 04:00.0: PIX, below one switch, or one port")
    assert words in breach.detail
    assert bool(breach.remedies) is (severity == "warning")


@pytest.mark.parametrize(
    ("nodes", "level", "severity", "known"),
    [((0, 1), "SYS", "warning", True), ((0, 0), "NODE", "info", True), ((None, None), "?", "warning", False)],
)
def test_a_pair_of_two_sockets(nodes: tuple[int | None, ...], level: str, severity: str, known: bool) -> None:  # noqa: FBT001
    parts = []
    for root, node in zip(("00", "80"), nodes, strict=True):
        bus = int(root, 16) + 1
        line = () if node is None else (f"NUMA node: {node}",)
        parts += [root_port(f"{root}:01.0", bus), endpoint(f"{bus:02x}:00.0", *line)]
    (breach,) = check(machine(*parts), "p2p", pairs=[("01:00.0", "81:00.0")]).breaches
    assert f": {level}, " in breach.title
    assert (breach.severity, breach.known) == (severity, known)


def test_a_pair_that_is_not_there() -> None:
    with pytest.raises(LspciError, match=r"the dump has no device 0000:03:00\.1; near it are 0000:03:00\.0"):
        check(machine(*SWITCH), "p2p", pairs=[("03:00.1", NIC)])


def test_a_switch_with_one_peer_has_no_traffic_inside() -> None:
    assert held("p2p", *SWITCH[:5]).breaches == ()


def test_what_is_no_peer() -> None:
    """A disk controller on its own bus and a conventional graphics function of a management controller are none."""
    found = held(
        "p2p", *SWITCH[:5], root_port("00:02.0", 5, last=6), port("05:00.0", 6, "PCI-Express to PCI/PCI-X Bridge"),
        function("06:00.0", class_="VGA compatible controller"), root_port("00:03.0", 7),
        endpoint("07:00.0", class_="SATA controller"),
    )  # fmt: skip
    assert found.breaches == ()


def test_the_ports_of_nested_switches_lie_between_peers_too() -> None:
    found = held(
        "p2p",
        root_port("00:01.0", 1, acs="off", last=8),
        upstream("01:00.0", 2, last=8),
        downstream("02:00.0", 3, last=5),
        upstream("03:00.0", 4, last=5),
        downstream("04:00.0", 5),
        endpoint("05:00.0"),
        downstream("02:01.0", 6, acs="off"),
        endpoint("06:00.0"),
    )
    (breach,) = found.breaches
    assert breach.title == "the switch at 01:00.0 redirects peer-to-peer traffic at 02:00.0 and 04:00.0"
    assert "disable_acs_redir=0000:02:00.0;0000:04:00.0 (" in actions(breach)


def test_ports_that_cannot_be_read() -> None:
    bus = "Bus: primary=02, secondary=04, subordinate=04, sec-latency=0"
    denied = function("02:01.0", bus, "Capabilities: <access denied>", class_="PCI bridge")
    assert ("warning", "02:01.0") in brief(held("p2p", *SWITCH[:3], denied, *SWITCH[4:]))


# ----------------------------------------------------------------------------------------------------- policy files


@pytest.fixture
def dump() -> Dump:
    return machine(
        root_port("00:1c.5", 1, "Physical Slot: 5"),
        root_port("00:1d.0", 2, acs="off"),
        endpoint(
            "01:00.0", "Kernel driver in use: mlx5_core", name="Mellanox Technologies MT27800 [15b3:1017]"
        ).replace("controller:", "controller [0200]:"),
        function("02:00.0", "Capabilities: <access denied>"),
    )


def rules(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    return path


def required(tmp_path: Path, **keys: object) -> Path:
    return rules(
        tmp_path,
        "[[require]]\n"
        + "".join(f"{key.replace('_', '-')} = {json.dumps(value)}\n" for key, value in keys.items()),
    )


def test_a_fact_of_one_device(tmp_path: Path, dump: Dump) -> None:
    policy = required(
        tmp_path, path="00:1d.0/acs/ACSCtl/SrcValid", equals=True, reason="guests own it", severity="critical",
        remedy="look in BIOS setup", risk="none",
    )  # fmt: skip
    found = check(dump, policy)
    assert (found.policy, found.failed) == ("policy.toml", True)
    (breach,) = found.breaches
    assert breach.title == "00:1d.0/acs/ACSCtl/SrcValid is false, required: equals true"
    assert (breach.severity, breach.device, breach.detail) == ("critical", at("00:1d.0"), "guests own it")
    assert breach.remedies == (("look in BIOS setup", "none"),)


@pytest.mark.parametrize(
    ("selector", "slots"),
    [
        ("address:00:1?.*", ["00:1c.5", "00:1d.0"]),
        ("address:0000:01:*", ["01:00.0"]),
        ("class:0604", ["00:1c.5", "00:1d.0"]),
        ("class:02*", ["01:00.0", "02:00.0"]),
        ("class:pci bridge", ["00:1c.5", "00:1d.0"]),
        ("port:Root Port", ["00:1c.5", "00:1d.0"]),
        ("kind:acs", ["00:1c.5", "00:1d.0"]),
        ("ids:15b3:*", ["01:00.0"]),
        ("driver:mlx5*", ["01:00.0"]),
        ("name:*MT27800*", ["01:00.0"]),
        (["port:Root Port", "address:00:1c.*"], ["00:1c.5"]),
        ([], ["00:1c.5", "00:1d.0", "01:00.0", "02:00.0"]),
        ("driver:nothing", []),
    ],
)
def test_selectors(tmp_path: Path, dump: Dump, selector: str | list[str], slots: list[str]) -> None:
    found = check(dump, required(tmp_path, device=selector, path="revision", equals="none"))
    assert [breach.device.slot for breach in found.breaches if breach.device] == slots


@pytest.mark.parametrize(
    ("path", "demand", "holds"),
    [
        ("acs/ACSCtl/SrcValid", {"equals": True}, True),
        ("acs/ACSCtl/SrcValid", {"equals": 1}, False),
        ("acs/ACSCtl/SrcValid", {"differs": False}, True),
        ("acs/ACSCtl/SrcValid", {"differs": True}, False),
        ("Control/I/O", {"equals": True}, True),
        ("Control/BusMaster", {"equals": False}, False),
        ("Bus/secondary", {"equals": 1}, True),
        ("Bus/secondary", {"min": 1, "max": 1}, True),
        ("Bus/secondary", {"min": 2}, False),
        ("Bus/secondary", {"max": 0.5}, False),
        ("Bus/secondary", {"one_of": [1, 2]}, True),
        ("Bus/secondary", {"one_of": [2, True]}, False),
        ("physical_slot", {"equals": "5"}, True),
        ("exp/Type", {"matches": "Root*"}, True),
        ("exp/Type", {"matches": "root*"}, False),
        ("acs", {"present": True}, True),
        ("acs", {"present": False}, False),
        ("ats", {"present": False}, True),
        ("ats", {"present": True}, False),
        ("ats/ATSCtl/Enable", {"equals": True}, False),
        ("ats/ATSCtl/Enable", {"differs": True}, True),
        ("driver", {"present": True}, False),
    ],
)
def test_demands(tmp_path: Path, dump: Dump, path: str, demand: dict[str, object], holds: bool) -> None:  # noqa: FBT001
    found = check(dump, required(tmp_path, path=f"00:1c.5/{path}", **demand))
    assert (found.breaches == ()) is holds


def test_a_device_that_is_not_there(tmp_path: Path, dump: Dump) -> None:
    (breach,) = check(dump, required(tmp_path, path="09:00.0/driver", present=True)).breaches
    assert breach.title == "09:00.0 is not there, driver is required of it"
    assert check(dump, required(tmp_path, path="09:00.0/driver", present=False)).breaches == ()


def test_what_is_not_known_is_neither_kept_nor_broken(tmp_path: Path, dump: Dump) -> None:
    found = check(dump, required(tmp_path, path="02:00.0/acs", present=True, severity="critical"))
    assert [(breach.known, breach.title) for breach in found.breaches] == [
        (False, "02:00.0/acs is not known: access denied")
    ]
    assert (found.failed, found.cannot_tell) == (False, True)


def test_the_worst_comes_first(tmp_path: Path, dump: Dump) -> None:
    text = "".join(f'[[require]]\npath = "00:1c.5/{n}"\npresent = true\nseverity = "{s}"\n' for n, s in
                   (("a", "info"), ("b", "critical"), ("c", "warning"), ("d", "critical")))  # fmt: skip
    found = check(dump, rules(tmp_path, text))
    assert [breach.title[8] for breach in found.breaches] == ["b", "d", "c", "a"]


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("", "expected one or more [[require]] tables", None),
        ("[require]\npath = 'a'\n", "expected one or more [[require]] tables", None),
        ("[[require]]\npath='a'\npresent=true\n[other]\n", "found other", None),
        (
            "[[require]]\npath = 'a'\nmin=1\n[[require]]\npath = 'a'\npresence = true\n",
            "unknown key 'presence'",
            4,
        ),
        ("# a\n[[require]]\npath = 'a'\n", "nothing is demanded", 2),
        ("[[require]]\npresent = true\n", "expected a fact such as", 1),
        ("[[require]]\npath = '00:1c.5'\npresent = true\n", "expected a fact such as", 1),
        ("[[require]]\npath = 3\npresent = true\n", "path = 3; expected a string", 1),
        ("[[require]]\npath = 'a'\npresent = 'yes'\n", "present = 'yes'; expected true or false", 1),
        ("[[require]]\npath = 'a'\nmin = true\n", "min = True; expected a number", 1),
        ("[[require]]\npath = 'a'\none-of = 3\n", "one-of = 3; expected a list", 1),
        ("[[require]]\npath = 'a'\nmatches = 3\n", "matches = 3; expected a string", 1),
        (
            "[[require]]\npath = 'a'\npresent = true\nseverity = 'bad'\n",
            "severity = 'bad'; expected one of critical",
            1,
        ),
        (
            "[[require]]\npath = 'a'\npresent = true\ndevice = 'bridge'\n",
            "device = 'bridge'; expected a selector",
            1,
        ),
        ("[[require]]\npath = 'a'\npresent = true\ndevice = [3]\n", "device = 3; expected a selector", 1),
        ("require = [1]\n", "found 1; expected a [[require]] table", None),
        ("[[require]]\npath = \n", "not TOML: Invalid value", 2),
        ("[[require]]\npath = 'a\n", "not TOML: ", None),
        ("a = [" * 2000, "not TOML: ", None),
    ],
)
def test_a_bad_policy_file(tmp_path: Path, dump: Dump, text: str, message: str, line: int | None) -> None:
    path = rules(tmp_path, text)
    with pytest.raises(LspciError) as caught:
        check(dump, path)
    assert message in caught.value.message
    assert caught.value.source == str(path)
    if line is not None:
        assert caught.value.line == line


def test_a_policy_file_that_cannot_be_read(tmp_path: Path, dump: Dump) -> None:
    with pytest.raises(
        LspciError, match=r"cannot read the policy: No such file.*expected vfio, p2p or a TOML file"
    ):
        check(dump, tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n")
    with pytest.raises(LspciError, match="not UTF-8 at byte 2"):
        check(dump, tmp_path / "latin.toml")


def test_facts_are_looked_up_by_path(dump: Dump) -> None:
    device = dump["00:1c.5"]
    assert look_up(device, "acs") == device.capability("acs")
    assert look_up(device, "acs/ACSCap/DirectTrans") is False
    for path in (
        "acs/ACSCap/Nothing",
        "acs/Nothing/SrcValid",
        "nothing",
        "acs/ACSCap/SrcValid/deeper",
        "driver",
        "/",
    ):
        assert look_up(device, path) is MISSING


# ------------------------------------------------------------------------------------- what a dump does not show


@pytest.mark.parametrize("name", ["plain", "k", "nnk", "v", "v-user"])
def test_peer_to_peer_is_not_known_of_a_dump_that_shows_less(name: str) -> None:
    """Names alone, titles alone, or another user's view never read as "nothing to complain of"."""
    found = check(parse((CORPUS / "hosts" / f"{name}.txt").read_bytes()), "p2p")
    assert (found.failed, found.cannot_tell) == (False, True)


def test_one_peer_alone_talks_to_nobody() -> None:
    found = held("p2p", "00:00.0 Host bridge: X\n", "01:00.0 VGA compatible controller: Y\n")
    assert (found.failed, found.cannot_tell) == (False, False)


# ----------------------------------------------------------------------------------------------------- all together


def test_json() -> None:
    found = held("p2p", *SWITCH)
    document = as_json(found)
    assert json.loads(json.dumps(document)) == document
    assert (document["schema"], document["policy"]) == ("lspci-parse.check/1", "p2p")
    assert document["summary"] == {"critical": 0, "warning": 1, "info": 0}
    (breach,) = document["breaches"]
    assert (breach["device"], breach["severity"]) == ("0000:02:00.0", "warning")
    assert breach["devices"] == ["0000:02:00.0", "0000:03:00.0"]
    assert {"action", "risk"} == set(breach["remedies"][0])


def test_the_founding_incident(shared: Path) -> None:
    """The sick host is worse than the healthy one, and 00:1c is why."""
    good, bad = (
        check(parse((shared / f"lab/incident-{name}/lspci-vvv.txt").read_bytes()), "vfio")
        for name in ("good", "bad")
    )
    assert (good.failed, bad.failed) == (False, True)
    assert [breach.device for breach in bad.breaches if breach.severity != "info"] == [at("00:1c.0")]
