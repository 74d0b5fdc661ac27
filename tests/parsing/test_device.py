"""One device from its text: what repeats is read apart from what does not, and nothing is lost on the way."""

from __future__ import annotations

import pytest

from lspci_parse.model.fields import Line, Register
from lspci_parse.parsing import caches
from lspci_parse.parsing.device import read_device, read_plain
from lspci_parse.parsing.lalr import Parser

TITLE = "00:1c.5 PCI bridge: Some Root Port (rev f0)"


def text(*lines: str) -> str:
    return "\n".join((TITLE, *lines)).replace("->", "\t")


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that the parser was asked for, with nothing remembered."""
    found: list[str] = []
    original = Parser.parse

    def record(self: Parser, text: str, start: str) -> object:
        found.append(text)
        return original(self, text, start)

    monkeypatch.setattr(Parser, "parse", record)
    caches.clear()
    return found


# ------------------------------------------------------------------------------------------ what repeats is read once


def test_what_differs_is_parsed_and_nothing_else(parsed: list[str]) -> None:
    control, acs = "->Control: I/O+ Mem-", "->->ACSCap:->SrcValid+"
    read_device(text(control, "->Capabilities: [100 v1] Access Control Services", acs))
    assert len(parsed) == 4
    other = text(control, "->Capabilities: [148 v2] Access Control Services", acs, "->->ACSCtl:->SrcValid-")
    device = read_device(other.replace("00:1c.5", "17:00.0"))
    assert parsed[4:] == ["\t\tACSCtl:\tSrcValid-"]
    assert (str(device.address), device.capabilities[0].where) == ("0000:17:00.0", "[148 v2]")


def test_capabilities_of_one_text_are_one_object() -> None:
    lines = "->Capabilities: [100 v1] Access Control Services", "->->ACSCap:->SrcValid+"
    one, other = read_device(text("->Latency: 0", *lines)), read_device(text("->Latency: 1", *lines))
    assert one.capabilities[0] is other.capabilities[0]


# ------------------------------------------------------------------------------------------------ lines that come again


def test_an_attribute_that_comes_again_stays_a_line() -> None:
    device = read_device(
        text("->Kernel driver in use: a", "->IOMMU group: 1", "->Kernel driver in use: b", "->IOMMU group: 2",
             "->Kernel driver in use: c")
    )  # fmt: skip
    assert (device.driver, device.iommu_group) == ("a", 1)
    assert device.registers == {
        "Kernel driver in use#2": "b", "IOMMU group#2": "2", "Kernel driver in use#3": "c",
    }  # fmt: skip


@pytest.mark.parametrize(
    "label", ["IOMMU group", "NUMA node", "Kernel modules", "Subsystem", "Physical Slot"]
)
def test_a_label_with_damage_behind_it_is_no_attribute(label: str) -> None:
    device = read_device(text(f"->{label} : 4"))
    assert isinstance(device.registers[label], Register)
    assert (device.iommu_group, device.numa_node, device.modules, device.subsystem) == (None, None, (), None)


def test_ids_of_the_subsystem_join_those_of_the_device() -> None:
    device = read_device(text("->Subsystem: Lenovo Device [17aa:2238]").replace("Port", "Port [8086:a195]"))
    assert device.ids == ("8086", "a195", "17aa", "2238")


# ------------------------------------------------------------------------------------------------- what is no plain text


def test_a_plain_device_and_its_height() -> None:
    found = read_plain(text("->Latency: 0", "->Capabilities: [40] Null", "00: 86 80", "->Latency: 1"))
    assert found is not None
    device, height = found
    assert height == 5
    assert (device.config, device.registers["Latency#2"]) == (b"\x86\x80", 1)


@pytest.mark.parametrize(
    "lines",
    [
        ("->Latency: 0", "", "->Latency: 1"),
        ("", "->Latency: 0"),
        ("->Latency: 0", "foreign"),
        ("->Latency: pcilib: 0", "->Latency: 1"),
        ("->DeviceName: lspci: 0", "->Latency: 1"),
    ],
    ids=["empty line", "empty line at first", "foreign line", "warning", "warning in free text"],
)
def test_no_plain_device(lines: tuple[str, ...]) -> None:
    for _ in range(2):  # also where its parts are remembered
        assert read_plain(text(*lines)) is None


def test_lines_that_no_rule_knows_are_numbered_wherever_they_stand() -> None:
    lines = "->Strange", "->Capabilities: [40] Null", "->Capabilities: [50] Nonsense", "->->Worse", "zz"
    device = read_device(text(*lines))
    assert device.unrecognised == tuple(
        Line(number, lines[number - 2].replace("->", "\t")) for number in (2, 4, 5, 6)
    )


@pytest.mark.parametrize(
    ("title", "offset"),
    [
        ("Capabilities: Nonsense", None),
        ("Capabilities: x[48 v1] Null", 0x48),
        ("Capabilities: [48]Nonsense", 0x48),
    ],
)
def test_a_damaged_title_keeps_its_offset(title: str, offset: int | None) -> None:
    device = read_device(text(f"->{title}"))
    assert [(cap.kind, cap.offset) for cap in device.capabilities] == [("unknown", offset)]
    assert device.unrecognised == (Line(2, f"\t{title}"),)


@pytest.mark.parametrize(
    "title",
    ["Capabilities: [48] <access denied>", "Capabilities: <chain looped>", "Capabilities:\x0c[48] Null"],
)
def test_a_title_as_lspci_never_prints_it_is_not_known(title: str) -> None:
    device = read_device(text(f"->{title}"))
    assert not device.access_denied
    assert device.chain is None
    assert device.unrecognised == (Line(2, f"\t{title}"),)


def test_no_entry_is_lost_where_damaged_and_whole_lines_come_again() -> None:
    labels = "IOMMU group :", "IOMMU group:", "IOMMU group:", "IOMMU group :", "IOMMU group :"
    device = read_device(text(*(f"->{label} {number}" for number, label in enumerate(labels))))
    assert device.iommu_group == 1
    assert len(device.registers) == 4


def test_deep_lines_below_the_first_are_strange_and_counted() -> None:
    device = read_device(text("->->deep", "->->deeper", "->Strange"))
    assert device.name == "Some Root Port"
    assert device.unrecognised == (Line(2, "\t\tdeep"), Line(3, "\t\tdeeper"), Line(4, "\tStrange"))


def test_a_word_is_no_number() -> None:
    device = read_device(text("->Flags: fast devsel, NUMA node , IOMMU group"))
    assert (device.numa_node, device.iommu_group) == (None, None)


@pytest.mark.parametrize("blank", ["\x1c", "\x85", "\xa0", "\u2003"])
def test_a_row_of_the_hex_dump_ends_in_no_other_blank(blank: str) -> None:
    device = read_device(text("00: 86 80", f"02: 01 00{blank}"))
    assert device.config == b"\x86\x80"
    assert device.unrecognised == (Line(3, f"02: 01 00{blank}"),)


@pytest.mark.parametrize("title", ["Capabilities: <access denied>", "Capabilities: [40] <chain looped>"])
def test_an_end_of_capabilities_that_comes_again_says_nothing_new(title: str) -> None:
    assert read_device(text(f"->{title}", f"->{title}")) == read_device(text(f"->{title}"))
