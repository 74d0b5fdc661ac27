"""What healthy hosts show is no reason to cry: each rule with what triggers it and what nearly does."""

from __future__ import annotations

import pytest

from lspci_parse import Comparison, Host, diff
from tests.machines import endpoint, machine, root_port

GPU, NIC, SMBUS = "VGA compatible controller [0300]", "Ethernet controller [0200]", "SMBus [0c05]"


def link(speed: str, width: int, *, able: str = "16GT/s x16") -> tuple[str, ...]:
    top, lanes = able.split()
    return (
        f"\tLnkCap:\tPort #0, Speed {top}, Width {lanes}, ASPM L1, Exit Latency L1 <64us",
        f"\tLnkSta:\tSpeed {speed}, Width x{width}",
    )


def express(
    slot: str, *lines: str, class_: str = NIC, more: tuple[str, ...] = (), driver: str | None = None
) -> str:
    text = f"{slot} {class_}: Example Corporation Device [1234:0001]\n\tControl: I/O+ Mem+ BusMaster+\n"
    text += "\tCapabilities: [40] Express (v2) Endpoint, MSI 00\n"
    body = "".join(f"\t{line}\n" for line in (*lines, *more))
    return f"{text}{body}" + (f"\tKernel driver in use: {driver}\n" if driver else "") + "\n"


def compare(a: str, b: str, *, port: bool = True) -> Comparison:
    ports = (root_port("00:01.0", 1),) if port else ()
    return diff(machine(*ports, a), machine(*ports, b))


def told(comparison: Comparison) -> list[tuple[str, str]]:
    return [(finding.rule, finding.severity) for finding in comparison.findings]


@pytest.mark.parametrize(
    ("class_", "speed", "width", "severity"),
    [(GPU, "2.5GT/s", 16, "info"), (GPU, "16GT/s", 8, "warning"), (NIC, "2.5GT/s", 16, "warning")],
)
def test_a_link_of_an_idle_gpu_is_no_warning(class_: str, speed: str, width: int, severity: str) -> None:
    a, b = (express("01:00.0", *link(*at), class_=class_) for at in (("16GT/s", 16), (speed, width)))
    assert told(compare(a, b)) == [("link-degraded", severity)]


def test_a_link_is_told_once_for_its_functions() -> None:
    a, b = (
        "".join(express(f"01:00.{function}", *link(*at)) for function in (0, 1))
        for at in (("16GT/s", 16), ("8GT/s", 16))
    )
    found = compare(a, b)
    assert [str(finding.b) for finding in found.findings] == ["0000:01:00.0"]


def test_a_target_speed_is_named_as_the_cause() -> None:
    target = "\tLnkCtl2: Target Link Speed: 8GT/s, EnterCompliance- SpeedDis-"
    a, b = (express("01:00.0", *link(speed, 16), target) for speed in ("16GT/s", "8GT/s"))
    (finding,) = compare(a, b).findings
    assert finding.detail.startswith(
        "Its target speed (LnkCtl2) is set to 8GT/s, below the 16GT/s that it can."
    )


AER = (
    "Capabilities: [100 v2] Advanced Error Reporting",
    "\tUESta:\tDLP- SDES- TLP{tlp} FCP- CmpltTO- CmpltAbrt- UnxCmplt- RxOF- MalfTLP- ECRC- UnsupReq{unsup} ACSViol-",
    "\tUEMsk:\tDLP- SDES- TLP{mask} FCP- CmpltTO- CmpltAbrt- UnxCmplt- RxOF- MalfTLP- ECRC- UnsupReq- ACSViol-",
    "\tUESvrt:\tDLP+ SDES- TLP- FCP+ CmpltTO- CmpltAbrt- UnxCmplt- RxOF+ MalfTLP+ ECRC- UnsupReq- ACSViol-",
    "\tCESta:\tRxErr- BadTLP{bad} BadDLLP- Rollover- Timeout- AdvNonFatalErr{adv}",
    "\tCEMsk:\tRxErr- BadTLP- BadDLLP- Rollover- Timeout- AdvNonFatalErr{advmask}",
)


def aer(slot: str = "01:00.0", **flags: str) -> str:
    values = dict.fromkeys(("tlp", "unsup", "mask", "bad", "adv", "advmask"), "-") | flags
    return express(slot, more=tuple(line.format(**values) for line in AER))


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({}, {"tlp": "+"}, [("errors-logged", "warning")]),
        ({"mask": "+"}, {"tlp": "+", "mask": "+"}, [("errors-logged", "info")]),
        ({}, {"unsup": "+"}, [("errors-logged", "info")]),
        ({}, {"adv": "+"}, [("errors-logged", "info")]),
        ({}, {"bad": "+"}, [("errors-logged", "warning")]),
        ({"bad": "+"}, {"bad": "+"}, []),
        ({}, {"advmask": "+"}, []),
        ({}, {"mask": "+"}, [("aer-masked", "warning")]),
    ],
)
def test_errors(before: dict[str, str], after: dict[str, str], found: list[tuple[str, str]]) -> None:
    assert told(compare(aer(**before), aer(**after))) == found


def power(state: str, driver: str | None) -> str:
    lines = (
        "Capabilities: [50] Power Management version 3",
        f"\tStatus: {state} NoSoftRst+ PME-Enable- DSel=0 DScale=0 PME-",
    )
    return express("01:00.0", more=lines, driver=driver) + express("01:00.1", driver="igb")


@pytest.mark.parametrize(
    ("before", "after", "driver", "severity"),
    [("D0", "D3", "nvme", "info"), ("D0", "D3", None, "warning"), ("D3", "D0", None, "info")],
)
def test_power_states(before: str, after: str, driver: str | None, severity: str) -> None:
    assert told(compare(power(before, driver), power(after, driver))) == [("power-state", severity)]


@pytest.mark.parametrize(("class_", "severity"), [(NIC, "critical"), (GPU, "critical"), (SMBUS, "warning")])
def test_a_helper_without_its_driver_is_no_catastrophe(class_: str, severity: str) -> None:
    a, b = (
        express("01:00.0", class_=class_, driver=driver) + express("01:00.1", driver="igb")
        for driver in ("x", None)
    )
    assert told(compare(a, b)) == [("driver-missing", severity)]


@pytest.mark.parametrize(
    ("class_", "severity"), [("Ethernet controller [0280]", "warning"), (GPU, "critical")]
)
def test_another_device_in_one_place_is_one_finding(class_: str, severity: str) -> None:
    a = express("01:00.0")
    b = express("01:00.0", class_=class_).replace("1234:0001", "4321:0002").replace("Example", "Another")
    assert told(compare(a, b)) == [("device-replaced", severity)]


def test_a_region_that_lost_its_address() -> None:
    def region(address: str) -> str:
        line = f"Region 0: Memory at {address} (64-bit, prefetchable) [size=16M]"
        text = express("01:00.0").replace("BusMaster+\n", f"BusMaster+\n\t{line}\n")
        return text.replace(
            "MSI 00", "IntMsgNum 0"
        )  # printed by lspci 3.11 and newer: both read regions alike

    assert told(compare(region("d0000000"), region("<unassigned>"))) == [("region-lost", "warning")]
    assert told(compare(region("d0000000"), region("e0000000"))) == []
    assert told(compare(region("<unassigned>"), region("<unassigned>"))) == []


def test_subsystem_ids_are_one_finding() -> None:
    def card(ids: str) -> str:
        return express("01:00.0", f"Subsystem: Example Corporation Device [{ids}]")

    (finding,) = compare(card("1111:2222"), card("1234:0001")).findings
    assert (finding.rule, finding.before, finding.after) == ("revision-changed", "1111:2222", "1234:0001")
    assert finding.detail.startswith("B shows the chip's own ids")
    (other,) = compare(card("1111:2222"), card("3333:4444")).findings
    assert "chip's own ids" not in other.detail


EXTENDED = (
    "Capabilities: [100 v1] Device Serial Number 00-00-00-00-00-00-00-01",
    "Capabilities: [148 v1] Latency Tolerance Reporting",
    "Capabilities: [158 v1] Secondary PCI Express",
    "Capabilities: [178 v1] Physical Layer 16.0 GT/s <?>",
)


def test_a_list_of_capabilities_that_ends_early_is_one_finding() -> None:
    a, b = express("01:00.0", more=EXTENDED), express("01:00.0", more=EXTENDED[:1])
    (finding,) = compare(a, b).findings
    assert finding.rule == "capability-lost"
    assert finding.title.endswith("the list of extended capabilities ends at [100]")
    one = compare(a, express("01:00.0", more=(*EXTENDED[:2], *EXTENDED[3:]))).findings
    assert [finding.title.rpartition(": ")[2] for finding in one] == ["[158 v1] Secondary PCI Express"]


def test_windows_and_another_system_are_told_once() -> None:
    a = "".join(express(f"01:00.{function}", driver="igb") for function in range(4))
    b = a.replace("igb", "e1i65x64.sys")
    assert told(compare(a, b)) == [("other-system", "info")]
    assert told(compare(a, a.replace("igb", "e1000e"))) == [("driver-changed", "warning")] * 4


def test_a_port_whose_card_is_gone_is_set_up_for_an_empty_slot() -> None:
    def port(payload: int) -> str:
        return root_port("00:01.0", 1).replace(
            "Root Port (Slot+), MSI 00\n",
            "Root Port (Slot+), MSI 00\n\t\tDevCtl:\tCorrErr- NonFatalErr- FatalErr- UnsupReq-\n"
            "\t\t\tRlxdOrd- ExtTag- PhantFunc- AuxPwr- NoSnoop-\n"
            f"\t\t\tMaxPayload {payload} bytes, MaxReadReq 512 bytes\n",
        )

    found = diff(machine(port(256), endpoint("01:00.0")), machine(port(128)))
    assert [(f.rule, f.because) for f in found.findings] == [
        ("device-missing", ()),
        ("payload-changed", (0,)),
    ]
    assert [(f.rule, f.because) for f in diff(machine(port(256)), machine(port(128))).findings] == [
        ("payload-changed", ())
    ]


def test_groups_that_another_kernel_merges_are_told_with_its_reason() -> None:
    """Linux 5.9 forgets the workaround that isolates chipset ports without ACS; 5.8 has it."""
    ports = [
        root_port(slot, bus, acs=None, name=f"Port [8086:{ids}]").replace("PCI bridge:", "PCI bridge [0604]:")
        for slot, bus, ids in (("00:1c.0", 1, "8d10"), ("00:1c.4", 2, "8d18"))
    ]
    dump = machine(*ports, endpoint("01:00.0"), endpoint("02:00.0"))
    report = diff(Host("a", dump, kernel="5.8.14"), Host("b", dump, kernel="5.9.1"))
    merged = next(finding for finding in report.findings if finding.rule == "groups-merged")
    assert "Linux 5.9.1 forgets the ACS workaround" in merged.title
    assert [report.findings[cause].rule for cause in merged.because] == ["kernel-changed"]
