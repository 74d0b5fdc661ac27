"""What a kernel log says about a host: one frozen dataclass for each kind of fact, with the line it stands on.

The log lines and the kernel releases that print them are listed in ``grammar/log.lark``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lspci_parse.model import Address


@dataclass(frozen=True, slots=True)
class Fact:
    """Something the log says. ``line`` is the number of its line in the log, from 1."""

    line: int


@dataclass(frozen=True, slots=True)
class GroupEvent(Fact):
    """A device joined or left an IOMMU group, or could not join it.

    Attributes:
        address: the device.
        group: the number the kernel gave the group in this boot.
        action: what happened.
        error: the negative error number of a refusal, else ``None``.
        old_form: printed as kernels 4.2 to 5.0 do (``iommu: Adding device ... to group``).
    """

    address: Address
    group: int
    action: Literal["added", "removed", "refused"]
    error: int | None = None
    old_form: bool = False


@dataclass(frozen=True, slots=True)
class DomainEvent(Fact):
    """Which kind of IOMMU domain a device got, wanted or was refused.

    Attributes:
        address: the device; ``None`` where the line names none.
        kind: ``direct``, ``dma``, ``private-identity``, ``private-dma``, ``private-failed``, ``identity``,
            ``conflict`` or ``rmrr``.
        text: the message without its prefix.
    """

    address: Address | None
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class DomainDefault(Fact):
    """The domain type that devices get when nothing asks for another one (Linux 5.4 and newer).

    Attributes:
        type: ``Translated`` or ``Passthrough``.
        from_cmdline: the command line asked for it, not the kernel's build options.
    """

    type: str
    from_cmdline: bool


@dataclass(frozen=True, slots=True)
class IommuState(Fact):
    """What the IOMMU driver says of itself.

    Attributes:
        vendor: ``intel`` or ``amd``.
        kind: ``requested``, ``forced``, ``disabled``, ``on``, ``found``, ``passthrough``, ``remapping`` or
            ``copied`` (a kdump kernel took over the translation of the crashed one).
        text: the message without its prefix.
    """

    vendor: Literal["intel", "amd"]
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class DmaFault(Fact):
    """An IOMMU refused a device's access to memory."""

    address: Address
    text: str


@dataclass(frozen=True, slots=True)
class AcsQuirk(Fact):
    """The kernel changed or replaced ACS by itself; ``address`` is ``None`` for the override of all devices."""

    address: Address | None
    text: str


@dataclass(frozen=True, slots=True)
class DmaAlias(Fact):
    """A quirk lets the device's requests carry another requester ID (``devfn``: ``device.function``)."""

    address: Address
    devfn: str


@dataclass(frozen=True, slots=True)
class ProbeFailure(Fact):
    """A driver refused a device: ``error`` is the negative error number (``-12`` is ENOMEM)."""

    address: Address
    driver: str
    error: int


@dataclass(frozen=True, slots=True)
class Complaint(Fact):
    """A driver's own words about something that failed."""

    address: Address
    driver: str
    text: str


@dataclass(frozen=True, slots=True)
class Unassigned(Fact):
    """The kernel found no address space for a BAR, a ROM or a bridge window."""

    address: Address
    text: str


@dataclass(frozen=True, slots=True)
class Firmware(Fact):
    """The version of a device's firmware, as its driver reports it."""

    address: Address
    driver: str
    version: str


@dataclass(frozen=True, slots=True)
class DriverVersion(Fact):
    """The version of a driver, as it reports it; most drivers have none but the kernel's."""

    driver: str
    version: str


@dataclass(frozen=True, slots=True)
class Bandwidth(Fact):
    """What a device's way to the root complex carries.

    Attributes:
        address: the device.
        gbps: available bandwidth in Gbit/s.
        link: the slowest link on the way, such as ``8.0 GT/s PCIe x8 link``.
        limited_by: the upper end of that link; ``None`` when nothing limits the device.
        capable_gbps: what the device's own link could carry in Gbit/s, ``None`` when nothing limits it.
        capable_link: the device's own link at its best, ``None`` when nothing limits it.
    """

    address: Address
    gbps: float
    link: str
    limited_by: Address | None = None
    capable_gbps: float | None = None
    capable_link: str | None = None


@dataclass(frozen=True, slots=True)
class AerReport(Fact):
    """An error that PCI Express Advanced Error Reporting delivered.

    Attributes:
        address: the device that found the error.
        severity: ``Corrected``, ``Uncorrected (Non-Fatal)`` or ``Uncorrected (Fatal)``; newer kernels say
            ``Correctable`` and ``Uncorrectable``.
        layer: ``Physical Layer``, ``Data Link Layer``, ``Transaction Layer`` ...
        agent: the device's part in the transfer, such as ``Receiver ID``.
        kinds: the errors by name, as the kernel prints them: ``RxErr``, ``CmpltTO`` ...
    """

    address: Address
    severity: str
    layer: str
    agent: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkEvent(Fact):
    """A link went, a slot changed, a device no longer answers.

    Attributes:
        address: the port, or the device that does not answer.
        kind: ``hotplug``, ``contained`` (Downstream Port Containment) or ``inaccessible``.
        slot: the slot's name for ``hotplug``, else ``None``.
        text: what happened, such as ``Link Down``.
    """

    address: Address
    kind: Literal["hotplug", "contained", "inaccessible"]
    slot: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Enumerated(Fact):
    """A function that the kernel found: vendor, device and class as four hex digits each."""

    address: Address
    vendor: str
    device: str
    class_: str


@dataclass(frozen=True, slots=True)
class Kernel(Fact):
    """The running kernel.

    Attributes:
        release: as ``uname -r`` prints it, such as ``4.18.0-240.el8.x86_64``.
        version: the upstream numbers it begins with, ``(4, 18, 0)``; a vendor may have added newer code.
    """

    release: str
    version: tuple[int, ...]


def upstream(release: str) -> tuple[int, ...]:
    """Return the numbers that a kernel release begins with: ``(4, 18, 0)`` of ``4.18.0-240.el8.x86_64``."""
    numbers: list[int] = []
    for part in release.partition("-")[0].split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)


@dataclass(frozen=True, slots=True)
class CommandLine(Fact):
    """The kernel's command line as the log repeats it."""

    text: str


@dataclass(frozen=True, slots=True)
class Dmi(Fact):
    """What the firmware says of the machine (SMBIOS).

    Attributes:
        system: vendor and product name, which the log does not separate.
        board: name of the board, ``None`` where the firmware gives none.
        bios: version of the BIOS.
        date: its release date as printed, month first: ``08/27/2020``.
    """

    system: str
    board: str | None
    bios: str
    date: str
