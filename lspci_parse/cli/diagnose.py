"""``lspci-parse diagnose``: what one host alone can tell of its trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.cli.common import Commands, add_hosts, command, load
from lspci_parse.cli.reports import add_format, add_steering, emit, filtered, troubled

if TYPE_CHECKING:
    import argparse

_EXAMPLES = """\
examples:
  lspci-parse diagnose host/                    a folder with the dump and the kernel log
  lspci-parse diagnose dmesg.txt                a log alone, as far as a log goes
  lspci-parse diagnose --format nagios          this machine, for a monitoring system

exit codes: 0 no finding, 1 findings at or above --fail-on, 2 trouble; of several hosts the worst"""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(commands, "diagnose", "tell what one host alone can tell of its trouble", _EXAMPLES)
    add_hosts(parser)
    add_format(parser)
    add_steering(parser)
    parser.set_defaults(run=troubled(_run))


def _run(options: argparse.Namespace) -> int:
    from lspci_parse.findings.engine import diagnose

    hosts = [load(name, log_alone=True) for name in options.hosts or ["live"]]
    reports = [filtered(diagnose(host), options) for host in hosts]
    return emit(reports, options, hosts=[(host,) for host in hosts])
