"""The files of a folder, a sosreport or an archive that are evidence, best first."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final, NamedTuple

from lspci_parse.errors import LspciError
from lspci_parse.evidence.content import Content, content, text
from lspci_parse.evidence.file_names import PATTERNS, Role, role
from lspci_parse.parsing.reading import opened

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lspci_parse.evidence.budget import Budget


TAR: Final = "a tar archive"
ZIP: Final = "a zip archive"
"""What ``Content.kind`` calls the archives that are read."""


class File(NamedTuple):
    """A file of a folder or an archive.

    Attributes:
        shown: what messages call it.
        source: its bytes as they are in the archive, or the path to read them from.
    """

    shown: str
    source: bytes | Path

    def text(self, limit: int, budget: Budget) -> str:
        """Return the file's text, unpacked.

        Raises:
            LspciError: it cannot be read or unpacked, is no text, or is larger than ``limit`` bytes.
        """
        if isinstance(self.source, bytes):
            return text(content(self.source, self.shown, budget), self.shown, budget, limit)
        with opened(str(self.source)) as file:
            return text(content(file, self.shown, budget), self.shown, budget, limit)


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

    Links that lead out of the folder, pipes and devices are left out, and so is a folder inside it that may not be
    read; the notes say so.

    Raises:
        LspciError: the folder itself cannot be read.
    """
    notes: list[str] = []
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise LspciError(
            f"{(error.strerror or str(error)).lower()}; expected a folder that can be read", str(folder)
        ) from error
    inner = [entry for entry in entries if _is_folder(entry / "sos_commands")]
    if len(inner) == 1 and not _is_folder(folder / "sos_commands"):
        folder = inner[0]
    found: list[tuple[str, File]] = []
    root = os.path.realpath(folder)
    for place in sorted(
        {pattern.rpartition("/")[0] for patterns in PATTERNS.values() for pattern in patterns}
    ):
        for path in _entries(folder / place, notes):
            name = path.relative_to(folder).as_posix()
            if role(name) is None or _is_folder(path):
                continue
            reason = _unusable(path, root)
            if reason:
                notes.append(f"{path} was left out: {reason}")
            else:
                found.append((name, File(str(path), path)))
    return _sorted(found)._replace(notes=tuple(notes))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # inside a folder that may not be entered
        return False


def _entries(folder: Path, notes: list[str]) -> list[Path]:
    try:
        return sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        notes.append(f"{folder} was left out: {(error.strerror or str(error)).lower()}")
        return []


def _unusable(path: Path, root: str) -> str | None:
    """Return why a file of a folder is not read, or ``None`` if it is a plain file inside it."""
    try:
        if path.is_symlink() and not os.path.realpath(path).startswith(f"{root}{os.sep}"):
            return "it is a link that leads out of the folder"
        return None if stat.S_ISREG(path.stat().st_mode) else "it is a pipe or a device, not a file"
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError
        return (getattr(error, "strerror", None) or str(error)).lower()


def in_archive(found: Content, name: str, budget: Budget) -> Files:
    """Find evidence in a tar or zip archive, with or without one folder around everything.

    Raises:
        LspciError: as ``read_tar`` and ``read_zip``.
    """
    from lspci_parse.evidence.archive import read_tar, read_zip  # noqa: PLC0415 - only an archive needs tarfile

    def wanted(member: str) -> bool:
        return role(_inside(member)) is not None

    if found.kind == TAR:
        contents = read_tar(found.pieces(), name, wanted, budget)
    else:
        data = b"".join(found.pieces())
        budget.hold(len(data), name)
        contents = read_zip(data, name, wanted, budget)
    files = _sorted(
        (_inside(member), File(f"{name}:{member}", content)) for member, content in contents.members
    )
    notes = [f"{name}:{member} was left out: it is too large" for member in contents.large]
    for member in contents.links:
        # A sosreport's links lead to files that are in it, too.
        what = role(_inside(member))
        if what is not None and what[0] not in files.by_role:
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
