"""``lspci-parse diagnose``: what one host alone can tell of its trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.cli.common import (
    EXIT_FINDINGS,
    EXIT_SAME,
    Commands,
    add_colour,
    add_depth,
    add_host,
    command,
    load,
    print_json,
    print_report,
)

if TYPE_CHECKING:
    import argparse


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(commands, "diagnose", "tell what one host alone can tell of its trouble")
    add_host(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_depth(parser)
    add_colour(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from lspci_parse.findings.engine import diagnose

    found = diagnose(load(options.host, log_alone=True))
    if options.json:
        from lspci_parse.serialization.report import report_to_json

        print_json(report_to_json(found))
    else:
        print_report(found, options)
    bad = any(finding.severity != "info" for finding in found.findings)
    return EXIT_FINDINGS if bad else EXIT_SAME
