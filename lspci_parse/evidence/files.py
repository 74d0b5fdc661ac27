"""The files of a folder, a sosreport or an archive that are evidence, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lspci_parse.errors import LspciError
from lspci_parse.evidence.file_names import PATTERNS, Role, role
from lspci_parse.parsing.reading import decode, read, unpack

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class File(NamedTuple):
    """A file of a folder or an archive.

    Attributes:
        shown: what messages call it.
        content: its bytes as they are in the archive, or the path to read them from.
    """

    shown: str
    content: bytes | Path

    def text(self, limit: int) -> str:
        """Return the file's text, unpacked.

        Raises:
            LspciError: it cannot be read or unpacked, or is larger than ``limit`` bytes.
        """
        if isinstance(self.content, bytes):
            return decode(unpack(self.content, self.shown, limit=limit))
        return decode(read(self.content, limit=limit).data)


class Files(NamedTuple):
    """The evidence found.

    Attributes:
        by_role: the files by what they hold, the preferred first.
        notes: what was wanted and left out.
    """

    by_role: dict[Role, list[File]]
    notes: tuple[str, ...] = ()


def in_folder(folder: Path) -> Files:
    """Find evidence in a folder, or in an unpacked sosreport or the folder around it.

    Raises:
        LspciError: the folder cannot be read.
    """
    try:
        inner = [entry for entry in folder.iterdir() if (entry / "sos_commands").is_dir()]
        if len(inner) == 1 and not (folder / "sos_commands").is_dir():
            folder = inner[0]
        found = []
        for place in {pattern.rpartition("/")[0] for patterns in PATTERNS.values() for pattern in patterns}:
            inside = folder / place
            found += [path for path in inside.iterdir() if path.is_file()] if inside.is_dir() else []
    except OSError as error:
        raise LspciError(f"{error.strerror}; expected a folder that can be read", str(folder)) from error
    return _sorted((path.relative_to(folder).as_posix(), File(str(path), path)) for path in found)


def in_archive(data: Iterable[bytes], name: str) -> Files:
    """Find evidence in a tar archive, with or without one folder around everything.

    Raises:
        LspciError: as ``read_archive``.
    """
    from lspci_parse.evidence.archive import read_archive  # noqa: PLC0415 - tarfile, which only an archive needs

    contents = read_archive(data, name, lambda member: role(_inside(member)) is not None)
    files = _sorted(
        (_inside(member), File(f"{name}:{member}", content)) for member, content in contents.members
    )
    notes = [f"{name}:{member} was left out: it is too large" for member in contents.large]
    for member in contents.links:
        # A sosreport's links lead to files that are in it, too.
        found = role(_inside(member))
        if found is not None and found[0] not in files.by_role:
            notes.append(f"{name}:{member} was left out: it is a link or a device, not a file")
    return files._replace(notes=tuple(notes))


def _inside(member: str) -> str:
    """Return a member's name without the folder around everything."""
    return member.partition("/")[2] if role(member) is None else member


def _sorted(files: Iterable[tuple[str, File]]) -> Files:
    known = [(found, name, file) for name, file in files if (found := role(name))]
    by_role: dict[Role, list[File]] = {}
    for (what, _), _, file in sorted(known, key=lambda item: (item[0][1], item[1])):
        by_role.setdefault(what, []).append(file)
    return Files(by_role)
