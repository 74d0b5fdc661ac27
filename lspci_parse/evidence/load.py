"""A host: its dump and whatever else is known of it, from a file, a folder or a sosreport."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from lspci_parse.errors import LspciError
from lspci_parse.evidence.budget import MAX_HELD, Budget
from lspci_parse.evidence.bug_report import in_text
from lspci_parse.evidence.cmdline import parse_cmdline
from lspci_parse.evidence.content import content
from lspci_parse.evidence.content import text as text_of
from lspci_parse.evidence.dmi import parse_dmi
from lspci_parse.evidence.file_names import PATTERNS, Role
from lspci_parse.evidence.files import TAR, ZIP, Files, in_archive, in_folder
from lspci_parse.evidence.group_listing import parse_groups
from lspci_parse.evidence.host import Host
from lspci_parse.evidence.live import runs
from lspci_parse.evidence.log import Log, of_another_host, parse_log
from lspci_parse.evidence.os_names import parse_os_names
from lspci_parse.evidence.saved import saved_dump
from lspci_parse.evidence.source import from_machine
from lspci_parse.model.dump import Dump
from lspci_parse.parsing.joining import joined, newest
from lspci_parse.parsing.parser import parse_all, refuse_unread
from lspci_parse.parsing.reading import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


MAX_LOG: Final = 512 << 20
"""Bytes of the largest log that is read, unpacked."""
MAX_SMALL: Final = 16 << 20
"""Bytes of the largest other file beside the dump."""

Evidence = TypeVar("Evidence")


def load(path: str | os.PathLike[str], *, strict: bool = False, log_alone: bool = False) -> Host:
    """Read a host.

    Args:
        path: a file with a dump (``-`` is standard input; compressed files are unpacked); a folder with a dump
            and other evidence in files named as ``names.PATTERNS`` lists; a sosreport, unpacked or as its tar
            archive; ``live`` for this machine (a file of that name is ``./live``), ``ssh:USER@HOST`` for another one
            (``live.gathered``).
        strict: raise for the first line of the dump that no rule knows.
        log_alone: a kernel log without a dump is a host, too; its dump has no devices.

    Raises:
        LspciError: there is no dump (and no log, with ``log_alone``), or it cannot be read or understood. Other
            evidence that cannot be read is left out, and ``Host.notes`` says so.
    """
    name = os.fspath(path)
    if runs(name):
        budget = Budget()
        return _Gathering(name, from_machine(name, budget), budget).host(strict=strict, log_alone=log_alone)
    name, number = _numbered(name)
    if name != "-" and _is_folder(name):
        return _Gathering(name, in_folder(Path(name))).host(strict=strict, log_alone=log_alone)
    budget = Budget()
    with opened(name) as file:
        found = content(file, name, budget)
        if found.kind in {TAR, ZIP}:
            gathering = _Gathering(name, in_archive(found, name, budget), budget)
            return gathering.host(strict=strict, log_alone=log_alone)
        text = text_of(found, name, budget, MAX_HELD)
    if log_alone:
        try:
            return _single(name, text, number, strict=strict)
        except LspciError:
            log = parse_log(text, source=name)
            if not log.facts:
                raise
            gathering = _Gathering(name, Files({}))
            gathering.used["log"] = name
            return gathering.assembled(Dump((), source=name), log)
    return _single(name, text, number, strict=strict)


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):  # opening it will say why
        return False


def _numbered(name: str) -> tuple[str, int | None]:
    """Split ``FILE#2`` into the file and the number of the output in it, unless there is a file of that name."""
    found = re.fullmatch(r"(.+)#(\d{1,6})", name, re.DOTALL)
    if found is None or os.path.lexists(name):
        return name, None
    return found[1], int(found[2])


_LOG_LINE: Final = re.compile(
    r"Linux version \d|DMAR: |AMD-Vi: |o iommu group \d|iommu: Adding device|probe of [\da-f]{4}:"
)


def _single(name: str, text: str, number: int | None, *, strict: bool) -> Host:
    """Return the host of one file; a bug report may hold the kernel log beside the dump."""
    gathering = _Gathering(name, Files({}))
    saved = saved_dump(text, name)
    if saved is not None:
        gathering.used["dump"] = name
        return gathering.assembled(saved, None)
    dump = gathering.parsed(text, name, number, strict=strict)
    gathering.used["dump"] = name
    log = None
    around = [line.text for line in dump.outside]
    if any(map(_LOG_LINE.search, around)):
        log = parse_log(text, source=name)
        gathering.used["log"] = name
    host = gathering.assembled(dump, log)
    found = in_text([line for line in around if _LOG_LINE.search(line) is None])
    return host._replace(
        cmdline=host.cmdline or found.cmdline,
        kernel=host.kernel or found.kernel,
        groups=host.groups or found.groups,
        files={**host.files, **dict.fromkeys(found.roles, name)},
    )


class _Gathering:
    """Takes the best file of each kind, and remembers which it took and what it left out."""

    def __init__(self, source: str, files: Files, budget: Budget | None = None) -> None:
        self.source = source
        self.budget = budget or Budget()
        self.by_role = files.by_role
        self.notes = list(files.notes)
        self.used: dict[Role, str] = {}

    def host(self, *, strict: bool, log_alone: bool = False) -> Host:
        """Return the host that the files make.

        Raises:
            LspciError: there is no dump among them, or none that can be read; with ``log_alone`` no log either.
        """
        if log_alone and not self.by_role.get("dump"):
            log = self._log()
            if log is not None:
                return self.assembled(Dump((), source=self.source), log)
        dump = self._dump(strict=strict)
        return self.assembled(dump, self._log())

    def assembled(self, dump: Dump, log: Log | None) -> Host:
        """Return the host of a dump and a log with the small files that are there."""
        foreign = log is not None and of_another_host(log, dump)
        own = None if foreign else log
        if foreign:
            self.notes.append(f"{self.used['log']} is another machine's log: it names other devices")
        cmdline = self._first("cmdline", lambda text, _: parse_cmdline(text))
        kernel = self._first("kernel", lambda text, _: _release(text))
        dmi = self._first("dmi", lambda text, _: parse_dmi(text))
        return Host(
            self.source,
            dump,
            log=log,
            cmdline=cmdline or (own.cmdline if own else None),
            groups=self._first("groups", lambda text, name: parse_groups(text, source=name)),
            kernel=kernel or (own.kernel.release if own and own.kernel else None),
            dmi=dmi or (own.dmi if own else None),
            files=dict(self.used),
            notes=tuple(self.notes),
            foreign_log=foreign,
            os_names=self._first("names", lambda text, name: parse_os_names(text, source=name)) or {},
        )

    def parsed(self, text: str, name: str, number: int | None = None, *, strict: bool) -> Dump:
        """Return the dump of a text: its outputs together, as far as they complete each other.

        Args:
            text: the text.
            name: what errors call it.
            number: which of several hosts or times to take, from 1; by default the newest.
            strict: raise for a line that no rule knows.

        Raises:
            LspciError: as ``parse``; or there are fewer hosts than ``number``.
        """
        dumps = joined(parse_all(text, source=name))
        if number is not None:
            if not 0 < number <= len(dumps):
                raise LspciError(
                    f"there is no output {number} in it; expected a number from 1 to {len(dumps)}", name
                )
            dump = dumps[number - 1]
        else:
            dump = newest(dumps)
            if len(dumps) > 1:
                self.notes.append(
                    f"{name} shows {len(dumps)} hosts or times; taken is the newest, from line {dump.lines[0]} on "
                    f"({name}#1 is the first)"
                )
        if strict:
            refuse_unread(dump)
        return dump

    def _texts(self, role: Role, limit: int) -> Iterator[tuple[str, str]]:
        """Yield name and text of the files of one kind, without those that cannot be read."""
        for file in self.by_role.get(role, ()):
            try:
                yield file.shown, file.text(limit, self.budget)
            except LspciError as error:
                self.notes.append(f"{file.shown} was left out: {error.message}")

    def _first(self, role: Role, read: Callable[[str, str], Evidence | None]) -> Evidence | None:
        for name, text in self._texts(role, MAX_SMALL):
            try:
                found = read(text, name)
            except LspciError as error:
                self.notes.append(f"{name} was left out: {error.message}")
                continue
            if found is not None:
                self.used[role] = name
                return found
        return None

    def _dump(self, *, strict: bool) -> Dump:
        texts = dict(self._texts("dump", MAX_HELD))
        refused: LspciError | None = None
        for name in _ranked(texts):
            try:
                dump = self.parsed(texts[name], name, strict=False)
            except LspciError as error:
                refused = refused or error
                continue
            self.used["dump"] = name
            if strict:
                refuse_unread(dump)
            return dump
        if refused is not None:
            raise refused
        reasons = "; ".join(self.notes) or "there is none"
        looked = ", ".join(PATTERNS["dump"])
        raise LspciError(f"no lspci output in it; expected a file named {looked} ({reasons})", self.source)

    def _log(self) -> Log | None:
        """Return the preferred log that has its beginning, else the preferred one that says anything."""
        best: Log | None = None
        for name, text in self._texts("log", MAX_LOG):
            log = parse_log(text, source=name)
            if log.facts and (best is None or log.complete):
                best = log
                self.used["log"] = name
            if log.complete:
                break
        return best


_IDS: Final = re.compile(
    r"^(?>.*?\[[0-9a-f]{4}\]: ).*\[[0-9a-f]{4}:[0-9a-f]{4}\]|^\S+ [0-9a-f]{4}: [0-9a-f]{4}:", re.MULTILINE
)
_HEX: Final = re.compile(r"^[0-9a-f]{2,3}: [0-9a-f]{2} [0-9a-f]{2} ", re.MULTILINE)


def _ranked(texts: Mapping[str, str]) -> list[str]:
    """Return the names of dumps, the one that says most first: details first, then ids, then bytes.

    Details are counted in steps of 5 %: two runs of lspci differ in a few lines, and ids are worth more.
    """
    if len(texts) < 2:
        return list(texts)
    details = {name: text.count("\n\t\t") for name, text in texts.items()}
    most = max(details.values()) or 1

    def worth(name: str) -> tuple[int, bool, bool, int]:
        text = texts[name]
        step = round(20 * details[name] / most)
        return step, _IDS.search(text) is not None, _HEX.search(text) is not None, len(text)

    return sorted(texts, key=worth, reverse=True)


def _release(text: str) -> str | None:
    """Return the kernel's release from the output of ``uname -r`` or ``uname -a``."""
    words = text.split()
    if len(words) > 2 and words[0] == "Linux":
        return words[2]
    return words[0] if len(words) == 1 else None
