"""What one host alone can tell of its trouble."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from lspci_parse.evidence.host import Host
from lspci_parse.findings.engine import link, named
from lspci_parse.findings.host_catalogue import CHAIN
from lspci_parse.findings.host_view import Case
from lspci_parse.findings.report import Comparison, Side
from lspci_parse.model.dump import Dump

if TYPE_CHECKING:
    from lspci_parse.evidence.host import Host as AnyHost

# Importing the rules about the evidence enters them into the chain, after those that use it.
import_module("lspci_parse.findings.rules.kernel_log")
import_module("lspci_parse.findings.rules.evidence_quality")


def diagnose(host: AnyHost | Dump) -> Comparison:
    """Tell what one host's evidence shows, without a healthy host beside it.

    Args:
        host: the host; a dump alone is a host of which nothing else is known.

    Returns:
        A report in which both sides are the host, and every value is host B's.
    """
    known = Host(host.source or "-", host) if isinstance(host, Dump) else host
    case = Case(known)
    side = Side(known.source, len(known.dump))
    found = link([found for entry in CHAIN.values() for found in entry.find(case)])
    return Comparison(side, side, named(found, known.dump, known.dump))
