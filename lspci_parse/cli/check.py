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
    add_hosts,
    colour,
    command,
    complain,
    load,
)
from lspci_parse.cli.reports import add_format, add_selection, emit, troubled

if TYPE_CHECKING:
    import argparse

    from lspci_parse.evidence.host import Host
    from lspci_parse.policies.model import Check

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
    add_hosts(parser)
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
    add_format(parser)
    add_selection(parser)
    add_colour(parser)
    parser.set_defaults(run=troubled(_run))


def _run(options: argparse.Namespace) -> int:

    if (options.pair or options.fix) and options.policy != "p2p":
        return complain("--pair and --fix belong to --policy p2p")
    hosts = [load(name) for name in options.hosts or ["live"]]
    if options.fix:
        for host in hosts:
            _print_fix(host, options.fix)
        return EXIT_SAME
    checks = [_checked(host, options) for host in hosts]
    return _emitted(hosts, checks, options)


def _checked(host: Host, options: argparse.Namespace) -> Check:
    from lspci_parse.policies.check import check

    found = check(host, options.policy, pairs=[tuple(pair) for pair in options.pair])
    if options.slot is None and options.ids is None:
        return found
    from lspci_parse.lspci.selection import chosen

    wanted = chosen(host.dump, options.slot, options.ids)
    kept = (b for b in found.breaches if b.device is None or wanted & {b.device, *b.devices})
    return found._replace(breaches=tuple(kept))


def _print_fix(host: Host, how: str) -> None:
    from lspci_parse.policies.acs_fix import script
    from lspci_parse.policies.p2p import redirecting_ports
    from lspci_parse.topology.tree import topology

    tree = topology(host.dump)
    print("\n".join(script(tree, redirecting_ports(tree), how)))


def _emitted(hosts: list[Host], checks: list[Check], options: argparse.Namespace) -> int:
    from lspci_parse.policies.report import as_report
    from lspci_parse.render.text.check import check as write
    from lspci_parse.serialization.check import as_json

    reports = [as_report(found, host.dump, host.source) for found, host in zip(checks, hosts, strict=True)]
    width = shutil.get_terminal_size((100, 24)).columns
    texts = iter([write(found, colour=colour(options.color), width=width) for found in checks])
    code = emit(
        reports,
        options,
        hosts=[(host,) for host in hosts],
        as_text=lambda _: next(texts),
        as_json=[as_json(found) for found in checks],
    )
    if options.format == "nagios":
        return code
    if options.fail_on == "warning":
        # What is not known is no failure: it has an exit code of its own.
        code = EXIT_FINDINGS if any(found.failed for found in checks) else EXIT_SAME
    unknown = any(found.cannot_tell for found in checks)
    return EXIT_CANNOT_TELL if code == EXIT_SAME and unknown else code
