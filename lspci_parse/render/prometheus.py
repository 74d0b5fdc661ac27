"""A report as metrics for node_exporter's textfile collector."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lspci_parse.render.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lspci_parse.findings.report import Comparison


def prometheus(comparisons: Iterable[Comparison]) -> str:
    """Return the findings of reports in the text format, labelled as node_exporter labels PCI devices.

    ``lspci_parse_finding_info`` joins ``node_pcidevice_info`` on segment, bus, device and function.
    """
    return "".join(f"{line}\n" for line in _lines(list(comparisons)))


def _lines(comparisons: list[Comparison]) -> Iterator[str]:
    yield "# HELP lspci_parse_findings Findings by severity."
    yield "# TYPE lspci_parse_findings gauge"
    for comparison in comparisons:
        for severity in ("critical", "warning", "info"):
            labels = {"host": comparison.b.source, "severity": severity}
            yield f"lspci_parse_findings{_labels(labels)} {comparison.summary[severity]}"
    yield "# HELP lspci_parse_finding_info A finding, how often it is made about a device."
    yield "# TYPE lspci_parse_finding_info gauge"
    for comparison in comparisons:
        counts: Counter[str] = Counter()
        for finding in comparison.findings:
            labels = {"host": comparison.b.source, "rule": finding.rule, "severity": finding.severity}
            at = finding.device
            if at is not None:
                labels |= {
                    "segment": f"{at.domain:04x}",
                    "bus": f"{at.bus:02x}",
                    "device": f"{at.device:02x}",
                    "function": str(at.function),
                }
            counts[_labels(labels)] += 1
        yield from (f"lspci_parse_finding_info{labels} {count}" for labels, count in counts.items())


def _labels(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return printable(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
