"""The tree's own behaviour."""

from __future__ import annotations

import copy
import pickle

import pytest

from lspci_parse import Address, Capability, Device, Register, diff, parse
from lspci_parse.model.device import NamedId

TEXT = """\
00:1c.5 PCI bridge: Example Corporation Root Port #6 (rev f0)
	Capabilities: [48] MSI: Enable+ Count=1/2 Maskable- 64bit+
		Address: fee00000  Data: 0000
	Capabilities: [140 v1] Access Control Services
		ACSCap:	SrcValid+ TransBlk-
		ACSCtl:	SrcValid+ TransBlk-
	Capabilities: [50] Vendor Specific Information: Len=10 <?>
	Capabilities: [60] Vendor Specific Information: Len=14 <?>
"""


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("00:1c.5", Address(0, 0, 0x1C, 5)),
        ("0000:00:1c.5", Address(0, 0, 0x1C, 5)),
        ("10000:e1:00.0", Address(0x10000, 0xE1, 0, 0)),
        ("FFFF:FF:1F.7", Address(0xFFFF, 0xFF, 0x1F, 7)),
    ],
)
def test_address_reads_what_lspci_prints(text: str, address: Address) -> None:
    assert Address.parse(text) == address
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    "text", ["", "00:1c", "00:1c.8", "00:20.0", "1c.5", "00:1c.5 ", "00-1c.5", "\u0660\u0660:1c.5"]
)
def test_address_refuses_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="not a PCI address"):
        Address.parse(text)


def test_addresses_sort_by_domain_bus_device_function() -> None:
    texts = ["0001:00:00.0", "0000:10:00.0", "0000:02:00.1", "0000:02:00.0"]
    assert [str(address) for address in sorted(map(Address.parse, texts))] == texts[::-1]


def test_look_ups() -> None:
    dump = parse(TEXT)
    device = dump["00:1c.5"]
    assert dump["0000:00:1c.5"] is device
    assert dump[device.address] is device
    assert "00:1c.5" in dump
    assert "00:1c.6" not in dump
    assert "nonsense" not in dump
    acs = device.capability("acs")
    assert acs is not None
    assert acs["ACSCtl"]["SrcValid"] is True
    assert (acs.offset, acs.version, acs.extended, acs.where) == (0x140, 1, True, "[140 v1]")
    assert list(acs) == ["ACSCap", "ACSCtl"]
    assert list(acs.registers) == ["ACSCap", "ACSCtl"]
    assert device.capability("sriov") is None
    with pytest.raises(KeyError, match=r"00:1c\.6"):
        dump["00:1c.6"]


def test_fields_of_a_title_stand_beside_the_registers() -> None:
    msi = parse(TEXT)["00:1c.5"].capability("msi")
    assert msi is not None
    assert dict(msi) == {
        "Enable": True, "Count": 1, "Count max": 2, "Maskable": False, "64bit": True,
        "Address": "fee00000", "Data": "0000",
    }  # fmt: skip


def test_repeated_capabilities_have_paths_of_their_own() -> None:
    paths = [path for path, _ in parse(TEXT)["00:1c.5"].capability_paths()]
    assert paths == ["msi", "acs", "vndr", "vndr#2"]


def test_equality_is_meaning_not_place() -> None:
    one = parse(TEXT)
    other = parse("some other text\n\n" + TEXT.replace("\tACSCap:\tSrcValid", "\tACSCap: SrcValid"))
    assert one.devices[0] == other.devices[0]
    assert one.devices[0] != parse(TEXT.replace("ACSCtl:\tSrcValid+", "ACSCtl:\tSrcValid-")).devices[0]


def test_registers_read_as_mappings_and_print_like_lspci() -> None:
    register = Register(
        "ACSCtl", {"SrcValid": True, "Count": 3, "PME": Register("PME", {"D0": False}), "l": ("a", "b")}
    )
    assert str(register) == "SrcValid+ Count=3 PME(D0-) l=a,b"
    assert register == Register("ACSCtl", dict(register))
    assert register != Register("ACSCap", dict(register))
    assert repr(Capability("acs", "Access Control Services", offset=0x140, version=1, extended=True)) == (
        "<Capability acs at [140 v1]>"
    )


def test_a_dump_is_read_only() -> None:
    dump = parse(TEXT)
    with pytest.raises(AttributeError, match="read-only: devices"):
        dump.devices = ()  # type: ignore[misc]
    with pytest.raises(AttributeError):
        dump.devices[0].name = ""  # type: ignore[misc]


def test_what_is_read_and_found_can_be_copied_and_sent_to_other_processes() -> None:
    dump = parse(TEXT)
    for thing in (
        dump,
        dump.devices[0],
        diff(dump, dump),
        Device(Address(0, 0, 0, 0), "", NamedId(None, None), ""),
    ):
        assert pickle.loads(pickle.dumps(thing)) == copy.deepcopy(thing) == thing  # noqa: S301 - its own
