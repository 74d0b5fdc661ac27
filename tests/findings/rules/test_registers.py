"""Rules about the registers of one host: what triggers each, and what nearly does."""

from __future__ import annotations

import pytest

from tests.findings.rules.one_host import driven, found, with_state
from tests.machines import CONTROL, endpoint, function, root_port, sriov

MEMORY = "Region 0: Memory at f0000000 (64-bit, prefetchable) [size=16M]"
OPEN = "Memory behind bridge: f0000000-f0ffffff [size=16M] [32-bit]"
CLOSED = "Memory behind bridge: [disabled] [32-bit]"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Region 0: Memory at <unassigned> (64-bit, prefetchable) [size=16M]", True),
        ("Region 0: Memory at <ignored> (64-bit, non-prefetchable)", True),
        (MEMORY, False),
        ("Region 0: I/O ports at <unassigned> [size=32]", False),
        ("Expansion ROM at <unassigned> [disabled] [size=64K]", False),
    ],
)
def test_a_region_without_address(line: str, told: bool) -> None:  # noqa: FBT001
    findings = found("region-unassigned", root_port("00:01.0", 1), endpoint("01:00.0", line))
    assert [finding.title for finding in findings] == (
        ["01:00.0 (Ethernet controller): Region 0 has no address"] if told else []
    )


def test_regions_of_virtual_functions_and_windows_are_their_own_matter() -> None:
    lost = "Region 0: Memory at <ignored> (64-bit, non-prefetchable)"
    virtual = [endpoint("01:00.0", sriov(1, 1, 1)), endpoint("01:00.1", lost)]
    assert found("region-unassigned", root_port("00:01.0", 1), *virtual) == []
    assert found("region-unassigned", driven(endpoint("01:00.0", lost), r"\SystemRoot\drivers\nic.sys")) == []


@pytest.mark.parametrize(
    ("window", "region", "told"),
    [(CLOSED, MEMORY, True), (OPEN, MEMORY, False), (CLOSED, "Latency: 0", False)],
)
def test_a_closed_window(window: str, region: str, told: bool) -> None:  # noqa: FBT001
    findings = found("window-closed", root_port("00:01.0", 1, window), endpoint("01:00.0", region))
    assert [finding.b.slot for finding in findings if finding.b] == (["00:01.0"] if told else [])


def payload(size: int) -> str:
    return f"\tDevCtl:\tCorrErr+\n\t\t\tMaxPayload {size} bytes, MaxReadReq 512 bytes"


@pytest.mark.parametrize(("above", "own", "told"), [(256, 128, True), (128, 256, False), (256, 256, False)])
def test_a_port_that_sends_more_than_its_device_takes(above: int, own: int, told: bool) -> None:  # noqa: FBT001
    parts = [
        root_port("00:01.0", 1, acs=None).rstrip("\n") + f"\n\t{payload(above)}\n\n",
        endpoint("01:00.0").rstrip("\n") + f"\n\t{payload(own)}\n\n",
    ]
    findings = found("payload-mismatch", *parts)
    assert [(finding.b.slot, finding.after) for finding in findings if finding.b] == (
        [("01:00.0", own)] if told else []
    )


def test_a_payload_that_the_log_tells_of_too() -> None:
    parts = [
        root_port("00:01.0", 1, acs=None).rstrip("\n") + f"\n\t{payload(256)}\n\n",
        endpoint("01:00.0").rstrip("\n") + f"\n\t{payload(128)}\n\n",
    ]
    log = (
        "[ 1.0] pci 0000:01:00.0: Max Payload Size 128, but upstream 0000:00:01.0 set to 256; report a bug\n"
    )
    (finding,) = found("payload-mismatch", *parts, log=log)
    assert finding.detail.endswith("The kernel says so, too (log line 1).")


def aer(status: str = "", mask: str = "") -> str:
    names = ("DLP", "SDES", "FCP", "CmpltTO", "RxOF", "MalfTLP", "UnsupReq")
    lines = (
        f"\t{register}:\t" + " ".join(f"{name}{'+' if name in on.split() else '-'}" for name in names)
        for register, on in (("UESta", status), ("UEMsk", mask))
    )
    return "Capabilities: [100 v2] Advanced Error Reporting\n\t" + "\n\t".join(lines)


@pytest.mark.parametrize(
    ("status", "mask", "told"),
    [
        ("CmpltTO", "", ["UESta CmpltTO"]),
        ("DLP UnsupReq", "", ["UESta DLP"]),
        ("UnsupReq", "", []),
        ("CmpltTO", "CmpltTO", []),
        ("", "", []),
    ],
)
def test_logged_errors(status: str, mask: str, told: list[str]) -> None:
    findings = found("errors-latched", endpoint("01:00.0", aer(status, mask)))
    assert [finding.after for finding in findings] == told


@pytest.mark.parametrize(
    ("flags", "told"), [("FatalErr+", ["DevSta FatalErr"]), ("CorrErr+ NonFatalErr+ UnsupReq+ AuxPwr+", [])]
)
def test_a_fatal_error_without_aer(flags: str, told: list[str]) -> None:
    text = endpoint("01:00.0").rstrip("\n") + f"\n\t\tDevSta:\t{flags}\n\n"
    assert [finding.after for finding in found("errors-latched", text)] == told


@pytest.mark.parametrize(
    ("mask", "told"), [("DLP MalfTLP", ["DLP, MalfTLP"]), ("UnsupReq CmpltTO", []), ("", [])]
)
def test_masked_fatal_errors(mask: str, told: list[str]) -> None:
    assert [
        finding.after for finding in found("fatal-errors-masked", endpoint("01:00.0", aer("", mask)))
    ] == told


NO_MASTER = CONTROL.replace("BusMaster+", "BusMaster-")


def nic(
    *, class_: str = "Ethernet controller", driver: str | None = "e1000e", control: str = NO_MASTER
) -> str:
    text = endpoint("01:00.0", MEMORY, class_=class_).replace(CONTROL, control)
    return text if driver is None else driven(text, driver)


def test_a_driver_without_bus_mastering() -> None:
    (finding,) = found("mastering-off", nic())
    assert finding.title == "01:00.0 (Ethernet controller) is driven by e1000e, with BusMaster off"
    assert (
        "with Mem and BusMaster off"
        in found("mastering-off", nic(control=NO_MASTER.replace("Mem+", "Mem-")))[0].title
    )


@pytest.mark.parametrize(
    "text",
    [
        nic(control=CONTROL), nic(driver=None), nic(driver="vfio-pci"), nic(class_="SMBus"),
        nic(class_="Performance counters"), with_state(nic(), "D3"),
    ],
    ids=["on", "no driver", "vfio", "smbus", "uncore", "asleep"],
)  # fmt: skip
def test_who_needs_no_bus_mastering(text: str) -> None:
    assert found("mastering-off", text) == []


def settings(text: str, *lines: str) -> str:
    return text.rstrip("\n") + "".join(f"\n\t\t{line}" for line in lines) + "\n\n"


LTR = "DevCtl2: Completion Timeout: 50us to 50ms, TimeoutDis- LTR{} 10BitTagReq{}"
ABLE = "DevCap2: Completion Timeout: Not Supported, TimeoutDis- NROPrPrP- LTR+\n\t\t\t 10BitTagComp{} 10BitTagReq-"


@pytest.mark.parametrize(
    ("port", "device", "paths"),
    [
        (("-", "+"), ("+", "-"), ["exp/DevCtl2/LTR"]),
        (("+", "+"), ("+", "-"), []),
        (("-", "+"), ("-", "-"), []),
        (("+", "-"), ("+", "+"), ["exp/DevCtl2/10BitTagReq"]),
        (("+", "+"), ("+", "+"), []),
    ],
)
def test_what_does_not_fit_along_the_path(
    port: tuple[str, str], device: tuple[str, str], paths: list[str]
) -> None:
    above = settings(root_port("00:01.0", 1, acs=None), ABLE.format(port[1]), LTR.format(port[0], "-"))
    own = settings(endpoint("01:00.0"), LTR.format(*device))
    assert [finding.path for finding in found("path-misfit", above, own)] == paths


def test_a_register_that_is_not_printed_says_nothing() -> None:
    own = settings(endpoint("01:00.0"), LTR.format("+", "+"))
    assert found("path-misfit", root_port("00:01.0", 1), own) == []
    assert found("payload-mismatch", root_port("00:01.0", 1), function("01:00.0")) == []


RESET = "01:00.0 PCI bridge: Switch\n\tControl: I/O- Mem- BusMaster-\n\tBus: primary=00, secondary={:02x}, subordinate={:02x}, sec-latency=0\n\n"
DEAD = "02:01.0 PCI bridge: Switch (rev ff) (prog-if ff)\n\t!!! Unknown header type 7f\n\n"
FATAL = "pcieport 0000:00:01.0: PCIe Bus Error: severity=Uncorrected (Fatal), type=Transaction Layer, (Requester ID)\n"


@pytest.mark.parametrize(
    ("bridge", "behind", "told"),
    [((0, 0), DEAD, True), ((2, 2), DEAD, False), ((0, 0), endpoint("02:01.0"), False)],
)
def test_a_bridge_that_lost_its_set_up(bridge: tuple[int, int], behind: str, told: bool) -> None:  # noqa: FBT001
    parts = [root_port("00:01.0", 1, last=2), RESET.format(*bridge), behind]
    findings = found("bridge-not-set-up", *parts, log=FATAL)
    assert [finding.b.slot for finding in findings if finding.b] == (["01:00.0"] if told else [])
    assert all(finding.likely for finding in findings)


def test_a_dead_function_is_dead_because_of_its_bridge() -> None:
    parts = [root_port("00:01.0", 1, last=2), RESET.format(0, 0), DEAD]
    (dead,) = found("not-answering", *parts)
    assert dead.because != ()


IDLE = "\tKernel modules: altera_cvp\n\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (nic(class_="Non-VGA unclassified device", driver=None).rstrip("\n") + "\n" + IDLE, True),
        (nic(driver=None).rstrip("\n") + "\n" + IDLE, True),
        (nic(driver=None), False),
        (nic(class_="VGA compatible controller", driver=None).rstrip("\n") + "\n" + IDLE, False),
        (nic(driver=None, control=CONTROL).rstrip("\n") + "\n" + IDLE, False),
    ],
    ids=["fpga", "nic", "no module", "graphics", "master"],
)
def test_a_device_without_driver(text: str, told: bool) -> None:  # noqa: FBT001
    other = driven(endpoint("05:00.0"), "e1000e")
    findings = found("without-driver", text, other)
    assert [finding.severity for finding in findings] == (["info"] if told else [])
    assert found("without-driver", text) == []
