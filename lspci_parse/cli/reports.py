"""What the commands that write reports share: formats, steering, files, exit codes."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lspci_parse.cli.common import EXIT_FINDINGS, EXIT_SAME, add_colour, add_depth, complain, print_report

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lspci_parse.evidence.host import Host
    from lspci_parse.findings.report import Comparison

FORMATS: Final = ("text", "json", "markdown", "sarif", "junit", "github", "nagios")


def add_format(parser: argparse.ArgumentParser, *, pages: bool = True) -> None:
    """Add ``--format``, ``--json``, ``-o``, ``--textfile`` and ``--fail-on``; ``pages`` where the hosts are at hand."""
    forms = (*FORMATS, "html") if pages else FORMATS
    parser.add_argument("--format", choices=forms, default="text", help="how to write the report")
    add_output(parser)
    parser.add_argument(
        "--json", action="store_const", const="json", dest="format", help="same as --format json"
    )
    parser.add_argument(
        "--textfile", metavar="FILE", help="write metrics for node_exporter's textfile collector, too"
    )
    parser.add_argument("--fail-on", choices=("critical", "warning", "info"), default="warning",
                        help="the least severity that makes the exit code 1 (default: warning)")  # fmt: skip


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add ``-o``."""
    parser.add_argument("-o", metavar="FILE", dest="output", help="write to FILE instead of standard output")


@contextlib.contextmanager
def output(options: argparse.Namespace) -> Iterator[None]:
    """Let what is printed go to the file that ``-o`` names.

    Raises:
        LspciError: it cannot be written.
    """
    if options.output is None:
        yield
        return
    from lspci_parse.errors import LspciError

    try:
        with Path(options.output).open("w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
            yield
    except OSError as error:
        raise LspciError(f"cannot be written: {error.strerror or error}", options.output) from error


def add_steering(parser: argparse.ArgumentParser) -> None:
    """Add what chooses findings, and how much is told of them."""
    add_depth(parser)
    parser.add_argument(
        "--only", metavar="RULE", action="append", help="only findings of RULE; may be repeated"
    )
    parser.add_argument("--ignore", metavar="PATTERN", action="append", default=[],
                        help="hide what PATTERN names: rule, device, path or device/path; may be repeated")  # fmt: skip
    parser.add_argument("--ignore-file", metavar="FILE", action="append", default=[],
                        help="hide what FILE lists: TOML tables [[ignore]] with pattern, reason, until")  # fmt: skip
    add_colour(parser)


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add ``-s`` and ``-d`` as lspci has them."""
    parser.add_argument(
        "-s", metavar="SLOT", dest="slot", help="only devices at SLOT: [[[domain]:]bus]:][device][.func]"
    )
    parser.add_argument(
        "-d", metavar="IDS", dest="ids", help="only devices of [vendor]:[device][:class[:prog-if]]"
    )


def filtered(comparison: Comparison, options: argparse.Namespace) -> Comparison:
    """Return a report with what the options leave of it.

    Raises:
        LspciError: a rule that is none, or a file that cannot be used.
    """
    from lspci_parse.findings import filters
    from lspci_parse.findings.catalogue import CATALOGUE

    for name in options.only or ():
        if name not in CATALOGUE:
            import difflib

            from lspci_parse.errors import LspciError

            near = difflib.get_close_matches(name, CATALOGUE, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; expected one of {', '.join(CATALOGUE)}"
            raise LspciError(f"no rule {name!r}{hint}")
    if options.only:
        comparison = filters.only(comparison, options.only)
    ignores = [filters.Ignore(pattern) for pattern in options.ignore]
    ignores += [item for path in options.ignore_file for item in filters.read_ignores(path)]
    return filters.ignore(comparison, ignores)


def emit(
    reports: Sequence[Comparison],
    options: argparse.Namespace,
    *,
    hosts: Sequence[Sequence[Host]] = (),
    as_text: Callable[[Comparison], str] | None = None,
    as_json: Sequence[object] | None = None,
) -> int:
    """Write reports in the format asked for, and return the exit code that their findings ask for.

    Args:
        reports: one for each host, or for each pair.
        options: the command line.
        hosts: the one or two hosts that each report is about, for pages.
        as_text: another writer for people than the command's usual one.
        as_json: other documents than the reports'.

    Raises:
        LspciError: a file cannot be written.
    """
    with output(options):
        return _emitted(reports, options, hosts, as_text, as_json)


def _emitted(
    reports: Sequence[Comparison],
    options: argparse.Namespace,
    hosts: Sequence[Sequence[Host]],
    as_text: Callable[[Comparison], str] | None,
    as_json: Sequence[object] | None,
) -> int:
    if options.textfile is not None:
        _write_textfile(options.textfile, reports)
    if options.format == "nagios":
        return _nagios(reports)
    if options.format == "text":
        for number, report in enumerate(reports):
            if number:
                print()
            if as_text is None:
                print_report(report, options)
            else:
                print(as_text(report))
    elif options.format == "html":
        from lspci_parse.render.html.page import page

        for report, shown in zip(reports, hosts, strict=True):
            print(page(f"lspci-parse {options.command}", shown, report), end="")
    elif options.format == "json":
        _print_documents(_documents(reports) if as_json is None else as_json)
    else:
        _write(reports, options)
    return exit_code(reports, options.fail_on)


def exit_code(reports: Iterable[Comparison], fail_on: str) -> int:
    """Return 1 where a finding is at least as severe as asked, else 0."""
    from lspci_parse.findings.model import SEVERITIES

    limit = [*SEVERITIES].index(fail_on)  # type: ignore[arg-type]
    found = any(
        SEVERITIES.index(finding.severity) <= limit for report in reports for finding in report.findings
    )
    return EXIT_FINDINGS if found else EXIT_SAME


def _documents(reports: Iterable[Comparison]) -> list[object]:
    from lspci_parse.serialization.report import report_to_json

    return [report_to_json(report) for report in reports]


def _print_documents(documents: Sequence[object]) -> None:
    from lspci_parse.cli.common import print_json

    print_json(documents[0] if len(documents) == 1 else documents)


def _write(reports: Sequence[Comparison], options: argparse.Namespace) -> None:
    if options.format == "sarif":
        from lspci_parse import version
        from lspci_parse.cli.common import print_json
        from lspci_parse.render.sarif import sarif

        documents = [sarif(report, version=version()) for report in reports]
        documents[0]["runs"] = [run for document in documents for run in document["runs"]]
        print_json(documents[0])
        return
    for report in reports:
        if options.format == "markdown":
            from lspci_parse.render.markdown import markdown

            print(markdown(report))
        elif options.format == "junit":
            from lspci_parse.render.junit import junit

            print(junit(report, fail_on=options.fail_on, rules=getattr(options, "only", None)))
        else:
            from lspci_parse.render.github import github

            print(github(report))


def _nagios(reports: Sequence[Comparison]) -> int:
    from lspci_parse.render.nagios import nagios, state

    for report in reports:
        print(nagios(report))
    return max(map(state, reports))


def _write_textfile(path: str, reports: Sequence[Comparison]) -> None:
    """Write metrics so that a collector never reads half of them."""
    from lspci_parse.errors import LspciError
    from lspci_parse.render.prometheus import prometheus

    draft = Path(f"{path}.{os.getpid()}")
    try:
        draft.write_text(prometheus(reports), "utf-8")
        draft.replace(path)
    except OSError as error:
        raise LspciError(f"cannot write the metrics: {error.strerror or error}", path) from error


def troubled(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Make a command answer trouble as monitoring expects it where the format is ``nagios``: UNKNOWN, exit code 3."""

    def wrapped(options: argparse.Namespace) -> int:
        from lspci_parse.errors import LspciError

        try:
            return run(options)
        except LspciError as error:
            if getattr(options, "format", "") != "nagios":
                raise
            from lspci_parse.render.nagios import UNKNOWN, unknown

            print(unknown(str(error)), file=sys.stdout)
            complain(error)
            return UNKNOWN

    return wrapped
