"""A dump as ``path = value`` lines: for grep, and for ``diff -u``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lspci_parse.lspci.names import UNITS
from lspci_parse.render.escape import printable

if TYPE_CHECKING:
    from lspci_parse.model.device import Device


def flat(chosen: Iterable[Device], kind: str | None = None) -> Iterator[str]:
    """Yield every fact of the devices, one a line; with ``kind``, those of capabilities of that kind.

    Values are written as in JSON but for what cannot be printed, with a unit behind numbers that have one.
    """
    for device in chosen:
        if kind is None:
            yield from _lines(device.slot, _attributes(device))
            yield from _lines(device.slot, device.registers)
        for path, capability in device.capability_paths():
            if kind in (None, capability.kind):
                yield printable(f"{device.slot}/{path} = {capability.where} {capability.name}")
                yield from _lines(f"{device.slot}/{path}", capability)


def _attributes(device: Device) -> dict[str, Any]:
    ids = {f"ids/{name}": value for name, value in device.ids._asdict().items()}
    names = {"class": device.class_.name, "class id": device.class_.id, "name": device.name, **ids}
    rest = (
        "revision",
        "subsystem",
        "label",
        "physical_slot",
        "driver",
        "modules",
        "iommu_group",
        "numa_node",
    )
    names |= {name: getattr(device, name) for name in rest}
    if device.prog_if is not None:
        names["prog_if"] = device.prog_if.id
    return {name: value for name, value in names.items() if value is not None and value != ()}


def _lines(prefix: str, facts: Mapping[str, Any]) -> Iterator[str]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _lines(f"{prefix}/{name}", value)
        else:
            yield printable(f"{prefix}/{name} = {_value(name, value)}")


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    unit = UNITS.get(name)
    return f"{value} {unit}" if unit and isinstance(value, int) else str(value)
