"""The command line: options in, library call, writer out, exit code.

Each command imports what it needs when it runs, so that ``--help`` is quick and a diff loads no more than a diff
needs.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

from lspci_parse.cli import about, check, collect, diagnose, diff, groups, show, topo
from lspci_parse.cli.common import EXIT_SAME, EXIT_TROUBLE, complain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import SupportsWrite


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    if hasattr(signal, "SIGPIPE") and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # A report that was redirected is UTF-8 everywhere; JSON of bytes that are not is ASCII.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    try:
        if sys.stdout is None:
            return complain("standard output is closed")
        try:
            top = parser()
            if not (sys.argv[1:] if argv is None else argv):
                top.print_help()
                return EXIT_SAME
            options = top.parse_args(argv)
            code: int = options.run(options)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        os._exit(130)
    except BrokenPipeError:  # where no signal ends the program: Windows, and threads
        _drop_output()
        return EXIT_TROUBLE
    except OSError as error:
        _drop_output()
        what = error.strerror or str(error)
        return complain(what if error.filename is None else f"{error.filename}: {what}")
    except Exception as error:  # noqa: BLE001 - the last handler: no one is helped by a traceback
        return complain(_unexpected(error))
    return code


def _unexpected(error: Exception) -> str | Exception:
    """Return what to say of an error: all of it if it is ours, else what it is and where to report it."""
    from lspci_parse.errors import LspciError

    if isinstance(error, LspciError):
        return error
    if isinstance(error, RecursionError):
        return "the input is nested too deep"
    if isinstance(error, MemoryError):
        return "there is not enough memory for this input"
    return (
        f"unexpected {type(error).__name__}: {error}; this is a mistake of lspci-parse: "
        f"please report it{_address()} with this line and the command"
    )


def _address() -> str:
    """Return `` at`` and where the installed package takes reports (``project.urls``), if it says so."""
    from importlib import metadata

    try:
        urls = dict(
            url.split(", ", 1) for url in metadata.metadata("lspci-parse").get_all("Project-URL") or ()
        )
    except metadata.PackageNotFoundError:
        return ""
    url = urls.get("Issues") or next(iter(urls.values()), "")
    return f" at {url}" if url else ""


def _drop_output() -> None:
    """Let what can no longer be written go nowhere, so that Python does not try once more when it ends."""
    if sys.stdout is sys.__stdout__ and sys.stdout is not None:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with a call."""

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        """Write the help; unlike argparse's own, tell where that fails."""
        (file or sys.stdout).write(self.format_help())

    def error(self, message: str) -> NoReturn:
        self.exit(complain(f"{message}{_meant(message)} (see '{self.prog} --help')"))


def _meant(message: str) -> str:
    """Return a guess at what a wrong choice was meant to be, from argparse's message."""
    import difflib
    import re

    found = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
    if found is None:
        return ""
    near = difflib.get_close_matches(found[1], re.findall(r"[\w.-]+", found[2]), 1)
    return f"; did you mean {near[0]}?" if near else ""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line; completions and the man page are made from it."""
    top = _Parser(
        prog="lspci-parse",
        description="Read lspci -vvv as a tree, compare two machines, and say what matters.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="""\
examples:
  lspci-parse diff good.txt bad.txt      what differs, and what it means
  lspci-parse show bad.txt               the machine as a tree, with ACS beside its ports
  lspci -vvv | lspci-parse show -        the same, live (as root)
  lspci-parse groups bad.txt             the IOMMU groups that Linux makes of it
  lspci-parse diagnose bad/              what one host alone can tell, with its kernel log

exit codes: 0 no finding, 1 findings, 2 trouble""",
    )
    top.add_argument("-V", "--version", action=about.Version, help="print the version")
    commands = top.add_subparsers(metavar="COMMAND", dest="command", required=True)
    show.add(commands)
    diff.add(commands)
    groups.add(commands)
    check.add(commands)
    topo.add(commands)
    diagnose.add(commands)
    collect.add(commands)
    about.add(commands, parser)
    return top
