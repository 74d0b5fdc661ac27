"""``lspci-parse diff``, and ``render`` for reports that were saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.cli.common import (
    EXIT_FINDINGS,
    EXIT_SAME,
    HOST,
    Commands,
    add_colour,
    add_depth,
    command,
    load,
    print_json,
    print_report,
)

if TYPE_CHECKING:
    import argparse

    from lspci_parse.findings.report import Comparison

FORMATS = ("text", "json", "markdown", "sarif", "junit", "github")

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
    diff.add_argument("--format", choices=FORMATS, default="text", help="how to write the report")
    diff.add_argument(
        "--json", action="store_const", const="json", dest="format", help="same as --format json"
    )
    diff.add_argument("--match", choices=("topology", "address"), default="topology",
                      help="how devices are paired: by place (default), or by address alone")  # fmt: skip
    _add_steering(diff)
    diff.set_defaults(run=_diff)

    render = command(commands, "render", "write a saved JSON report in another format")
    render.add_argument("report", metavar="REPORT.json", help="what 'diff --json' wrote; - is standard input")
    render.add_argument("--format", choices=FORMATS, default="text", help="how to write the report")
    _add_steering(render)
    render.set_defaults(run=_render)


def _add_steering(parser: argparse.ArgumentParser) -> None:
    add_depth(parser)
    parser.add_argument(
        "--only", metavar="RULE", action="append", help="only findings of RULE; may be repeated"
    )
    parser.add_argument("--ignore", metavar="PATTERN", action="append", default=[],
                        help="hide what PATTERN names: rule, device, path or device/path; may be repeated")  # fmt: skip
    parser.add_argument("--ignore-file", metavar="FILE", action="append", default=[],
                        help="hide what FILE lists: TOML tables [[ignore]] with pattern, reason, until")  # fmt: skip
    parser.add_argument("--fail-on", choices=("critical", "warning", "info"), default="warning",
                        help="the least severity that makes the exit code 1 (default: warning)")  # fmt: skip
    add_colour(parser)


def _diff(options: argparse.Namespace) -> int:
    from lspci_parse.comparison import matching
    from lspci_parse.findings.engine import diff

    how = matching.by_address if options.match == "address" else matching.by_topology
    return _report(diff(load(options.a), load(options.b), matching=how), options)


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
    return _report(comparison, options)


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _report(comparison: Comparison, options: argparse.Namespace) -> int:
    """Filter a comparison, write it, and return the exit code that its findings ask for."""
    from lspci_parse.findings import filters
    from lspci_parse.findings.catalogue import CATALOGUE
    from lspci_parse.findings.model import SEVERITIES

    if options.only:
        unknown = sorted(set(options.only) - CATALOGUE.keys())
        if unknown:
            from lspci_parse.errors import LspciError

            raise LspciError(f"no rule {unknown[0]!r}; expected one of {', '.join(CATALOGUE)}")
        comparison = filters.only(comparison, options.only)
    ignores = [filters.Ignore(pattern) for pattern in options.ignore]
    ignores += [item for path in options.ignore_file for item in filters.read_ignores(path)]
    comparison = filters.ignore(comparison, ignores)
    _write(comparison, options)
    limit = SEVERITIES.index(options.fail_on)
    found = any(SEVERITIES.index(finding.severity) <= limit for finding in comparison.findings)
    return EXIT_FINDINGS if found else EXIT_SAME


def _write(comparison: Comparison, options: argparse.Namespace) -> None:
    if options.format == "json":
        from lspci_parse.serialization.report import report_to_json

        print_json(report_to_json(comparison))
    elif options.format == "text":
        print_report(comparison, options)
    elif options.format == "markdown":
        from lspci_parse.render.markdown import markdown

        print(markdown(comparison))
    elif options.format == "sarif":
        from lspci_parse import version
        from lspci_parse.render.sarif import sarif

        print_json(sarif(comparison, version=version()))
    elif options.format == "junit":
        from lspci_parse.render.junit import junit

        print(junit(comparison, fail_on=options.fail_on, rules=options.only))
    else:
        from lspci_parse.render.github import github

        print(github(comparison))
