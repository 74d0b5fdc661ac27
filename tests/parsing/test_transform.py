"""From lines to the entries of the tree."""

from __future__ import annotations

import pytest

from lspci_parse import Address, Device, Register, parse
from lspci_parse.parsing.transform import slot_address, unique


def device(text: str, line: str = "00:00.0 Host bridge: Example") -> Device:
    """Parse a device whose lines are written with ``->`` for a tab."""
    return parse(f"{line}\n{text}".replace("->", "\t")).devices[0]


# ------------------------------------------------------------------------------------------------ device line


@pytest.mark.parametrize(
    ("line", "class_", "name", "ids", "revision", "prog_if"),
    [
        ("00:00.0 VGA compatible controller: A: B [C] (D)", (None, "VGA compatible controller"), "A: B [C] (D)",
         (None, None), "00", None),
        ("00:00.0 PCI bridge [0604]: A [8086:a195] (rev f0) (prog-if 00 [Normal decode])", ("0604", "PCI bridge"),
         "A", ("8086", "a195"), "f0", ("00", "Normal decode")),
        ("00:00.0 PCI bridge [0604]: A [B] [8086:a195]", ("0604", "PCI bridge"), "A [B]", ("8086", "a195"), "00", None),
        ("00:00.0 0604: 8086:a195 (rev 01)", ("0604", None), "", ("8086", "a195"), "01", None),
        ("00:00.0 Class ff00: Device 1234:5678", (None, "Class ff00"), "Device 1234:5678", ("1234", "5678"), "00", None),
        ("00:00.0 System peripheral: A (rev 03) (rev 04)", (None, "System peripheral"), "A (rev 03)", (None, None),
         "04", None),
        ("00:00.0 System peripheral [0880]: A (rev 03) [8086:a195]", ("0880", "System peripheral"), "A (rev 03)",
         ("8086", "a195"), "00", None),
        ("00:00.0 SATA controller: A (prog-if 01 [AHCI 1.0])", (None, "SATA controller"), "A", (None, None), "00",
         ("01", "AHCI 1.0")),
        ("00:00.0 SATA controller: A (rev ff) (prog-if ff)", (None, "SATA controller"), "A", (None, None), "ff",
         ("ff", None)),
    ],
)  # fmt: skip
def test_device_lines(
    line: str,
    class_: tuple[str | None, str | None],
    name: str,
    ids: tuple[str | None, str | None],
    revision: str,
    prog_if: tuple[str, str | None] | None,
) -> None:
    found = device("", line)
    assert found.class_ == class_
    assert found.name == name
    assert found.ids[:2] == ids
    assert found.revision == revision
    assert found.prog_if == prog_if
    assert found.unrecognised == ()


@pytest.mark.parametrize(
    ("slot", "address"),
    [
        ("00:1c.5", Address(0, 0, 0x1C, 5)),
        ("10000:e1:00.0", Address(0x10000, 0xE1, 0, 0)),
        ("00:1c.0/02:00.0", Address(0, 2, 0, 0)),
        ("00:1c.0/00.0", Address(0, 0, 0, 0)),
    ],
)
def test_slots(slot: str, address: Address) -> None:
    assert slot_address(slot) == address


# ----------------------------------------------------------------------------------------------------- header


def test_header_lines_become_attributes_and_registers() -> None:
    found = device(
        "->DeviceName: Onboard: LAN\n"
        "->Subsystem: Lenovo Device [17aa:2238]\n"
        "->Physical Slot: 5-1\n"
        "->Latency: 0 (250ns min, 500ns max), Cache Line Size: 64 bytes\n"
        "->Interrupt: pin A routed to IRQ -1\n"
        "->NUMA node: 1\n"
        "->IOMMU group: 17\n"
        "->Region 0: Memory at fea00000 (32-bit, non-prefetchable) [virtual] [size=4K]\n"
        "->Expansion ROM at <ignored> [disabled by cmd]\n"
        "->Bus: primary=00, secondary=0e, subordinate=2e, sec-latency=0\n"
        "->I/O behind bridge: 1000-1fff [size=4K] [16-bit]\n"
        "->Kernel driver in use: igb\n"
        "->Kernel modules: igb, igb_avb\n"
    )
    assert found.unrecognised == ()
    assert (found.label, found.subsystem, found.ids[2:]) == (
        "Onboard: LAN",
        "Lenovo Device",
        ("17aa", "2238"),
    )
    assert (found.physical_slot, found.numa_node, found.iommu_group) == ("5-1", 1, 17)
    assert (found.driver, found.modules) == ("igb", ("igb", "igb_avb"))
    assert found.registers == {
        "Latency": 0,
        "Latency min": 250,
        "Latency max": 500,
        "Cache Line Size": 64,
        "Interrupt": Register("Interrupt", {"pin": "A", "IRQ": -1}),
        "Region 0": Register("Region 0", {
            "type": "Memory", "address": "fea00000", "width": "32-bit", "prefetchable": False, "virtual": True,
            "size": 4096}),
        "Expansion ROM": Register("Expansion ROM", {"type": "ROM", "address": "<ignored>", "disabled by cmd": True}),
        "Bus": Register("Bus", {"primary": 0, "secondary": 14, "subordinate": 46, "sec-latency": 0}),
        "I/O behind bridge": Register("I/O behind bridge", {
            "range": ("00001000", "00001fff"), "size": 4096, "width": "16-bit"}),
    }  # fmt: skip


def test_tags_stand_in_front_or_behind() -> None:
    old = device("->Region 0: [virtual] Memory at fea00000 (32-bit, prefetchable) [size=4K]\n")
    new = device("->Region 0: Memory at fea00000 (32-bit, prefetchable) [virtual] [size=4K]\n")
    assert old == new


def test_summary_of_v() -> None:
    found = device("->Flags: bus master, fast devsel, latency 0, IRQ 16, NUMA node 1, IOMMU group 7\n")
    assert dict(found.registers["Flags"]) == {
        "bus master": True, "DEVSEL": "fast", "latency": 0, "IRQ": 16, "NUMA node": 1, "IOMMU group": 7}  # fmt: skip
    assert (found.numa_node, found.iommu_group) == (1, 7)


def test_a_function_that_fell_off_the_bus_is_dead() -> None:
    found = device("->!!! Unknown header type 7f\n", "00:00.0 System peripheral: A (rev ff)")
    assert found.dead


# ----------------------------------------------------------------------------------------------- capabilities


def test_nested_registers() -> None:
    found = device(
        "->Capabilities: [100 v1] Virtual Channel\n"
        "->->Caps:->LPEVC=0 RefClk=100ns PATEntryBits=1\n"
        "->->Arb:->Fixed- WRR32- WRR64- WRR128- ??4+\n"
        "->->VC0:->Caps:->PATOffset=00 MaxTimeSlots=1 RejSnoopTrans-\n"
        "->->->Arb:->Fixed+ WRR32-\n"
        "->->->Ctrl:->Enable+ ID=0 ArbSelect=Fixed TC/VC=ff\n"
        "->->->Status:->NegoPending- InProgress-\n"
        "->->->Port Arbitration Table <?>\n"
        "->->VC1:-><unreadable>\n"
    )
    assert found.unrecognised == ()
    vc = found.capabilities[0]
    assert vc["Arb"]["??4"] is True
    assert vc["VC0"]["Caps"]["MaxTimeSlots"] == 1
    assert vc["VC0"]["Ctrl"]["TC/VC"] == "ff"
    assert vc["VC0"]["Port Arbitration Table"] is True
    assert dict(vc["VC1"]) == {"unreadable": True}


def test_two_registers_on_one_line() -> None:
    found = device(
        "->Capabilities: [100 v1] Multicast\n"
        "->->McastCap: MaxGroups 64, WindowSz 1 (2 bytes)->->McastCtl: NumGroups 1, Enable-\n"
    )
    assert found.capabilities[0].registers == {
        "McastCap": Register("McastCap", {"MaxGroups": 64, "WindowSz": 1}),
        "McastCtl": Register("McastCtl", {"NumGroups": 1, "Enable": False}),
    }


@pytest.mark.parametrize(
    ("glued", "kinds"),
    [
        ("->Capabilities: [ec] ->Capabilities: [f8] Power Management version 3\n", ["pcix", "pm"]),
        ("->Capabilities: [ec] ->Capabilities: [fc] ->Kernel driver in use: nvme\n", ["pcix", "ssvid"]),
        ("->Capabilities: [fc] ->Kernel driver in use: nvme\n", ["ssvid"]),
        ("->Capabilities: [ffc v1] ->Kernel driver in use: nvme\n", ["dsn"]),
        ("->Capabilities: [fc] \n->Kernel driver in use: nvme\n", ["ssvid"]),
        ("->Capabilities: [fc] 00: 86 80\n->Kernel driver in use: nvme\n", ["ssvid"]),
    ],
)
def test_a_capability_without_a_line_end(glued: str, kinds: list[str]) -> None:
    found = device(glued)
    assert [capability.kind for capability in found.capabilities] == kinds
    assert found.unrecognised == ()
    assert found.driver == ("nvme" if "nvme" in glued else None)


def test_a_label_without_a_line_end() -> None:
    found = device("->DeviceName: no end->Subsystem: A Device 1234\n->Control: I/O- Mem+\n")
    assert (found.label, found.subsystem) == ("no end", "A Device 1234")
    assert found.registers["Control"]["Mem"] is True


def test_repeated_names_keep_their_order() -> None:
    assert unique([("A", 1), ("B", 2), ("A", 3)]) == {"A": 1, "B": 2, "A#2": 3}
    found = device(
        "->Capabilities: [100 v1] Designated Vendor-Specific: Vendor=1e98 ID=0003 Rev=0 Len=40: CXL\n"
        "->->AlternateBus:->c3-8e\n->->AlternateBus:->dd3c-3a5f\n"
    )
    cap = found.capabilities[0]
    assert (cap["AlternateBus"], cap["AlternateBus#2"]) == (("c3", "8e"), ("dd3c", "3a5f"))


def test_a_minus_that_is_no_sign() -> None:
    found = device(
        "->Capabilities: [100 v1] Integrity & Data Encryption\n"
        "->->[25c]LinkIDE#0 Ctl: En- XT+ NPR- PR=2 CPL=8 PCRC- HdrEnc=25:2 Alg='AES-GCM-256-96b' TC6 ID41\n"
    )
    assert dict(found.capabilities[0]["LinkIDE#0 Ctl"]) == {
        "En": False, "XT": True, "NPR": "-", "PR": "2", "CPL": "8", "PCRC": False, "HdrEnc": "25:2",
        "Alg": "AES-GCM-256-96b", "TC": 6, "ID": 41}  # fmt: skip


def test_flag_names_with_blanks() -> None:
    found = device(
        "->Capabilities: [100 v1] Flit Logging\n"
        "->->CntCtl:    Flit Error Counter En+ Flit Error Counter Interrupt En-\n"
        "->->->   Events to count: 2, Trigger Event on Error Count: 62\n"
    )
    assert dict(found.capabilities[0]["CntCtl"]) == {
        "Flit Error Counter En": True, "Flit Error Counter Interrupt En": False, "Events to count": 2,
        "Trigger Event on Error Count": 0x62}  # fmt: skip


def test_vital_product_data_may_look_like_anything() -> None:
    found = device(
        "->Capabilities: [d0] Vital Product Data\n"
        "->->Product Name: A, B: [C]\n"
        "->->Read-only fields:\n"
        "->->->[PN] Part number: Capabilities: [50] MSI: Enable+\n"
        "->->->[V0] Vendor specific: \n"
        "->->->[RV] Reserved: checksum good, 3 byte(s) reserved\n"
        "->->End\n"
    )
    assert found.unrecognised == ()
    vpd = found.capabilities[0]
    assert vpd["Product Name"] == "A, B: [C]"
    assert dict(vpd["Read-only fields"]) == {
        "PN": "Capabilities: [50] MSI: Enable+", "V0": "", "RV": Register("RV", {"checksum": "good", "reserved": 3})}  # fmt: skip
    assert vpd["End"] is True


def test_a_register_that_no_rule_knows_is_read_where_it_is_regular() -> None:
    found = device(
        "->Capabilities: [100 v1] Access Control Services\n->->NewSta: Busy- Count=4 Depth: 02 mode=fast\n"
    )
    assert found.unrecognised == ()
    assert dict(found.capabilities[0]["NewSta"]) == {"Busy": False, "Count": 4, "Depth": "02", "mode": "fast"}
