"""The files of a HOST, whatever it is: a file, a folder, an archive, a machine that runs."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from lspci_parse.errors import LspciError
from lspci_parse.evidence.budget import MAX_HELD, Budget
from lspci_parse.evidence.content import content
from lspci_parse.evidence.content import text as text_of
from lspci_parse.evidence.files import TAR, ZIP, Files, in_archive, in_folder
from lspci_parse.evidence.live import gathered, runs
from lspci_parse.evidence.redact import Redactor, host_names
from lspci_parse.parsing.reading import opened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lspci_parse.evidence.file_names import Role

Texts = dict["Role", list[tuple[str, str]]]


def from_machine(host: str, budget: Budget) -> Files:
    """Return the evidence of a machine that runs (``live``, ``ssh:USER@HOST``).

    Raises:
        LspciError: it cannot be asked.
    """
    with gathered(host) as found, opened(str(found.archive)) as file:
        sent = content(file, host, budget)
        if sent.kind != TAR:
            raise LspciError("it sent something else than the script writes; is its login shell quiet?", host)
        files = in_archive(sent, host, budget)
    return files._replace(notes=(*found.notes, *files.notes))


def redacted(host: str, key: bytes | None = None) -> Mapping[str, str]:
    """Return the evidence of a HOST by file names, with stand-ins for what is private (``redact.Redactor``).

    Args:
        host: as ``load`` takes it.
        key: texts redacted with one key have the same stand-ins; a new key if none is given.

    Raises:
        LspciError: it cannot be read.
    """
    texts = _texts(host)
    every = [text for found in texts.values() for _, text in found]
    names = host_names(every)
    redactor = Redactor(key or secrets.token_bytes(), names)
    result: dict[str, str] = {}
    for role, found in texts.items():
        for name, text in found:
            if not text.lstrip().startswith("<"):  # hwloc's XML is full of what is private
                result[name] = redactor.text(text, role)
    if set(texts) == {"dump"}:
        # A text alone may hold a log and a command line beside the dump.
        result = {name: redactor.text(text, "log") for name, text in result.items()}
    return result


def _texts(host: str) -> Texts:
    budget = Budget()
    if runs(host):
        files = from_machine(host, budget)
    elif host != "-" and Path(host).is_dir():
        files = in_folder(Path(host))
    else:
        with opened(host) as file:
            found = content(file, host, budget)
            if found.kind not in {TAR, ZIP}:
                return {"dump": [("lspci.txt", text_of(found, host, budget, MAX_HELD))]}
            files = in_archive(found, host, budget)
    texts: Texts = {}
    for role, these in files.by_role.items():
        for one in these:
            name = one.shown.removeprefix(f"{host}:").rpartition("/")[2]
            texts.setdefault(role, []).append((name, one.text(MAX_HELD, budget)))
    return texts
