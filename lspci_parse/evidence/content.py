"""What a file holds: text, or an archive of files; told by its first bytes, whatever its name, and read once."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

from lspci_parse.errors import LspciError
from lspci_parse.parsing.not_a_dump import container
from lspci_parse.parsing.reading import Pieces, chunks, compression, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.evidence.budget import Budget

_HEADER: Final = 512
"""Bytes that tell what a file is: the size of a tar header."""
_MAX_WRAPPED: Final = 3
"""How often data may be compressed: a log packed by its maker, then by a mail program."""


class Content(NamedTuple):
    """The bytes of a file, unpacked.

    Attributes:
        start: the first bytes, 512 if there are as many.
        rest: what follows.
    """

    start: bytes
    rest: Iterator[bytes]

    @property
    def kind(self) -> str | None:
        """What it is if it is no text: ``a tar archive``, ``a PDF document``."""
        return container(self.start)

    def pieces(self) -> Iterator[bytes]:
        """Return all its bytes, piece by piece."""
        return chain([self.start], self.rest)


def content(file: BinaryIO | bytes, name: str, budget: Budget) -> Content:
    """Look at the beginning of a file and unpack it as it is read.

    Args:
        file: an open binary file, which is read once and need not seek; or bytes from an archive.
        name: what errors call it.
        budget: what the host that it belongs to may unpack.

    Raises:
        LspciError: it cannot be read or unpacked, or unpacks to too much.
    """
    outer = _Counted(file, budget) if not isinstance(file, bytes) else Pieces([file])
    pieces = chunks(outer, name)  # type: ignore[arg-type]  # a raw file is a binary file
    for _ in range(_MAX_WRAPPED + 1):
        counted = _counted(pieces, name, budget)
        start = _start(counted)
        if compression(start) is None:
            return Content(start, counted)
        pieces = chunks(Pieces(chain([start], counted)), name)  # type: ignore[arg-type]  # as above
    raise LspciError("compressed again and again; expected a text, or one that is packed once", name)


def text(found: Content, name: str, budget: Budget, limit: int) -> str:
    """Return the text of a file.

    Args:
        found: its content.
        name: what errors call it.
        budget: what the host that it belongs to may hold.
        limit: the size in bytes above which it is refused.

    Raises:
        LspciError: it is no text, or too large.
    """
    if found.kind is not None:
        raise LspciError(f"this is {found.kind}; expected text such as the output of 'lspci -vvv'", name)
    pieces: list[bytes] = []
    size = 0
    for piece in found.pieces():
        size += len(piece)
        if size > limit:
            raise LspciError(f"larger than {limit:,} bytes; expected the output of 'lspci -vvv'", name)
        budget.hold(len(piece), name)
        pieces.append(piece)
    data = b"".join(pieces)
    _refuse_crumbs(data, name)
    return decode(data)


_MANY_LINES: Final = 50_000
_SHORT: Final = 24


def _refuse_crumbs(data: bytes, name: str) -> None:
    """Refuse a text of very many very short lines: each is kept, and would cost many times its size."""
    lines = data.count(b"\n")
    if lines > _MANY_LINES and len(data) < _SHORT * lines:
        raise LspciError(
            f"{lines:,} lines of {len(data) / lines:.0f} bytes each; expected the output of 'lspci -vvv'",
            name,
        )


def _start(pieces: Iterator[bytes]) -> bytes:
    start = b""
    while len(start) < _HEADER:
        piece = next(pieces, None)
        if piece is None:
            break
        start += piece
    return start


def _counted(pieces: Iterator[bytes], name: str, budget: Budget) -> Iterator[bytes]:
    for piece in pieces:
        budget.unpack(len(piece), name)
        yield piece


class _Counted(Pieces):
    """A file of which the budget counts what is read."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        super().__init__(())
        self.file, self.budget = file, budget

    def readinto(self, buffer: Any, /) -> int:
        read = getattr(self.file, "read1", self.file.read)
        data: bytes = read(len(buffer))
        self.budget.taken += len(data)
        buffer[: len(data)] = data
        return len(data)
