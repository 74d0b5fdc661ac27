"""One host alone: what a rule finds of a made-up dump, log and command line."""

from __future__ import annotations

from lspci_parse.evidence.cmdline import parse_cmdline
from lspci_parse.evidence.host import Host
from lspci_parse.evidence.log import parse_log
from lspci_parse.findings.engine import diagnose
from lspci_parse.findings.model import Finding
from lspci_parse.model.address import Address
from tests.machines import machine


def found(
    rule: str,
    *functions: str,
    log: str = "",
    cmdline: str | None = None,
    groups: dict[Address, int] | None = None,
    kernel: str | None = None,
) -> list[Finding]:
    """Return the findings of one rule."""
    host = Host(
        "host",
        machine(*functions),
        log=parse_log(log) if log else None,
        cmdline=None if cmdline is None else parse_cmdline(cmdline),
        groups=groups,
        kernel=kernel,
    )
    return [finding for finding in diagnose(host).findings if finding.rule == rule]


def driven(text: str, driver: str) -> str:
    """Return a function with a driver."""
    return text.rstrip("\n") + f"\n\tKernel driver in use: {driver}\n\n"


def with_state(text: str, state: str) -> str:
    """Return a function in a power state."""
    lines = (
        "\tCapabilities: [60] Power Management version 3",
        "\t\tFlags: PMEClk- DSI- D1- D2- AuxCurrent=0mA PME(D0-,D1-,D2-,D3hot+,D3cold-)",
        f"\t\tStatus: {state} NoSoftRst+ PME-Enable- DSel=0 DScale=0 PME-",
    )
    return text.rstrip("\n") + "\n" + "\n".join(lines) + "\n\n"
