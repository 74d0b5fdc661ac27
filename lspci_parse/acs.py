"""Access Control Services: does Linux count a function as isolated, and why.

The rules are those of ``pci_acs_enabled`` (drivers/pci/pci.c) and ``pci_dev_specific_acs_enabled``
(drivers/pci/quirks.c) for the four flags that the grouping of devices asks for (``REQ_ACS_FLAGS`` in
drivers/iommu/iommu.c).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from lspci_parse.quirks import NEWEST, AcsQuirk, Boot, Kernel, acs_quirks, class_id, identify
from lspci_parse.topology import (
    COLLECTOR,
    DOWNSTREAM,
    INTEGRATED,
    ROOT_PORT,
    TO_EXPRESS,
    TO_PCI,
    UPSTREAM,
    BusKind,
    Topology,
)

if TYPE_CHECKING:
    from lspci_parse.model import Address, Capability, Device

REQUIRED: Final = ("SrcValid", "ReqRedir", "CmpltRedir", "UpstreamFwd")
"""The flags that isolate; ``TransBlk``, ``EgressCtrl`` and ``DirectTrans`` do not count."""

_BITS: Final = {"SrcValid": 1 << 0, "ReqRedir": 1 << 2, "CmpltRedir": 1 << 3, "UpstreamFwd": 1 << 4}
_PORTS: Final = (ROOT_PORT, DOWNSTREAM)
_NEVER: Final = {
    TO_PCI: "a PCIe-to-PCI bridge",
    TO_EXPRESS: "a PCI-to-PCIe bridge",
    COLLECTOR: "a root complex event collector",
}
_IF_MULTIFUNCTION: Final = ("Endpoint", "Legacy Endpoint", UPSTREAM, INTEGRATED)


class Reason(Enum):
    """What decided about a function."""

    CAPABILITY = "capability"
    EMPTY = "empty capability"
    QUIRK_ID = "quirk by id"
    QUIRK_NAME = "quirk by name"
    OVERRIDE = "override"
    NOT_NEEDED = "not needed"
    NO_CAPABILITY = "no capability"
    FLAGS_OFF = "flags off"
    CONVENTIONAL = "conventional"
    NEVER = "never"
    UNKNOWN = "unknown"


class Flag(NamedTuple):
    """A required flag: whether the capability has it (``ACSCap``), and whether it is on (``ACSCtl``)."""

    name: str
    capable: bool
    on: bool


@dataclass(frozen=True, slots=True)
class AcsVerdict:
    """Whether Linux counts a function as isolated.

    Attributes:
        device: the function.
        present: it has an ACS capability; ``None`` where the dump cannot tell.
        needed: its isolation hangs on ACS: a root or downstream port, or a function of a multi-function device.
        flags: the required flags, without those that a dump of ``-v`` leaves out.
        isolated: the verdict; ``None`` where the dump cannot tell.
        reason: what decided.
        sentence: the reason in words, a clause without a full stop.
        quirk: the row of the quirk table that decided, or ``None``.
        assumptions: what the verdict takes for granted, since the dump does not show it.
    """

    device: Address
    present: bool | None
    needed: bool
    flags: tuple[Flag, ...]
    isolated: bool | None
    reason: Reason
    sentence: str
    quirk: AcsQuirk | None = None
    assumptions: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The verdict in a few words: ``ACS on (SrcValid ReqRedir CmpltRedir UpstreamFwd)``, ``no ACS`` ..."""
        on = " ".join(flag.name for flag in self.flags if flag.on)
        if self.reason is Reason.CAPABILITY:
            return f"ACS on ({on})"
        if self.reason is Reason.FLAGS_OFF:
            return f"ACS partly off (only {on})" if on else "ACS off"
        if self.reason is Reason.UNKNOWN:
            return f"ACS unknown ({self.sentence})"
        if self.quirk is not None:
            return "ACS by quirk" if self.isolated else "ACS denied by quirk"
        return _SUMMARIES[self.reason]


_SUMMARIES: Final = {
    Reason.EMPTY: "ACS on (empty capability)",
    Reason.OVERRIDE: "ACS by override",
    Reason.NOT_NEEDED: "ACS not needed",
    Reason.NO_CAPABILITY: "no ACS",
    Reason.CONVENTIONAL: "no ACS (conventional PCI)",
    Reason.NEVER: "no ACS",
}


def verdict(
    device: Device | Address, topology: Topology, *, kernel: Kernel | str | None = None
) -> AcsVerdict:
    """Judge one function.

    Args:
        device: the function or its address.
        topology: the tree it is part of.
        kernel: the release whose rules hold; without it the newest known.

    Raises:
        LspciError: ``kernel`` is not a release.
    """
    release = Kernel.parse(kernel) if isinstance(kernel, str) else kernel
    address = device if isinstance(device, tuple) else device.address
    return Isolation(topology, Boot(release or NEWEST, known=release is not None))[address]


def label(device: Device, topology: Topology) -> str:
    """Return what a listing prints beside a device: nothing where ACS has no meaning."""
    found = verdict(device, topology)
    return found.summary if found.needed or device.is_bridge else ""


def unreadable(device: Device) -> str | None:
    """Return why the capabilities of a device are not known, or ``None`` if they are."""
    if device.access_denied:
        return "access denied"
    if device.dead:
        return "it does not answer"
    if not device.registers and not device.capabilities:
        return "printed without -v"
    if device.cut and device.capability("acs") is None:
        return "the text is cut off"
    return None


class Isolation:
    """The verdicts on the functions of a dump for one boot, by address, each made when first asked for.

    Args:
        topology: the tree.
        boot: the kernel and what else is known.
    """

    def __init__(self, topology: Topology, boot: Boot) -> None:
        self._tree = topology
        self._boot = boot
        self._verdicts: dict[Address, AcsVerdict] = {}
        self._types: dict[Address, str | None] = {}
        self._override = frozenset(boot.parameter("pcie_acs_override"))

    def __getitem__(self, address: Address) -> AcsVerdict:
        found = self._verdicts.get(address)
        if found is None:
            found = self._verdicts[address] = self._judge(address)
        return found

    @property
    def asked(self) -> tuple[AcsVerdict, ...]:
        """The verdicts that were asked for so far."""
        return tuple(self._verdicts.values())

    def port_type(self, address: Address) -> str | None:
        """Return the Express type as the kernel sees it.

        A downstream port below a root or downstream port, and an upstream port below an upstream port, cannot
        be. Linux corrects them, and the corrected type reads as Endpoint (``set_pcie_port_type``, 5.4 and newer).
        """
        if address not in self._types:
            printed = self._tree.devices[address].port_type
            parent = self._tree.parent(address) if printed in (UPSTREAM, DOWNSTREAM) else None
            above = None if parent is None else self.port_type(parent)
            wrong = above == UPSTREAM if printed == UPSTREAM else above in _PORTS
            corrected = wrong and self._boot.kernel.version >= (5, 4)
            self._types[address] = "Endpoint" if corrected else printed
        return self._types[address]

    def _judge(self, address: Address) -> AcsVerdict:
        device, kind = self._tree.devices[address], self.port_type(address)
        multifunction = self._tree.multifunction(address)
        acs = device.capability("acs")
        unread = unreadable(device)
        make = partial(
            AcsVerdict,
            address,
            None if unread else acs is not None,
            kind in _PORTS or multifunction,
            _flags(acs),
        )
        found = self._by_quirk(device, None if unread else kind, multifunction=multifunction, make=make)
        if found is not None:
            return found
        if unread is not None:
            return make(isolated=None, reason=Reason.UNKNOWN, sentence=unread)
        if kind is not None and acs is None and self._overridden(device, kind, multifunction=multifunction):
            return make(
                isolated=True,
                reason=Reason.OVERRIDE,
                sentence="pcie_acs_override counts it as isolated, nothing isolates it",
                assumptions=("the kernel has the out-of-tree patch that pcie_acs_override= belongs to",),
            )
        return self._by_type(device, kind, multifunction=multifunction, make=make) or self._by_registers(
            device, make
        )

    def _by_quirk(
        self, device: Device, kind: str | None, *, multifunction: bool, make: _Make
    ) -> AcsVerdict | None:
        """Return the answer of the first row of the quirk table that has one."""
        identity = identify(device)
        skipped: list[str] = []
        rows = (row for vendor in identity.vendors for row in acs_quirks().get(vendor, ()))
        for row in rows:
            how = None if row.ports and kind not in row.ports else row.match(identity)
            if how is None or row.rule == "no-srcvalid":
                continue
            if not row.certain(self._boot.kernel):
                has = "has" if row.holds(self._boot.kernel) else "lacks"
                skipped.append(
                    f"Linux {self._boot.kernel} {has} the quirk {row.function} (seen since {_dotted(row.since)})"
                )
            if not row.holds(self._boot.kernel):
                continue
            answer = self._ask(row, device, multifunction=multifunction)
            if answer is None:
                continue
            if how != "id" and row.devices is not None:
                also = ", which other devices have too" if how == "shared name" else ""
                skipped.append(f"the device is told by its name{also} (lspci -nn would print its id)")
            reason = Reason.QUIRK_ID if how == "id" else Reason.QUIRK_NAME
            isolated, sentence, assumptions = answer
            return make(
                isolated=isolated,
                reason=reason,
                sentence=f"{sentence} ({row.function})",
                quirk=row,
                assumptions=(*skipped, *assumptions),
            )
        return None

    def _ask(self, row: AcsQuirk, device: Device, *, multifunction: bool) -> _Answer | None:
        """Return the answer of one row; ``None`` where its own conditions do not hold."""
        if row.rule == "isolated":
            return True, "the kernel knows it as isolated without ACS", ()
        if row.rule == "denied":
            return False, "the kernel trusts no ACS of this vendor's other devices", ()
        if row.rule == "amd-southbridge":
            on_root = self._tree.bus(device.address).kind is BusKind.ROOT
            if not (multifunction and on_root and self._amd_iommu):
                return None
            return True, "the kernel knows it as isolated where there is an AMD IOMMU", ()
        return self._ask_pch(device) if row.rule == "intel-pch" else _ask_spt(device)

    def _ask_pch(self, device: Device) -> _Answer:
        """Answer for chipset root ports without ACS, which the kernel isolates by chipset registers at boot."""
        if self._boot.kernel.version in _NO_PCH_WORKAROUND:
            return False, f"Linux {self._boot.kernel} forgets the ACS workaround of this port", ()
        if device.address in self._boot.pch_failed:
            return False, "the kernel's ACS workaround for this port failed", ()
        lpc = self._tree.devices.get(device.address._replace(device=0x1F, function=0))
        if lpc is not None and len(lpc.config) > 0xF0 and not lpc.config[0xF0] & 1:
            return False, "the kernel's ACS workaround needs the chipset's RCBA, which is not enabled", ()
        return True, "the kernel isolates this port by chipset registers", (_WORKAROUND,)

    @cached_property
    def _amd_iommu(self) -> bool:
        """Whether an AMD IOMMU is in the dump, and so, it is taken, an IVRS table in ACPI."""
        return any(class_id(device) == "0806" and _is_amd(device) for device in self._tree.devices.values())

    def _overridden(self, device: Device, kind: str, *, multifunction: bool) -> bool:
        """Tell whether the out-of-tree ACS override answers for an Express function without the capability."""
        if f"id:{device.ids.vendor}:{device.ids.device}" in self._override:
            return True
        if kind in _PORTS:
            return "downstream" in self._override
        return "multifunction" in self._override and multifunction and kind in _IF_MULTIFUNCTION

    def _by_type(
        self, device: Device, kind: str | None, *, multifunction: bool, make: _Make
    ) -> AcsVerdict | None:
        """Return the answer that the port type gives; ``None`` where registers decide."""
        if kind is None:
            return make(isolated=False, reason=Reason.CONVENTIONAL, sentence="conventional PCI has no ACS")
        if kind in _NEVER:
            sentence = f"Linux never counts {_NEVER[kind]} as isolated"
            return make(isolated=False, reason=Reason.NEVER, sentence=sentence)
        if kind in _PORTS or (kind in _IF_MULTIFUNCTION and multifunction):
            return None
        assumptions: tuple[str, ...] = ()
        if kind == UPSTREAM and len(device.config) <= 0x0E and device.capability("acs") is None:
            assumptions = ("the upstream port has no hidden functions (bit 7 of its header type: lspci -x)",)
        single = "single-function " if kind in _IF_MULTIFUNCTION else ""
        return make(
            isolated=True,
            reason=Reason.NOT_NEEDED,
            sentence=f"a {single}{kind} needs no ACS",
            assumptions=assumptions,
        )

    def _by_registers(self, device: Device, make: _Make) -> AcsVerdict:
        """Return the answer of the ACS registers: what the capability has must be on (``pci_acs_flags_enabled``)."""
        acs = device.capability("acs")
        if acs is None:
            return make(isolated=False, reason=Reason.NO_CAPABILITY, sentence="no ACS capability")
        if not _flags(acs):
            return make(isolated=None, reason=Reason.UNKNOWN, sentence="its registers are not printed")
        capable = [flag for flag in _flags(acs) if flag.capable]
        off = [flag.name for flag in capable if not flag.on]
        assumptions: tuple[str, ...] = ()
        if off == ["SrcValid"] and self._broken_source_validation(device):
            off, assumptions = (
                [],
                ("the kernel neither sets nor needs SrcValid on this switch (7.0 and newer)",),
            )
        if off:
            return make(
                isolated=False, reason=Reason.FLAGS_OFF, sentence=f"its ACS flags {' '.join(off)} are off"
            )
        if not capable:
            sentence = "its ACS capability has none of the flags that isolate, which counts as on"
            return make(isolated=True, reason=Reason.EMPTY, sentence=sentence)
        sentence = f"its ACS flags {' '.join(flag.name for flag in capable if flag.on)} are on"
        return make(isolated=True, reason=Reason.CAPABILITY, sentence=sentence, assumptions=assumptions)

    def _broken_source_validation(self, device: Device) -> bool:
        """Tell switches whose SrcValid Linux removes from the capability (``pci_disable_broken_acs_cap``, 7.0)."""
        identity = identify(device)
        rows = (row for vendor in identity.vendors for row in acs_quirks().get(vendor, ()))
        return any(
            row.rule == "no-srcvalid" and row.holds(self._boot.kernel) and row.match(identity) for row in rows
        )


_Make: TypeAlias = Callable[..., AcsVerdict]
_Answer: TypeAlias = tuple[bool, str, tuple[str, ...]]

_NO_PCH_WORKAROUND: Final = ((5, 9), (6, 11))
"""Releases that switch ACS on only where there is the capability; fixed in 5.10 and 6.12."""
_WORKAROUND: Final = (
    "the IOMMU was on at boot, for only then the kernel sets chipset root ports up to isolate"
)


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _is_amd(device: Device) -> bool:
    return device.ids.vendor in ("1002", "1022") or bool(
        re.match(r"Advanced Micro Devices|ATI ", device.name)
    )


def _flags(acs: Capability | None) -> tuple[Flag, ...]:
    if acs is None or "ACSCap" not in acs or "ACSCtl" not in acs:
        return ()
    capable, control = acs["ACSCap"], acs["ACSCtl"]
    return tuple(Flag(name, bool(capable.get(name)), bool(control.get(name))) for name in REQUIRED)


def _ask_spt(device: Device) -> _Answer | None:
    """Answer for Sunrise Point and Union Point root ports.

    Their ACS registers are wider than the specification's: the control register is the double word at offset 8,
    and what lspci prints as ACSCtl is the upper half of the capability (``pci_quirk_intel_spt_pch_acs``).
    """
    acs = device.capability("acs")
    if acs is None:
        return None
    registers = device.config[acs.offset + 4 : acs.offset + 12] if acs.offset else b""
    if len(registers) < 8:
        return True, "the kernel switches ACS on, in another register than lspci prints", (_WORKAROUND,)
    capable, control = (int.from_bytes(registers[at : at + 4], "little") for at in (0, 4))
    off = [name for name, bit in _BITS.items() if capable & bit and not control & bit]
    if off:
        return False, f"its ACS flags {' '.join(off)} are off in the register that counts", ()
    return True, "its ACS flags are on in the register that counts", ()
