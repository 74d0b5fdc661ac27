"""Files from a tar archive: read as a stream, only what is needed, nothing ever written to disk."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Final, NamedTuple

from lspci_parse.errors import LspciError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MAX_MEMBER: Final = 256 << 20
"""Bytes of one file that is read from an archive."""
MAX_KEPT: Final = 1 << 30
"""Bytes of all files that are read from one archive."""
_MAX_NAME: Final = 1 << 16
_NAME_HEADERS: Final = (
    tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE,
)  # fmt: skip


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


def read_archive(data: Iterable[bytes], name: str, wanted: Callable[[str], bool]) -> Contents:
    """Read the wanted files of a tar archive.

    Links, device nodes and files above ``MAX_MEMBER`` are left out, and named where they are wanted.

    Args:
        data: the archive's bytes, unpacked, piece by piece.
        name: what errors call the archive.
        wanted: tells from a member's name, without ``./`` in front, whether to read it.

    Raises:
        LspciError: the archive is damaged, or a member's name is absolute or holds ``..``.
    """
    members: list[Member] = []
    links: list[str] = []
    large: list[str] = []
    kept = 0
    try:
        with tarfile.open(fileobj=_Stream(data), mode="r|", tarinfo=_Header) as archive:  # type: ignore[call-overload]
            for info in archive:
                member = _checked(info.name, name)
                if info.isdir() or not wanted(member):
                    continue
                if not info.isreg():
                    links.append(member)
                    continue
                if info.size > min(MAX_MEMBER, MAX_KEPT - kept):
                    large.append(member)
                    continue
                file = archive.extractfile(info)
                members.append(Member(member, file.read() if file else b""))
                kept += info.size
    except (tarfile.TarError, ValueError, EOFError, OverflowError, RecursionError) as error:
        if isinstance(error, LspciError):
            raise
        raise LspciError(f"the archive is damaged ({error}); expected a complete tar file", name) from error
    return Contents(tuple(members), tuple(links), tuple(large))


def _checked(member: str, archive: str) -> str:
    parts = member.split("/")
    if member.startswith("/") or ".." in parts:
        shown = member.encode("unicode_escape", "backslashreplace").decode()[:100]
        raise LspciError(
            f"a member is named '{shown}'; expected names inside the archive's own folder", archive
        )
    return "/".join(part for part in parts if part not in ("", "."))


class _Header(tarfile.TarInfo):
    """A header that does not let the archive's long names fill the memory."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        # The hook that tarfile offers to subclasses; such headers are read whole before anyone sees them.
        if self.type in _NAME_HEADERS and self.size > _MAX_NAME:
            raise tarfile.ReadError("a name is too long")
        found: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]
        return found


class _Stream:
    """The file object over pieces of bytes that tarfile reads a stream from."""

    def __init__(self, data: Iterable[bytes]) -> None:
        self._data: Iterator[bytes] = iter(data)
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, none at the end."""
        while not self._rest:
            chunk = next(self._data, None)
            if chunk is None:
                return b""
            self._rest = memoryview(chunk)
        found, self._rest = self._rest[:size], self._rest[size:]
        return found.tobytes()
