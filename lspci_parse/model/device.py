"""The tree: Dump -> Device -> Capability -> Register -> value.

Everything here is immutable, so equal pieces of text share one object. Equality is meaning: two devices are
equal when they say the same thing, whatever line or spelling said it. ``str()`` of a dump or a device is the
text it was read from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lspci_parse.model.address import Address
    from lspci_parse.model.fields import Capability, Line


class Ids(NamedTuple):
    """Vendor and device numbers as four hex digits; ``None`` where lspci printed names only."""

    vendor: str | None = None
    device: str | None = None
    subvendor: str | None = None
    subdevice: str | None = None


class NamedId(NamedTuple):
    """A number as hex digits and its name; either may be unknown."""

    id: str | None
    name: str | None


class Device(NamedTuple):
    """One PCI function as lspci printed it. Two are equal when all but ``unrecognised`` and ``text`` are equal.

    Attributes:
        address: where it sits.
        slot: the address as printed, with or without domain.
        class_: class name and four-digit class id (PCI Code and ID Assignment Specification).
        name: vendor and device name as printed, without ids, revision and prog-if.
        ids: four-digit ids, known from ``-nn`` or ``-n``.
        revision: two hex digits; ``00`` is never printed, so it is also what an absent one means.
        prog_if: programming interface id and name, or ``None``.
        registers: header lines in the order printed: registers (``Control``, ``Bus``, ``Region 0`` ...), and
            values of lines that hold nothing but one (``Latency``).
        capabilities: in the order printed.
        driver: the bound kernel driver, or ``None``.
        modules: kernel modules that claim the device.
        iommu_group: as recorded by the kernel; ``None`` when not printed.
        numa_node: ``None`` when not printed.
        physical_slot: label of the slot, free text.
        label: the firmware's name for the device (``DeviceName:``), free text.
        subsystem: name of the subsystem, free text.
        access_denied: lspci ran without the rights to read the capabilities.
        chain: ``looped`` or ``broken`` when the list of capabilities does not end, else ``None``.
        dead: the function does not answer (all ones: ``rev ff`` and header type 7f).
        cut: the text ends in the middle of the device.
        config: bytes of configuration space from a hex dump (``-x`` to ``-xxxx``), else ``b""``.
        unrecognised: lines that no rule knows, those inside capabilities too.
        text: the lines it was read from.
    """

    address: Address
    slot: str
    class_: NamedId
    name: str
    ids: Ids = Ids()
    revision: str = "00"
    prog_if: NamedId | None = None
    registers: Mapping[str, Any] = {}
    capabilities: tuple[Capability, ...] = ()
    driver: str | None = None
    modules: tuple[str, ...] = ()
    iommu_group: int | None = None
    numa_node: int | None = None
    physical_slot: str | None = None
    label: str | None = None
    subsystem: str | None = None
    access_denied: bool = False
    chain: str | None = None
    dead: bool = False
    cut: bool = False
    config: bytes = b""
    unrecognised: tuple[Line, ...] = ()
    text: str = ""

    def __eq__(self, other: object) -> bool:
        return self[:-2] == other[:-2] if isinstance(other, Device) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((self.address, self.name, self.revision))

    def __repr__(self) -> str:
        return f"<Device {self.slot}>"

    def __str__(self) -> str:
        return self.text

    def capability(self, kind: str) -> Capability | None:
        """Return the first capability of ``kind``, or ``None``."""
        for capability in self.capabilities:
            if capability.kind == kind:
                return capability
        return None

    def capability_paths(self) -> Iterator[tuple[str, Capability]]:
        """Yield each capability with its unique name: ``vndr``, ``vndr#2`` ..."""
        seen: dict[str, int] = {}
        for capability in self.capabilities:
            count = seen[capability.kind] = seen.get(capability.kind, 0) + 1
            yield capability.kind if count == 1 else f"{capability.kind}#{count}", capability

    @property
    def is_bridge(self) -> bool:
        """Whether the function has buses behind it (header type 1 or 2: it prints a ``Bus:`` line)."""
        return "Bus" in self.registers

    @property
    def port_type(self) -> str | None:
        """The Express type (``Root Port``, ``Endpoint`` ...), or ``None`` for a conventional function."""
        express = self.capability("exp")
        return None if express is None else express.get("Type")
