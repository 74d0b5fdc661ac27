"""lspci's text for made-up devices, for tests that need one fact more or less."""

from __future__ import annotations

import textwrap

from lspci_parse.model.dump import Dump
from lspci_parse.parsing.parser import parse

ACS_ON = """\
Capabilities: [140 v1] Access Control Services
	ACSCap:	SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-
	ACSCtl:	SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-
"""
ACS_OFF = """\
Capabilities: [140 v1] Access Control Services
	ACSCap:	SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-
	ACSCtl:	SrcValid- TransBlk- ReqRedir- CmpltRedir- UpstreamFwd- EgressCtrl- DirectTrans-
"""
AER = """\
Capabilities: [100 v2] Advanced Error Reporting
	UESta:	DLP- SDES- TLP- FCP- CmpltTO- CmpltAbrt- UnxCmplt- RxOF- MalfTLP- ECRC- UnsupReq- ACSViol-
	UEMsk:	DLP- SDES- TLP- FCP- CmpltTO- CmpltAbrt- UnxCmplt- RxOF- MalfTLP- ECRC- UnsupReq- ACSViol-
"""
CONTROL = (
    "Control: I/O+ Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR+ FastB2B- DisINTx+\n"
)


def device(
    slot: str, *parts: str, name: str = "Example Corporation Device", class_: str = "Ethernet controller"
) -> str:
    """Return a device whose lines are ``parts``, each indented by one tab."""
    return (
        f"{slot} {class_}: {name}\n"
        + "".join(textwrap.indent(part, "\t") for part in (CONTROL, *parts))
        + "\n"
    )


def express(kind: str, speed: str = "8GT/s", width: int = 4, *, cap: tuple[str, int] | None = None) -> str:
    """Return an Express capability; ``cap`` is what the link can do, if that is more than it does."""
    best = cap or (speed, width)
    return (
        f"Capabilities: [40] Express (v2) {kind}, MSI 00\n"
        "\tDevCtl:\tCorrErr+ NonFatalErr+ FatalErr+ UnsupReq+\n"
        "\t\tRlxdOrd+ ExtTag- PhantFunc- AuxPwr- NoSnoop-\n"
        "\t\tMaxPayload 256 bytes, MaxReadReq 512 bytes\n"
        f"\tLnkCap:\tPort #0, Speed {best[0]}, Width x{best[1]}, ASPM not supported\n"
        "\t\tClockPM- Surprise- LLActRep+ BwNot+ ASPMOptComp+\n"
        "\tLnkCtl:\tASPM Disabled; RCB 64 bytes, Disabled- CommClk-\n"
        "\t\tExtSynch- ClockPM- AutWidDis- BWInt- AutBWInt-\n"
        f"\tLnkSta:\tSpeed {speed}, Width x{width}\n"
        "\t\tTrErr- Train- SlotClk- DLActive- BWMgmt- ABWMgmt-\n"
    )


def bridge(
    slot: str,
    secondary: int,
    *parts: str,
    kind: str = "Root Port (Slot+)",
    name: str = "Example Corporation Port",
) -> str:
    """Return a PCI Express port with one bus behind it."""
    bus = f"Bus: primary={slot[:2]}, secondary={secondary:02x}, subordinate={secondary:02x}, sec-latency=0\n"
    return device(slot, bus, express(kind), *parts, name=name, class_="PCI bridge")


def serial(number: str) -> str:
    """Return a Device Serial Number capability."""
    return f"Capabilities: [150 v1] Device Serial Number {number}\n"


def dump(*devices: str) -> Dump:
    """Read devices as one dump."""
    return parse("".join(devices))
