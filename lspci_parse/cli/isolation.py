"""``lspci-parse groups``, ``check`` and ``diagnose``: what one host can tell."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from lspci_parse.cli.common import (
    EXIT_FINDINGS,
    EXIT_SAME,
    HOST,
    Commands,
    add_colour,
    colour,
    command,
    load,
    print_json,
)

if TYPE_CHECKING:
    import argparse

_CHECK = """\
examples:
  lspci-parse check host.txt                   what stands between you and one group per device
  lspci-parse check host.txt --policy p2p      what redirects peer-to-peer traffic
  lspci-parse check host.txt --policy our.toml

exit codes: 0 nothing to complain of, 1 complaints (critical or warning), 2 trouble"""


def add(commands: Commands) -> None:
    """Add the commands."""
    groups = command(commands, "groups", "predict the IOMMU groups that Linux makes")
    groups.add_argument("host", metavar="HOST", help=HOST)
    groups.add_argument(
        "--kernel",
        metavar="VERSION",
        help="the kernel whose rules hold (default: the host's, else the newest)",
    )
    groups.add_argument("--json", action="store_true", help="as JSON")
    groups.set_defaults(run=_groups)

    check = command(commands, "check", "hold a host against a policy", _CHECK)
    check.add_argument("host", metavar="HOST", help=HOST)
    check.add_argument(
        "--policy", metavar="vfio|p2p|FILE", default="vfio", help="vfio (default), p2p, or a TOML file"
    )
    check.add_argument("--json", action="store_true", help="as JSON")
    add_colour(check)
    check.set_defaults(run=_check)

    diagnose = command(commands, "diagnose", "tell what one host alone can tell of its trouble")
    diagnose.add_argument("host", metavar="HOST", help=HOST)
    diagnose.add_argument("--json", action="store_true", help="as JSON")
    add_colour(diagnose)
    diagnose.set_defaults(run=_diagnose)


def _groups(options: argparse.Namespace) -> int:
    from lspci_parse.linux.groups.prediction import groups
    from lspci_parse.serialization.groups import as_json

    host = load(options.host)
    found = groups(host, kernel=options.kernel)
    if options.json:
        print_json(as_json(found))
    else:
        from lspci_parse.render.text.groups import groups as write

        print(write(found, host.dump))
    return EXIT_SAME


def _check(options: argparse.Namespace) -> int:
    from lspci_parse.policies.check import check
    from lspci_parse.serialization.check import as_json

    found = check(load(options.host), options.policy)
    if options.json:
        print_json(as_json(found))
    else:
        from lspci_parse.render.text.check import check as write

        width = shutil.get_terminal_size((100, 24)).columns
        print(write(found, colour=colour(options.color), width=width))
    return EXIT_FINDINGS if found.failed else EXIT_SAME


def _diagnose(options: argparse.Namespace) -> int:
    from lspci_parse.findings.diagnosis import diagnose

    found = diagnose(load(options.host))
    if options.json:
        from lspci_parse.serialization.report import report_to_json

        print_json(report_to_json(found))
    else:
        from lspci_parse.render.text.report import text

        width = shutil.get_terminal_size((100, 24)).columns
        print(text(found, colour=colour(options.color), width=width))
    bad = any(finding.severity != "info" for finding in found.findings)
    return EXIT_FINDINGS if bad else EXIT_SAME
