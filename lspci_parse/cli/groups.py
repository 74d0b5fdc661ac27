"""``lspci-parse groups``: the IOMMU groups that Linux makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.cli.common import (
    EXIT_FINDINGS,
    EXIT_SAME,
    Commands,
    add_host,
    command,
    load,
    print_json,
)
from lspci_parse.cli.reports import add_output, add_selection, output

if TYPE_CHECKING:
    import argparse

    from lspci_parse.evidence.host import Host

_EXAMPLES = """\
examples:
  lspci-parse groups host/                                  today's groups, and why devices share one
  lspci-parse groups host/ --set 00:1c.5/acs=off            what if that port loses its ACS
  lspci-parse groups host/ --without 31:00.0                what if that card is taken out
  lspci-parse groups host/ --override downstream,multifunction
  lspci-parse groups host/ --kernel 6.12                    what if another kernel boots"""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(commands, "groups", "predict the IOMMU groups that Linux makes", _EXAMPLES)
    add_host(parser)
    parser.add_argument(
        "--kernel",
        metavar="VERSION",
        help="the kernel whose rules hold (default: the host's, else the newest); a condition if the host's is known",
    )
    conditions = parser.add_argument_group("conditions", "the groups that there would be, beside today's")
    conditions.add_argument(
        "--set", metavar="DEVICE/acs=on|off", action="append", default=[], help="ACS of a function on or off"
    )
    conditions.add_argument(
        "--without",
        metavar="DEVICE",
        action="append",
        default=[],
        help="a function taken out, with all behind it",
    )
    conditions.add_argument(
        "--override",
        metavar="VALUE",
        help="pcie_acs_override= on a kernel with the patch: downstream,multifunction",
    )
    add_selection(parser)
    parser.add_argument(
        "--exit-code",
        action="store_true",
        help="exit with 1 where the kernel's groups and the predicted ones differ",
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--format", choices=("text", "html"), default="text", help="text, or a page")
    add_output(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    host = load(options.host)
    if options.set or options.without or options.override is not None or (options.kernel and host.kernel):
        return _run_what_if(host, options)

    from lspci_parse.linux.groups.prediction import groups
    from lspci_parse.serialization.groups import as_json

    found = groups(host, kernel=options.kernel)
    if options.slot is not None or options.ids is not None:
        from lspci_parse.lspci.selection import chosen

        found = found.about(chosen(host.dump, options.slot, options.ids))
    with output(options):
        if options.format == "html":
            from lspci_parse.render.html.page import page

            print(page("lspci-parse groups", [host]), end="")
        elif options.json:
            print_json(as_json(found))
        else:
            from lspci_parse.render.text.groups import groups as write

            print(write(found, host.dump))
    return EXIT_FINDINGS if options.exit_code and found.agrees is False else EXIT_SAME


def _run_what_if(host: Host, options: argparse.Namespace) -> int:
    from lspci_parse.linux.groups.what_if import what_if
    from lspci_parse.serialization.groups import as_json

    acs = dict(map(_setting, options.set))
    found = what_if(host, acs=acs, without=options.without, override=options.override, kernel=options.kernel)
    if options.json:
        print_json(as_json(found.then, found))
    else:
        from lspci_parse.render.text.what_if import what_if as write

        print(write(found, host.dump))
    return EXIT_SAME


def _setting(text: str) -> tuple[str, bool]:
    """Read ``00:1c.5/acs=on``.

    Raises:
        LspciError: it is something else.
    """
    from lspci_parse.errors import LspciError

    device, _, setting = text.partition("/")
    if setting not in ("acs=on", "acs=off"):
        raise LspciError(f"--set {text!r}; expected such as 00:1c.5/acs=on or 00:1c.5/acs=off")
    return device, setting == "acs=on"
