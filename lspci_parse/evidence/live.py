"""A machine that runs: gathered by the script of ``collect``, here or over ssh, into a file that goes again."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, NamedTuple

from lspci_parse.errors import LspciError
from lspci_parse.evidence.collect import TO_STDOUT, script

if TYPE_CHECKING:
    from collections.abc import Iterator

LIVE: Final = "live"
"""The HOST that is this machine."""
SSH: Final = "ssh:"
"""What begins a HOST that is another machine: ``ssh:USER@HOST``."""
MAX_SENT: Final = 1 << 30
"""Bytes that another machine may send."""
_PIECE: Final = 1 << 20
# A user may have a domain behind it ("user@realm@host"); ssh itself splits at the last @.
_NAME: Final = re.compile(
    r"(?!-)(?:[^\s@'\"`$\\;&|<>(){}*?!~-][^\s@'\"`$\\;&|<>(){}*?!~]*@)*(?!-)[\w.:%\[\]-]+"
)


class Gathered(NamedTuple):
    """The tar archive with the evidence, and what the script could not get."""

    archive: Path
    notes: tuple[str, ...]


def runs(host: str) -> bool:
    """Whether a HOST is a machine that runs, and not a file: ``live`` or ``ssh:...``."""
    return host == LIVE or host.startswith(SSH)


@contextmanager
def gathered(host: str) -> Iterator[Gathered]:
    """Gather the evidence of ``live`` or ``ssh:USER@HOST`` into a temporary tar archive.

    On the other machine the same script runs under its ``sh``; nothing is installed there and nothing left behind. The
    system's ``ssh`` asks for passwords on the terminal if it must.

    Raises:
        LspciError: this is not Linux; the name cannot be that of a host; ssh or the script failed.
    """
    words = ["sh", "-s", "--", TO_STDOUT] if host == LIVE else ssh_command(host)
    if host == LIVE and not sys.platform.startswith("linux"):
        raise LspciError("only Linux can be asked itself; expected a file (see 'lspci-parse collect')", host)
    with TemporaryDirectory(prefix="lspci-parse-") as folder:
        archive = Path(folder, "host.tar")
        yield Gathered(archive, _run(words, archive, host))


def ssh_command(host: str) -> list[str]:
    """Return the command that runs the script, which is its input, on ``ssh:USER@HOST``.

    Raises:
        LspciError: the name is empty, holds blanks or what a shell would read, or user or host begin with ``-``.
    """
    name = host.removeprefix(SSH)
    if not _NAME.fullmatch(name) or not name.isprintable():
        shown = name[:60].encode("unicode_escape", "backslashreplace").decode()
        raise LspciError(f"'{shown}' cannot be a host; expected ssh:HOST or ssh:USER@HOST", "ssh")
    return ["ssh", "-T", "--", name, f"exec sh -s -- {TO_STDOUT}"]


def _run(words: list[str], archive: Path, host: str) -> tuple[str, ...]:
    """Run the script with its output in a file, and return what it complained of."""
    complaints, written = archive.with_name("complaints"), archive.with_name("collect.sh")
    try:
        # From a file: a program that ends before it has read all must not end this one with SIGPIPE.
        written.write_text(script(), "utf-8")
        with archive.open("wb") as file, complaints.open("wb") as errors, written.open("rb") as lines:
            process = subprocess.Popen(  # noqa: S603 - the words are checked, no shell reads them here
                words, stdin=lines, stdout=subprocess.PIPE, stderr=errors
            )
            with process:
                assert process.stdout is not None  # noqa: S101 - it is a pipe
                while piece := process.stdout.read(_PIECE):
                    file.write(piece)
                    if file.tell() > MAX_SENT:
                        process.kill()
                        raise LspciError(f"it sends more than {MAX_SENT >> 20} MB", host)
    except FileNotFoundError as error:
        raise LspciError(f"there is no program '{words[0]}' here", host) from error
    except OSError as error:
        raise LspciError(f"{error.strerror}; what it sends must be kept in a temporary file", host) from error
    with complaints.open("rb") as file:
        said = [line for line in file.read(1 << 16).decode("utf-8", "replace").splitlines() if line.strip()]
    if process.returncode:
        reason = "; ".join(line.strip() for line in said[-3:]) or f"it ended with {process.returncode}"
        raise LspciError(f"could not be asked: {reason}", host)
    return tuple(f"{host}: {line[9:]}" for line in said if line.startswith("collect: "))
