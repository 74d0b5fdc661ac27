"""``lspci-parse collect`` and ``redact``: what one host gathers, and what may be shown of it to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.cli.common import EXIT_SAME, HOST, Commands, command

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

_COLLECT = """\
example, on the host in question:
  lspci-parse collect >collect.sh; sudo sh collect.sh"""
_REDACT = """\
examples:
  lspci-parse redact host.txt >public.txt
  lspci-parse redact good/ bad/ -o public       public/1 and public/2 compare as good and bad do

Read the result before you publish it: what no rule knows stays."""


def add(commands: Commands) -> None:
    """Add the commands."""
    collect = command(
        commands, "collect", "print a shell script that gathers a folder on a live host", _COLLECT
    )
    collect.set_defaults(run=_collect)

    redact = command(
        commands,
        "redact",
        "replace serial numbers, addresses and names by stand-ins, to show to others",
        _REDACT,
    )
    redact.add_argument("hosts", metavar="HOST", nargs="+", help=HOST)
    redact.add_argument("-o", metavar="DIR", dest="folder", help="a new folder for the files")
    redact.add_argument(
        "--key", metavar="TEXT", help="the same key makes the same stand-ins (default: a new one)"
    )
    redact.set_defaults(run=_redact)


def _collect(_: argparse.Namespace) -> int:
    from lspci_parse.evidence.collect import script

    print(script(), end="")
    return EXIT_SAME


def _redact(options: argparse.Namespace) -> int:
    import secrets

    from lspci_parse.errors import LspciError
    from lspci_parse.evidence.source import redacted

    key = options.key.encode("utf-8", "surrogateescape") if options.key else secrets.token_bytes()
    hosts = [redacted(host, key) for host in options.hosts]
    if options.folder is not None:
        for number, files in enumerate(hosts, 1):
            _write(options.folder, str(number) if len(hosts) > 1 else ".", files)
        return EXIT_SAME
    if len(hosts) > 1 or len(hosts[0]) > 1:
        raise LspciError("several files cannot go to standard output; expected -o DIR", options.hosts[0])
    print("".join(hosts[0].values()), end="")
    return EXIT_SAME


def _write(folder: str, part: str, files: Mapping[str, str]) -> None:
    from pathlib import Path

    from lspci_parse.errors import LspciError

    place = Path(folder, part)
    try:
        place.mkdir(parents=part != ".", mode=0o700)
        for name, text in files.items():
            # The files' own names; nothing is overwritten, no link is followed.
            with (place / Path(name).name).open(
                "x", encoding="utf-8", errors="surrogateescape", newline=""
            ) as file:
                file.write(text)
    except OSError as error:
        raise LspciError(f"{error.strerror}; expected a new folder for the files", str(place)) from error
