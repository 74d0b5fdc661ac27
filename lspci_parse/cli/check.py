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
    load,
    print_json,
)

if TYPE_CHECKING:
    import argparse

_EXAMPLES = """\
examples:
  lspci-parse check host.txt                   what stands between you and one group per device
  lspci-parse check host.txt --policy p2p      what redirects peer-to-peer traffic
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
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_colour(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from lspci_parse.policies.check import check
    from lspci_parse.serialization.check import as_json

    found = check(load(options.host), options.policy)
    if options.json:
        print_json(as_json(found))
    else:
        from lspci_parse.render.text.check import check as write

        width = shutil.get_terminal_size((100, 24)).columns
        print(write(found, colour=colour(options.color), width=width))
    return EXIT_FINDINGS if found.failed else EXIT_CANNOT_TELL if found.cannot_tell else EXIT_SAME
