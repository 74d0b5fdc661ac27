"""The command line: options in, library call, writer out, exit code.

Each command imports what it needs when it runs, so that ``--help`` is quick and a diff loads no more than a diff
needs.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

from lspci_parse.cli import about, check, collect, diagnose, diff, groups, show
from lspci_parse.cli.common import EXIT_TROUBLE

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    if hasattr(signal, "SIGPIPE") and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # Names may hold bytes that are not UTF-8; they go out as they came in.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    options = parser().parse_args(argv)

    from lspci_parse.errors import LspciError

    try:
        code: int = options.run(options)
    except LspciError as error:
        print(f"lspci-parse: {error}", file=sys.stderr)
        return EXIT_TROUBLE
    except KeyboardInterrupt:
        os._exit(130)
    return code


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with a call."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_TROUBLE, f"lspci-parse: {message} (see '{self.prog} --help')\n")


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
    top.add_argument("--version", action=about.Version, help="print the version")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    show.add(commands)
    diff.add(commands)
    groups.add(commands)
    check.add(commands)
    diagnose.add(commands)
    collect.add(commands)
    about.add(commands, parser)
    return top
