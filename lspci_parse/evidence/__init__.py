"""What is known of a host: its dump, kernel log, command line, IOMMU groups, kernel, machine and BIOS."""

from __future__ import annotations

from lspci_parse.evidence.cmdline import Cmdline, parse_cmdline
from lspci_parse.evidence.group_listing import parse_groups
from lspci_parse.evidence.host import Host, load
from lspci_parse.evidence.log import Log, parse_log

__all__ = ["Cmdline", "Host", "Log", "load", "parse_cmdline", "parse_groups", "parse_log"]
