"""What several commands share."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from lspci_parse.evidence.host import Host

EXIT_SAME: Final = 0
"""No finding (at or above ``--fail-on``)."""
EXIT_FINDINGS: Final = 1
"""Findings."""
EXIT_TROUBLE: Final = 2
"""Input that cannot be used, or a wrong call."""

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


def add_colour(parser: argparse.ArgumentParser) -> None:
    """Add ``--color``."""
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colours on a terminal"
    )


def colour(choice: str) -> bool:
    """Whether to write colours: on a terminal, unless NO_COLOR says otherwise (no-color.org)."""
    if choice == "auto":
        return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return choice == "always"


def load(path: str, *, strict: bool = False) -> Host:
    """Read a host; tell what of its files was not used."""
    from lspci_parse.evidence.load import load as load_host

    host = load_host(path, strict=strict)
    for note in host.notes:
        print(f"lspci-parse: note: {note}", file=sys.stderr)
    return host


def print_json(document: object) -> None:
    """Write a JSON document."""
    import json

    print(json.dumps(document, indent=2))
