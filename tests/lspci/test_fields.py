"""One name and one type for each thing, whatever release printed it."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Final

import pytest

from lspci_parse import Capability, parse
from lspci_parse.lspci.fields import FIELDS
from lspci_parse.lspci.names import FLAGS, KINDS, UNITS
from lspci_parse.lspci.values import (
    address,
    bar_size,
    decimals,
    devices,
    gpf_time,
    irq,
    size,
    vpd_key,
    vpd_value,
    watts,
    words,
)
from lspci_parse.parsing.grammar_files import grammar_text

DEVICE = "00:00.0 Host bridge: Example\n"


def capability(text: str) -> Capability:
    """Parse a capability whose lines are written with ``->`` for a tab."""
    device = parse(DEVICE + text.replace("->", "\t")).devices[0]
    assert device.unrecognised == ()
    return device.capabilities[0]


# ----------------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("printed", "newest"),
    [
        ("75.000W", "75W"),
        ("75W", "75W"),
        ("0.500W", "0.5W"),
        ("0.255W", "0.255W"),
        ("2.180000", "2.18W"),
        ("24.000W", "24W"),
        ("240.000W", "250W"),
        ("242.000W", "300W"),
        ("254.000W", "600W"),
        ("255.000W", ">600W"),
        ("250W", "250W"),
        (">600W", ">600W"),
    ],
)
def test_watts(printed: str, newest: str) -> None:
    assert watts(printed) == newest


@pytest.mark.parametrize(
    ("printed", "count"),
    [("[size=4K]", 4096), ("[size=16]", 16), ("[size=2T]", 2 << 40), ("[size=0x400000000]", 0x400000000)],
)
def test_sizes_are_bytes(printed: str, count: int) -> None:
    assert size(printed) == count


def test_other_values() -> None:
    assert bar_size("16MB") == 16 << 20
    assert bar_size("<unknown>") == "<unknown>"
    assert address("fe00") == "0000fe00"
    assert address("00000000fe000000") == "fe000000"
    assert address("<ignored>") == "<ignored>"
    assert words("<none>") == ()
    assert words("x1,x4") == ("x1", "x4")
    assert decimals("0") == ()
    assert decimals("LaneErr at lane: 0 7") == (0, 7)
    assert devices("RCiEP at Device(s): 1-4, 6") == ("1-4", "6")
    assert devices("00000000 [none]") == ()
    assert gpf_time("20<?>") == "20s"
    assert [irq("16"), irq("-1"), irq("0000000a")] == [16, -1, 10]


@pytest.mark.parametrize(
    ("key", "name", "printed", "newest"),
    [
        ("FC", "Unknown", "36 4c 5a", "6LZ"),
        ("FC", "Unknown", "5c 09 00", r"\\\x09"),
        ("FC", "Feature code", "36 4c 5a", "36 4c 5a"),
        ("Y1", "Unknown", "36 4c 5a", "36 4c 5a"),
        ("MN", "Manufacture ID", "31 30 32 38", "1028"),
        ("MN", "Manufacture ID", "1028", "1028"),
        ("MN", "Manufacture ID", "15", "15"),
        ("SN", "Serial number", " ab ", "ab"),
    ],
)
def test_vital_product_data(key: str, name: str, printed: str, newest: str) -> None:
    assert vpd_value(key, name, printed) == newest


def test_keywords_of_vital_product_data_are_escaped_as_the_newest_release_does() -> None:
    assert vpd_key("SN") == "SN"
    assert vpd_key("A\\") == "A\\\\"
    assert vpd_key("\x01\x02") == r"\x01\x02"
    assert vpd_key(r"\x01\x02") == r"\x01\x02"


# ------------------------------------------------------------------------------------------------------ names

SPELLINGS: Final[dict[str, tuple[str, str]]] = {
    "message number": (
        "->Capabilities: [40] Express (v2) Root Port (Slot+), MSI 0a",
        "->Capabilities: [40] Express (v2) Root Port (Slot+), IntMsgNum 10",
    ),
    "error reporting": (
        (
            "->Capabilities: [40] Express (v2) Endpoint, MSI 00\n"
            "->->DevCtl:->Report errors: Correctable+ Non-Fatal- Fatal+ Unsupported-\n"
            "->->DevSta:->CorrErr+ UncorrErr- FatalErr- UnsuppReq+ AuxPwr- TransPend-"
        ),
        (
            "->Capabilities: [40] Express (v2) Endpoint, IntMsgNum 0\n"
            "->->DevCtl:->CorrErr+ NonFatalErr- FatalErr+ UnsupReq-\n"
            "->->DevSta:->CorrErr+ NonFatalErr- FatalErr- UnsupReq+ AuxPwr- TransPend-"
        ),
    ),
    "link control": (
        (
            "->Capabilities: [40] Express (v2) Endpoint, MSI 00\n"
            "->->LnkCtl:->ASPM L1 Enabled; RCB 64 bytes Disabled- CommClk+"
        ),
        (
            "->Capabilities: [40] Express (v2) Endpoint, IntMsgNum 0\n"
            "->->LnkCtl:->ASPM L1 Enabled; RCB 64 bytes, LnkDisable- CommClk+"
        ),
    ),
    "exit latency": (
        (
            "->Capabilities: [40] Express (v2) Endpoint, MSI 00\n"
            "->->LnkCap:->Port #0, Speed 8GT/s, Width x4, ASPM L0s L1, Latency L0 <64ns, L1 <1us\n"
            "->->->ClockPM- Suprise- LLActRep- BwNot-"
        ),
        (
            "->Capabilities: [40] Express (v2) Endpoint, IntMsgNum 0\n"
            "->->LnkCap:->Port #0, Speed 8GT/s, Width x4, ASPM L0s L1, Exit Latency L0s <64ns, L1 <1us\n"
            "->->->ClockPM- Surprise- LLActRep- BwNot-"
        ),
    ),
    "atomic operations": (
        (
            "->Capabilities: [40] Express (v2) Endpoint, MSI 00\n"
            "->->DevCap2: Completion Timeout: Range B, TimeoutDis+, LTR+, OBFF Via message\n"
            "->->AtomicOpsCap: Routing+"
        ),
        (
            "->Capabilities: [40] Express (v2) Endpoint, MSI 00\n"
            "->->DevCap2: Completion Timeout: Range B, TimeoutDis+, LTR+, OBFF Via message\n"
            "->->-> AtomicOpsCap: Routing+"
        ),
    ),
    "errors": (
        (
            "->Capabilities: [100 v1] Advanced Error Reporting\n"
            "->->CEMsk:->RxErr- NonFatalErr+\n"
            "->->AERCap:->First Error Pointer: 00, GenCap+ CGenEn- ChkCap+ ChkEn-\n"
            "->->RootSta: CERcvd-\n->->-> FirstFatal- IntMsg 3"
        ),
        (
            "->Capabilities: [100 v1] Advanced Error Reporting\n"
            "->->CEMsk:->RxErr- AdvNonFatalErr+\n"
            "->->AERCap:->First Error Pointer: 00, ECRCGenCap+ ECRCGenEn- ECRCChkCap+ ECRCChkEn-\n"
            "->->RootSta: CERcvd-\n->->-> FirstFatal- IntMsgNum 3"
        ),
    ),
    "virtual functions": (
        (
            "->Capabilities: [100 v1] Single Root I/O Virtualization (SR-IOV)\n"
            "->->IOVCap:->Migration-, Interrupt Message Number: 00a"
        ),
        "->Capabilities: [100 v1] Single Root I/O Virtualization (SR-IOV)\n->->IOVCap:->Migration- IntMsgNum 10",
    ),
    "containment": (
        (
            "->Capabilities: [100 v1] Downstream Port Containment\n"
            "->->DpcCap:->INT Msg #24, RPExt+ RP PIO Log 0, DL_ActiveErr+"
        ),
        (
            "->Capabilities: [100 v1] Downstream Port Containment\n"
            "->->DpcCap:->IntMsgNum 24, RPExt+ RP PIO Log 0, DL_ActiveErr+"
        ),
    ),
    "mailbox": (
        "->Capabilities: [100 v1] Data Object Exchange\n->->DOECap: IntSup+\n->->->Interrupt Message Number 01a",
        "->Capabilities: [100 v1] Data Object Exchange\n->->DOECap: IntSup+\n->->->IntMsgNum 26",
    ),
    "time": (
        "->Capabilities: [100 v1] Precision Time Measurement\n->->PTMCap: Requester:- Responder:+ Root:-",
        "->Capabilities: [100 v1] Precision Time Measurement\n->->PTMCap: Requester- Responder+ Root-",
    ),
    "CXL": (
        (
            "->Capabilities: [100 v1] Designated Vendor-Specific: Vendor=1e98 ID=0000 Rev=1 Len=56: CXL\n"
            "->->CXLCap:->Cache- IO+ Mem+ Mem HW Init+ HDMCount 1 Viral-\n"
            "->->CXLCtl:->Cache- IO+ Mem- Cache SF Cov 2 Cache SF Gran 3 Cache Clean- Viral-\n"
            "->->Cache Size Not Reported"
        ),
        (
            "->Capabilities: [100 v1] Designated Vendor-Specific: Vendor=1e98 ID=0000 Rev=1 Len=56: CXL\n"
            "->->CXLCap:->Cache- IO+ Mem+ MemHWInit+ HDMCount 1 Viral-\n"
            "->->CXLCtl:->Cache- IO+ Mem- CacheSFCov 2 CacheSFGran 3 CacheClean- Viral-\n"
            "->->CXLCap2:->Cache Size Not Reported"
        ),
    ),
    "MSI": (
        "->Capabilities: [40] MSI: Mask+ 64bit+ Count=2/4 Enable+",
        "->Capabilities: [40] MSI: Enable+ Count=2/4 Maskable+ 64bit+",
    ),
    "number": ("->Capabilities: [100 v1] #1b", "->Capabilities: [100 v1] Process Address Space ID (PASID)"),
    "title": (
        "->Capabilities: [150 v1] Root Bridge Control Block <?>",
        "->Capabilities: [150 v1] Root Complex Register Block <?>",
    ),
}


@pytest.mark.parametrize(("old", "new"), SPELLINGS.values(), ids=SPELLINGS)
def test_two_spellings_are_one_tree(old: str, new: str) -> None:
    assert capability(old) == capability(new)


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("[40] Capability ID 0x14 [0000]", "ea"),
        ("[40] #14 [0000]", "ea"),
        ("[40] #15 [0000]", "cap15"),
        ("[40] Null", "null"),
        ("[100 v1] Null", "null"),
        ("[100 v1] Extended Capability ID 0x30", "ide"),
        ("[100 v1] Extended Capability ID 0x37", "ecap0037"),
        ("[100 v15] #ffff", "ecapffff"),
        ("[100 v1] Physical Layer 16.0 GT/s <?>", "16gt"),
        ("[100 v1] Physical Resizable BAR", "rebar"),
        ("[100 v1] VF Resizable BAR <?>", "vf_rebar"),
        ("[100 v1] Multi-Function Virtual Channel <?>", "mfvc"),
    ],
)
def test_kinds(title: str, kind: str) -> None:
    assert capability(f"->Capabilities: {title}").kind == kind


def test_kinds_are_the_names_that_setpci_knows() -> None:
    setpci = shutil.which("setpci")
    if setpci is None:
        pytest.skip("setpci is not here")
    listed = subprocess.run([setpci, "--dumpregs"], check=True, capture_output=True, text=True).stdout
    names = {name.lower() for name in re.findall(r"E?CAP_(\w+)$", listed, re.MULTILINE)}
    assert len(names) > 50
    aliases = re.findall(r"-> (?:k_)?(\w+)$", grammar_text("lspci"), re.MULTILINE)
    ours = set(KINDS.values()) | set(aliases)
    # "vc2" has the title of "vc".
    assert sorted(names - ours) == ["vc2"]


def test_tables_name_what_the_grammar_has() -> None:
    rules = set(re.findall(r"^\??(\w+):", grammar_text("lspci"), re.MULTILINE))
    aliases = set(re.findall(r"-> (\w+)$", grammar_text("lspci"), re.MULTILINE))
    assert sorted(FLAGS.keys() - rules - aliases) == []
    names = {field.name or field.printed.strip(" :=#") for field in FIELDS.values()}
    assert sorted(UNITS.keys() - names - {"free", "reserved"}) == []
