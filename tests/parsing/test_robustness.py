"""Whatever the bytes: only LspciError escapes, nothing is lost, and time and memory stay in bounds.

``HYPOTHESIS_PROFILE=long pytest tests/parsing/test_robustness.py`` tries many more texts than the suite does.
"""

from __future__ import annotations

import io
import os
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lspci_parse.errors import LspciError
from lspci_parse.model.dump import Dump
from lspci_parse.parsing import caches, reading
from lspci_parse.parsing.parser import iter_devices, parse, parse_all
from tests.paths import CORPUS
from tests.texts import device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

settings.register_profile(
    "suite", max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
settings.register_profile("long", settings.get_profile("suite"), max_examples=20_000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

SEEDS = [
    (CORPUS / name).read_bytes()
    for name in (
        "hosts/vvvxxxx.txt",
        "hosts/mixed-stderr.txt",
        "hosts/spaces.txt",
        "hosts/mail-quoted.txt",
        "hosts/crlf.txt",
        "hosts/plain.txt",
        "hosts/cxl.txt",
        "hosts/v.txt",
    )
]
WORDS = [
    b"\n", b"\r\n", b"\t", b"\t\t", b" ", b"        ", b"> ", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80",
    b"00:1f.0 ", b"00:00.0/01.0 ISA bridge: a\n", b"ffffffff:ff:1f.7 a: b\n", b"0000", b"9" * 5000, b"Capabilities: [",
    b"\tCapabilities: <access denied>\n", b"pcilib: a\n", b"lspci: b\n", b"+ ", b"- ", b"(rev ff)", b"[size=", b"<chain looped>",
    b"40: 00 00\n", b"\xe2\x80\xa8", b"\x1b[0m", b"\x0c",
]  # fmt: skip


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """Return a piece of a dump of which parts were cut out, repeated, swapped, changed or put in."""
    data = draw(st.sampled_from(SEEDS))
    start = draw(st.integers(0, len(data) - 1))
    data = data[start : start + draw(st.integers(1, 6000))]
    for _ in range(draw(st.integers(0, 8))):
        cuts = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 3)))
        one, two = data[cuts[0] : cuts[1]], data[cuts[1] : cuts[2]]
        middle = {
            "cut": two,
            "repeat": one * draw(st.integers(1, 4)) + two,
            "swap": two + one,
            "word": one + draw(st.sampled_from(WORDS)) + two,
            "bytes": one + draw(st.binary(max_size=8)) + two,
            "change": bytes(byte ^ draw(st.integers(0, 255)) for byte in one[:4]) + one[4:] + two,
        }[draw(st.sampled_from(["cut", "repeat", "swap", "word", "bytes", "change"]))]
        data = data[: cuts[0]] + middle + data[cuts[2] :]
    return data


def check(data: bytes) -> None:
    """Hold what is read from ``data`` to the laws."""
    try:
        dumps = parse_all(data)
    except LspciError:
        with pytest.raises(LspciError):
            list(iter_devices(io.BytesIO(data)))
        return
    text = reading.decode(data)
    lines = text.count("\n") + 1
    for dump in dumps:
        assert isinstance(dump, Dump)
        assert str(dump) == text
        assert list(dump.lines) == sorted(dump.lines)
        numbers = [line for line, _ in (*dump.unrecognised, *dump.outside)]
        assert all(1 <= number <= lines for number in (*dump.lines, *numbers))
        assert not any(device.cut for device in dump.devices[:-1])
    assert str(parse(data)) == text
    if "\0" not in text[:8]:
        assert text.encode("utf-8", "surrogateescape") == data or data[:2] in (b"\xff\xfe", b"\xfe\xff")


@given(mangled())
def test_mangled_dumps(data: bytes) -> None:
    check(data)


@given(st.binary(max_size=300))
def test_bytes(data: bytes) -> None:
    check(data)


@given(mangled(), st.integers(4, 3000))
def test_how_a_text_arrives_does_not_matter(data: bytes, size: int) -> None:
    whole = devices(data)
    with patch.object(reading, "CHUNK", size):
        assert devices(data) == whole


def devices(data: bytes) -> list[str]:
    try:
        return [repr(device) for device in iter_devices(io.BytesIO(data))]
    except LspciError as error:
        return [error.message]


@given(mangled())
def test_what_is_remembered_does_not_matter(data: bytes) -> None:
    first = devices(data)
    caches.clear()
    assert devices(data) == first


# ------------------------------------------------------------------------------------------------------- scale


class Endless(io.RawIOBase):
    """A file that makes its content as it is read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self.parts = parts
        self.rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self.rest = self.rest or next(self.parts, b"")
        count = min(len(self.rest), len(buffer))
        buffer[:count], self.rest = self.rest[:count], self.rest[count:]
        return count


def number_of_devices(parts: Iterator[bytes]) -> int:
    return len([None for _ in iter_devices(cast("BinaryIO", Endless(parts)))])


def peak_of(function: Callable[[], int]) -> tuple[int, int]:
    """Return what a function returns, and the most bytes that it held."""
    caches.clear()
    tracemalloc.start()
    try:
        result = function()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_devices_stream_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "SIZE", 300)
    monkeypatch.setattr(reading, "CHUNK", 100_000)

    def parts(count: int) -> Iterator[bytes]:
        for number in range(count):
            slot = f"{number >> 16:04x}:{number >> 8 & 255:02x}:{number >> 3 & 31:02x}.{number & 7}"
            yield device(slot, f"Latency: {number}\n", *["Kernel modules: a\n"] * 10).encode()

    few, little = peak_of(lambda: number_of_devices(parts(500)))
    many, much = peak_of(lambda: number_of_devices(parts(2000)))
    assert (few, many) == (500, 2000)
    assert much < 1.5 * little


@pytest.mark.slow
@pytest.mark.parametrize(
    "part",
    [b"x" * 8000, bytes(8000), b"no dump\n" * 1000, b"> \n" * 2700, b"\t\t\tA+\n" * 1200, b"\r" * 8000],
    ids=["one line", "zeros", "other text", "quoted", "one device", "carriage returns"],
)
def test_what_is_no_dump_streams_in_bounded_memory(part: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lspci_parse.parsing.segments.MAX_PIECE", 20_000)
    monkeypatch.setattr(reading, "CHUNK", 8_000)
    head = b"00:00.0 Host bridge: a\n"
    one, little = peak_of(lambda: number_of_devices(iter([head, *[part] * 10])))
    same, much = peak_of(lambda: number_of_devices(iter([head, *[part] * 30])))
    assert (one, same) == (1, 1)
    assert much < 1.2 * little


LINES = [
    "00:00.0 Host bridge: {}",
    "00:00.0 {}: a",
    "00:00.0 Host bridge: a (prog-if 00 [{}])",
    "\tControl: {}",
    "\t{}",
    "\tCapabilities: [40] {}",
    "\tCapabilities: [40] Express (v2) Endpoint, MSI 00\n\t\tDevCap:\t{}",
    "\tCapabilities: [40] Express (v2) Endpoint, MSI 00\n\t\tNew: {}",
    "\tCapabilities: [40] Vital Product Data\n\t\tProduct Name: {}",
    "{}",
    "> 00:00.0 Host bridge: {}",
    "        {}",
    "pcilib: {}",
    "\tpcilib: {}\nA",
]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(
    "filling",
    ["x", " ", "\t", "A+ ", "a=1 ", "a: ", "0", "(", "[a] ", "(rev 00) ", "/01.0", "\r", "pcilib: "],
)
def test_a_very_long_line(line: str, filling: str) -> None:
    """An expression that backtracks over 300,000 characters would not end."""
    text = "00:00.0 Host bridge: a\n" + line.format(filling * (300_000 // len(filling))) + "\n"
    assert str(parse(text)) == text


@pytest.mark.slow
@pytest.mark.parametrize(
    "lines",
    [
        "\tControl: I/O+\n",
        "\tControl: I/O+\nMem+\n",
        "\t\t\tMem+\n",
        "\n\tControl: I/O+\n",
        "\t\t\t\n",
        "foreign\n\t\tA+\n",
        "\tCapabilities: [40] Null\n",
        "\tpcilib: a\n",
        "00:00.0 a\n",
        "pcilib: a\n00:00.0 a: b\n",
        "        Control: I/O+\n",
        "40: 00 00\n",
        "> 00:00.0 a: b\n",
    ],
)
def test_work_grows_with_the_number_of_lines_and_no_faster(lines: str) -> None:
    """Work is counted in lines of Python run, which is the same on every machine; twice the text is three at most.

    Both texts are longer than what is read as one register: below that, a line may cost no line of Python at all.
    """

    def work(count: int) -> int:
        text = "00:00.0 Host bridge: a\n\tCapabilities: [40] Null\n\t\tA: B+\n" + lines * count
        steps = 0

        def step(_frame: FrameType, event: str, _arg: object) -> Any:
            nonlocal steps
            steps += event == "line"
            return step

        caches.clear()
        before = sys.gettrace()
        sys.settrace(step)
        try:
            assert str(parse(text)) == text
        finally:
            sys.settrace(before)
        return steps

    work(1)  # what is made ready once
    assert work(8000) < 3 * work(4000)
