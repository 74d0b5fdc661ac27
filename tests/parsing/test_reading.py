from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lspci_parse.errors import LspciError
from lspci_parse.parsing import reading
from lspci_parse.parsing.reading import Source

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable

    Pack = Callable[[bytes], bytes]

TEXT = b"00:00.0 Host bridge: Example Corporation Device\n" * 1000
PACKERS: dict[str, Pack] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
}

packed = pytest.mark.parametrize(("kind", "pack"), PACKERS.items(), ids=PACKERS)


def error(function: Callable[..., object], *args: Any, **options: Any) -> str:
    with pytest.raises(LspciError) as caught:
        function(*args, **options)
    return str(caught.value)


def test_plain_file(tmp_path: Path) -> None:
    path = tmp_path / "good.txt"
    path.write_bytes(TEXT)
    assert reading.read(path) == Source(str(path), TEXT)


@packed
def test_content_decides_and_not_the_name(kind: str, pack: Pack, tmp_path: Path) -> None:
    path = tmp_path / "good.txt"
    path.write_bytes(pack(TEXT))
    assert reading.read(path).data == TEXT
    assert reading.compression(pack(TEXT)) == kind
    assert reading.compression(TEXT) is None


@packed
def test_compressed_files_may_be_joined(kind: str, pack: Pack) -> None:
    assert reading.unpack(pack(TEXT) + pack(b"more"), kind) == TEXT + b"more"


@packed
def test_data_that_ends_too_early(kind: str, pack: Pack) -> None:
    data = pack(TEXT)
    for end in (len(data) - 1, len(data) // 2, 7):
        expected = f"good.gz: the {kind} data ends too early; expected a complete file"
        assert error(reading.unpack, data[:end], "good.gz") == expected


@packed
def test_damaged_data(kind: str, pack: Pack) -> None:
    data = bytearray(pack(os.urandom(5000).hex().encode()))
    for at in range(200, len(data), 7):
        data[at] ^= 0xFF
    message = error(reading.unpack, bytes(data), "good.gz")
    assert message.startswith(f"good.gz: the {kind} data is damaged (")
    assert message.endswith("); expected a complete file")


@pytest.mark.slow
@packed
def test_what_unpacks_to_too_much_costs_no_memory(kind: str, pack: Pack) -> None:
    data = pack(bytes(40_000_000))
    tracemalloc.start()
    message = error(reading.unpack, data, "bomb", limit=30_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert message == (
        f"bomb: the {kind} data unpacks to more than 30,000,000 bytes; expected the output of 'lspci -vvv'"
    )
    assert peak < 20_000_000
    assert len(reading.unpack(data, "bomb", limit=40_000_000)) == 40_000_000


def test_a_plain_file_has_a_limit_too(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT)
    assert error(reading.read, path, limit=100) == (
        f"{path}: larger than 100 bytes; expected the output of 'lspci -vvv'"
    )
    assert reading.read(path, limit=len(TEXT)).data == TEXT


def test_an_endless_file_is_refused() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("there is no /dev/zero")
    assert "larger than 1,000,000 bytes" in error(reading.read, "/dev/zero", limit=1_000_000)


def test_missing_file() -> None:
    assert error(reading.read, "no/such.txt") == (
        "no/such.txt: no such file; expected the output of 'lspci -vvv', or - for standard input"
    )


def test_folder(tmp_path: Path) -> None:
    assert error(reading.read, tmp_path) == f"{tmp_path}: this is a folder; expected a file"


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    path = tmp_path / "a.txt"
    assert error(reading.read, path) == f"{path}: permission denied; expected a file that can be read"


def test_name_with_a_zero_byte() -> None:
    assert error(reading.read, "a\0b") == "a\0b: no file can have this name; expected a file"


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python unpacks zstd itself")
def test_zstd_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "backports.zstd", None)
    monkeypatch.delattr("backports.zstd")
    assert error(reading.unpack, PACKERS["zstd"](TEXT), "good.zst") == (
        "good.zst: this is zstd data; expected the package backports.zstd to read it: pip install 'lspci-parse[zstd]'"
    )


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (TEXT, gzip.compress(TEXT)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert reading.read("-") == Source("-", TEXT)
        assert not sys.stdin.closed
    monkeypatch.setattr(sys, "stdin", io.StringIO(TEXT.decode()))
    assert reading.read("-") == Source("-", TEXT)


@pytest.mark.slow
@pytest.mark.parametrize("pack", [bytes, *PACKERS.values()])
def test_open_files_are_read_in_pieces_and_stay_open(pack: Pack) -> None:
    data = os.urandom(1_000_000).hex().encode()
    file = io.BytesIO(pack(data))
    pieces = list(reading.chunks(file, "a"))
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) <= 1 << 20
    assert not file.closed
    assert reading.unpack(io.BytesIO(pack(TEXT)), "a") == TEXT


@packed
def test_pieces_of_too_much(kind: str, pack: Pack) -> None:
    def read() -> int:
        return sum(map(len, reading.chunks(io.BytesIO(pack(TEXT)), "a", limit=10)))

    assert (
        error(read)
        == f"a: the {kind} data unpacks to more than 10 bytes; expected the output of 'lspci -vvv'"
    )


LINE = "00:1f.0 ISA bridge: Exämple 名前 \U0001f600\n"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (LINE.encode(), LINE),
        (b"\xef\xbb\xbf" + LINE.encode(), "\ufeff" + LINE),
        (("\ufeff" + LINE).encode("utf-16-le"), "\ufeff" + LINE),
        (("\ufeff" + LINE).encode("utf-16-be"), "\ufeff" + LINE),
        (LINE.encode("utf-16-le"), LINE),
        (LINE.encode("utf-16-be"), LINE),
        (b"a\xff\xfe\x80b", "a\udcff\udcfe\udc80b"),
        (b"a\0b", "a\0b"),
        (b"00:00.0 a" + bytes(100), "00:00.0 a" + "\0" * 100),
        (b"", ""),
        (("\ufeff" + LINE).encode("utf-16-le") + b"x", "\ufeff" + LINE + "\ufffd"),
    ],
)
def test_text_of_bytes(data: bytes, text: str) -> None:
    assert reading.decode(data) == text
    assert "".join(reading.decoded([data[:4], *(data[at : at + 1] for at in range(4, len(data)))])) == text


def test_bytes_that_are_not_utf8_come_back() -> None:
    data = bytes(range(1, 256)) * 3
    assert reading.decode(data).encode("utf-8", "surrogateescape") == data
