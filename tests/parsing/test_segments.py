"""Whatever was done to a dump on its way, its devices are those of the clean text and its lines keep their numbers."""

from __future__ import annotations

import random
import re
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from lspci_parse.model.dump import Dump
from lspci_parse.model.fields import Line
from lspci_parse.parsing.parser import parse
from lspci_parse.parsing.segments import pieces
from tests.paths import CORPUS

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[str], str]

FILES = [
    "hosts/server.txt",
    "hosts/cxl.txt",
    "hosts/vvvxxxx.txt",
    "hosts/v.txt",
    "incident/bad-lspci-HEAD.txt",
]


@cache
def text(name: str) -> str:
    return (CORPUS / name).read_text("utf-8")


@cache
def clean(name: str) -> Dump:
    dump = parse(text(name))
    assert not dump.unrecognised
    assert not dump.outside
    return dump


def lines(change: Change) -> Change:
    return lambda text: "".join(change(line) + "\n" for line in text.split("\n")[:-1])


def wrapped(width: int, tab: int = 8) -> Change:
    """What a mail program does to lines that are too long: a break at a blank, the rest at column 0."""

    def wrap(line: str) -> str:
        lead = line[: len(line) - len(line.lstrip())]
        first, *words = line[len(lead) :].split(" ")
        parts = [lead + first]
        for word in words:
            if len(f"{parts[-1]} {word}".expandtabs(tab)) > width:
                parts.append(word)
            else:
                parts[-1] += f" {word}"
        return "\n".join(parts)

    return lines(wrap)


def cut_at(width: int) -> Change:
    """What a terminal does to lines that are too long."""

    def cut(line: str) -> str:
        wide = line.expandtabs(8)
        return "\n".join(wide[at : at + width] for at in range(0, len(wide), width))

    return lines(cut)


CHANGES: dict[str, Change] = {
    "CR LF": lambda text: text.replace("\n", "\r\n"),
    "CR CR LF": lambda text: text.replace("\n", "\r\r\n"),
    "LF CR": lambda text: text.replace("\n", "\n\r"),
    "byte-order mark": lambda text: "\ufeff" + text,
    "tabs as 8 blanks": lines(lambda line: line.expandtabs(8)),
    "tabs as 4 blanks": lines(lambda line: line.expandtabs(4)),
    "tabs as 2 blanks": lines(lambda line: line.expandtabs(2)),
    "tabs as 1 blank": lines(lambda line: re.sub("^\t+", lambda tabs: " " * len(tabs[0]), line)),
    "indented by blanks": lines(lambda line: "    " + line),
    "indented but for empty lines": lines(lambda line: "    " + line if line else line),
    "indented by a tab": lines(lambda line: "\t" + line),
    "indented by tabs": lines(lambda line: "\t\t" + line),
    "indented, then tabs as blanks": lines(lambda line: ("    " + line).expandtabs(8)),
    "tabs as blanks, then indented": lines(lambda line: "    " + line.expandtabs(8)),
    "quoted": lines(lambda line: "> " + line),
    "quoted, blanks at the end cut": lines(lambda line: ("> " + line).rstrip()),
    "quoted without a blank": lines(lambda line: ">" + line),
    "quoted twice": lines(lambda line: ">> " + line),
    "quoted twice with a blank": lines(lambda line: "> > " + line),
    "quoted by a bar": lines(lambda line: "| " + line),
    "quoted, then tabs as blanks": lines(lambda line: ("> " + line).expandtabs(8)),
    "empty lines in between": lambda text: text.replace("\n", "\n\n"),
    "wrapped at 65": wrapped(65),
    "wrapped at 72": wrapped(72),
    "wrapped at 76, tabs counted as one": wrapped(76, 1),
    "wrapped at 80": wrapped(80),
    "quoted, then wrapped": lambda text: wrapped(74)(lines(lambda line: "> " + line)(text)),
    "wrapped, then quoted": lambda text: lines(lambda line: "> " + line)(wrapped(74)(text)),
    "tabs as 8 blanks, then wrapped": lambda text: wrapped(72)(lines(lambda line: line.expandtabs(8))(text)),
    "cut by a terminal of 80 columns": cut_at(80),
    "cut by a terminal of 100 columns": cut_at(100),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("change", CHANGES)
def test_what_was_done_is_undone(change: str, name: str) -> None:
    if name == "hosts/v.txt" and ("wrapped" in change or "cut" in change):
        pytest.skip("the lines of -v are free text: none shows for certain that it was wrapped")
    changed = CHANGES[change](text(name))
    dump = parse(changed)
    assert dump.devices == clean(name).devices
    assert not dump.unrecognised
    assert not dump.outside
    assert str(dump) == changed
    numbered = changed.replace("\r\r\n", "\n").replace("\r", "").split("\n")
    assert all(device.slot in numbered[line - 1] for line, device in zip(dump.lines, dump, strict=True))


WARNINGS = [
    "pcilib: sysfs_read_vpd: read failed: Input/output error\n",
    "lspci: Unable to load libkmod resources: error -2\n",
    "pcilib: Error reading /sys/bus/pci/devices/0000:00:1c.0/label: Operation not permitted\n",
]


@pytest.mark.parametrize("seed", range(20))
def test_warnings_anywhere_in_the_text_change_nothing(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    before = text("hosts/server.txt")
    places = [0, *sorted(chance.sample(range(len(before)), 40)), len(before)]
    changed = ""
    expected = []
    for start, end in pairwise(places):
        changed += before[start:end]
        if end < len(before):
            warning = chance.choice(WARNINGS)
            expected.append(Line(changed.count("\n") + 1, warning.rstrip("\n")))
            changed += warning
    dump = parse(changed)
    assert dump.devices == clean("hosts/server.txt").devices
    assert not dump.unrecognised
    assert list(dump.outside) == expected


def test_recorded_warnings_in_the_middle_of_lines(shared: object) -> None:
    assert hasattr(shared, "glob")
    mixed = sorted(shared.glob("fuzz/mixed/*.mixed.txt"))
    assert mixed
    for path in mixed:
        dump = parse(path.read_bytes())
        assert dump.devices == parse(path.with_name(path.name.replace(".mixed", "")).read_bytes()).devices
        assert len(dump.outside) == 4
        assert not dump.unrecognised


HEAD = "00:00.0 Host bridge: Example Corporation Device\n"
DEVICE = (
    HEAD
    + "\tControl: I/O+ Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR+ FastB2B- DisINTx+\n"
    "\tCapabilities: [40] Express (v2) Endpoint, MSI 00\n"
    "\t\tDevCtl:\tCorrErr+ NonFatalErr+ FatalErr+ UnsupReq+\n"
    "\t\t\tRlxdOrd+ ExtTag- PhantFunc- AuxPwr- NoSnoop-\n"
    "\tKernel driver in use: example\n"
)


def test_a_warning_before_the_line_end_it_was_written_at() -> None:
    first, second, *rest = DEVICE.split("\n")
    dump = parse("\n".join([first, second[:20] + WARNINGS[0] + second[20:], *rest]))
    assert dump.devices == parse(DEVICE).devices
    assert dump.outside == (Line(2, WARNINGS[0].rstrip()),)


def test_a_warning_at_the_end_of_the_text() -> None:
    dump = parse(HEAD + "\tControl: I/O+ Mem+lspci: Internal bug")
    assert dump.outside == (Line(2, "lspci: Internal bug"),)
    assert dump.devices[0].registers["Control"]["Mem"]


def test_free_text_that_speaks_of_lspci_is_no_warning() -> None:
    lines = "\tCapabilities: [48] Vital Product Data\n\t\tProduct Name: see lspci: manual\n\t\tEnd\n"
    dump = parse(HEAD + lines)
    assert not dump.outside
    assert dump.devices[0].capabilities[0]["Product Name"] == "see lspci: manual"


def test_a_missing_hex_dump_is_reported_outside_of_the_device() -> None:
    dump = parse(
        DEVICE + "WARNING: Cannot show hex-dump of the config space\n\n" + DEVICE.replace("00:00", "00:01")
    )
    assert [line for line, _ in dump.outside] == [7]
    assert len(dump) == 2
    assert not dump.unrecognised


def test_an_empty_line_inside_a_capability() -> None:
    inside = (
        HEAD + "\tCapabilities: [150 v1] L1 PM Substates\n"
        "\t\tL1SubCap: PCI-PM_L1.2- PCI-PM_L1.1+ ASPM_L1.2- ASPM_L1.1+ L1_PM_Substates+\n"
        "\t\tL1SubCtl1: PCI-PM_L1.2- PCI-PM_L1.1- ASPM_L1.2- ASPM_L1.1-\n"
        "\n"
        "\t\tL1SubCtl2:\n"
        "\tCapabilities: [160 v1] Latency Tolerance Reporting\n"
        "\t\tMax snoop latency: 0ns\n"
        "\t\tMax no snoop latency: 0ns\n"
        "\tKernel driver in use: example\n\n"
    )
    dump = parse(inside + "\n")
    assert dump.devices == parse(inside.replace("\n\n\t", "\n\t")).devices
    assert dump.devices[0].driver == "example"
    assert not dump.unrecognised
    assert dump.devices[0].text == inside.rstrip("\n")


def test_a_name_with_a_line_end_inside() -> None:
    dump = parse(
        HEAD + "\tDeviceName: Onboard\nLAN\n\tPhysical Slot: 3\nupper\n\tSubsystem: Example Device\n"
    )
    device = dump.devices[0]
    assert (device.label, device.physical_slot, device.subsystem) == (
        "Onboard LAN",
        "3 upper",
        "Example Device",
    )
    assert not dump.unrecognised


def test_an_interrupt_pin_that_is_a_line_end() -> None:
    dump = parse(HEAD + "\tInterrupt: pin \n routed to IRQ 0\n\tKernel driver in use: example\n")
    assert dump.devices[0].registers["Interrupt"]["IRQ"] == 0
    assert dump.devices[0].driver == "example"
    assert not dump.unrecognised


def test_text_inside_a_device_that_is_not_lspcis_keeps_its_number() -> None:
    at = DEVICE.index("\t\t\tRlxd")
    dump = parse("# lspci -vvv\n" + DEVICE[:at] + "[  12.5] example: link is down\n" + DEVICE[at:])
    assert dump.unrecognised == (Line(6, "[  12.5] example: link is down"),)
    assert dump.devices == parse(DEVICE).devices
    assert dump.outside == (Line(1, "# lspci -vvv"),)


def test_a_damaged_line_behind_a_break_keeps_its_number() -> None:
    control = DEVICE.split("\n")[1]
    changed = DEVICE.replace(control, control.replace(" ParErr", "\nParErr")).replace(
        "PhantFunc-", "PhantFunc?"
    )
    dump = parse(changed)
    assert [line for line, _ in dump.unrecognised] == [6]
    assert dump.devices[0].registers == parse(DEVICE).devices[0].registers


@pytest.mark.parametrize(
    "foreign",
    [
        "root@host:~# \n",
        "root@host:~# ethtool eth0\nSettings for eth0:\n\tSupported ports: [ TP ]\n",
        "\n```\n\nThat was it.\n\n\tBye\n",
        "\nSettings for eth0:\n\tSupported ports: [ TP ]\n",
        "\n00:1f.0 foo\n00:02.0 \n0000:00:1f.3 -> ../../../devices/pci0000:00/0000:00:1f.3\n",
        '\n00:1f.0 "ISA bridge" "Intel: Corporation" "Device"\n',
        "\n10:45:12.5 kernel: something\n10:15.5 kernel: something\n00:1f.6 eth0: up\n",
        "\n-[0000:00]-+-00.0\n           +-01.0-[01]----00.0\n",
    ],
)
def test_what_follows_a_dump_is_outside(foreign: str) -> None:
    dump = parse(DEVICE + foreign)
    assert dump.devices == parse(DEVICE).devices
    assert not dump.unrecognised
    assert [line for _, line in dump.outside] == [line for line in foreign.split("\n") if line.strip()]


def test_words_behind_a_line_are_no_part_of_it() -> None:
    """A line is joined with the next where its width or damage shows that it was wrapped, and never by meaning."""
    elided = HEAD + "[...]\n\n" + DEVICE.replace("00:00", "00:01")
    dump = parse(elided)
    assert dump.devices[0].name == "Example Corporation Device"
    assert [line for _, line in dump.outside] == ["[...]"]


def test_an_address_with_text_below_it_is_a_device_even_when_its_line_is_damaged() -> None:
    dump = parse(HEAD + "\n00:1f.0 ~~~\n\tKernel driver in use: example\n")
    assert dump["00:1f.0"].driver == "example"
    assert dump.unrecognised == (Line(3, "00:1f.0 ~~~"),)


def test_a_line_of_a_megabyte() -> None:
    long = "x" * 1_000_000
    dump = parse(DEVICE + f"\t{long}\n\n{long}\n" + DEVICE.replace("00:00", "00:01"))
    assert dump.unrecognised == (Line(7, "\t" + long),)
    assert dump.outside == (Line(9, long),)
    assert dump["00:01.0"].driver == "example"


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_pieces_of_a_text_do_not_depend_on_how_it_arrives(size: int) -> None:
    for change in ("CR CR LF", "quoted", "tabs as 8 blanks"):
        whole = "\ufeff" + CHANGES[change](text("hosts/vvvxxxx.txt"))
        parts = [whole[at : at + size] for at in range(0, len(whole), size)]
        assert list(pieces(parts)) == list(pieces([whole]))
