"""``lspci-parse diff``, and ``render`` for reports that were saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.cli.common import HOST, Commands, command, load
from lspci_parse.cli.reports import add_format, add_selection, add_steering, emit, filtered, troubled

if TYPE_CHECKING:
    import argparse

_DIFF_EXAMPLES = """\
examples:
  lspci-parse diff good.txt bad.txt
  lspci-parse diff good/ bad/ --all                  every fact that differs
  lspci-parse diff a.txt b.txt --only acs-lost
  lspci-parse diff a.txt b.txt --ignore '02:00.0/exp/*' --ignore device-new
  lspci-parse diff a.txt b.txt --json >report.json

exit codes: 0 no finding, 1 findings at or above --fail-on, 2 trouble"""


def add(commands: Commands) -> None:
    """Add the commands."""
    diff = command(commands, "diff", "compare two hosts: what differs, and what it means", _DIFF_EXAMPLES)
    diff.add_argument("a", metavar="A", help=f"the host to compare with, usually the healthy one: {HOST}")
    diff.add_argument("b", metavar="B", help="the host in question, likewise")
    add_format(diff)
    add_selection(diff)
    diff.add_argument("--match", choices=("topology", "address"), default="topology",
                      help="how devices are paired: by place (default), or by address alone")  # fmt: skip
    add_steering(diff)
    diff.set_defaults(run=troubled(_diff))

    render = command(commands, "render", "write a saved JSON report in another format")
    render.add_argument("report", metavar="REPORT.json", help="what 'diff --json' wrote; - is standard input")
    add_format(render, pages=False)
    add_steering(render)
    render.set_defaults(run=troubled(_render))


def _diff(options: argparse.Namespace) -> int:
    from lspci_parse.comparison import matching
    from lspci_parse.findings.engine import diff

    how = matching.by_address if options.match == "address" else matching.by_topology
    a, b = load(options.a), load(options.b)
    comparison = diff(a, b, matching=how)
    if options.slot is not None or options.ids is not None:
        from lspci_parse.findings.filters import about
        from lspci_parse.lspci.selection import chosen

        wanted = [chosen(host.dump, options.slot, options.ids) for host in (a, b)]
        comparison = about(comparison, *wanted)
    return emit([filtered(comparison, options)], options, hosts=[(a, b)])


def _render(options: argparse.Namespace) -> int:
    import json

    from lspci_parse.errors import LspciError
    from lspci_parse.parsing.reading import read
    from lspci_parse.serialization.report import report_from_json

    source = read(options.report)
    try:
        comparison = report_from_json(json.loads(source.data, parse_constant=_no_number))
    except (ValueError, RecursionError) as error:
        if isinstance(error, LspciError):
            raise error.located(options.report) from error
        raise LspciError(
            f"this is no JSON: {error}; expected what 'diff --json' wrote", options.report
        ) from error
    return emit([filtered(comparison, options)], options)


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
