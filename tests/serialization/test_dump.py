"""JSON documents, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lspci_parse import (
    Address,
    Change,
    Comparison,
    Finding,
    LspciError,
    from_json,
    parse,
    report_from_json,
    report_to_json,
    to_json,
)
from lspci_parse.findings.report import Side

TEXT = """\
0001:00:1c.5 PCI bridge [0604]: Example Corporation Root Port #6 [8086:a195] (rev f0) (prog-if 00 [Normal decode])
	Control: I/O+ Mem-
	Region 0: Memory at fe000000 (64-bit, prefetchable) [size=16M]
	Bus: primary=00, secondary=01, subordinate=02, sec-latency=0
	IOMMU group: 17
	Capabilities: [54] Express (v2) Root Port (Slot+), IntMsgNum 0
		SltCtl:	Enable: AttnBtn- PwrFlt- MRL- PresDet- CmdCplt- HPIrq- LinkChg-
			Control: AttnInd Off, PwrInd On, Power- Interlock-
	Capabilities: [140 v1] Access Control Services
		ACSCap:	SrcValid+
		ACSCtl:	SrcValid+
	Kernel driver in use: pcieport
	Kernel modules: a, b
	What is this
"""

DEVICE = {
    "address": "0001:00:1c.5",
    "line": 1,
    "slot": "0001:00:1c.5",
    "class": {"name": "PCI bridge", "id": "0604"},
    "name": "Example Corporation Root Port #6",
    "ids": {"vendor": "8086", "device": "a195", "subvendor": None, "subdevice": None},
    "revision": "f0",
    "prog_if": {"id": "00", "name": "Normal decode"},
    "driver": "pcieport",
    "iommu_group": 17,
    "numa_node": None,
    "physical_slot": None,
    "label": None,
    "subsystem": None,
    "chain": None,
    "modules": ["a", "b"],
    "registers": {
        "Control": {"I/O": True, "Mem": False},
        "Region 0": {"type": "Memory", "address": "fe000000", "width": "64-bit", "prefetchable": True, "size": 16777216},
        "Bus": {"primary": 0, "secondary": 1, "subordinate": 2, "sec-latency": 0},
    },
    "capabilities": [
        {
            "kind": "exp", "name": "Express", "offset": "54", "extended": False, "version": None,
            "registers": {
                "Version": 2, "Type": "Root Port", "Slot": True, "IntMsgNum": 0,
                "SltCtl": {
                    "Enable": dict.fromkeys(("AttnBtn", "PwrFlt", "MRL", "PresDet", "CmdCplt", "HPIrq", "LinkChg"), False),
                    "Control": {"AttnInd": "Off", "PwrInd": "On", "Power": False, "Interlock": False},
                },
            },
        },
        {
            "kind": "acs", "name": "Access Control Services", "offset": "140", "extended": True, "version": 1,
            "registers": {"ACSCap": {"SrcValid": True}, "ACSCtl": {"SrcValid": True}},
        },
    ],
}  # fmt: skip


def test_a_dump_as_json() -> None:
    document = to_json(parse(TEXT, source="host.txt"))
    assert document["schema"] == "lspci-parse.dump/1"
    assert document["source"] == "host.txt"
    assert document["lspci"].keys() == {"min", "max"}
    assert document["units"]["size"] == "bytes"
    assert document["devices"] == [DEVICE]
    assert document["unrecognised"] == [{"line": 14, "text": "\tWhat is this"}]


def test_and_back() -> None:
    dump = parse(TEXT)
    again = from_json(json.loads(json.dumps(to_json(dump))))
    assert again == dump
    assert again.devices[0].capability("exp") == dump.devices[0].capability("exp")
    assert again.unrecognised == dump.unrecognised
    assert again.lspci == dump.lspci
    assert again != parse(TEXT.replace("Mem-", "Mem+"))


def test_repeated_names_come_back() -> None:
    text = "00:02.0 Class: Name\n\tMemory at fe000000 (32-bit, prefetchable)\n\tMemory at fe100000 (32-bit, prefetchable)\n"
    dump = parse(text)
    assert list(dump.devices[0].registers) == ["Region", "Region#2"]
    assert from_json(to_json(dump)) == dump


def test_bytes_that_are_not_utf8_survive() -> None:
    dump = parse(b"00:02.0 Class: Caf\xe9\n")
    assert from_json(json.loads(json.dumps(to_json(dump)))) == dump


REPORT = Comparison(
    Side("a.txt", 1, ("x",)),
    Side("b.txt", 2),
    (Finding("acs-lost", "critical", Address.parse("00:1c.5"), None, "acs", "x", None, "t", "d", "r", (0,), (0,), (Address.parse("00:02.0"),), "n", (0,), ("acs/x",)),),
    (Change("removed", Address.parse("00:1c.5"), None, "acs", ("a", "b"), None, volatile=True, known=False),),
    ((Address.parse("00:02.0"), Address.parse("00:03.0")),),
    {"--only": 3},
)  # fmt: skip


def test_a_report_as_json() -> None:
    assert report_to_json(REPORT) == {
        "schema": "lspci-parse.diff/1",
        "a": {"source": "a.txt", "devices": 1, "unseen": ["x"]},
        "b": {"source": "b.txt", "devices": 2, "unseen": []},
        "findings": [
            {
                "rule": "acs-lost", "severity": "critical", "a": "0000:00:1c.5", "b": None, "path": "acs",
                "values": {"a": "x", "b": None}, "title": "t", "detail": "d", "remedy": "r",
                "facts": ["acs/x"], "because": [0], "likely": [0], "leads_to": [0], "devices": ["0000:00:02.0"], "name": "n",
            }
        ],
        "causes": [{"finding": 0, "link": "root", "effects": []}],
        "changes": [
            {
                "kind": "removed", "a": "0000:00:1c.5", "b": None, "path": "acs",
                "values": {"a": ["a", "b"], "b": None}, "volatile": True, "known": False,
            }
        ],
        "moved": [{"a": "0000:00:02.0", "b": "0000:00:03.0"}],
        "hidden": {"--only": 3},
        "summary": {"critical": 1, "warning": 0, "info": 0, "volatile_hidden": 1},
    }  # fmt: skip


def test_a_report_comes_back() -> None:
    document = json.loads(json.dumps(report_to_json(REPORT)))
    assert report_to_json(report_from_json(document)) == document


@pytest.mark.parametrize("read", [from_json, report_from_json])
@pytest.mark.parametrize("document", [{}, {"schema": "other/1"}, [], None, 3])
def test_another_schema(read: Any, document: object) -> None:
    with pytest.raises(LspciError, match=r"schema is .*; expected 'lspci-parse\.(dump|diff)/1'"):
        read(document)


@pytest.mark.parametrize("part", ["address", "ids", "registers", "capabilities"])
def test_a_document_that_lacks_a_part(part: str) -> None:
    document = to_json(parse(TEXT))
    del document["devices"][0][part]
    with pytest.raises(LspciError, match=r"does not fit its schema 'lspci-parse\.dump/1'"):
        from_json(document)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("a", 3), ("b", None), ("findings", [{}]), ("findings", 7), ("changes", [3]), ("moved", [{}]), ("hidden", 1),
    ],
)  # fmt: skip
def test_a_report_that_lacks_a_part(part: str, value: object) -> None:
    with pytest.raises(LspciError, match=r"does not fit its schema 'lspci-parse\.diff/1'"):
        report_from_json({**report_to_json(REPORT), part: value})


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("severity", "dire"),
        ("because", [7]),
        ("leads_to", [-1]),
        ("title", 3),
        ("rule", None),
        ("a", "nowhere"),
    ],
)
def test_a_report_with_a_wrong_finding(part: str, value: object) -> None:
    document = report_to_json(REPORT)
    document["findings"][0][part] = value
    with pytest.raises(LspciError, match=r"does not fit its schema 'lspci-parse\.diff/1'"):
        report_from_json(document)


def test_a_group_that_is_no_number_of_a_group() -> None:
    device = parse(TEXT.replace("IOMMU group: 17", "IOMMU group: -1")).devices[0]
    assert device.iommu_group is None
    assert parse(TEXT.replace("IOMMU group: 17", "NUMA node: -1")).devices[0].numa_node == -1
