"""Bytes from files, standard input and compressed files; text from bytes."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import sys
import zlib
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, cast

from lspci_parse.errors import LspciError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MAX_SIZE: Final = 2 << 30
"""Bytes that ``read`` and ``unpack`` return at most, and that compressed data may unpack to."""

CHUNK: Final = 1 << 17
"""Bytes that are read, unpacked and decoded at a time."""

_MAGIC: Final = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}

_ZSTD_WINDOW: Final = 27
"""The largest window, as a power of two, that the zstd command accepts when it is not asked to take more memory."""

_EXPECTED: Final = "expected the output of 'lspci -vvv'"

_MIN_UTF16: Final = 4
_BOMS: Final = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class Source(NamedTuple):
    """What messages call an input, and its bytes, unpacked."""

    name: str
    data: bytes


class Pieces(io.RawIOBase):
    """A binary file over the pieces of one; it closes nothing.

    Args:
        data: the bytes, piece by piece; pieces may be empty.
    """

    def __init__(self, data: Iterable[bytes]) -> None:
        self._data: Iterator[bytes] = iter(data)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer as far as one piece goes; return how much, 0 at the end."""
        while not self._rest:
            piece = next(self._data, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def read(path: str | os.PathLike[str], *, limit: int = MAX_SIZE) -> Source:
    """Read a file, or standard input for ``-``, and unpack it if it is compressed.

    Args:
        path: a plain file, or one compressed with gzip, bzip2, xz or zstd: its first bytes tell, not its name.
        limit: the size in bytes, unpacked, above which the input is refused.

    Raises:
        LspciError: there is no such file, it cannot be read or unpacked, or it is larger than ``limit``.
    """
    name = os.fspath(path)
    with opened(name) as file:
        return Source(name, unpack(file, name, limit=limit))


def unpack(data: bytes | BinaryIO, name: str, *, limit: int = MAX_SIZE) -> bytes:
    """Return the bytes of ``data``, unpacked if it is compressed with gzip, bzip2, xz or zstd.

    Compressed data is unpacked twice, first to learn its size: what is too large costs no memory.

    Args:
        data: bytes, or an open binary file.
        name: what errors call it.
        limit: the size in bytes, unpacked, above which the input is refused.

    Raises:
        LspciError: ``data`` cannot be read or unpacked, or is larger than ``limit``.
    """
    if not isinstance(data, bytes):
        with _errors(name):
            data = data.read(limit + 1)
    if len(data) > limit:
        raise LspciError(f"larger than {limit:,} bytes; {_EXPECTED}", name)
    if compression(data) is None:
        return data
    for _ in chunks(io.BytesIO(data), name, limit=limit):
        pass
    return b"".join(chunks(io.BytesIO(data), name, limit=limit))


def compression(data: bytes) -> str | None:
    """Return what ``data`` is compressed with (``gzip``, ``bzip2``, ``xz``, ``zstd``), told by its first bytes."""
    return next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), None)


def chunks(
    file: str | os.PathLike[str] | BinaryIO, name: str | None = None, *, limit: int = MAX_SIZE
) -> Iterator[bytes]:
    """Yield the bytes of a file piece by piece, unpacked if it is compressed, in bounded memory.

    Args:
        file: a path, ``-`` for standard input, or an open binary file, which stays open.
        name: what errors call it; by default its path.
        limit: how many bytes compressed data may unpack to. A plain file may be of any size.

    Raises:
        LspciError: the file cannot be read or unpacked, or unpacks to more than ``limit``.
    """
    if isinstance(file, (str, os.PathLike)):
        path = os.fspath(file)
        with opened(path) as source:
            yield from chunks(source, name or path, limit=limit)
        return
    buffered = io.BufferedReader(cast("Any", file), CHUNK)  # any binary file will do, not raw ones alone
    kind: str | None = None
    unpacked = 0
    try:
        with _errors(name):
            kind = compression(buffered.peek(6))
        with _errors(name, kind):
            for chunk in _READERS[kind](buffered):
                unpacked += len(chunk)
                if kind and unpacked > limit:
                    raise LspciError(
                        f"the {kind} data unpacks to more than {limit:,} bytes; {_EXPECTED}", name
                    )
                yield chunk
    finally:
        with suppress(ValueError):  # an unfinished reader is collected after its file was closed
            buffered.detach()


def decode(data: bytes) -> str:
    """Return the text of ``data``: UTF-8, or UTF-16 where a byte-order mark or its zero bytes show it.

    Bytes that are not UTF-8 are kept (``surrogateescape``); what is not UTF-16 becomes U+FFFD. A byte-order
    mark stays in the text as U+FEFF, so that encoding the text gives back the bytes.
    """
    return "".join(decoded([data]))


def decoded(data: Iterable[bytes]) -> Iterator[str]:
    """Yield the text of the pieces of one input, as ``decode`` would read them together."""
    decoder: codecs.IncrementalDecoder | None = None
    for chunk in filter(None, data):
        if decoder is None:
            encoding = _encoding(chunk)
            errors = "surrogateescape" if encoding == "utf-8" else "replace"
            decoder = codecs.getincrementaldecoder(encoding)(errors)
        yield decoder.decode(chunk)
    if decoder is not None:
        yield decoder.decode(b"", final=True)


def _encoding(start: bytes) -> str:
    for bom, encoding in _BOMS:
        if start.startswith(bom):
            return encoding
    even, odd = start[::2].count(0), start[1::2].count(0)
    if len(start) >= _MIN_UTF16 and max(even, odd) > max(len(start) // 4, 8 * min(even, odd)):
        return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8"


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """Open a file, or standard input for ``-``, which stays open.

    What can be read only once, a pipe or a named one, is opened once: whoever looks at its beginning goes on with
    the same handle.

    Raises:
        LspciError: there is no such file, or it cannot be read.
    """
    if name == "-":
        if sys.stdin is None:
            raise LspciError("standard input is closed; expected a text in it", name)
        # Standard input has no bytes where a program has put a text file in its place.
        yield getattr(sys.stdin, "buffer", None) or io.BytesIO(
            sys.stdin.read().encode("utf-8", "surrogateescape")
        )
        return
    with _errors(name):
        try:
            file = Path(name).open("rb")  # noqa: SIM115 - closed below, outside the errors of opening it
        except ValueError as error:  # it holds a zero byte
            raise LspciError("no file can have this name; expected a file", name) from error
    with file:
        yield file


@contextmanager
def _errors(name: str | None, kind: str | None = None) -> Iterator[None]:
    """Raise what reading and unpacking raise as an error of the input ``name``."""
    try:
        yield
    except FileNotFoundError as error:
        raise LspciError(f"no such file; {_EXPECTED}, or - for standard input", name) from error
    except IsADirectoryError as error:
        raise LspciError("this is a folder; expected a file", name) from error
    except EOFError as error:
        raise LspciError(f"the {kind} data ends too early; expected a complete file", name) from error
    except LspciError as error:
        raise error.located(name) if name else error from error.__cause__
    except (OSError, zlib.error, lzma.LZMAError, MemoryError) as error:
        if isinstance(error, OSError) and error.strerror:
            raise LspciError(f"{error.strerror.lower()}; expected a file that can be read", name) from error
        if isinstance(error, MemoryError):
            raise LspciError(
                "there is too little memory to read it; expected a smaller file", name
            ) from error
        raise LspciError(f"the {kind} data is damaged ({error}); expected a complete file", name) from error


def _plain(file: Any) -> Iterator[bytes]:
    return iter(lambda: file.read(CHUNK), b"")


def _zstd(file: BinaryIO) -> Iterator[bytes]:
    """Unpack zstd with the standard library (Python 3.14 and newer) or with its backport."""
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd  # noqa: PLC0415 - few inputs need it
        else:
            from backports import zstd  # noqa: PLC0415 - an optional package
    except ImportError as error:
        raise LspciError(
            "this is zstd data; expected the package backports.zstd to read it: pip install 'lspci-parse[zstd]'"
        ) from error
    try:
        with zstd.ZstdFile(
            file, options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
        ) as unpacked:
            yield from _plain(unpacked)
    except zstd.ZstdError as error:
        raise OSError(str(error)) from error


_READERS: Final[dict[str | None, Callable[[Any], Iterator[bytes]]]] = {
    None: _plain,
    "gzip": lambda file: _plain(gzip.GzipFile(fileobj=file)),
    "bzip2": lambda file: _plain(bz2.BZ2File(file)),
    "xz": lambda file: _plain(lzma.LZMAFile(file)),  # noqa: SIM115 - the file below it is closed elsewhere
    "zstd": _zstd,
}
