"""Access Control Services: does Linux count a function as isolated, and why.

The rules are those of ``pci_acs_enabled`` (drivers/pci/pci.c) and ``pci_dev_specific_acs_enabled``
(drivers/pci/quirks.c) for the four flags that the grouping of devices asks for (``REQ_ACS_FLAGS`` in
drivers/iommu/iommu.c).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lspci_parse.linux.kernel import NEWEST, Boot, Kernel
from lspci_parse.linux.quirk_conditions import ask
from lspci_parse.linux.quirks import AcsQuirk, acs_rows
from lspci_parse.lspci.pci_ids import identify
from lspci_parse.model.address import Address
from lspci_parse.topology.tree import (
    COLLECTOR,
    DOWNSTREAM,
    INTEGRATED,
    ROOT_PORT,
    TO_EXPRESS,
    TO_PCI,
    UPSTREAM,
    Topology,
)

if TYPE_CHECKING:
    from lspci_parse.model.device import Device
    from lspci_parse.model.fields import Capability

REQUIRED: Final = ("SrcValid", "ReqRedir", "CmpltRedir", "UpstreamFwd")
"""The flags that isolate; ``TransBlk``, ``EgressCtrl`` and ``DirectTrans`` do not count."""

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
    CONDITION = "condition"
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


class AcsVerdict(NamedTuple):
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
        if self.reason is Reason.CONDITION:
            return f"ACS taken as {'on' if self.isolated else 'off'}"
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
    address = device if isinstance(device, Address) else device.address
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
    if any(cap.kind == "unknown" or not cap.name for cap in device.capabilities) and not (
        device.port_type and device.capability("acs")
    ):
        return "the title of a capability cannot be read"
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
        device = self._tree.devices[address]
        case = _Case(device, self.port_type(address), self._tree.multifunction(address))
        if address in self._boot.acs:
            return _by_condition(case, on=self._boot.acs[address])
        found = self._by_quirk(case)
        if found is not None:
            return found
        if case.unread is not None:
            return case.verdict(Reason.UNKNOWN, case.unread, isolated=None)
        if self._boot.patched is not False and self._overridden(case):
            return self._by_override(case)
        return _by_type(case) or self._by_registers(case)

    def _by_quirk(self, case: _Case) -> AcsVerdict | None:
        """Return the answer of the first row of the quirk table that has one."""
        kernel = self._boot.kernel
        kind = None if case.unread else case.kind
        for row, how in case.rows:
            if row.rule == "no-srcvalid" or (row.ports and kind not in row.ports):
                continue
            if not row.certain(kernel):
                has = "has" if row.holds(kernel) else "lacks"
                case.notes.append(
                    f"Linux {kernel} {has} the quirk {row.function} (seen since {row.since_text})"
                )
            if not row.holds(kernel):
                continue
            answer = ask(row, case.device, self._tree, self._boot)
            case.notes += answer.notes
            if answer.isolated is None:
                continue
            if how != "id" and row.target.devices is not None:
                also = ", which other devices have too" if how == "shared name" else ""
                case.notes.append(f"the device is told by its name{also} (lspci -nn would print its id)")
            reason = Reason.QUIRK_ID if how == "id" else Reason.QUIRK_NAME
            return case.verdict(reason, f"{answer.sentence} ({row.function})", row, isolated=answer.isolated)
        return None

    def _overridden(self, case: _Case) -> bool:
        """Tell whether the out-of-tree ACS override answers, as for Express functions without the capability."""
        if case.kind is None or case.acs is not None or not self._override:
            return False
        if any(f"id:{vendor}:{case.identity.device}" in self._override for vendor in case.identity.vendors):
            return True
        if case.kind in _PORTS:
            return "downstream" in self._override
        return "multifunction" in self._override and case.multifunction and case.kind in _IF_MULTIFUNCTION

    def _by_override(self, case: _Case) -> AcsVerdict:
        if self._boot.patched is None:
            sentence = (
                "pcie_acs_override= counts it as isolated if the kernel has the patch, which is not known"
            )
            return case.verdict(Reason.UNKNOWN, sentence, isolated=None)
        sentence = "pcie_acs_override counts it as isolated, nothing isolates it"
        return case.verdict(Reason.OVERRIDE, sentence, isolated=True)

    def _by_registers(self, case: _Case) -> AcsVerdict:
        """Return the answer of the ACS registers: what the capability has must be on (``pci_acs_flags_enabled``)."""
        if case.acs is None:
            return case.verdict(Reason.NO_CAPABILITY, "no ACS capability", isolated=False)
        if not case.flags:
            sentence = f"its registers are {'damaged' if case.acs.registers else 'not printed'}"
            return case.verdict(Reason.UNKNOWN, sentence, isolated=None)
        capable = [flag for flag in case.flags if flag.capable]
        off = [flag.name for flag in capable if not flag.on and not self._boot.flags_as_set]
        if off == ["SrcValid"] and self._broken_source_validation(case):
            case.notes.append("the kernel neither sets nor needs SrcValid on this switch (7.0 and newer)")
            off = []
        if off:
            return case.verdict(Reason.FLAGS_OFF, f"its ACS flags {' '.join(off)} are off", isolated=False)
        if not capable:
            sentence = "its ACS capability has none of the flags that isolate, which counts as on"
            return case.verdict(Reason.EMPTY, sentence, isolated=True)
        on = " ".join(flag.name for flag in capable if flag.on or self._boot.flags_as_set)
        return case.verdict(Reason.CAPABILITY, f"its ACS flags {on} are on", isolated=True)

    def _broken_source_validation(self, case: _Case) -> bool:
        """Tell switches whose SrcValid Linux removes from the capability (``pci_disable_broken_acs_cap``)."""
        return any(row.rule == "no-srcvalid" and row.holds(self._boot.kernel) for row, _ in case.rows)


class _Case:
    """What the verdict on one function is made from; ``notes`` collects what it takes for granted."""

    def __init__(self, device: Device, kind: str | None, multifunction: bool) -> None:  # noqa: FBT001
        self.device, self.kind, self.multifunction = device, kind, multifunction
        self.acs = device.capability("acs")
        self.flags = _flags(self.acs)
        self.unread = unreadable(device)
        self.identity = identify(device)
        self.rows = acs_rows(self.identity)
        self.notes: list[str] = []

    def verdict(
        self, reason: Reason, sentence: str, quirk: AcsQuirk | None = None, *, isolated: bool | None
    ) -> AcsVerdict:
        return AcsVerdict(
            self.device.address,
            None if self.unread else self.acs is not None,
            self.kind in _PORTS or self.multifunction,
            self.flags,
            isolated,
            reason,
            sentence,
            quirk,
            tuple(self.notes),
        )


def _by_condition(case: _Case, *, on: bool) -> AcsVerdict:
    """Return the answer of a function whose flags are taken as on or off; a kind that needs none stays as it is."""
    by_type = _by_type(case)
    if by_type is not None:
        return by_type
    return case.verdict(Reason.CONDITION, f"its ACS is taken as {'on' if on else 'off'}", isolated=on)


def _by_type(case: _Case) -> AcsVerdict | None:
    """Return the answer that the port type gives; ``None`` where registers decide."""
    kind = case.kind
    if kind is None:
        return case.verdict(Reason.CONVENTIONAL, "conventional PCI has no ACS", isolated=False)
    if kind in _NEVER:
        return case.verdict(Reason.NEVER, f"Linux never counts {_NEVER[kind]} as isolated", isolated=False)
    if kind in _PORTS or (kind in _IF_MULTIFUNCTION and case.multifunction):
        return None
    if kind == UPSTREAM and len(case.device.config) <= 0x0E and case.acs is None:
        case.notes.append("the upstream port has no hidden functions (bit 7 of its header type: lspci -x)")
    single = "single-function " if kind in _IF_MULTIFUNCTION else ""
    return case.verdict(Reason.NOT_NEEDED, f"a {single}{kind} needs no ACS", isolated=True)


def registers(acs: Capability | None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the flags of ``ACSCap`` and of ``ACSCtl``; none where they are not printed, or damaged."""
    found = (None if acs is None else acs.get(name) for name in ("ACSCap", "ACSCtl"))
    capable, control = (value if isinstance(value, Mapping) else {} for value in found)
    return capable, control


def _flags(acs: Capability | None) -> tuple[Flag, ...]:
    if acs is None:
        return ()
    capable, control = registers(acs)
    if any(name not in capable or name not in control for name in REQUIRED):
        return ()  # a flag that is not printed is not known; it is neither off nor missing
    return tuple(Flag(name, capable[name], control[name]) for name in REQUIRED)
