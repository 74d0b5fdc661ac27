"""How near devices are to each other, as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lspci_parse.linux.peers import paths, peers

if TYPE_CHECKING:
    from lspci_parse.topology.tree import Topology

SCHEMA: Final = "lspci-parse.topo/1"


def as_json(tree: Topology) -> dict[str, Any]:
    """Return the peers of a host and the ways between them (schema ``lspci-parse.topo/1``).

    ``root`` is the root complex as Linux names it in sysfs, and Kubernetes as ``pcieRoot``.
    """
    found = peers(tree)
    return {
        "schema": SCHEMA,
        "devices": [
            {
                "device": str(address),
                "kind": kind,
                "name": tree.devices[address].name,
                "root": f"pci{tree.root(address).number}",
                "numa_node": tree.devices[address].numa_node,
            }
            for address, kind in found.items()
        ],
        "pairs": [
            {
                "a": str(way.a),
                "b": str(way.b),
                "level": way.level,
                "common": None if way.common is None else str(way.common),
                "ports": list(map(str, way.ports)),
                "redirecting": list(map(str, way.redirecting)),
                "unknown": list(map(str, way.unknown)),
            }
            for way in paths(tree, list(found))
        ],
    }
