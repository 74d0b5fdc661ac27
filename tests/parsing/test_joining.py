"""Outputs of lspci that complete each other are one host; those that contradict each other are two."""

from __future__ import annotations

import pytest

from lspci_parse.parsing.joining import joined
from lspci_parse.parsing.parser import parse, parse_all

LIST = "00:1c.0 PCI bridge: Port\n00:1d.0 USB controller: Hub\n"
NUMBERS = "00:1c.0 0604: 8086:a110 (rev f1)\n"
FULL = "00:1c.0 PCI bridge: Port\n\tBus: primary=00, secondary=01, subordinate=01, sec-latency=0\n"
OFF = FULL.replace("secondary=01", "secondary=02")
HEX = "00:1c.0 PCI bridge: Port\n" + "".join(f"{row:02x}:{' 86' * 16}\n" for row in range(0, 64, 16))
OTHER = "02:00.0 Ethernet controller: NIC\n\tKernel driver in use: e1000e\n"
DRIVEN = FULL + "\tKernel driver in use: pcieport\n"


def slots(text: str) -> list[list[str]]:
    return [[device.slot for device in dump] for dump in joined(parse_all(text))]


def test_different_devices_are_one_host() -> None:
    text = f"$ lspci -vs 1c.0\n{FULL}\n$ lspci -vs 02:00.0\n{OTHER}\n$ lspci\n{LIST}"
    assert slots(text) == [["00:1c.0", "02:00.0", "00:1d.0"]]
    dump = parse(text)
    assert dump["00:1c.0"].is_bridge
    assert dump["02:00.0"].driver == "e1000e"
    assert str(dump) == text
    assert dump.lines == (2, 6, 11)


@pytest.mark.parametrize("texts", [(FULL, HEX), (HEX, FULL), (FULL, LIST, HEX), (LIST, HEX, FULL)])
def test_one_output_adds_to_another(texts: tuple[str, ...]) -> None:
    dump = parse("\n$ lspci\n".join(texts))
    device = dump["00:1c.0"]
    assert device.is_bridge
    assert device.config == 64 * b"\x86"
    assert dump.lines[0] == "\n$ lspci\n".join(texts).split("\n").index(FULL.split("\n")[1])


def test_numbers_and_names_add_to_each_other() -> None:
    text = LIST.replace("Port", "Port (rev f1)") + "$ lspci -n\n" + NUMBERS
    device = parse(text)["00:1c.0"]
    assert (device.name, device.ids.device, device.class_) == ("Port", "a110", ("0604", "PCI bridge"))


def test_equal_outputs_are_one_host() -> None:
    assert slots(FULL + "\n$ lspci -v\n" + FULL) == [["00:1c.0"]]


@pytest.mark.parametrize(
    "later", [OFF, DRIVEN, FULL.replace("Port", "Switch"), FULL.replace("Port", "Port (rev 02)")]
)
def test_outputs_that_contradict_each_other_are_two_and_the_last_counts(later: str) -> None:
    text = f"{FULL}\n$ reboot\n{later}"
    assert slots(text) == [["00:1c.0"], ["00:1c.0"]]
    assert parse(text).devices == parse(later).devices


def test_what_was_not_read_is_kept() -> None:
    text = f"{FULL}\tNonsense here\n\n$ lspci -x\n{HEX}"
    dump = parse(text)
    assert [line.line for line in dump.unrecognised] == [3]
    text = f"{HEX}zz nonsense\n{HEX.partition(chr(10))[2]}\n$ lspci -v\n{FULL}"
    assert len(parse(text).unrecognised) + len(parse(text).outside) > 0
