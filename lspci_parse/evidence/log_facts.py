"""What a kernel log says about a host: one class for each kind of fact, with the number of its line, from 1.

The log lines and the kernel releases that print them are listed in ``grammar/log.lark``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lspci_parse.evidence.machine_facts import CommandLine, Dmi, Hypervisor, Kernel, Trace, UnknownParameters

if TYPE_CHECKING:
    from lspci_parse.model.address import Address


class GroupEvent(NamedTuple):
    """A device joined or left an IOMMU group, or could not join it.

    Attributes:
        address: the device.
        group: the number the kernel gave the group in this boot.
        action: what happened.
        error: the negative error number of a refusal, else ``None``.
        old_form: printed as kernels 4.2 to 5.0 do (``iommu: Adding device ... to group``).
    """

    line: int
    address: Address
    group: int
    action: Literal["added", "removed", "refused"]
    error: int | None = None
    old_form: bool = False


class DomainEvent(NamedTuple):
    """Which kind of IOMMU domain a device got, wanted or was refused.

    Attributes:
        address: the device; ``None`` where the line names none.
        kind: ``direct``, ``dma``, ``private-identity``, ``private-dma``, ``private-failed``, ``identity``,
            ``conflict`` or ``rmrr``.
        text: the message without its prefix.
    """

    line: int
    address: Address | None
    kind: str
    text: str


class DomainDefault(NamedTuple):
    """The domain type that devices get when nothing asks for another one (Linux 5.4 and newer).

    Attributes:
        type: ``Translated`` or ``Passthrough``.
        from_cmdline: the command line asked for it, not the kernel's build options.
    """

    line: int
    type: str
    from_cmdline: bool


class IommuState(NamedTuple):
    """What the IOMMU driver says of itself.

    Attributes:
        vendor: ``intel`` or ``amd``.
        kind: ``requested``, ``forced``, ``disabled``, ``on``, ``found``, ``passthrough``, ``remapping`` or
            ``copied`` (a kdump kernel took over the translation of the crashed one).
        text: the message without its prefix.
    """

    line: int
    vendor: Literal["intel", "amd"]
    kind: str
    text: str


class DmaFault(NamedTuple):
    """An IOMMU refused a device's access to memory."""

    line: int
    address: Address
    text: str


class InterruptFault(NamedTuple):
    """An IOMMU refused a device's interrupt (interrupt remapping)."""

    line: int
    address: Address
    text: str


class IotlbTimeout(NamedTuple):
    """A device did not answer an invalidation of its address translation cache (ATS) in time."""

    line: int
    address: Address
    text: str


class ReservedMemory(NamedTuple):
    """Memory that firmware reserved for DMA of a device (DMAR: RMRR): first and last address."""

    line: int
    start: int
    end: int


class InterruptRemapping(NamedTuple):
    """Whether interrupts are remapped, as the kernel tells it."""

    line: int
    on: bool
    text: str


class AcsQuirk(NamedTuple):
    """The kernel changed or replaced ACS by itself; ``address`` is ``None`` for the override of all devices."""

    line: int
    address: Address | None
    text: str


class DmaAlias(NamedTuple):
    """A quirk lets the device's requests carry another requester ID (``devfn``: ``device.function``)."""

    line: int
    address: Address
    devfn: str


class ProbeFailure(NamedTuple):
    """A driver refused a device.

    Attributes:
        error: the negative error number (``-12`` is ENOMEM).
        said: the driver's last lines about the device before it, in their order.
    """

    line: int
    address: Address
    driver: str
    error: int
    said: tuple[str, ...] = ()


class Complaint(NamedTuple):
    """A driver's own words about something that failed."""

    line: int
    address: Address
    driver: str
    text: str


class Unassigned(NamedTuple):
    """No address space was left for a BAR, a ROM or a bridge window."""

    line: int
    address: Address
    text: str


class BusShortage(NamedTuple):
    """There is no bus number left for what is behind a bridge."""

    line: int
    text: str


class SriovShortage(NamedTuple):
    """There are no bus numbers, or no addresses, for virtual functions."""

    line: int
    address: Address
    text: str


class Death(NamedTuple):
    """A device stopped working while the system ran, in the words of ``driver``."""

    line: int
    address: Address
    driver: str
    text: str


class NvmeName(NamedTuple):
    """Which device an NVMe controller's name (``nvme0``) stands for."""

    line: int
    address: Address
    name: str


class FirmwareMissing(NamedTuple):
    """A driver did not find the firmware file that it loads into a device."""

    line: int
    address: Address
    driver: str
    file: str


class PayloadMismatch(NamedTuple):
    """A device may send larger payloads than the port above it takes; sizes in bytes."""

    line: int
    address: Address
    size: int
    upstream: Address
    upstream_size: int


class FirmwareError(NamedTuple):
    """The firmware reported an error of a device (APEI: firmware handles AER first)."""

    line: int
    address: Address


class Firmware(NamedTuple):
    """The version of a device's firmware, as its driver reports it."""

    line: int
    address: Address
    driver: str
    version: str


class DriverVersion(NamedTuple):
    """The version of a driver, as it reports it; most drivers have none but the kernel's."""

    line: int
    driver: str
    version: str


class Bandwidth(NamedTuple):
    """What a device's way to the root complex carries.

    Attributes:
        address: the device.
        gbps: available bandwidth in Gbit/s.
        link: the slowest link on the way, such as ``8.0 GT/s PCIe x8 link``.
        limited_by: the upper end of that link; ``None`` when nothing limits the device.
        capable_gbps: what the device's own link could carry in Gbit/s, ``None`` when nothing limits it.
        capable_link: the device's own link at its best, ``None`` when nothing limits it.
    """

    line: int
    address: Address
    gbps: float
    link: str
    limited_by: Address | None = None
    capable_gbps: float | None = None
    capable_link: str | None = None


class AerReport(NamedTuple):
    """An error that PCI Express Advanced Error Reporting delivered.

    Attributes:
        address: the device that found the error.
        severity: ``Corrected``, ``Uncorrected (Non-Fatal)`` or ``Uncorrected (Fatal)``; newer kernels say
            ``Correctable`` and ``Uncorrectable``.
        layer: ``Physical Layer``, ``Data Link Layer`` ...
        agent: the device's part in the transfer, such as ``Receiver ID``.
        kinds: the errors by name, as the kernel prints them: ``RxErr``, ``CmpltTO`` ...
    """

    line: int
    address: Address
    severity: str
    layer: str
    agent: str
    kinds: tuple[str, ...] = ()


class LinkEvent(NamedTuple):
    """A link went, a slot changed, a device no longer answers.

    Attributes:
        address: the port, or the device that does not answer.
        kind: ``hotplug``, ``contained`` (Downstream Port Containment), ``inaccessible``, ``stuck`` (it refused to
            leave a power state) or ``retrained`` (at a lower speed, or in vain).
        slot: the slot's name for ``hotplug``, else ``None``.
        text: what happened, such as ``Link Down``.
    """

    line: int
    address: Address
    kind: Literal["hotplug", "contained", "inaccessible", "stuck", "retrained"]
    slot: str | None
    text: str


class Enumerated(NamedTuple):
    """A function that the kernel found: vendor, device and class as four hex digits each."""

    line: int
    address: Address
    vendor: str
    device: str
    class_: str


Fact: TypeAlias = (
    GroupEvent
    | DomainEvent
    | DomainDefault
    | IommuState
    | DmaFault
    | InterruptFault
    | IotlbTimeout
    | ReservedMemory
    | InterruptRemapping
    | BusShortage
    | SriovShortage
    | Death
    | NvmeName
    | FirmwareMissing
    | PayloadMismatch
    | FirmwareError
    | UnknownParameters
    | Hypervisor
    | AcsQuirk
    | DmaAlias
    | ProbeFailure
    | Complaint
    | Unassigned
    | Firmware
    | DriverVersion
    | Bandwidth
    | AerReport
    | LinkEvent
    | Enumerated
    | Kernel
    | Trace
    | CommandLine
    | Dmi
)
"""Something the log says."""
