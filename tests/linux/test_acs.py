"""Who counts as isolated, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lspci_parse.errors import LspciError
from lspci_parse.linux.acs import AcsVerdict, Isolation, Reason, label, verdict
from lspci_parse.linux.kernel import Boot, Kernel
from lspci_parse.topology.tree import topology
from tests.machines import (
    REQUIRED,
    acs,
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
    upstream,
    with_hex,
)

if TYPE_CHECKING:
    from lspci_parse.model.dump import Dump

LPC = function("00:1f.0", class_="ISA bridge")


def judge(slot: str, *functions: str, kernel: str | None = None, cmdline: str | None = None) -> AcsVerdict:
    tree = topology(machine(*functions))
    if cmdline is not None:
        return Isolation(tree, Boot(cmdline=cmdline))[at(slot)]
    return verdict(at(slot), tree, kernel=kernel)


def said(found: AcsVerdict) -> tuple[bool | None, Reason, str]:
    return found.isolated, found.reason, found.summary


ON = "ACS on (SrcValid ReqRedir CmpltRedir UpstreamFwd)"


# ------------------------------------------------------------------------------- by port type and by registers


def test_conventional_functions_have_no_acs() -> None:
    assert said(judge("00:01.0", function("00:01.0"))) == (
        False,
        Reason.CONVENTIONAL,
        "no ACS (conventional PCI)",
    )


@pytest.mark.parametrize(
    "kind",
    ["PCI-Express to PCI/PCI-X Bridge", "PCI/PCI-X to PCI-Express Bridge", "Root Complex Event Collector"],
)
def test_some_types_never_count(kind: str) -> None:
    """Not even with the capability, and every flag on."""
    assert said(judge("00:01.0", express("00:01.0", kind, acs="on"))) == (False, Reason.NEVER, "no ACS")


@pytest.mark.parametrize("kind", ["Root Port (Slot+)", "Downstream Port (Slot-)"])
@pytest.mark.parametrize("neighbour", [[], [function("00:01.1")]], ids=["alone", "multi-function"])
def test_ports_are_judged_by_registers(kind: str, neighbour: list[str]) -> None:
    def of(state: str | None) -> tuple[bool | None, Reason, str]:
        return said(judge("00:01.0", port("00:01.0", 1, kind, acs=state), *neighbour))

    assert of("on") == (True, Reason.CAPABILITY, ON)
    assert of("off") == (False, Reason.FLAGS_OFF, "ACS off")
    assert of(None) == (False, Reason.NO_CAPABILITY, "no ACS")
    assert of("empty") == (True, Reason.EMPTY, "ACS on (empty capability)")


@pytest.mark.parametrize(
    "kind", ["Endpoint", "Legacy Endpoint", "Upstream Port", "Root Complex Integrated Endpoint"]
)
def test_endpoints_and_upstream_ports_need_it_in_multifunction_devices_only(kind: str) -> None:
    alone = judge("00:01.0", express("00:01.0", kind, acs="off"))
    assert said(alone) == (True, Reason.NOT_NEEDED, "ACS not needed")
    assert not alone.needed

    def of(state: str | None) -> tuple[bool | None, Reason, str]:
        return said(judge("00:01.0", express("00:01.0", kind, acs=state), function("00:01.1")))

    assert of("on") == (True, Reason.CAPABILITY, ON)
    assert of("off") == (False, Reason.FLAGS_OFF, "ACS off")
    assert of(None) == (False, Reason.NO_CAPABILITY, "no ACS")
    assert of("empty") == (True, Reason.EMPTY, "ACS on (empty capability)")


def test_other_express_types_need_none() -> None:
    assert (
        judge("00:01.0", express("00:01.0", "Unknown type 15"), function("00:01.1")).reason
        is Reason.NOT_NEEDED
    )


@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_a_flag_that_the_capability_lacks_need_not_be_on(missing: str) -> None:
    found = judge("00:01.0", root_port("00:01.0", 1, acs=acs("on", able=REQUIRED - {missing})))
    assert found.isolated is True
    assert missing not in found.summary


@pytest.mark.parametrize("off", sorted(REQUIRED))
def test_a_flag_that_the_capability_has_must_be_on(off: str) -> None:
    found = judge("00:01.0", root_port("00:01.0", 1, acs=acs("on", on=REQUIRED - {off})))
    assert (found.isolated, found.reason) == (False, Reason.FLAGS_OFF)
    assert off in found.sentence
    assert off not in found.summary


@pytest.mark.parametrize("flag", ["TransBlk", "EgressCtrl", "DirectTrans"])
def test_the_other_flags_do_not_count(flag: str) -> None:
    able = REQUIRED | {flag}
    assert judge("00:01.0", root_port("00:01.0", 1, acs=acs("on", able=able, on=REQUIRED))).isolated is True
    assert (
        judge(
            "00:01.0", root_port("00:01.0", 1, acs=acs("on", able=frozenset({flag}), on=frozenset()))
        ).reason
        is Reason.EMPTY
    )


def test_flags_are_told_one_by_one() -> None:
    found = judge(
        "00:01.0",
        root_port("00:01.0", 1, acs=acs("on", able=REQUIRED - {"SrcValid"}, on=frozenset({"ReqRedir"}))),
    )
    assert [(flag.name, flag.capable, flag.on) for flag in found.flags] == [
        ("SrcValid", False, False), ("ReqRedir", True, True), ("CmpltRedir", True, False), ("UpstreamFwd", True, False),
    ]  # fmt: skip
    assert found.summary == "ACS partly off (only ReqRedir)"


def test_ports_in_impossible_places_read_as_endpoints() -> None:
    """Linux corrects the type, and the corrected value reads as Endpoint."""
    parts = (
        root_port("00:01.0", 1, last=4),
        port("01:00.0", 2, "Downstream Port (Slot-)", last=4),
        port("02:00.0", 3, "Upstream Port"),
        upstream("00:02.0", 8, last=9),
        port("08:00.0", 9, "Upstream Port"),
    )
    assert judge("01:00.0", *parts).reason is Reason.NOT_NEEDED
    assert judge("01:00.0", *parts, kernel="5.3").reason is Reason.NO_CAPABILITY
    assert judge("08:00.0", *parts).sentence == "a single-function Endpoint needs no ACS"
    assert judge("02:00.0", *parts).sentence == "a single-function Upstream Port needs no ACS"


# --------------------------------------------------------------------------------------------- what is not known


TITLES = """\
00:01.0 PCI bridge: X
	Flags: bus master
	Capabilities: [40] Express Root Port (Slot+), MSI 00
	Capabilities: [140] Access Control Services
"""


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        (
            f"00:01.0 PCI bridge: X\n\t{buses('00:01.0', 1)}\n\tCapabilities: <access denied>\n",
            "access denied",
        ),
        ("00:01.0 PCI bridge: X (rev ff) (prog-if ff)\n\t!!! Unknown header type 7f\n", "it does not answer"),
        ("00:01.0 PCI bridge: X\n", "printed without -v"),
        (TITLES, "its registers are not printed"),
    ],
)
def test_what_a_dump_does_not_show_is_not_known(text: str, summary: str) -> None:
    found = judge("00:01.0", text)
    assert said(found) == (None, Reason.UNKNOWN, f"ACS unknown ({summary})")


def test_a_quirk_by_number_is_known_without_capabilities() -> None:
    text = "00:01.0 Ethernet controller [0200]: X [8086:1521]\n\tCapabilities: <access denied>\n"
    assert judge("00:01.0", text, function("00:01.1")).isolated is True


# ------------------------------------------------------------------------------------------------------- quirks


def root(ids: str, state: str | None = None, name: str = "Some Port") -> str:
    return root_port("00:1c.0", 1, acs=state, name=f"{name} [{ids}]").replace(
        "PCI bridge", "PCI bridge [0604]"
    )


def pair(ids: str, state: str | None = None) -> tuple[str, str]:
    """A two-function endpoint."""
    parts = [endpoint(f"00:02.{n}", acs=state, name=f"Some NIC [{ids}]") for n in (0, 1)]
    return parts[0].replace("controller:", "controller [0200]:"), parts[1].replace(
        "controller:", "controller [0200]:"
    )


@pytest.mark.parametrize(
    "ids", ["8086:1521", "1924:0a03", "14e4:1750", "19a2:0710", "177d:a026", "1d17:9083", "8088:1001"]
)
def test_multifunction_endpoints_that_the_kernel_knows(ids: str) -> None:
    found = judge("00:02.0", *pair(ids))
    assert said(found) == (True, Reason.QUIRK_ID, "ACS by quirk")
    assert found.quirk is not None
    assert found.quirk.function in found.sentence


def test_the_endpoint_quirk_has_no_type_condition() -> None:
    """A conventional network function of a chipset, beside others."""
    nic = function("00:1f.6", name="Some NIC [8086:15b8]").replace("controller:", "controller [0200]:")
    assert judge("00:1f.6", LPC, nic).isolated is True


@pytest.mark.parametrize(
    "ids",
    ["17cb:0400", "10e8:e004", "14e4:d714", "0014:7a09", "1957:8d81", "1c36:0031", "177d:a123", "1d17:0723"],
)
def test_root_ports_that_the_kernel_knows(ids: str) -> None:
    assert said(judge("00:1c.0", root(ids)))[:2] == (True, Reason.QUIRK_ID)


@pytest.mark.parametrize("ids", ["1c36:0031", "177d:a123"])
def test_quirks_of_root_ports_hold_for_root_ports_only(ids: str) -> None:
    assert judge("00:02.0", *pair(ids)).isolated is False


def test_vendors_that_are_refused_otherwise() -> None:
    assert said(judge("00:1c.0", root("1d17:0700", "on"))) == (False, Reason.QUIRK_ID, "ACS denied by quirk")
    assert judge("00:02.0", *pair("1d17:0700", "on")).isolated is True  # ports only
    assert judge("00:02.0", *pair("8088:9999", "on")).isolated is False
    assert judge("00:02.0", *pair("8088:9999", "on"), kernel="6.0").isolated is True


@pytest.mark.parametrize(
    ("kernel", "expected"), [("7.1", True), ("5.8", True), ("5.6", False), ("4.18.0-240.el8", False)]
)
def test_intel_integrated_endpoints(kernel: str, expected: bool) -> None:  # noqa: FBT001 - a parameter
    rciep = express("00:14.3", "Root Complex Integrated Endpoint", name="Intel Corporation Wi-Fi")
    found = judge("00:14.3", function("00:14.0", name="Intel Corporation USB"), rciep, kernel=kernel)
    assert found.isolated is expected
    assert found.reason is (Reason.QUIRK_NAME if expected else Reason.NO_CAPABILITY)
    lacks = f"Linux {kernel} lacks the quirk pci_quirk_rciep_acs (seen since 5.7)"
    assert found.assumptions == (() if expected else (lacks,))


def test_integrated_endpoints_of_others_need_acs() -> None:
    rciep = express("00:14.3", "Root Complex Integrated Endpoint", name="Other Corporation Wi-Fi")
    assert judge("00:14.3", function("00:14.0"), rciep).isolated is False


def southbridge(*others: str) -> tuple[str, ...]:
    ids = {"00:14.0": "1002:4385", "00:14.1": "1002:439c"}
    return (
        *(f"{slot} SMBus [0c05]: Name [{number}]\n\tControl: I/O+\n" for slot, number in ids.items()),
        *others,
    )


def test_amd_southbridges_where_there_is_an_amd_iommu() -> None:
    iommu = function("00:00.2", name="Advanced Micro Devices, Inc. [AMD] Family 17h IOMMU", class_="IOMMU")
    assert judge("00:14.0", *southbridge(iommu)).isolated is True
    without = judge("00:14.0", *southbridge())
    assert without.isolated is False
    assert without.assumptions == ("there is no AMD IOMMU, for the dump shows none",)
    assert judge("00:14.0", southbridge()[0], iommu).isolated is False  # no multi-function device
    foreign = function("00:00.2", name="Other Corporation IOMMU", class_="IOMMU")
    assert judge("00:14.0", *southbridge(foreign)).isolated is False


@pytest.mark.parametrize("state", [None, "off", "on"])
@pytest.mark.parametrize(
    ("kernel", "expected"), [("6.1", True), ("5.9.3", False), ("6.11.0-8-generic", False), ("6.12", True)]
)
def test_pch_root_ports(state: str | None, kernel: str, expected: bool) -> None:  # noqa: FBT001 - a parameter
    """The id decides, for or against: the capability does not count."""
    found = judge("00:1c.0", root("8086:1c10", state), LPC, kernel=kernel)
    assert (found.isolated, found.reason) == (expected, Reason.QUIRK_ID)
    assert bool(found.assumptions) is expected


def test_pch_ids_that_are_not_in_the_table() -> None:
    assert judge("00:1c.0", root("8086:9c1c")).reason is Reason.NO_CAPABILITY
    assert judge("00:1c.0", root("8086:1d11")).reason is Reason.NO_CAPABILITY


@pytest.mark.parametrize(("enabled", "expected"), [(0x01, True), (0x00, False)])
def test_pch_root_ports_need_the_chipset_registers(enabled: int, expected: bool) -> None:  # noqa: FBT001
    config = bytearray(256)
    config[0xF0] = enabled
    assert judge("00:1c.0", root("8086:1c10"), with_hex(LPC, bytes(config))).isolated is expected


def test_pch_root_ports_whose_workaround_failed() -> None:
    tree = topology(machine(root("8086:1c10"), LPC))
    assert Isolation(tree, Boot(pch_failed=frozenset({at("00:1c.0")})))[at("00:1c.0")].isolated is False


def test_pch_root_ports_by_name() -> None:
    known = root_port(
        "00:1c.5",
        1,
        acs=None,
        name="Intel Corporation 7 Series/C210 Series Chipset Family PCI Express Root Port 6",
    )
    assert said(judge("00:1c.5", known, LPC))[:2] == (True, Reason.QUIRK_NAME)
    shared_ = root_port("00:1c.5", 1, acs=None, name="Intel Corporation 8 Series PCI Express Root Port 6")
    found = judge("00:1c.5", shared_, LPC)
    assert found.isolated is True
    assert any("which other devices have too" in text for text in found.assumptions)


def spt(ids: str, state: str | None, control: int | None = None) -> str:
    text = root(ids, state)
    if control is None:
        return text
    config = bytearray(4096)
    config[0:4] = bytes.fromhex("8680") + int(ids[5:], 16).to_bytes(2, "little")
    config[0x144:0x14C] = (0x1D).to_bytes(4, "little") + control.to_bytes(4, "little")
    return with_hex(text, bytes(config))


@pytest.mark.parametrize("ids", ["8086:a110", "8086:a2e7", "8086:9d1b"])
def test_sunrise_point_root_ports(ids: str) -> None:
    """What lspci prints as control is not the control register; only a hex dump shows that."""
    assert judge("00:1c.0", spt(ids, "off")).isolated is True
    assert judge("00:1c.0", spt(ids, "off", 0x1D)).isolated is True
    assert judge("00:1c.0", spt(ids, "off", 0x11)).isolated is False
    assert judge("00:1c.0", spt(ids, "on", 0x00)).isolated is False
    assert judge("00:1c.0", spt(ids, None)).reason is Reason.NO_CAPABILITY
    assert judge("00:1c.0", spt(ids, "off"), kernel="4.4").isolated is False


def test_switches_with_a_broken_source_validation() -> None:
    switch = port(
        "00:01.0",
        1,
        "Downstream Port (Slot-)",
        acs=acs("on", on=REQUIRED - {"SrcValid"}),
        name="IDT [111d:80b5]",
    )
    switch = switch.replace("PCI bridge:", "PCI bridge [0604]:")
    assert judge("00:01.0", switch, kernel="7.0").isolated is True
    assert judge("00:01.0", switch, kernel="6.19").isolated is False


@pytest.mark.parametrize(
    ("cmdline", "expected"),
    [
        ("quiet", []),
        ("pcie_acs_override=downstream", ["00:01.0"]),
        ("pcie_acs_override=multifunction", ["00:02.0", "00:02.1"]),
        ("pcie_acs_override=downstream,multifunction", ["00:01.0", "00:02.0", "00:02.1"]),
        ("pcie_acs_override=id:8086:ffff", ["00:02.0", "00:02.1"]),
    ],
)
def test_the_override_counts_functions_without_capability(cmdline: str, expected: list[str]) -> None:
    """Neither those that have it, nor conventional ones."""
    tree = topology(
        machine(
            root_port("00:01.0", 1, acs=None),
            *pair("8086:ffff"),
            function("00:03.0"),
            function("00:03.1"),
            root_port("00:04.0", 2, acs="off"),
        )
    )
    found = Isolation(tree, Boot(cmdline=cmdline, patched=True))
    assert [address.slot for address in tree.devices if found[address].isolated] == expected
    assert {found[at(slot)].reason for slot in expected} <= {Reason.OVERRIDE}
    mainline = Isolation(tree, Boot(cmdline=cmdline, patched=False))
    assert not any(mainline[address].isolated for address in tree.devices)
    unknown = Isolation(tree, Boot(cmdline=cmdline))
    assert [address.slot for address in tree.devices if unknown[address].isolated is None] == expected


def test_labels_stand_beside_ports_and_functions_of_multifunction_devices() -> None:
    dump = machine(
        root_port("00:01.0", 1), upstream("01:00.0", 2), downstream("02:00.0", 3, acs="off"), endpoint("03:00.0"),
        endpoint("03:00.1", acs="on"), endpoint("00:04.0"), function("00:05.0"), pci_bridge("00:06.0", 9),
    )  # fmt: skip
    assert labels(dump) == {
        "00:01.0": ON, "01:00.0": "ACS not needed", "02:00.0": "ACS off", "03:00.0": "no ACS", "03:00.1": ON,
        "00:04.0": "", "00:05.0": "", "00:06.0": "no ACS (conventional PCI)",
    }  # fmt: skip


def labels(dump: Dump) -> dict[str, str]:
    return {device.slot: label(device, topology(dump)) for device in dump}


def test_upstream_ports_may_have_hidden_functions() -> None:
    """Bit 7 of the header type says so, and only a hex dump shows it."""
    assert judge("00:01.0", upstream("00:01.0", 1)).assumptions != ()
    for bit, expected in ((0x81, False), (0x01, True)):
        header = bytearray(64)
        header[0x0E] = bit
        found = judge("00:01.0", with_hex(upstream("00:01.0", 1), bytes(header)))
        assert (found.isolated, found.assumptions) == (expected, ())


def test_a_kernel_that_is_none() -> None:
    with pytest.raises(LspciError, match="not a kernel release: 'new'"):
        judge("00:01.0", function("00:01.0"), kernel="new")


def test_a_verdict_by_device_or_address_and_by_kernel_or_text() -> None:
    dump = machine(root_port("00:01.0", 1))
    found = verdict(dump["00:01.0"], topology(dump), kernel=Kernel.parse("6.1"))
    assert found == verdict(at("00:01.0"), topology(dump), kernel="6.1")


@pytest.mark.parametrize(
    "rest", ["ACSCap:\n\t\tACSCtl:", "ACSCap: 17\n\t\tACSCtl: what?", "ACSCtl:\tSrcValid+", "<unreadable>"]
)
def test_damaged_registers_are_no_reason_to_fail(rest: str) -> None:
    text = port(
        "00:01.0", 1, "Root Port (Slot+)", "Capabilities: [140 v1] Access Control Services", f"\t{rest}"
    )
    assert judge("00:01.0", text).reason in (Reason.UNKNOWN, Reason.EMPTY)
