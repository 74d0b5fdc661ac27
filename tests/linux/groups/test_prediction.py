"""Predicted IOMMU groups: the rules one by one, the rule book's examples, and what real kernels recorded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lspci_parse.errors import LspciError
from lspci_parse.evidence.cmdline import parse_cmdline
from lspci_parse.evidence.host import Host
from lspci_parse.linux.groups.model import Groups
from lspci_parse.linux.groups.prediction import groups, predict
from lspci_parse.linux.kernel import Boot, Kernel
from lspci_parse.model.address import Address
from lspci_parse.model.dump import Dump
from lspci_parse.parsing.parser import parse
from lspci_parse.serialization.groups import as_json
from tests.machines import (
    at,
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
from tests.paths import CORPUS, SHARED

if TYPE_CHECKING:
    from pathlib import Path

Partition = set[frozenset[str]]
AMD_IOMMU = "Advanced Micro Devices, Inc. [AMD] IOMMU"
KERNEL = "6.1.0-56-amd64"
"""The kernel of every recorded virtual machine."""


def text(found: Groups) -> str:
    """Write groups as the rule book does: ``{00:01.0} {01:00.0,01:00.1}``."""
    return " ".join("{" + ",".join(device.slot for device in group.devices) + "}" for group in found.groups)


def of(*functions: str, kernel: str | None = None, cmdline: str | None = None) -> str:
    return text(predict(machine(*functions), kernel=kernel, cmdline=cmdline))


def switch(
    ports: tuple[str, str], *, slots: tuple[str, str] = ("02:00.0", "02:01.0"), root: str | None = "on"
) -> tuple[str, ...]:
    """A switch with one endpoint below each of two ports, with the ports' states of ACS."""
    return (
        root_port("00:01.0", 1, acs=root, last=4),
        upstream("01:00.0", 2, last=4),
        downstream(slots[0], 3, acs=ports[0]),
        downstream(slots[1], 4, acs=ports[1]),
        endpoint("03:00.0"),
        endpoint("04:00.0"),
    )


# ------------------------------------------------------------------ kernel-iommu.md, section 8: worked examples


def test_switch_ports_with_acs_off_are_not_merged() -> None:
    expected = "{00:01.0} {01:00.0} {02:00.0,03:00.0} {02:01.0,04:00.0}"
    assert of(*switch(("off", "off"))) == expected


def test_switch_ports_with_acs_off_in_one_slot_are_merged() -> None:
    found = of(*switch(("off", "off"), slots=("02:00.0", "02:00.1")))
    assert found == "{00:01.0} {01:00.0} {02:00.0,02:00.1,03:00.0,04:00.0}"


@pytest.mark.parametrize("slots", [("02:00.0", "02:01.0"), ("02:00.0", "02:00.1")])
def test_a_good_switch_makes_six_groups(slots: tuple[str, str]) -> None:
    assert of(*switch(("on", "on"), slots=slots)).count("{") == 6


def test_a_root_port_without_acs_swallows_the_switch() -> None:
    assert of(*switch(("on", "on"), root=None)).count("{") == 1


CHIPSET = [function(f"00:1f.{number}") for number in (0, 3, 4)]


def test_chipset_functions_and_the_network_function_among_them() -> None:
    nic = "00:1f.6 Ethernet controller [0200]: Name [8086:15b8]\n\tControl: I/O+\n"
    assert of(*CHIPSET, nic) == "{00:1f.0,00:1f.3,00:1f.4} {00:1f.6}"


@pytest.mark.parametrize(
    ("kernel", "expected"), [("5.8", "{00:14.0,00:14.2} {00:14.3}"), ("5.6", "{00:14.0,00:14.2,00:14.3}")]
)
def test_integrated_wifi(kernel: str, expected: str) -> None:
    wifi = express("00:14.3", "Root Complex Integrated Endpoint", name="Intel Corporation Wi-Fi")
    assert of(function("00:14.0"), function("00:14.2"), wifi, kernel=kernel) == expected


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        ("5.10", "{00:1c.0} {00:1c.4} {01:00.0} {02:00.0}"),
        ("5.9", "{00:1c.0,00:1c.4,01:00.0,02:00.0}"),
    ],
)
def test_chipset_root_ports_with_and_without_the_workaround(kernel: str, expected: str) -> None:
    ports = [
        root_port(slot, bus, acs=None, name=f"Name [8086:{ids}]").replace("PCI bridge", "PCI bridge [0604]")
        for slot, bus, ids in (("00:1c.0", 1, "1c10"), ("00:1c.4", 2, "1c18"))
    ]
    assert of(*ports, endpoint("01:00.0"), endpoint("02:00.0"), kernel=kernel) == expected


@pytest.mark.parametrize(
    ("state", "expected"), [("empty", "{01:00.0} {01:00.1}"), (None, "{01:00.0,01:00.1}")]
)
def test_two_function_nic(state: str | None, expected: str) -> None:
    nic = [endpoint(f"01:00.{number}", acs=state) for number in (0, 1)]
    assert of(root_port("00:01.0", 1), *nic) == "{00:01.0} " + expected


def test_one_port_on_and_one_off() -> None:
    assert of(*switch(("on", "off"))) == "{00:01.0} {01:00.0} {02:00.0} {02:01.0,04:00.0} {03:00.0}"


@pytest.mark.parametrize(
    ("state", "expected"),
    [("on", "{00:01.0} {01:00.0,02:00.0,02:01.0}"), (None, "{00:01.0,01:00.0,02:00.0,02:01.0}")],
)
def test_conventional_functions_below_a_bridge(state: str | None, expected: str) -> None:
    bridge = port("01:00.0", 2, "PCI-Express to PCI/PCI-X Bridge")
    assert (
        of(root_port("00:01.0", 1, acs=state, last=2), bridge, function("02:00.0"), function("02:01.0"))
        == expected
    )


# ---------------------------------------------------------------- sections 1.2 and 1.4: consequences and cases


def test_the_own_acs_of_a_function_does_not_matter_to_the_way_up() -> None:
    assert of(root_port("00:01.0", 1, acs=None), endpoint("01:00.0", acs="on")) == "{00:01.0,01:00.0}"


def test_a_bad_bridge_spoils_everything_below_it() -> None:
    """The outer port is bad, so good ports further down do not help."""
    found = of(
        root_port("00:01.0", 1, last=9), upstream("01:00.0", 2, last=9), downstream("02:00.0", 3, acs="off", last=9),
        upstream("03:00.0", 4, last=9), downstream("04:00.0", 5), downstream("04:01.0", 6), endpoint("05:00.0"),
    )  # fmt: skip
    assert found == "{00:01.0} {01:00.0} {02:00.0,03:00.0,04:00.0,04:01.0,05:00.0}"


def test_a_second_function_of_an_upstream_port_spoils_the_switch() -> None:
    parts = switch(("on", "on"))
    assert of(*parts[:2], endpoint("01:00.1"), *parts[2:]) == (
        "{00:01.0} {01:00.0,01:00.1,02:00.0,02:01.0,03:00.0,04:00.0}"
    )


def test_a_hidden_second_function_of_an_upstream_port_spoils_it_too() -> None:
    header = bytearray(64)
    header[0x0E] = 0x81
    root, up, *rest = switch(("on", "on"))
    assert (
        of(root, with_hex(up, bytes(header)), *rest) == "{00:01.0} {01:00.0,02:00.0,02:01.0,03:00.0,04:00.0}"
    )


@pytest.mark.parametrize(
    "kind", ["conventional", "Endpoint", "Root Complex Integrated Endpoint", "Root Complex Event Collector"]
)
def test_single_functions_on_the_root_bus_are_alone(kind: str) -> None:
    parts = [function(s) if kind == "conventional" else express(s, kind) for s in ("00:01.0", "00:02.0")]
    assert of(*parts) == "{00:01.0} {00:02.0}"


def test_functions_of_a_slot_that_isolate_stay_out_of_its_group() -> None:
    parts = [
        endpoint("00:02.0"),
        endpoint("00:02.1", acs="on"),
        function("00:02.2"),
        endpoint("00:02.3", acs="off"),
    ]
    assert of(*parts) == "{00:02.0,00:02.2,00:02.3} {00:02.1}"


def test_losing_acs_on_one_function_merges_nothing() -> None:
    ports = [root_port("00:1c.0", 1, acs=None), root_port("00:1c.5", 2)]
    assert of(*ports, endpoint("01:00.0"), endpoint("02:00.0")) == "{00:1c.0,01:00.0} {00:1c.5} {02:00.0}"


def test_root_ports_of_one_slot_without_acs_with_all_below() -> None:
    ports = [
        root_port("00:1c.0", 1, acs=None),
        root_port("00:1c.5", 2, acs="off"),
        root_port("00:1d.0", 3, acs=None),
    ]
    assert (
        of(*ports, *(endpoint(f"0{bus}:00.0") for bus in (1, 2, 3)))
        == "{00:1c.0,00:1c.5,01:00.0,02:00.0} {00:1d.0,03:00.0}"
    )


def test_conventional_bridges_take_everything_below_them() -> None:
    parts = [
        pci_bridge("00:1e.0", 1, 2),
        function("01:00.0"),
        pci_bridge("01:01.0", 2),
        function("02:00.0"),
        function("02:01.0"),
    ]
    assert of(*parts) == "{00:1e.0,01:00.0,01:01.0,02:00.0,02:01.0}"


def test_behind_a_reverse_bridge() -> None:
    parts = [
        pci_bridge("00:1e.0", 1, 3), port("01:00.0", 2, "PCI/PCI-X to PCI-Express Bridge", last=3), endpoint("02:00.0"),
        root_port("00:01.0", 4, last=5), port("04:00.0", 5, "PCI/PCI-X to PCI-Express Bridge"), endpoint("05:00.0"),
    ]  # fmt: skip
    assert of(*parts) == "{00:01.0} {00:1e.0,01:00.0,02:00.0} {04:00.0,05:00.0}"


VIRTUAL = [endpoint("01:00.0", sriov(2, 1, 1)), endpoint("01:00.1"), endpoint("01:00.2")]


@pytest.mark.parametrize(
    ("state", "expected"),
    [("on", "{00:01.0} {01:00.0} {01:00.1} {01:00.2}"), ("off", "{00:01.0,01:00.0,01:00.1,01:00.2}")],
)
def test_virtual_functions(state: str, expected: str) -> None:
    assert of(root_port("00:01.0", 1, acs=state), *VIRTUAL) == expected


def test_virtual_functions_on_a_bus_of_their_own_follow_the_way_of_the_physical_one() -> None:
    physical = endpoint("01:00.0", sriov(1, 0x100, 1))
    assert (
        of(root_port("00:01.0", 1, acs=None, last=2), physical, endpoint("02:00.0"))
        == "{00:01.0,01:00.0,02:00.0}"
    )
    assert (
        of(root_port("00:01.0", 1, last=2), physical, endpoint("02:00.0")) == "{00:01.0} {01:00.0} {02:00.0}"
    )


def test_ari_functions_share_by_eights() -> None:
    ari = "Capabilities: [150 v1] Alternative Routing-ID Interpretation (ARI)"
    parts = [endpoint(slot, ari) for slot in ("01:00.0", "01:00.1", "01:01.0", "01:01.1", "01:02.0")]
    assert of(root_port("00:01.0", 1), *parts) == "{00:01.0} {01:00.0,01:00.1} {01:01.0,01:01.1} {01:02.0}"


VMD = (
    function("0000:00:0e.0", name="Intel Corporation Volume Management Device NVMe RAID Controller"),
    root_port("10000:e0:06.0", 0xE1),
    endpoint("10000:e1:00.0"),
)


def test_behind_a_volume_management_device() -> None:
    found = predict(machine(*VMD), kernel="5.6")
    assert [len(group.devices) for group in found.groups] == [3]
    assert {join.how for join in found.groups[0].joined_by} == {"vmd"}
    assert not any("Volume" in assumption for assumption in found.assumptions)


def test_behind_a_volume_management_device_in_old_kernels() -> None:
    found = predict(machine(*VMD), kernel="5.4")
    assert text(found) == "{00:0e.0}"
    assert [str(entry.device) for entry in found.ungrouped] == ["10000:e0:06.0", "10000:e1:00.0"]
    assert found.undecided == ()


def test_behind_a_volume_management_device_that_is_not_shown() -> None:
    found = predict(machine(function("0000:00:00.0"), *VMD[1:]))
    assert text(found) == "{00:00.0} {e0:06.0,e1:00.0}"
    assert any("its controller is not in the dump" in assumption for assumption in found.assumptions)


def test_several_volume_management_devices() -> None:
    second = function("0000:80:0e.0", name="Intel Corporation Volume Management Device NVMe RAID Controller")
    found = predict(
        machine(
            *VMD, second, root_port("10001:e0:06.0", 0xE1), function("0000:80:00.0", class_="Host bridge")
        )
    )
    assert found.of(at("10001:e0:06.0")) == found.of(at("0000:80:0e.0"))
    assert any("in their order" in assumption for assumption in found.assumptions)


def test_several_root_buses() -> None:
    parts = [
        root_port(f"{bus:02x}:00.{number}", bus + 1 + number, acs=None)
        for bus in (0, 0x40)
        for number in (0, 1)
    ]
    assert of(*parts) == "{00:00.0,00:00.1} {40:00.0,40:00.1}"


# ---------------------------------------------------------------------------------------------------- DMA aliases


def numbered(slot: str, ids: str, *lines: str) -> str:
    text_ = endpoint(slot, *lines, acs="on", name=f"Name [{ids}]")
    return text_.replace("controller:", "controller [0104]:")


def test_an_alias_inside_the_slot() -> None:
    found = predict(
        machine(
            numbered("00:05.0", "1b4b:9230"), endpoint("00:05.1", acs="on"), endpoint("00:05.2", acs="on")
        )
    )
    assert text(found) == "{00:05.0,00:05.1} {00:05.2}"
    (join,) = found.groups[0].joined_by
    assert (join.how, set(join.culprits)) == ("alias", {at("00:05.0"), at("00:05.1")})


def test_an_alias_that_is_a_ghost_changes_nothing() -> None:
    assert of(numbered("00:05.0", "1b4b:9230"), endpoint("00:06.1", acs="on")) == "{00:05.0} {00:06.1}"


def test_an_alias_reaches_the_slot_mates_of_the_alias() -> None:
    parts = [
        numbered("00:05.0", "8086:2260"),
        endpoint("00:10.0"),
        endpoint("00:10.1"),
        endpoint("00:10.2", acs="on"),
    ]
    assert of(*parts) == "{00:05.0,00:10.0,00:10.1} {00:10.2}"


def test_an_alias_to_a_whole_bus() -> None:
    assert (
        of(function("00:01.0"), numbered("00:02.0", "10b5:87b0"), function("00:03.0"))
        == "{00:01.0,00:02.0,00:03.0}"
    )


def test_an_alias_from_the_kernel_log() -> None:
    dump = machine(function("00:01.0"), function("00:02.0"), function("00:03.0"))
    boot = Boot(aliases={at("00:03.0"): frozenset({at("00:01.0"), at("00:1f.0")})})
    assert text(predict(dump, boot=boot)) == "{00:01.0,00:03.0} {00:02.0}"


def test_the_walk_over_aliases_ends_at_some_bridges() -> None:
    """Below Vulcan's conventional-looking bridge the ports' ACS decides."""
    bridge = pci_bridge("00:01.0", 1, 2).replace(
        "PCI bridge: Example Corporation Bridge", "PCI bridge [0604]: Name [14e4:9000]"
    )
    found = predict(machine(bridge, endpoint("01:00.0")))
    assert [join.how for join in found.groups[0].joined_by] == ["path"]


def test_aliases_that_only_the_device_knows_are_an_assumption() -> None:
    ntb = "00:05.0 Bridge [0680]: Name [11f8:8536]\n\tControl: I/O+\n"
    assert any("only the device knows" in assumption for assumption in predict(machine(ntb)).assumptions)
    port_ = ntb.replace("Bridge [0680]", "PCI bridge [0604]")
    assert not any(
        "only the device knows" in assumption for assumption in predict(machine(port_)).assumptions
    )


# ---------------------------------------------------------------------------------------------- reasons and records


INCIDENT = (
    root_port("00:1c.0", 3, acs=None), root_port("00:1c.5", 1, acs=None, last=2),
    port("01:00.0", 2, "PCI-Express to PCI/PCI-X Bridge"), function("02:00.0"),
)  # fmt: skip


def test_each_function_says_why_it_is_where_it_is() -> None:
    (group,) = predict(machine(*INCIDENT)).groups
    assert [(join.device.slot, join.how, join.why) for join in group.joined_by] == [
        ("00:1c.5", "slot", "no ACS capability, multi-function slot 00:1c"),
        ("01:00.0", "path", "below 00:1c.5 (00:1c.5: no ACS capability)"),
        ("02:00.0", "bridge", "below 01:00.0, a PCIe-to-PCI bridge"),
    ]
    assert group.joined_by[0].culprits == (at("00:1c.5"), at("00:1c.0"))


def test_a_bad_port_further_up_is_named() -> None:
    found = predict(machine(*switch(("on", "on"), root="off")))
    (join,) = (join for group in found.groups for join in group.joined_by if join.device == at("03:00.0"))
    assert join.culprits == (at("00:01.0"),)
    assert join.why.startswith(
        "below 02:00.0, whose way up does not isolate at 00:01.0 (00:01.0: its ACS flags"
    )


def recorded(dump: Dump, numbers: dict[str, int]) -> Dump:
    """The same dump with recorded groups."""
    return machine(*(f"{device}\n\tIOMMU group: {numbers[device.slot]}\n" for device in dump))


def test_recorded_groups_are_compared_as_a_partition() -> None:
    dump = machine(root_port("00:01.0", 1), endpoint("01:00.0"), endpoint("01:00.1"))
    found = predict(recorded(dump, {"00:01.0": 17, "01:00.0": 3, "01:00.1": 3}))
    assert (found.agrees, found.disagreements) == (True, ())


def test_a_disagreement_says_what_is_apart_and_what_together() -> None:
    dump = machine(root_port("00:01.0", 1), endpoint("01:00.0"), endpoint("01:00.1"))
    found = predict(recorded(dump, {"00:01.0": 1, "01:00.0": 1, "01:00.1": 2}))
    assert found.agrees is False
    assert [difference.text for difference in found.disagreements] == [
        "predicted together, recorded apart: 01:00.0 | 01:00.1",
        "recorded together, predicted apart: 00:01.0 | 01:00.0",
    ]


def test_without_record_there_is_nothing_to_compare() -> None:
    assert predict(machine(function("00:01.0"))).agrees is None


def test_a_group_of_functions_that_get_none_is_a_disagreement() -> None:
    found = predict(machine(*VMD), kernel="5.4", recorded={at("0000:00:0e.0"): 1, at("10000:e1:00.0"): 1})
    assert [difference.kind for difference in found.disagreements] == ["without"]


def test_record_of_some_functions_only() -> None:
    """Functions outside every IOMMU have no group; that contradicts nothing."""
    assert (
        predict(machine(function("00:00.0"), function("00:00.2")), recorded={at("00:00.2"): 0}).agrees is True
    )


# -------------------------------------------------------------------------------------- what a dump does not show


def hidden(slot: str, class_: str = "PCI bridge", *lines: str) -> str:
    return function(slot, *lines, "Capabilities: <access denied>", class_=class_)


def test_a_dump_without_capabilities_is_refused() -> None:
    bridge = hidden("00:01.0", "PCI bridge", "Bus: primary=00, secondary=01, subordinate=01, sec-latency=0")
    with pytest.raises(LspciError, match=r"00:01\.0 is cannot be read \(access denied\).*as root") as caught:
        predict(parse("noise\n" + function("00:00.0") + bridge + hidden("01:00.0"), source="host.txt"))
    assert (caught.value.source, caught.value.line) == ("host.txt", 10)


def test_a_plain_listing_is_refused() -> None:
    with pytest.raises(LspciError, match="IOMMU groups cannot be told"):
        predict(
            machine("00:00.0 Host bridge: X\n", "00:01.0 PCI bridge: X\n", "01:00.0 Ethernet controller: X\n")
        )


def test_what_can_be_told_is_told() -> None:
    dead = "02:00.0 Ethernet controller: X (rev ff) (prog-if ff)\n\t!!! Unknown header type 7f\n"
    found = predict(
        machine(
            root_port("00:01.0", 1), endpoint("01:00.0"), root_port("00:02.0", 2), dead, endpoint("02:00.1"),
            endpoint("05:00.0"), upstream("06:00.0", 7), endpoint("07:00.0"),
        )
    )  # fmt: skip
    assert text(found) == "{00:01.0} {00:02.0} {01:00.0}"
    assert {entry.device.slot: entry.why for entry in found.undecided} == {
        "02:00.0": "whether it isolates cannot be read (it does not answer)",
        "02:00.1": "whether 02:00.0 isolates cannot be read (it does not answer)",
        "05:00.0": "the bridge above bus 0000:05 is not in the dump",
        "06:00.0": "the bridge above bus 0000:06 is not in the dump",
        "07:00.0": "the bridge above bus 0000:06 is not in the dump",
    }


def test_what_follows_an_undecided_function_is_undecided() -> None:
    found = predict(
        machine(
            function("00:00.0"),
            hidden("00:02.0", "PCI bridge", "Bus: primary=00, secondary=02, subordinate=02, sec-latency=0"),
            root_port("00:02.1", 3, acs=None), endpoint("02:00.0"), endpoint("03:00.0"),
        )
    )  # fmt: skip
    assert text(found) == "{00:00.0}"
    assert len(found.undecided) == 4


def test_titles_alone_decide_where_there_is_no_acs() -> None:
    """`lspci -v` prints no registers, but shows which capabilities there are."""

    def titled(slot: str, *lines: str) -> str:
        return f"{slot} PCI bridge: X\n\tFlags: bus master\n" + "".join(f"\t{line}\n" for line in lines)

    rp = titled(
        "00:01.0",
        "Bus: primary=00, secondary=01, subordinate=01, sec-latency=0",
        "Capabilities: [40] Express Root Port (Slot+), MSI 00",
    )
    ep = titled("01:00.0", "Capabilities: [40] Express Endpoint, MSI 00")
    assert of(rp, ep) == "{00:01.0,01:00.0}"
    found = predict(machine(rp + "\tCapabilities: [140] Access Control Services\n", ep))
    assert [entry.device.slot for entry in found.undecided] == ["01:00.0"]


@pytest.mark.parametrize(
    ("cmdline", "iommu", "off"),
    [
        ("intel_iommu=off", None, True), ("iommu=off", None, True), ("iommu=pt", None, False), ("quiet", None, False),
        ("amd_iommu=off", None, False), ("amd_iommu=off", "IOMMU", True), ("intel_iommu=off", "IOMMU", False),
        ("intel_iommu=off intel_iommu=sm_on,on", None, False), ("intel_iommu=on intel_iommu=off", None, True),
    ],
)  # fmt: skip
def test_an_iommu_that_is_switched_off_makes_no_groups(cmdline: str, iommu: str | None, off: bool) -> None:  # noqa: FBT001
    extra = (
        []
        if iommu is None
        else [function("00:00.2", class_=iommu, name="Advanced Micro Devices, Inc. [AMD] IOMMU")]
    )
    found = predict(machine(function("00:00.0"), *extra), cmdline=cmdline)
    assert (found.off is not None) is off
    assert bool(found.groups) is not off


@pytest.mark.parametrize(
    ("functions", "kernel", "part"),
    [
        ([root_port("00:01.0", 1), endpoint("01:00.0")], None, "the kernel is Linux 7.1 or like it"),
        ([root_port("00:01.0", 1), endpoint("01:00.0")], KERNEL, "ACS control registers were at boot as"),
        (
            [root_port("00:01.0", 1, acs="off"), endpoint("01:00.0")],
            KERNEL,
            "if it was off, there are no groups",
        ),
        (
            [root_port("00:01.0", 1, acs=None), endpoint("01:00.0")],
            KERNEL,
            "no function shows extended configuration space",
        ),
        ([root_port("00:01.0", 1), endpoint("01:00.0")], "6.14.0-1003-nvidia", "which is not modelled"),
        (switch(("on", "on")), KERNEL, "no hidden functions (bit 7 of its header type: lspci -x) (01:00.0)"),
        ([root_port("00:01.0", 1), function("7f:08.0")], KERNEL, "0000:7f: root buses"),
        (
            [root_port("00:01.0", 1, last=4), endpoint("01:00.0"), endpoint("02:00.0")],
            KERNEL,
            "may be virtual functions",
        ),
        ([function("00:00.2", class_="IOMMU", name=AMD_IOMMU)], KERNEL, "ACPI's IVRS table"),
        (
            [function("00:05.0", name="Adaptec AAC-RAID")],
            KERNEL,
            "which some devices of this name have, (00:05.0)",
        ),
    ],
)
def test_assumptions(functions: list[str], kernel: str | None, part: str) -> None:
    found = predict(machine(*functions), kernel=kernel)
    assert [assumption for assumption in found.assumptions if part in assumption] != []
    plain = predict(machine(function("00:00.0")), kernel=KERNEL)
    assert [assumption for assumption in plain.assumptions if part in assumption] == []


def test_assumptions_that_quirks_make_name_their_functions() -> None:
    ports = [
        root_port(
            f"00:1c.{n}",
            n + 1,
            acs=None,
            name="Intel Corporation 7 Series/C216 Chipset Family PCI Express Root Port 1",
        )
        for n in range(8)
    ]
    found = predict(machine(*ports), kernel=KERNEL)
    (assumption,) = (text_ for text_ in found.assumptions if "chipset root ports" in text_)
    assert assumption.endswith("(00:1c.0 00:1c.1 00:1c.2 00:1c.3 00:1c.4 00:1c.5 and 2 more)")


def test_a_kernel_that_is_none() -> None:
    with pytest.raises(LspciError, match="not a kernel release"):
        predict(machine(function("00:00.0")), kernel="newest")


# ------------------------------------------------------------------------------------------------- other surfaces


def test_json() -> None:
    found = predict(
        recorded(machine(*INCIDENT), {"00:1c.0": 1, "00:1c.5": 1, "01:00.0": 1, "02:00.0": 1}), kernel="6.1"
    )
    document = as_json(found)
    assert document["schema"] == "lspci-parse.groups/1"
    assert document["kernel"] == "6.1"
    assert document["groups"][0]["devices"] == [
        f"0000:{slot}" for slot in ("00:1c.0", "00:1c.5", "01:00.0", "02:00.0")
    ]
    assert document["groups"][0]["joined_by"][0] == {
        "device": "0000:00:1c.5",
        "how": "slot",
        "culprits": ["0000:00:1c.5", "0000:00:1c.0"],
        "why": "no ACS capability, multi-function slot 00:1c",
    }
    assert document["recorded"]["0000:00:1c.0"] == 1
    assert (document["agrees"], document["disagreements"]) == (True, [])
    assert document["assumptions"] == list(found.assumptions)


def host(kernel: str | None, cmdline: str | None = None) -> Host:
    return Host(
        "a host",
        machine(*VMD),
        kernel=kernel,
        cmdline=None if cmdline is None else parse_cmdline(cmdline),
        groups=None if cmdline else {at("0000:00:0e.0"): 4},
    )


def test_what_is_known_of_a_host_is_used() -> None:
    assert groups(host("5.4.0")).kernel == "5.4.0"
    assert len(groups(host("5.4.0")).ungrouped) == 2
    assert groups(host("5.4.0"), kernel="6.1").ungrouped == ()
    assert groups(host("5.4.0")).recorded == {at("0000:00:0e.0"): 4}
    assert groups(host("unheard of")).kernel == "7.1"
    assert groups(host(None, "iommu=off")).off is not None
    assert groups(machine(*VMD), kernel=Kernel.parse("5.4")).kernel == "5.4"


# -------------------------------------------------------------------------------- what kernels recorded: oracles


def listing(path: Path) -> dict[Address, int]:
    """Read ``GROUP ADDRESS`` lines."""
    pairs = (line.split() for line in path.read_text().splitlines())
    return {Address.parse(address): int(group) for group, address in pairs}


def partition(numbers: dict[Address, int]) -> Partition:
    return {
        frozenset(str(d) for d, group in numbers.items() if group == number) for number in numbers.values()
    }


def assert_oracle(folder: Path, dump_name: str) -> None:
    expected = listing(folder / "iommu_groups.txt")
    content = (folder / dump_name).read_bytes()
    cmdline = folder / "cmdline.txt"
    boot = Boot(Kernel.parse(KERNEL), known=True, cmdline=cmdline.read_text() if cmdline.exists() else None)
    dump = parse(content)
    found = predict(dump, boot=boot)
    # Every device of a virtual machine is behind its IOMMU, but the AMD IOMMU's own function.
    behind = {d: n for d, n in found.number.items() if d in expected or dump[d].class_.name != "IOMMU"}
    assert partition(behind) == partition(expected), found.disagreements
    assert found.undecided == ()
    silent = re.sub(rb"\n\tIOMMU group: \d+", b"", content)
    assert predict(parse(silent), boot=boot).groups == found.groups


LAB = [path for path in sorted(SHARED.glob("lab/*/lspci-vvv*.txt")) if "user" not in path.name]


@pytest.mark.parametrize("path", LAB or [SHARED], ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.usefixtures("shared")
def test_recorded_virtual_machines(path: Path) -> None:
    if path.parent.name == "no-iommu":
        # Only the kernel's log tells that there is none.
        assert predict(parse(path.read_bytes())).agrees is None
    else:
        assert_oracle(path.parent, path.name)


@pytest.mark.parametrize(
    "path", sorted(CORPUS.glob("groups/*/lspci-*.txt")), ids=lambda path: path.parent.name
)
def test_own_virtual_machines(path: Path) -> None:
    assert_oracle(path.parent, path.name)


@pytest.mark.parametrize("folder", ["hosts", "incident", "pairs"])
def test_own_other_dumps_contradict_nothing(folder: str) -> None:
    agreed = 0
    for path in sorted((CORPUS / folder).rglob("*.txt")):
        if b"IOMMU group: " not in path.read_bytes():
            continue
        try:
            found = predict(parse(path.read_bytes()), kernel=KERNEL)
        except LspciError:  # taken without rights
            continue
        assert found.agrees is not False, (path, found.disagreements)
        agreed += found.agrees is True
    assert agreed


def test_recorded_real_machines(shared: Path) -> None:
    compared = 0
    for path in sorted((shared / "real").rglob("*")):
        if not path.is_file() or b"\tIOMMU group: " not in path.read_bytes():
            continue
        try:
            found = predict(parse(path.read_bytes()))
        except LspciError:  # an excerpt without bridges
            continue
        if found.agrees is None:  # likewise, and all that is said of it is recorded
            continue
        assert found.agrees is True, (path, found.disagreements)
        compared += len(found.recorded or ())
    assert compared > 70


def test_users_without_rights_get_a_refusal_or_less_but_nothing_wrong(shared: Path) -> None:
    for path in sorted(shared.glob("lab/*/lspci-vvv-user.txt")):
        try:
            found = predict(parse(path.read_bytes()))
        except LspciError:
            continue
        assert found.agrees is not False, path
