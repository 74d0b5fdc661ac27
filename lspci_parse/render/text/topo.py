"""How near devices are to each other, as a matrix for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.linux.peers import LEVELS, paths, peers
from lspci_parse.model.display import short
from lspci_parse.render.escape import printable
from lspci_parse.render.text.table import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.topology.tree import Topology


def topo(tree: Topology) -> str:
    """Return the matrix of a host's peers, with a legend of what stands in it."""
    return "\n".join(map(printable, _lines(tree)))


def _lines(tree: Topology) -> Iterator[str]:
    found = peers(tree)
    if not found:
        yield "No GPU, NIC, NVMe disk or accelerator behind PCI Express is in this dump."
        return
    labels = {address: f"{kind.split()[0]}{number}" for number, (address, kind) in enumerate(found.items())}
    cells = {}
    for way in paths(tree, list(found)):
        mark = "*" if way.redirecting and way.common else "?" if way.unknown and way.level != "?" else ""
        cells[way.a, way.b] = cells[way.b, way.a] = f"{way.level}{mark}"
    rows = [
        [
            label,
            *(cells.get((address, other), "X") for other in found),
            _node(tree.devices[address].numa_node),
        ]
        for address, label in labels.items()
    ]
    yield from table(rows, ["", *labels.values(), "NUMA"]).split("\n")
    yield ""
    for address, label in labels.items():
        yield f"{label:6}  {short(address)}  {tree.devices[address].name}"
    used = {cell.rstrip("*?") or "?" for cell in cells.values()}
    yield ""
    yield from (f"{level:4}  {words}" for level, words in LEVELS.items() if level in used)
    if any(cell.endswith("*") for cell in cells.values()):
        yield "*     ACS of a port between the two sends their traffic up to the root complex"
    if any(cell.endswith("?") and cell != "?" for cell in cells.values()):
        yield "...?  whether a port between the two redirects cannot be read"


def _node(node: int | None) -> str:
    return "" if node is None else str(node)
