"""What is missing from a register whose end is missing is not known."""

from __future__ import annotations

import pytest

import lspci_parse
from lspci_parse.lspci.completeness import is_incomplete, is_missing
from lspci_parse.model.device import Device
from lspci_parse.model.fields import Register
from lspci_parse.parsing.device import read_device
from tests.paths import CORPUS, SHARED

PORT = """\
00:1c.0 PCI bridge: Intel Corporation Root Port #1
\tControl: I/O+ Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx+
\tCapabilities: [40] Express (v2) Root Port (Slot+), MSI 00
\t\tSltCtl:\tEnable: AttnBtn- PwrFlt- MRL- PresDet- CmdCplt- HPIrq- LinkChg-
\t\t\tControl: AttnInd Off, PwrInd On, Power- Interlock-
\tCapabilities: [140 v1] Access Control Services
\t\tACSCap:\tSrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-
\t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-"""


def _registers(device: Device) -> list[Register]:
    entries = [*device.registers.values(), *(value for cap in device.capabilities for value in cap.values())]
    return [value for value in entries if isinstance(value, Register)]


def test_whole_registers_are_complete() -> None:
    registers = _registers(read_device(PORT))
    assert len(registers) == 4
    assert not any(map(is_incomplete, registers))


@pytest.mark.parametrize("lost", ["DisINTx+", "Interlock-", "DirectTrans-"])
def test_a_register_without_its_end_is_incomplete(lost: str) -> None:
    broken = read_device(PORT.replace(f" {lost}", ""))
    assert any(map(is_incomplete, _registers(broken)))


def test_only_a_fact_of_an_incomplete_register_is_missing() -> None:
    acs = read_device(PORT.replace(" UpstreamFwd+ EgressCtrl- DirectTrans-", "", 1)).capability("acs")
    assert acs is not None
    assert is_missing(acs, ("ACSCap", "UpstreamFwd"))
    assert not is_missing(acs, ("ACSCtl", "UpstreamFwd"))
    assert not is_missing(acs, ("ACSFoo", "UpstreamFwd"))


@pytest.mark.parametrize("folder", [CORPUS, SHARED / "fuzz" / "normal", SHARED / "fuzz" / "sysfs"], ids=str)
def test_no_release_prints_a_register_that_counts_as_incomplete(folder: object) -> None:
    files = sorted(CORPUS.__class__(str(folder)).rglob("*.txt"))
    if not files:
        pytest.skip("the recorded material (../shared) is not here")
    odd: set[tuple[str, str]] = set()
    for file in files:
        try:
            dumps = lspci_parse.parse_all(file.read_bytes())
        except lspci_parse.LspciError:
            continue
        for device in (device for dump in dumps for device in dump if not device.unrecognised):
            odd |= {
                (reg.name, str(reg)) for reg in _registers(device) if is_incomplete(reg) and not device.cut
            }
    assert not odd


CUT = PORT.replace(" ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-", "")


def test_flags_that_were_lost_are_neither_off_nor_missing() -> None:
    whole, cut = lspci_parse.parse(PORT), lspci_parse.parse(CUT)
    assert not lspci_parse.diff(whole, cut).findings
    changes = [change for change in lspci_parse.diff(whole, cut).changes if change.path.startswith("acs/")]
    assert len(changes) == 10
    assert not any(change.known for change in changes)
    off = lspci_parse.parse(PORT.replace("ACSCtl:\tSrcValid+", "ACSCtl:\tSrcValid-"))
    assert "acs-off" in {finding.rule for finding in lspci_parse.diff(whole, off).findings}


@pytest.mark.parametrize("policy", ["vfio", "p2p"])
def test_policies_do_not_judge_what_was_lost(policy: str) -> None:
    peers = "\n\n01:00.0 3D controller: NVIDIA Corporation A100\n\tCapabilities: [40] Express (v2) Endpoint, MSI 00"
    bridge = "\tBus: primary=00, secondary=01, subordinate=01, sec-latency=0\n\tCapabilities: [40]"
    text = CUT.replace("\tCapabilities: [40]", bridge) + peers + peers.replace("00.0", "00.1")
    titles = [breach.title for breach in lspci_parse.check(lspci_parse.parse(text), policy=policy).breaches]
    assert not any("redirects" in title or "isolate" in title.split("cannot")[0] for title in titles), titles


@pytest.mark.parametrize(
    "title", ["Device Serial Numbr 00-11", "Expres (v2) Endpoint", "Power Budgetting <?>"]
)
def test_a_title_that_was_not_read_is_no_loss(title: str) -> None:
    device = "01:00.0 Ethernet controller: Intel Corporation NIC\n\tCapabilities: [a0] Express (v2) Endpoint, MSI 00\n"
    whole = lspci_parse.parse(
        f"{device}\tCapabilities: [140 v1] Device Serial Number 00-11-22-ff-ff-33-44-55\n"
    )
    for offset, known in (("140 v1", False), ("150 v1", True)):
        other = lspci_parse.parse(f"{device}\tCapabilities: [{offset}] {title}\n")
        lost = [change for change in lspci_parse.diff(whole, other).changes if change.path == "dsn"]
        assert [change.known for change in lost] == [known]


def test_a_function_whose_express_title_was_not_read_is_not_conventional() -> None:
    text = PORT.partition("\tCapabilities: [140")[0].replace("Express (v2) Root Port", "Exprss Root Port")
    dump = lspci_parse.parse(text)
    (group,) = lspci_parse.groups(dump).groups
    assert "conventional" not in str(group)
