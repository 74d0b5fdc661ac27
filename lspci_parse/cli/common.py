"""What several commands share."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from lspci_parse.errors import LspciError
    from lspci_parse.evidence.host import Host
    from lspci_parse.findings.report import Comparison

EXIT_SAME: Final = 0
"""No finding (at or above ``--fail-on``)."""
EXIT_FINDINGS: Final = 1
"""Findings."""
EXIT_TROUBLE: Final = 2
"""Input that cannot be used, or a wrong call."""
EXIT_CANNOT_TELL: Final = 3
"""Nothing failed, and the input does not show all that was asked about (``check``)."""

Commands: TypeAlias = "argparse._SubParsersAction[Any]"  # noqa: SLF001 - argparse has no public name for it

HOST: Final = (
    "a dump, a folder with one, or a sosreport; - is standard input, live this machine, ssh:USER@HOST another"
)


def command(commands: Commands, name: str, summary: str, epilog: str = "") -> argparse.ArgumentParser:
    """Add a command; its summary is its help in the list of commands, and its description."""
    added: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return added


def add_host(parser: argparse.ArgumentParser) -> None:
    """Add the HOST of a command for one host; left out, it is this machine."""
    parser.add_argument("host", metavar="HOST", nargs="?", default="live", help=f"{HOST} (default: live)")


def add_hosts(parser: argparse.ArgumentParser) -> None:
    """Add the HOSTs of a command for one host or several; left out, it is this machine."""
    parser.add_argument(
        "hosts", metavar="HOST", nargs="*", help=f"{HOST} (default: live); several are told in turn"
    )


def add_colour(parser: argparse.ArgumentParser) -> None:
    """Add ``--color``."""
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colours on a terminal"
    )


def add_depth(parser: argparse.ArgumentParser) -> None:
    """Add ``--explain`` and ``--all``."""
    parser.add_argument("--explain", action="store_true", help="every finding with why and what to try")
    parser.add_argument("--all", action="store_true", help="that, and every fact that differs")


def print_report(comparison: Comparison, options: argparse.Namespace) -> None:
    """Write a report for people: its first screen, or as much as was asked for."""
    width = shutil.get_terminal_size((80, 24)).columns
    painted = colour(options.color)
    if options.all or options.explain:
        from lspci_parse.render.text.report import text

        print(text(comparison, colour=painted, width=width, everything=options.all))
    else:
        from lspci_parse.render.text.overview import overview

        print(overview(comparison, colour=painted, width=width))


def colour(choice: str) -> bool:
    """Whether to write colours: on a terminal, or as NO_COLOR (no-color.org) and FORCE_COLOR (force-color.org) say."""
    if choice == "auto":
        if os.environ.get("NO_COLOR"):
            return False
        return bool(os.environ.get("FORCE_COLOR")) or (
            sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        )
    return choice == "always"


def load(path: str, *, strict: bool = False, log_alone: bool = False) -> Host:
    """Read a host; tell what of its files was not used."""
    from lspci_parse.evidence.load import load as load_host

    host = load_host(path, strict=strict, log_alone=log_alone)
    for note in host.notes:
        complain(f"note: {note}")
    return host


def complain(about: str | Exception) -> int:
    """Tell something on standard error, printable, on one line but for an error's own; return ``EXIT_TROUBLE``."""
    from lspci_parse.errors import LspciError
    from lspci_parse.render.escape import printable

    text = str(_shown(about)) if isinstance(about, LspciError) else printable(str(about))
    # Without a standard error ``print`` would take standard output.
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(f"lspci-parse: {text}", file=sys.stderr, flush=True)
    return EXIT_TROUBLE


def _shown(error: LspciError) -> LspciError:
    """Return an error whose parts are printable; its caret stays below its character."""
    from lspci_parse.errors import LspciError
    from lspci_parse.render.escape import printable

    def safe(line: str) -> str:
        return "\t".join(map(printable, line.split("\t")))

    source = None if error.source is None else printable(str(error.source))
    if error.context is None:
        return LspciError(printable(error.message), source, error.line, error.column)
    column = None if error.column is None else len(safe(error.context[: error.column - 1])) + 1
    return LspciError(printable(error.message), source, error.line, column, safe(error.context))


def print_json(document: object) -> None:
    """Write a JSON document."""
    import json

    print(json.dumps(document, indent=2))
