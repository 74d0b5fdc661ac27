"""Files from tar and zip archives: only what is needed, nothing ever written to disk."""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lspci_parse.errors import LspciError
from lspci_parse.evidence.budget import MAX_UNPACKED
from lspci_parse.parsing.reading import CHUNK, Pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lspci_parse.evidence.budget import Budget

MAX_MEMBER: Final = 256 << 20
"""Bytes of one file that is read from an archive."""
_MAX_GLOBALS: Final = 16
"""Global headers of an archive: their entries are kept to its end."""
_MAX_ENDS: Final = 8
"""How often tarfile may ask for more at the end of the data: it does so once for each block that it passes over."""
_MAX_NAME: Final = 1 << 16
_NAME_HEADERS: Final = (
    tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE,
)  # fmt: skip


_ZIP_ERRORS: Final = (
    zipfile.BadZipFile, zlib.error, ValueError, EOFError, OverflowError, RuntimeError, KeyError, OSError
)  # fmt: skip
"""What zipfile raises for a damaged archive; NotImplementedError and RecursionError are RuntimeErrors."""


class Member(NamedTuple):
    """A file of an archive."""

    name: str
    data: bytes


class Contents(NamedTuple):
    """What was read from an archive.

    Attributes:
        members: the wanted files, in the order of the archive.
        links: wanted names that are links or devices.
        large: wanted names of files that are too large.
    """

    members: tuple[Member, ...]
    links: tuple[str, ...]
    large: tuple[str, ...]


def read_tar(data: Iterable[bytes], name: str, wanted: Callable[[str], bool], budget: Budget) -> Contents:
    """Read the wanted files of a tar archive, as a stream.

    Links, device nodes, sparse files and files above ``MAX_MEMBER`` are left out, and named where they are wanted.

    Args:
        data: the archive's bytes, unpacked, piece by piece.
        name: what errors call the archive.
        wanted: tells from a member's name, without ``./`` in front, whether to read it.
        budget: what the host may hold.

    Raises:
        LspciError: the archive is damaged, or a member's name is absolute or holds ``..``; or it holds too much.
    """
    found = _Found([], [], [])
    try:
        with tarfile.open(fileobj=_Stream(data), mode="r|", tarinfo=_Header) as archive:
            for info in archive:
                vars(archive)["members"] = []  # tarfile would keep the header of each
                _take(archive, info, _checked(info.name, name), found, wanted, budget)
    except (
        tarfile.TarError,
        ValueError,
        EOFError,
        OverflowError,
        RecursionError,
        KeyError,
        OSError,
    ) as error:
        if isinstance(error, LspciError):
            raise
        raise LspciError(f"the archive is damaged ({error}); expected a complete tar file", name) from error
    return found.contents()


def _take(  # noqa: PLR0913 - all that reading one file needs
    archive: tarfile.TarFile,
    info: tarfile.TarInfo,
    member: str,
    found: _Found,
    wanted: Callable[[str], bool],
    budget: Budget,
) -> None:
    if info.isdir() or not wanted(member):
        return
    if not info.isreg() or getattr(info, "sparse_file", False):
        found.links.append(member)
    elif info.size > MAX_MEMBER:
        found.large.append(member)
    else:
        budget.hold(info.size, member)
        file = archive.extractfile(info)
        found.members.append(Member(member, file.read() if file else b""))


def read_zip(data: bytes, name: str, wanted: Callable[[str], bool], budget: Budget) -> Contents:
    """Read the wanted files of a zip archive.

    Args:
        data: the whole archive: its directory stands at its end.
        name: what errors call the archive.
        wanted: as ``read_tar``.
        budget: what the host may unpack and hold.

    Raises:
        LspciError: as ``read_tar``; or a wanted file is encrypted.
    """
    found = _Found([], [], [])
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                member = _checked(info.filename, name)
                if info.is_dir() or not wanted(member):
                    continue
                if info.file_size > MAX_MEMBER:
                    found.large.append(member)
                else:
                    found.members.append(Member(member, _unzipped(archive, info, name, budget)))
    except _ZIP_ERRORS as error:
        if isinstance(error, LspciError):
            raise
        raise LspciError(f"the archive is damaged ({error}); expected a complete zip file", name) from error
    return found.contents()


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, budget: Budget) -> bytes:
    pieces: list[bytes] = []
    with archive.open(info) as file:
        while piece := file.read(CHUNK):
            budget.unpack(len(piece), name)
            budget.hold(len(piece), name)
            pieces.append(piece)
    return b"".join(pieces)


class _Stream(Pieces):
    """The archive as a stream that does not pass over what is not there."""

    ends = 0

    def readinto(self, buffer: Any, /) -> int:
        size = super().readinto(buffer)
        self.ends += not size
        if self.ends > _MAX_ENDS:
            raise EOFError("it ends too early")
        return size


class _Found(NamedTuple):
    members: list[Member]
    links: list[str]
    large: list[str]

    def contents(self) -> Contents:
        return Contents(tuple(self.members), tuple(self.links), tuple(self.large))


def _checked(member: str, archive: str) -> str:
    parts = member.split("/")
    if member.startswith("/") or ".." in parts:
        shown = member.encode("unicode_escape", "backslashreplace").decode()[:100]
        raise LspciError(
            f"a member is named '{shown}'; expected names inside the archive's own folder", archive
        )
    return "/".join(part for part in parts if part not in ("", "."))


class _Header(tarfile.TarInfo):
    """A header that lets no archive fill the memory or run without end.

    The methods are hooks that tarfile offers to subclasses; such headers are read whole before anyone sees them.
    """

    sparse_file = False
    """The file's holes are not stored; such a file is no text."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _NAME_HEADERS and self.size > _MAX_NAME:
            raise tarfile.ReadError("a name is too long")
        if self.type == tarfile.XGLTYPE:
            seen = vars(archive)["global_headers"] = vars(archive).get("global_headers", 0) + 1
            if seen > _MAX_GLOBALS:
                raise tarfile.ReadError("too many global headers")
        found: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]
        if not 0 <= found.size <= MAX_UNPACKED:
            raise tarfile.ReadError(f"a member of {found.size:,} bytes")
        return found

    def _proc_sparse(self, archive: Any) -> tarfile.TarInfo:
        """Pass over an old GNU sparse header, which may go on without end, and over the data."""
        _, goes_on, _ = self._sparse_structs  # type: ignore[attr-defined]
        for _ in range(_MAX_NAME):
            if not goes_on:
                break
            goes_on = bool(archive.fileobj.read(tarfile.BLOCKSIZE)[504:505].strip(b"\0"))
        else:
            raise tarfile.ReadError("a sparse file has too many holes")
        self.sparse_file = True
        self.offset_data = archive.fileobj.tell()
        archive.offset = self.offset_data + self._block(self.size)  # type: ignore[attr-defined]
        return self

    def _proc_gnusparse_00(self, following: Any, *_: object) -> None:
        following.sparse_file = True

    def _proc_gnusparse_01(self, following: Any, *_: object) -> None:
        following.sparse_file = True

    def _proc_gnusparse_10(self, following: Any, *_: object) -> None:
        following.sparse_file = True
