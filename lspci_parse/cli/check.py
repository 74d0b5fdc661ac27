"""``lspci-parse check``: a host against a policy."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from lspci_parse.cli.common import (
    EXIT_CANNOT_TELL,
    EXIT_FINDINGS,
    EXIT_SAME,
    Commands,
    add_colour,
    add_host,
    colour,
    command,
    complain,
    load,
    print_json,
)

if TYPE_CHECKING:
    import argparse

_EXAMPLES = """\
examples:
  lspci-parse check host.txt                   what stands between you and one group per device
  lspci-parse check host.txt --policy p2p      what redirects peer-to-peer traffic
  lspci-parse check host.txt --policy p2p --pair 17:00.0 19:00.0
  lspci-parse check host.txt --policy p2p --fix setpci
  lspci-parse check host.txt --policy our.toml

exit codes: 0 nothing to complain of, 1 complaints (critical or warning), 2 trouble, 3 nothing to complain of in
what the dump shows, and it does not show all"""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(commands, "check", "hold a host against a policy", _EXAMPLES)
    add_host(parser)
    parser.add_argument(
        "--policy", metavar="vfio|p2p|FILE", default="vfio", help="vfio (default), p2p, or a TOML file"
    )
    parser.add_argument(
        "--pair",
        nargs=2,
        metavar=("A", "B"),
        action="append",
        default=[],
        help="of p2p: the way between two devices",
    )
    parser.add_argument(
        "--fix",
        choices=("grub", "setpci"),
        help="of p2p: write the change as lines, to be read before they are run",
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_colour(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from lspci_parse.policies.check import check
    from lspci_parse.serialization.check import as_json

    if (options.pair or options.fix) and options.policy != "p2p":
        return complain("--pair and --fix belong to --policy p2p")
    host = load(options.host)
    if options.fix:
        from lspci_parse.policies.acs_fix import script
        from lspci_parse.policies.p2p import redirecting_ports
        from lspci_parse.topology.tree import topology

        tree = topology(host.dump)
        print("\n".join(script(tree, redirecting_ports(tree), options.fix)))
        return EXIT_SAME
    found = check(host, options.policy, pairs=[tuple(pair) for pair in options.pair])
    if options.json:
        print_json(as_json(found))
    else:
        from lspci_parse.render.text.check import check as write

        width = shutil.get_terminal_size((100, 24)).columns
        print(write(found, colour=colour(options.color), width=width))
    return EXIT_FINDINGS if found.failed else EXIT_CANNOT_TELL if found.cannot_tell else EXIT_SAME
