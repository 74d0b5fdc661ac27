"""``lspci-parse groups``: the IOMMU groups that Linux makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.cli.common import (
    EXIT_SAME,
    Commands,
    add_host,
    command,
    load,
    print_json,
)

if TYPE_CHECKING:
    import argparse


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(commands, "groups", "predict the IOMMU groups that Linux makes")
    add_host(parser)
    parser.add_argument(
        "--kernel",
        metavar="VERSION",
        help="the kernel whose rules hold (default: the host's, else the newest)",
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
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
