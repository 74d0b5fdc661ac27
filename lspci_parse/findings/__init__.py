"""What matters of the difference between two hosts, worst first."""

from __future__ import annotations

import importlib

from lspci_parse.findings.catalogue import CATALOGUE, Rule, rule
from lspci_parse.findings.diagnosis import diagnose
from lspci_parse.findings.engine import diff
from lspci_parse.findings.filters import Ignore
from lspci_parse.findings.model import SEVERITIES, Finding, Found, Severity
from lspci_parse.findings.report import Comparison

# Importing the rules enters them into the catalogue, in the order in which findings are shown.
importlib.import_module("lspci_parse.findings.rules")

__all__ = [
    "CATALOGUE",
    "SEVERITIES",
    "Comparison",
    "Finding",
    "Found",
    "Ignore",
    "Rule",
    "Severity",
    "diagnose",
    "diff",
    "rule",
]
