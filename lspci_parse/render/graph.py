"""The machine as a graph in the languages of Graphviz and Mermaid, for a README or a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.linux.acs import label
from lspci_parse.model.display import kind, short
from lspci_parse.render.escape import printable
from lspci_parse.topology.links import ABOVE, link
from lspci_parse.topology.tree import Topology, topology

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.evidence.host import Host
    from lspci_parse.model.address import Address


def dot(host: Host) -> str:
    """Return a graph for ``dot``."""
    tree = topology(host.dump)
    lines = ["digraph lspci {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    for name, text in _nodes(tree):
        words = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines.append(f'  {name} [label="{words}"];')
    for above, below, text in _edges(tree):
        lines.append(f"  {above} -> {below}{f' [label={chr(34)}{text}{chr(34)}]' if text else ''};")
    return "\n".join([*lines, "}"])


def mermaid(host: Host) -> str:
    """Return a flow chart for Mermaid, as GitHub and GitLab draw it."""
    tree = topology(host.dump)
    lines = ["flowchart LR"]
    for name, text in _nodes(tree):
        words = text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace("\n", "<br>")
        lines.append(f'  {name}["{words}"]')
    for above, below, text in _edges(tree):
        lines.append(f"  {above} -->{f'|{text}|' if text else ''} {below}")
    return "\n".join(lines)


def _nodes(tree: Topology) -> Iterator[tuple[str, str]]:
    for bus in tree.buses.values():
        if tree.parent(bus.devices[0]) is None:
            yield _bus(str(bus.number)), f"root bus {bus.number}"
    for address in tree.walk():
        device = tree.devices[address]
        acs = label(device, tree) if device.is_bridge else ""
        lines = (f"{short(address)} {kind(device)}", device.name, acs)
        yield _id(address), "\n".join(printable(line) for line in lines if line)


def _edges(tree: Topology) -> Iterator[tuple[str, str, str]]:
    """Yield what hangs below what, with the link between."""
    for bus in tree.buses.values():
        for address in bus.devices:
            parent = tree.parent(address)
            device = tree.devices[address]
            now = None if device.port_type in ABOVE else link(device, "LnkSta")
            above = _bus(str(bus.number)) if parent is None else _id(parent)
            yield above, _id(address), "" if now is None or parent is None else str(now)


def _id(address: Address) -> str:
    return f"d{str(address).replace(':', '_').replace('.', '_')}"


def _bus(number: str) -> str:
    return f"b{number.replace(':', '_')}"
