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
    from lspci_parse.acs import AcsVerdict
    from lspci_parse.difference import Change
    from lspci_parse.errors import LspciError
    from lspci_parse.evidence import Host, load
    from lspci_parse.findings import Comparison, Finding, Found, Severity, diagnose, diff, rule
    from lspci_parse.grouping import Groups, groups
    from lspci_parse.interchange import from_json, report_from_json, report_to_json, to_json
    from lspci_parse.model import Address, Capability, Device, Dump, Register
    from lspci_parse.parser import iter_devices, parse, parse_all
    from lspci_parse.policies import check
    from lspci_parse.topology import Topology

_HOMES = {
    "AcsVerdict": "acs",
    "Address": "model",
    "Capability": "model",
    "Change": "difference",
    "Comparison": "findings",
    "Device": "model",
    "Dump": "model",
    "Finding": "findings",
    "Found": "findings",
    "Groups": "grouping",
    "Host": "evidence",
    "LspciError": "errors",
    "Register": "model",
    "Severity": "findings",
    "Topology": "topology",
    "check": "policies",
    "diagnose": "findings",
    "diff": "findings",
    "from_json": "interchange",
    "groups": "grouping",
    "iter_devices": "parser",
    "load": "evidence",
    "parse": "parser",
    "parse_all": "parser",
    "report_from_json": "interchange",
    "report_to_json": "interchange",
    "rule": "findings",
    "to_json": "interchange",
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
