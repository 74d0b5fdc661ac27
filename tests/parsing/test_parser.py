"""The doors: parse, parse_all and iter_devices. What the lines say is tested with the grammar."""

from __future__ import annotations

import gzip
import io
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from lspci_parse.errors import LspciError
from lspci_parse.model.address import Address
from lspci_parse.model.dump import Dump
from lspci_parse.model.fields import Line
from lspci_parse.parsing import caches
from lspci_parse.parsing.parser import iter_devices, parse, parse_all
from tests.paths import CORPUS
from tests.texts import ACS_ON, bridge, device

if TYPE_CHECKING:
    from pathlib import Path

SERVER = CORPUS / "hosts" / "server.txt"
EXPECTED = "expected the output of 'lspci -vvv', whose devices begin with an address such as '00:1c.5 '"


def slots(dump: Dump) -> list[str]:
    return [device.slot for device in dump]


def error(text: str | bytes) -> str:
    with pytest.raises(LspciError) as caught:
        parse(text, source="a.txt")
    return str(caught.value)


# ------------------------------------------------------------------------------------------------------- parse


def test_text_and_bytes_say_the_same() -> None:
    data = SERVER.read_bytes()
    assert parse(data) == parse(data.decode())
    assert str(parse(data)) == data.decode()


def test_bytes_that_are_not_utf8_come_back() -> None:
    data = b"\xef\xbb\xbf00:00.0 Host bridge: Ex\xff\xfeample \xe9\r\n\t\xc3\x28\r\n"
    assert str(parse(data)).encode("utf-8", "surrogateescape") == data


def test_utf16() -> None:
    text = SERVER.read_text("utf-8")
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        dump = parse(text.encode(encoding))
        assert dump == parse(text)
        assert str(dump).removeprefix("\ufeff") == text


def test_lines_are_numbered_as_in_the_input() -> None:
    text = "\n# lspci\n" + device("00:00.0", "Strange: ?\n") + device("00:01.0") + "bye\n"
    dump = parse(text, source="a.txt")
    assert dump.source == "a.txt"
    assert dump.lines == (3, 7)
    assert dump.outside == (Line(2, "# lspci"), Line(10, "bye"))
    assert dump.unrecognised == (Line(5, "\tStrange: ?"),)


def test_strict_raises_for_the_first_unknown_line() -> None:
    text = "\n" + device("00:00.0") + device("00:01.0", "Strange: ?\nOther: ?\n")
    assert parse(text).devices
    with pytest.raises(LspciError) as caught:
        parse(text, source="a.txt", strict=True)
    assert str(caught.value) == "a.txt:7:1: no rule knows this line\n  \tStrange: ?\n  ^"


M_LINE = '00:00.0 "Host bridge" "Example" "Device" "" ""'


@pytest.mark.parametrize(
    ("text", "number", "line", "what"),
    [
        ("\nno dump\n", 2, "no dump", "no PCI device found"),
        (
            "-[0000:00]-+-00.0\n           \\-1f.3",
            1,
            "-[0000:00]-+-00.0",
            "this is the bus tree that 'lspci -t' prints",
        ),
        (M_LINE, 1, M_LINE, "this is the machine-readable list that 'lspci -m' prints"),
        (
            "$ lspci\nSlot:\t00:0d.0\n",
            2,
            "Slot:\t00:0d.0",
            "this is the machine-readable list that 'lspci -vm' prints",
        ),
        ("<!DOCTYPE html>\n", 1, "<!DOCTYPE html>", "this is an HTML page, not its text"),
    ],
)
def test_text_that_is_no_dump(text: str, number: int, line: str, what: str) -> None:
    assert error(text) == f"a.txt:{number}:1: {what}; {EXPECTED}\n  {line}\n  ^"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "the input is empty"),
        (b"\xef\xbb\xbf \n\n", "the input is empty"),
        (b"\x7fELF\x02\x01\x01\0\0", "this is a program (ELF)"),
        (b"%PDF-1.7\n", "this is a PDF document"),
        (b"PK\x03\x04\n", "this is a zip archive"),
        (b"\x00\x01\x02\x03", "this is binary data"),
        (gzip.compress(b"x", mtime=0), "this is gzip data, not yet unpacked"),
    ],
)
def test_files_that_are_no_dump(data: bytes, what: str) -> None:
    assert error(data) == f"a.txt: {what}; {EXPECTED}"


def test_the_line_an_error_shows_is_short() -> None:
    assert len(error("x" * 1000)) < 300


# --------------------------------------------------------------------------------------------------- parse_all

PLAIN = "00:00.0 Host bridge: Example Device\n00:01.0 Ethernet controller: Example Device\n"
NUMERIC = "00:00.0 0600: 1234:0001\n00:01.0 0200: 1234:0002\n"
FULL = device("00:00.0") + device("00:01.0", ACS_ON)


def test_several_outputs_in_one_text() -> None:
    text = f"$ lspci\n{PLAIN}$ lspci -n\n{NUMERIC}$ lspci -vvv\n{FULL}$ lspci\n{PLAIN}"
    dumps = parse_all(text, source="a.txt")
    assert [slots(dump) for dump in dumps] == [["00:00.0", "00:01.0"]] * 4
    assert [dump.lines[0] for dump in dumps] == [2, 5, 8, 18]
    assert [str(dump) for dump in dumps] == [text] * 4
    assert dumps[1].devices[0].ids.vendor == "1234"
    assert [line for line, _ in dumps[0].outside] == [1, 4, 7, 17]
    assert parse(text, source="a.txt") == dumps[2]
    assert parse(text).lines == (8, 11)


def test_of_equals_the_first_counts() -> None:
    assert parse(PLAIN + "\n" + PLAIN).lines == (1, 2)


def test_outputs_without_anything_in_between() -> None:
    assert [slots(dump) for dump in parse_all(FULL + FULL)] == [["00:00.0", "00:01.0"]] * 2


def test_devices_asked_for_one_by_one_are_one_dump() -> None:
    text = f"$ lspci -s 1.0\n{device('00:01.0')}$ lspci -s 0.0\n{device('00:00.0')}"
    assert [slots(dump) for dump in parse_all(text)] == [["00:01.0", "00:00.0"]]


def test_an_output_begins_at_the_last_foreign_line_before_an_address_comes_again() -> None:
    more = device("00:00.1") + FULL
    text = FULL + "$ lspci\n" + more
    assert [slots(dump) for dump in parse_all(text)] == [
        ["00:00.0", "00:01.0"],
        ["00:00.1", "00:00.0", "00:01.0"],
    ]


def test_warnings_are_no_end_of_an_output() -> None:
    warning = "pcilib: sysfs_read_vpd: read failed: Input/output error\n"
    text = device("00:00.0") + warning + device("00:01.0")
    assert [slots(dump) for dump in parse_all(text)] == [["00:00.0", "00:01.0"]]


def test_a_domain_is_the_same_machine() -> None:
    assert len(parse_all(PLAIN + PLAIN.replace("00:0", "0000:00:0"))) == 2


def test_paths_in_place_of_addresses() -> None:
    """The bus of ``00:1c.0/00.0`` is known from the bridge in front of it (``-P``)."""
    text = (
        bridge("00:1c.0", 1)
        + bridge("00:1c.0/00.0", 2).replace("primary=00", "primary=01")
        + device("00:1c.0/00.0/01.0")
        + device("00:1d.0")
    )
    expected = [Address(0, 0, 28, 0), Address(0, 1, 0, 0), Address(0, 2, 1, 0), Address(0, 0, 29, 0)]
    assert [device.address for device in parse(text)] == expected
    assert [device.address for device in iter_devices(io.BytesIO(text.encode()))] == expected


def test_paths_that_name_each_bus() -> None:
    dump = parse("00:1c.0 PCI bridge: a\n00:1c.0/01:00.0 PCI bridge: a\n00:1c.0/01:00.0/02:01.0 Display: a\n")
    assert [str(device.address) for device in dump] == ["0000:00:1c.0", "0000:01:00.0", "0000:02:01.0"]


# ------------------------------------------------------------------------------------------------ a cut-off end


@pytest.mark.slow
def test_text_that_ends_inside_a_device() -> None:
    text = SERVER.read_text("utf-8")
    whole = parse(text)
    start = text.index("\n\n", len(text) // 2) + 2
    end = text.index("\n\n", start)
    first = text[:start].count("\n") + 1
    flagged = 0
    for at in range(start, end):
        if text[at] == "\n" or text[at - 1] == "\n":
            continue  # nothing shows that the text is cut between two lines
        dump = parse(text[:at])
        begun = dump.lines[-1] == first
        complete = len(dump) - begun
        assert dump.devices[:complete] == whole.devices[:complete]
        flagged += begun and dump.devices[-1].cut
        assert not any(device.cut for device in dump.devices[:-1])
    assert flagged > 0.93 * (end - start)


def test_an_incomplete_line_is_no_fact() -> None:
    full = device("00:00.0", ACS_ON) + device("00:01.0", ACS_ON)
    end = full.index("ReqRedir+", full.rindex("ACSCap"))
    dump = parse(full[:end].rstrip(" "))
    last = dump.devices[-1]
    assert last.cut
    assert "ACSCap" not in last.capabilities[0]
    assert dump.unrecognised == (Line(10, "\t\tACSCap:\tSrcValid+ TransBlk-"),)
    assert str(dump) == dump.text


def test_a_missing_line_end_is_no_cut() -> None:
    for path in sorted(CORPUS.glob("hosts/*.txt")):
        dump = parse(path.read_bytes())
        stripped = parse(str(dump).rstrip())
        assert stripped == dump
        assert not any(device.cut for device in stripped)


@pytest.mark.parametrize(
    ("end", "cut"),
    [
        ("00:02.0 ", True),
        ("00:02.0 Ethern", True),
        ("00:02.0 Ethernet controller: Exa", True),
        ("00:02.0 Ethernet controller: Example Corporation Device\n\t", True),
        ("00:02.0 Ethernet controller: Example Corporation Device\n\tControl: I/O+ Mem+ BusMas", True),
        ("00:02.0 Ethernet controller: Example Corporation Device\n00: 86 80 ", True),
        ("00:02.0 Ethernet controller: Example Corporation Device\n00: 86 8", True),
        ("00:02.0 Ethernet controller: Example Corporation Device\n00:" + 16 * " 00" + "\n", True),
        ("00:02.0 Ethernet controller: Example Corporation Device\n\tKernel driver in use: example", False),
    ],
)
def test_ends(end: str, cut: bool) -> None:  # noqa: FBT001 - what the table says
    dump = parse(FULL + end)
    assert slots(dump) == ["00:00.0", "00:01.0", "00:02.0"]
    assert [device.cut for device in dump] == [False, False, cut]
    assert [device.cut for device in iter_devices(io.BytesIO((FULL + end).encode()))] == [False, False, cut]


def test_a_device_that_only_its_incomplete_line_shows() -> None:
    """Without the second line the first would be half a line and a warning."""
    dump = parse("00:00.0 Host pcilib: bridge\n\tControl: I/O+ Mem+ Bus")
    assert dump.devices[0].cut
    assert dump.devices[0].name == "bridge"


@pytest.mark.parametrize(
    ("rows", "kept", "strange"),
    [
        (("00: 86 80", "02: 34 12"), "86803412", ()),
        (("00: 86 80", "00: 86 80", "02: 34 12"), "86803412", ()),
        (("00: 86 80", "00: 00 00", "02: 34 12"), "86803412", ("00: 00 00",)),
        (("00: 86 80", "10: 34 12"), "8680", ("10: 34 12",)),
    ],
    ids=["rows", "said twice", "contradicted", "rows are missing"],
)
def test_bytes_of_the_hex_dump_stand_where_their_row_says(
    rows: tuple[str, ...], kept: str, strange: tuple[str, ...]
) -> None:
    found = parse("00:00.0 Host bridge: a\n" + "".join(f"{row}\n" for row in rows))
    assert found.devices[0].config.hex() == kept
    assert tuple(line.text for line in found.unrecognised) == strange


# ------------------------------------------------------------------------------------------------ iter_devices


def test_devices_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = SERVER.read_bytes()
    expected = list(parse(data))
    packed = tmp_path / "server.txt.gz"
    packed.write_bytes(gzip.compress(data))
    assert list(iter_devices(SERVER)) == expected
    assert list(iter_devices(str(packed))) == expected
    assert list(iter_devices(io.BytesIO(data))) == expected
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert list(iter_devices("-")) == expected


def test_devices_of_several_outputs_follow_each_other() -> None:
    assert len(list(iter_devices(io.BytesIO((PLAIN + "\n" + FULL).encode())))) == 4


def test_what_iter_devices_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("nothing here\n")
    with pytest.raises(LspciError, match=r"a\.txt:1:1: no PCI device found"):
        list(iter_devices(path))
    with pytest.raises(LspciError, match="this is a folder"):
        list(iter_devices(tmp_path))


# ------------------------------------------------------------------------------------------------------ caches


def test_caches_are_bounded_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "SIZE", 10)
    parse("".join(device(f"{bus:02x}:00.0", f"Latency: {bus}\n") for bus in range(100)))
    assert 0 < len(caches.devices) <= 10
    assert 0 < len(caches.parts) < 10 + 2 * 4  # what one device adds
    assert 0 < len(caches.registers) <= 10


def test_caches_are_bounded_by_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "TEXT", 10_000)
    parse("".join(device(f"{bus:02x}:00.0", f"Subsystem: {'x' * 1000} {bus}\n") for bus in range(100)))
    assert 0 < sum(map(len, caches.devices)) < 10_000
    assert 0 < sum(map(len, caches.parts)) < 10_000


def test_bodies_are_bounded_like_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "SIZE", 10)
    caches.clear()
    kinds = [0, 1, 2, 3, 3, 3, 3, 3, 3, 3, *range(4, 13)]  # devices are forgotten before bodies are half full
    for bus, kind in enumerate(kinds):
        parse(device(f"{bus:02x}:00.0", f"Latency: {kind}\n"))
    assert 0 < len(caches.bodies) <= 10


def test_threads_may_read_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "TEXT", 20_000)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        texts = [
            "".join(
                device(f"{bus:02x}:00.0", f"Latency: {bus}\n", f"BIST result: {at:02x}\n")
                for bus in range(60)
            )
            for at in range(40)
        ]
        with ThreadPoolExecutor(4) as pool:
            assert [len(dump) for dump in pool.map(parse, texts)] == [60] * len(texts)
    finally:
        sys.setswitchinterval(before)


def test_a_device_that_reads_like_another_takes_its_address_alone() -> None:
    body = device("00:00.0", "Latency: 7\n").partition(" ")[2]
    caches.clear()
    dump = parse(f"00:00.0 {body}0001:17:1f.7 {body}\n\n00:1c.0/02:00.0 {body}")
    assert [str(found.address) for found in dump] == ["0000:00:00.0", "0001:17:1f.7", "0000:02:00.0"]
    assert [found.text.partition(" ")[0] for found in dump] == [found.slot for found in dump]
    assert dump.lines == (1, 1 + body.count("\n"), 3 + 2 * body.count("\n"))
    assert dump.devices[0].registers is dump.devices[1].registers


def test_a_known_body_makes_no_device_of_another_line() -> None:
    body = device("00:00.0", "Latency: 7\n").partition(" ")[2]
    dump = parse(f"00:00.0 {body}")
    assert len(parse(f"00:00.1 {body}")) == len(dump) == 1
    with pytest.raises(LspciError):
        parse(f"foreign {body}")


def test_a_first_line_that_no_rule_knows_is_no_body() -> None:
    lines = [f"00:00.{at} Host bridge: (rev 01)\n\tLatency: 7\n" for at in range(2)]
    dumps = [parse(line) for line in lines]
    assert [dump.unrecognised for dump in dumps] == [((1, line.partition("\n")[0]),) for line in lines]


def test_what_comes_again_is_shared() -> None:
    first, second = parse(FULL), parse(FULL + "\n")
    assert first.devices[0] is second.devices[0]
    assert first.devices[1].capabilities[0] is second.devices[1].capabilities[0]


# -------------------------------------------------------------------------------------------- recorded material


@pytest.mark.slow
def test_every_recorded_dump_comes_back(shared: Path) -> None:
    paths = [
        path
        for name in ("real", "lab", "fuzz")
        for path in sorted(shared.glob(f"{name}/*/*"))
        if path.is_file()
    ]
    dumps = 0
    for path in paths:
        data = path.read_bytes()
        try:
            dump = parse(data)
        except LspciError:
            assert "lspci" not in path.name or path.name == "lspci-t.txt"
            continue
        dumps += 1
        assert str(dump).encode("utf-8", "surrogateescape") == data
        assert not dump.unrecognised
        assert not any(device.cut for device in dump)
    assert dumps > 200
