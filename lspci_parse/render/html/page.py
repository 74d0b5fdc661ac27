"""Report pages: a template filled with text, and facts as data that the page's script shows on request.

Everything from a dump is hostile: the template escapes it, the script writes text nodes, and a Content-Security-Policy
lets nothing run but this page's own script.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from lspci_parse.errors import LspciError
from lspci_parse.findings.model import SEVERITIES
from lspci_parse.lspci.package_data import package_data
from lspci_parse.model.display import said, short
from lspci_parse.render.escape import printable
from lspci_parse.render.flat import flat
from lspci_parse.render.html.board import Board, board
from lspci_parse.render.text.overview import blocks, headline, step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lspci_parse.evidence.host import Host
    from lspci_parse.findings.report import CauseTree, Comparison

_POLICY: Final = (
    "default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"
)
_FOLDER: Final = "render/html"


def page(title: str, hosts: Sequence[Host], comparison: Comparison | None = None) -> str:
    """Return a page about one host or two.

    Args:
        title: what it is, such as ``lspci-parse diff``.
        hosts: one host, or host A and host B.
        comparison: what was found about them.

    Raises:
        LspciError: the library that fills templates is not installed.
    """
    try:
        from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - an extra, for pages only
    except ImportError:
        raise LspciError("pages need Jinja2: install lspci-parse[html]") from None
    styles, script = (_file(name) for name in ("page.css", "page.js"))
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["shown"] = printable
    boards = _boards(hosts, comparison)
    return environment.from_string(_file("page.html")).render(
        title=title,
        boards=boards,
        blocks=[] if comparison is None else _told(comparison),
        summary={} if comparison is None else comparison.summary,
        severities=SEVERITIES,
        judged=comparison is not None,
        styles=styles,
        script=script,
        policy=_POLICY.format(style=_hash(styles), script=_hash(script)),
        data=_data(hosts, comparison),
    )  # fmt: skip


def _file(name: str) -> str:
    return package_data(f"{_FOLDER}/{name}").decode()


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _boards(hosts: Sequence[Host], comparison: Comparison | None) -> list[Board]:
    if len(hosts) == 1:
        return [board("", hosts[0], comparison, side="b")]
    return [
        board(label, host, comparison, side=side) for label, side, host in zip("AB", "ab", hosts, strict=True)
    ]


def _told(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the causes as the first screen of a terminal tells them, with all that follows."""
    told: list[dict[str, Any]] = []
    for block in blocks(comparison):
        findings = [comparison.findings[tree.finding] for tree in block.heads]
        told.append({
            "severity": block.severity,
            "title": headline(findings),
            "slot": "" if findings[0].device is None else short(findings[0].device),
            "likely": [comparison.findings[number].title for number in block.likely],
            "effects": [_effect(comparison, tree) for tree in block.heads[0].effects if tree.link == "certain"],
            "step": step(comparison, block.heads[0]),
            "why": findings[0].detail,
        })  # fmt: skip
    return told


def _effect(comparison: Comparison, tree: CauseTree) -> dict[str, Any]:
    finding = comparison.findings[tree.finding]
    return {
        "title": finding.title,
        "slot": "" if finding.device is None else short(finding.device),
        "effects": [_effect(comparison, inner) for inner in tree.effects if inner.link == "certain"],
    }


def _data(hosts: Sequence[Host], comparison: Comparison | None) -> str:
    """Return every fact of the hosts as JSON, each text once; ``<`` is written so that no tag can begin in it."""
    texts: dict[str, int] = {}

    def number(text: str) -> int:
        return texts.setdefault(text, len(texts))

    sides = []
    for host in hosts:
        devices: dict[str, list[int]] = {}
        for device in host.dump:
            facts: list[int] = []
            for line in flat([device]):
                path, _, value = line.partition(" = ")
                facts += (number(path.removeprefix(f"{device.slot}/")), number(value))
            devices[short(device.address)] = facts
        sides.append(devices)
    changes: list[list[Any]] = []
    for change in comparison.changes if comparison is not None else ():
        if not change.volatile and change.known and (change.a or change.b) is not None:
            a, b = (None if at is None else short(at) for at in (change.a, change.b))
            values = [number(printable(said(value))) for value in (change.before, change.after)]
            changes.append([a, b, number(printable(change.path)), *values])
    findings = list(_findings(comparison)) if comparison is not None else []
    document = {"sides": sides, "changes": changes, "findings": findings, "texts": list(texts)}
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _findings(comparison: Comparison) -> Iterator[list[Any]]:
    for finding in comparison.findings:
        a, b = (None if at is None else short(at) for at in (finding.a, finding.b))
        words = (finding.title, finding.detail, finding.remedy)
        yield [a, b, finding.severity, finding.rule, *map(printable, words)]
