"""``lspci-parse topo``: how near GPUs, NICs and NVMe disks are to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.cli.common import EXIT_SAME, Commands, add_host, command, load, print_json

if TYPE_CHECKING:
    import argparse


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(commands, "topo", "how near GPUs, NICs and NVMe disks are to each other, as a matrix")
    add_host(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from lspci_parse.topology.tree import topology

    host = load(options.host)
    tree = topology(host.dump)
    if options.json:
        from lspci_parse.serialization.topo import as_json

        print_json(as_json(tree))
    else:
        from lspci_parse.render.text.topo import topo

        print(topo(tree))
    return EXIT_SAME
