"""A dump for people: what hangs below what, with the state of ACS beside ports; and single devices in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lspci_parse.linux.acs import label
from lspci_parse.model.display import counted
from lspci_parse.model.fields import Capability, Register
from lspci_parse.render.escape import printable
from lspci_parse.render.text.table import table
from lspci_parse.topology.links import link
from lspci_parse.topology.tree import Topology, topology

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lspci_parse.evidence.os_names import OsDevice
    from lspci_parse.model.address import Address
    from lspci_parse.model.device import Device
    from lspci_parse.model.dump import Dump


def tree(dump: Dump, os_names: Mapping[Address, OsDevice] | None = None) -> str:
    """Return the devices of a dump as a tree, one a line, with the names that the system gives to them."""
    named = {address: device.short for address, device in (os_names or {}).items()}
    top = topology(dump)
    rows = [
        (branch + device.slot, _what(device), _link(device), label(device, top), _group(device),
         device.driver or "", named.get(device.address, ""), device.name)
        for branch, device in _walk(top)
    ]  # fmt: skip
    # A column that no device fills says nothing.
    headers = ("slot", "what", "link", "ACS", "group", "driver", "known as", "name")
    used = [i for i in range(len(headers)) if any(row[i] for row in rows)]
    text = table([[row[i] for i in used] for row in rows], [headers[i] for i in used])
    return f"{text}\n\n{footer(dump)}"


def _walk(top: Topology) -> Iterator[tuple[str, Device]]:
    """Yield devices with the branches that lead to them, parents first."""
    first = [
        address for bus in top.buses.values() if top.parent(bus.devices[0]) is None for address in bus.devices
    ]
    stack = [("", "", address) for address in reversed(first)]
    while stack:
        lead, branch, address = stack.pop()
        yield lead + branch, top.devices[address]
        inner = lead + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
        for number, child in enumerate(reversed(top.children(address))):
            stack.append((inner, "├─ " if number else "└─ ", child))


def _what(device: Device) -> str:
    if device.dead:
        return "does not answer"
    port = device.port_type
    if port is not None and (device.is_bridge or port.startswith("Root Complex")):
        return port
    return device.class_.name or f"class {device.class_.id}"


def _link(device: Device) -> str:
    now = link(device, "LnkSta")
    return "" if now is None else str(now)


def _group(device: Device) -> str:
    return "" if device.iommu_group is None else str(device.iommu_group)


def footer(dump: Dump) -> str:
    """Return how many devices there are, and the lines that no rule knows."""
    low, high = dump.lspci.min, dump.lspci.max
    if low and high:
        span = low if low == high else f"{low} to {high}"
    else:
        span = f"{low} or newer" if low else f"{high} or older"
    by = f", printed by lspci {span}" if low or high else ""
    lines = [f"{counted(len(dump), 'device')}{by}."]
    if any(device.access_denied for device in dump):
        lines.append("Capabilities are hidden (<access denied>): take the dump as root to see them.")
    if dump.unrecognised:
        lines.append(f"{counted(len(dump.unrecognised), 'line')} that no rule knows:")
        lines += [f"  line {line}: {text.strip()}" for line, text in dump.unrecognised[:20]]
        if len(dump.unrecognised) > 20:
            lines.append(f"  and {len(dump.unrecognised) - 20} more")
    return "\n".join(map(printable, lines))


def devices(chosen: Iterable[Device], kind: str | None = None) -> str:
    """Return devices in full; with ``kind``, only their capabilities of that kind."""
    return "\n\n".join("\n".join(map(printable, _device(device, kind))) for device in chosen)


def _device(device: Device, kind: str | None) -> Iterator[str]:
    ids = f" [{device.ids.vendor}:{device.ids.device}]" if device.ids.vendor else ""
    yield f"{device.slot} {device.class_.name or device.class_.id}: {device.name}{ids} (rev {device.revision})"
    if kind is None:
        for name in ("subsystem", "label", "physical_slot", "driver", "iommu_group", "numa_node"):
            value = getattr(device, name)
            if value is not None:
                yield f"  {name.replace('_', ' ')}: {value}"
        if device.modules:
            yield f"  modules: {', '.join(device.modules)}"
        yield from _entries(device.registers, "  ")
        if device.access_denied:
            yield "  capabilities: <access denied>"
    for path, capability in device.capability_paths():
        if kind in (None, capability.kind):
            yield from _capability(path, capability)


def _capability(path: str, capability: Capability) -> Iterator[str]:
    yield f"  {path} {capability.where} {capability.name}"
    yield from _entries(capability, "    ")


def _entries(entries: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, value in entries.items():
        if isinstance(value, Register) and any(isinstance(item, Register) for item in value.values()):
            yield f"{indent}{name}"
            yield from _entries(value, f"{indent}  ")
        else:
            yield f"{indent}{name}: {said(value)}"


def said(value: Any) -> str:
    """Write a value of the tree for people: ``on``, ``4096``, ``Enable+ Count=1``."""
    if isinstance(value, bool):
        return "+" if value else "-"
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return str(value)
