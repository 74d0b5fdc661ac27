"""Laws of comparing hosts, whatever their evidence."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lspci_parse import Comparison, Finding, diagnose, diff, parse
from lspci_parse.evidence.cmdline import parse_cmdline
from lspci_parse.evidence.host import Host
from lspci_parse.evidence.load import load
from lspci_parse.evidence.log import parse_log
from lspci_parse.findings.catalogue import RULES
from lspci_parse.findings.model import Cause, Found
from lspci_parse.findings.rule import HOST, PAIR, Rule, rule
from tests.machines import endpoint, machine, root_port
from tests.paths import CORPUS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lspci_parse.findings.host_view import HostView
    from lspci_parse.findings.pair_view import PairView

DUMP = machine(root_port("00:01.0", 1, acs="on"), endpoint("01:00.0"), root_port("00:02.0", 2))
ADDRESSES = st.sampled_from(["0000:00:01.0", "0000:01:00.0", "0000:02:00.0", "0000:77:00.3", "0000:00:02.0"])
LINES = st.sampled_from(
    [
        "mlx5_core: probe of {at} failed with error -12",
        "e1000e: probe of {at} failed with error -5",
        "pci {at}: Adding to iommu group 7",
        "pci {at}: Removing from iommu group 7",
        "iommu: Failed to add device {at} to group 7: -22",
        "pci {at}: Failed to get a private domain.",
        "DMAR: [DMA Write] Request device [{short}] fault addr ffff0000 [fault reason 05] PTE Write access is not set",
        "pcieport {at}: pciehp: Slot(4): Link Down",
        "pcieport {at}: AER: Uncorrected (Fatal) error received: {at}",
        "pci {at}: BAR 0: no space for [mem size 0x01000000]",
        "pci {at}: BAR 0: failed to assign [mem size 0x01000000]",
        "pci {at}: 7.876 Gb/s available PCIe bandwidth, limited by 8.0 GT/s PCIe x1 link at {at} (capable of 31.5 Gb/s with 8.0 GT/s PCIe x4 link)",
        "nvme {at}: firmware version 1.2.3",
        "DMI: Example Corp. Server/Board, BIOS 1.5.0 06/18/2020",
        "Command line: BOOT_IMAGE=/vmlinuz intel_iommu=on iommu=pt",
    ]
)


@st.composite
def hosts(draw: Callable[[st.SearchStrategy[object]], object]) -> Host:
    """A host with a log of lines about its devices and others, a command line, groups and a kernel, or without."""
    begin = ["Linux version 6.1.0-13-amd64 (x@y) #1 SMP"] if draw(st.booleans()) else []
    lines = draw(st.lists(st.tuples(LINES, ADDRESSES), max_size=12))
    assert isinstance(lines, list)
    texts = [line.format(at=at, short=at.removeprefix("0000:")) for line, at in lines]
    log = parse_log("\n".join(f"[    {at}.000000] {text}" for at, text in enumerate([*begin, *texts])))
    groups = (
        {device.address: number // 2 for number, device in enumerate(DUMP)} if draw(st.booleans()) else None
    )
    return Host(
        "a host",
        DUMP,
        log=log if texts else None,
        cmdline=parse_cmdline("quiet iommu=pt") if draw(st.booleans()) else log.cmdline,
        groups=groups,
        kernel="6.1.0-13-amd64" if draw(st.booleans()) else None,
        dmi=log.dmi,
    )


@given(hosts())
@settings(deadline=None, max_examples=150)
def test_a_host_and_its_copy_do_not_differ(host: Host) -> None:
    again = host._replace(source="its copy", dump=parse(DUMP.text))
    assert diff(host, host).findings == ()
    assert diff(host, again).findings == ()
    assert [change for change in diff(host, again).changes if not change.volatile] == []


@pytest.mark.parametrize(
    "name", ["incident/good", "incident/bad", "hosts/sosreport", "hosts/v-user.txt", "hosts/k.txt"]
)
def test_recorded_hosts_and_their_copies_do_not_differ(name: str) -> None:
    assert diff(load(CORPUS / name), load(CORPUS / name)).findings == ()


def test_a_log_that_names_a_device_the_dump_lacks_is_no_difference() -> None:
    log = parse_log(
        "[    0.000000] Linux version 6.1.0 (x@y) #1\n[    1.0] mlx5_core: probe of 0000:77:00.0 failed with error -12\n"
    )
    host = Host("a", DUMP, log=log)
    assert [finding.rule for finding in diagnose(host).findings] == ["probe-failed"]
    assert diff(host, host).findings == ()
    assert [finding.rule for finding in diff(Host("b", DUMP), host).findings] == ["probe-failed"]


MIRRORED = {
    "acs-lost": "acs-gained",
    "capability-lost": "capability-gained",
    "device-missing": "device-new",
    "groups-merged": "groups-split",
    "bios-changed": "bios-changed",
    "revision-changed": "revision-changed",
    "access-denied": "access-denied",
    "less-detail": "less-detail",
    "dump-cut": "dump-cut",
}


def places(comparison: Comparison, names: dict[str, str], *, swap: bool) -> set[tuple[str, object, object]]:
    found = (f for f in comparison.findings if f.rule in names)
    return {(names[f.rule], f.b, f.a) if swap else (f.rule, f.a, f.b) for f in found}


@pytest.mark.parametrize("pair", sorted(path.name for path in (CORPUS / "pairs").iterdir()))
def test_the_other_way_round_gained_is_lost(pair: str) -> None:
    a, b = (load(CORPUS / "pairs" / pair / f"{name}.txt") for name in "ab")
    there, back = diff(a, b), diff(b, a)
    backwards = {after: before for before, after in MIRRORED.items()}
    lost = {
        rule: mirror for rule, mirror in MIRRORED.items() if rule not in ("groups-merged", "device-missing")
    }
    assert places(there, lost, swap=True) <= places(back, backwards, swap=False) | places(
        back, lost, swap=False
    )
    assert {(c.a, c.b, c.path) for c in there.changes} == {(c.b, c.a, c.path) for c in back.changes}


# ------------------------------------------------------------------------------------------------ rules of one's own


def _finding(name: str, device: object = None, **values: object) -> Finding:
    return Finding(name, "info", None, device, "x", None, None, name, "", **values)  # type: ignore[arg-type]


@rule("mine", "info", "what a user wants to know", needs=HOST)
def mine(view: HostView) -> Iterator[Found]:
    """Tell of each device."""
    for device in view.host.dump:
        yield Found(_finding("mine", device.address), [Cause("ours", device.address, certain=False)])


@rule("ours", "info", "of two hosts", needs=PAIR)
def ours(view: PairView) -> Iterator[Found]:
    """Tell of the pairs."""
    yield Found(_finding("ours", devices=tuple(pair.b.address for pair in view.pairs)))


def test_rules_of_ones_own() -> None:
    found = diagnose(DUMP, rules=(*RULES, mine, ours)).findings
    assert [finding.rule for finding in found] == ["mine"] * 3
    assert diff(DUMP, DUMP, rules=(mine,)).findings == (), "both tell the same"
    other = machine(root_port("00:01.0", 1, acs="on"))
    both = diff(other, DUMP, rules=(mine, ours)).findings
    assert [(f.rule, f.because, f.likely, f.leads_to) for f in both] == [
        ("mine", (), (), ()),
        ("mine", (), (), ()),
        ("ours", (), (), ()),
    ]


# ---------------------------------------------------------------------------------------------------------- growth


def calls(function: Callable[[], object]) -> int:
    """Count the calls of Python functions."""
    count = 0

    def see(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(see)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def wide(number: int, mask: str) -> str:
    lines = [
        endpoint(f"{index // 256:04x}:{index % 256:02x}:00.0", f"Capabilities: [50] Power Management version {index % 7}",
                 f"\tStatus: {mask} NoSoftRst+ PME-Enable- DSel=0 DScale=0 PME-")
        for index in range(number)
    ]  # fmt: skip
    return "".join(lines)


@pytest.mark.slow
def test_work_grows_with_the_pairs_that_differ() -> None:
    work = {}
    for number in (200, 800):
        a, b = parse(wide(number, "D0")), parse(wide(number, "D3"))
        diff(a, b)  # what is made once for a dump is made
        work[number] = calls(lambda a=a, b=b: diff(a, b))  # type: ignore[misc]
    assert work[800] < 4.6 * work[200]


@pytest.mark.slow
def test_work_grows_with_the_probes_that_failed() -> None:
    work = {}
    for number in (200, 800):
        log = parse_log(
            "[    0.0] Linux version 6.1.0 (x@y) #1\n"
            + "".join(f"[    1.0] e1000e: probe of 0000:{at:02x}:{dev:02x}.0 failed with error -5\n"
                      for at in range(number // 32) for dev in range(32))
        )  # fmt: skip
        host = Host("a", DUMP, log=log)
        work[number] = calls(lambda host=host: diagnose(host))  # type: ignore[misc]
    assert work[800] < 4.6 * work[200]


def test_rules_are_rules() -> None:
    assert all(isinstance(item, Rule) for item in RULES)
