"""Turn ``lspci -vvv`` into a typed tree, compare two machines and say what matters.

    import lspci_parse

    host = lspci_parse.load("good/")               # a file, a folder or a sosreport
    port = host.dump["00:1c.5"]
    port.capability("acs")["ACSCtl"]["SrcValid"]   # True
    comparison = lspci_parse.diff(host, lspci_parse.load("bad/"))
    for finding in comparison.findings:
        print(finding.rule, finding.b, finding.detail)

Names are imported when they are first used, so that the command line starts quickly.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lspci_parse.comparison.difference import Change
    from lspci_parse.errors import LspciError
    from lspci_parse.evidence.host import Host
    from lspci_parse.evidence.load import load
    from lspci_parse.evidence.saved import from_json
    from lspci_parse.findings.engine import diagnose, diff
    from lspci_parse.findings.model import Finding, Found, Severity
    from lspci_parse.findings.report import Comparison
    from lspci_parse.findings.rule import rule
    from lspci_parse.linux.acs import AcsVerdict
    from lspci_parse.linux.groups.model import Groups
    from lspci_parse.linux.groups.prediction import groups
    from lspci_parse.model.address import Address
    from lspci_parse.model.device import Device
    from lspci_parse.model.dump import Dump
    from lspci_parse.model.fields import Capability, Register
    from lspci_parse.parsing.parser import iter_devices, parse, parse_all
    from lspci_parse.policies.check import check
    from lspci_parse.serialization.dump import to_json
    from lspci_parse.serialization.report import report_from_json, report_to_json
    from lspci_parse.topology.tree import Topology

_HOMES = {
    "AcsVerdict": "linux.acs",
    "Address": "model.address",
    "Capability": "model.fields",
    "Change": "comparison.difference",
    "Comparison": "findings.report",
    "Device": "model.device",
    "Dump": "model.dump",
    "Finding": "findings.model",
    "Found": "findings.model",
    "Groups": "linux.groups.model",
    "Host": "evidence.host",
    "LspciError": "errors",
    "Register": "model.fields",
    "Severity": "findings.model",
    "Topology": "topology.tree",
    "check": "policies.check",
    "diagnose": "findings.engine",
    "diff": "findings.engine",
    "from_json": "evidence.saved",
    "groups": "linux.groups.prediction",
    "iter_devices": "parsing.parser",
    "load": "evidence.load",
    "parse": "parsing.parser",
    "parse_all": "parsing.parser",
    "report_from_json": "serialization.report",
    "report_to_json": "serialization.report",
    "rule": "findings.rule",
    "to_json": "serialization.dump",
}

__all__ = [
    "AcsVerdict",
    "Address",
    "Capability",
    "Change",
    "Comparison",
    "Device",
    "Dump",
    "Finding",
    "Found",
    "Groups",
    "Host",
    "LspciError",
    "Register",
    "Severity",
    "Topology",
    "check",
    "diagnose",
    "diff",
    "from_json",
    "groups",
    "iter_devices",
    "load",
    "parse",
    "parse_all",
    "report_from_json",
    "report_to_json",
    "rule",
    "to_json",
    "version",
]


def version() -> str:
    """Return the installed version, ``0+unknown`` in a checkout that is not installed."""
    metadata = import_module("importlib.metadata")
    try:
        return str(metadata.version("lspci-parse"))
    except metadata.PackageNotFoundError:
        return "0+unknown"


def __getattr__(name: str) -> Any:
    """Import a public name from the module that defines it."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
