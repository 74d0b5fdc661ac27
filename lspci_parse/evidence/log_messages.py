"""From one message of the kernel log to a fact, by the grammar ``log.lark``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from lspci_parse.evidence import log_facts, machine_facts
from lspci_parse.model.address import Address
from lspci_parse.parsing.grammar import parser
from lspci_parse.parsing.lalr import NoParseError, Tree

if TYPE_CHECKING:
    from collections.abc import Callable

CACHE_SIZE: Final = 20_000
"""How many distinct messages are remembered; those met longest ago are forgotten first."""


class AerDetail(NamedTuple):
    """A line that continues an error report: one error by name, or only the status register (no name)."""

    address: Address
    kind: str | None


class NvmeDeath(NamedTuple):
    """An NVMe controller that stopped working, by its name."""

    line: int
    name: str
    text: str


def read(line: int, message: str) -> log_facts.Fact | AerDetail | NvmeDeath | None:
    """Return what a message says, ``None`` when no rule of the grammar knows it.

    Args:
        line: number of the line in the log, from 1.
        message: the line without time stamp and other prefixes.
    """
    tokens = _tokens(message)
    if tokens is None:
        return None
    try:
        return _READERS[tokens.rule](line, tokens)
    except ValueError:  # no such address (device 3f), no such number: not written by a kernel
        return None


class _Tokens(NamedTuple):
    """The tokens of one message, in order and by type; of a type that stands twice, the first."""

    rule: str
    ordered: tuple[str, ...]
    named: dict[str, str]

    @property
    def driver(self) -> str:
        return self.named["DEVICE"].partition(" ")[0]

    @property
    def device(self) -> Address:
        """The device the message is about: named in its prefix, in older forms in its text."""
        prefix = self.named.get("DEVICE")
        if prefix is None:
            return Address.parse(self.named["ADDRESS"])
        # Interfaces ("eth0:") and old port services (":pcie004:") may follow the address.
        return Address.parse(prefix.split(" ")[1].rstrip(":").partition(":pcie")[0])


@lru_cache(CACHE_SIZE)
def _tokens(message: str) -> _Tokens | None:
    try:
        tree = parser("log").parse(message, "message")
    except NoParseError:
        return None
    fact = tree.children[0]
    assert isinstance(fact, Tree)  # noqa: S101 - the grammar's start rule holds one rule
    tokens = fact.children
    return _Tokens(fact.data, tuple(text for _, text in tokens), dict(reversed(tokens)))


# ------------------------------------------------------------------------------------------ groups, domains


def _group(action: Literal["added", "removed", "refused"]) -> Callable[[int, _Tokens], log_facts.Fact]:
    def make(line: int, t: _Tokens) -> log_facts.Fact:
        error = int(t.ordered[-1]) if action == "refused" else None
        return log_facts.GroupEvent(
            line, t.device, int(t.named["INT"]), action, error, old_form="IOMMU" in t.named
        )

    return make


_DOMAIN_KINDS: Final = {
    "Using iommu direct mapping": "direct",
    "Using direct mapping": "direct",
    "Using iommu dma mapping": "dma",
    "Device uses a private identity domain.": "private-identity",
    "Device uses a private dma domain.": "private-dma",
    "Failed to get a private domain.": "private-failed",
    "Hardware identity mapping": "identity",
    "Software identity mapping": "identity",
    "Device is ineligible": "rmrr",
    "Firmware has requested": "one-to-one",
    "": "conflict",
}
_IOMMU_KINDS: Final = {
    "IOMMU enabled": "requested",
    "IOMMU disabled": "disabled",
    "Intel-IOMMU force enabled": "forced",
    "Intel(R) Virtualization Technology": "on",
    "Translation already enabled": "copied",
    "Found IOMMU": "found",
    "Interrupt remapping": "remapping",
    "Initialized for Passthrough": "passthrough",
    "AMD IOMMU disabled": "disabled",
    "Disable IOMMU": "disabled",
}


def _kind(kinds: dict[str, str], text: str) -> str:
    return next(kind for start, kind in kinds.items() if text.startswith(start))


def _domain(line: int, t: _Tokens) -> log_facts.Fact:
    text = next(t.named[name] for name in ("DOMAIN", "DIRECT", "IDENTITY") if name in t.named)
    device = t.device if "DEVICE" in t.named or "ADDRESS" in t.named else None
    return log_facts.DomainEvent(line, device, _kind(_DOMAIN_KINDS, text), text)


def _fault(line: int, t: _Tokens) -> log_facts.Fact:
    slot = t.named.get("FAULT_SLOT")
    device = t.device if slot is None else Address.parse(slot.rstrip("]"))
    return log_facts.DmaFault(line, device, t.named["TEXT"])


_NAMED: Final = re.compile(r"\bdevice=([0-9a-f:.]+)")


def _amd_event(line: int, t: _Tokens) -> log_facts.Fact:
    """Read an event of the AMD IOMMU: the device that it names counts, not the one in front, which may be the IOMMU."""
    text = t.named["TEXT"]
    named = _NAMED.search(text)
    device = t.device if named is None else Address.parse(named[1])
    kind = log_facts.IotlbTimeout if "IOTLB_INV_TIMEOUT" in text else log_facts.DmaFault
    return kind(line, device, text)


def _interrupt_fault(line: int, t: _Tokens) -> log_facts.Fact:
    return log_facts.InterruptFault(line, Address.parse(t.named["FAULT_SLOT"].rstrip("]")), t.named["TEXT"])


def _acs_quirk(line: int, t: _Tokens) -> log_facts.Fact:
    return log_facts.AcsQuirk(line, t.device if "DEVICE" in t.named else None, t.ordered[-1])


# ---------------------------------------------------------------------------------- drivers, links, machine


def _probe_failed(line: int, t: _Tokens) -> log_facts.Fact:
    driver = t.named.get("WORD") or t.named["PROBE_OF"].rpartition(":")[0]
    return log_facts.ProbeFailure(line, t.device, driver, int(t.named["INT"]))


def _driver(line: int, t: _Tokens) -> log_facts.Fact:
    name = t.ordered[0].partition(":")[0].removesuffix(".c")
    return log_facts.DriverVersion(line, _DRIVERS.get(name, name), t.ordered[1])


_DRIVERS: Final = {"Compat-mlnx-ofed backport release": "mlnx-ofed", "NVRM": "nvidia"}
"""Drivers that give their version under another name."""


def _bandwidth(line: int, t: _Tokens) -> log_facts.Fact:
    gbps = float(t.named["GBPS"].partition(" ")[0])
    if "ADDRESS" not in t.named:
        return log_facts.Bandwidth(line, t.device, gbps, t.named["LINK"])
    limit, capable, link = t.ordered[3:6]
    best = float(capable.partition(" ")[0])
    return log_facts.Bandwidth(line, t.device, gbps, t.named["LINK"], Address.parse(limit), best, link)


def _aer(line: int, t: _Tokens) -> log_facts.Fact:
    agent = t.named["TEXT"].rpartition("(")[2].rstrip(")")
    return log_facts.AerReport(line, t.device, t.named["SEVERITY"], t.named["LAYER"], agent)


def _xid(line: int, t: _Tokens) -> log_facts.Fact:
    device = Address.parse(f"{t.named['SLOT_ADDRESS']}.0")
    return log_facts.Death(line, device, "nvidia", f"Xid {t.named['INT']}: {t.named['TEXT']}")


def _nvme_death(line: int, t: _Tokens) -> NvmeDeath:
    return NvmeDeath(line, t.named["NVME"].rstrip(":"), t.named["NVME_DEATH"])


def _payload(line: int, t: _Tokens) -> log_facts.Fact:
    own, upstream, size = t.ordered[1:4]
    return log_facts.PayloadMismatch(line, t.device, int(own), Address.parse(upstream), int(size))


def _link_event(
    kind: Literal["contained", "inaccessible", "stuck", "retrained"],
) -> Callable[[int, _Tokens], log_facts.Fact]:
    return lambda line, t: log_facts.LinkEvent(line, t.device, kind, None, t.ordered[-1])


def _hotplug(line: int, t: _Tokens) -> log_facts.Fact:
    slot = t.named["SLOT"].removeprefix("Slot(").removesuffix("):")
    return log_facts.LinkEvent(line, t.device, "hotplug", slot, t.named["TEXT"])


def _dmi(line: int, t: _Tokens) -> log_facts.Fact:
    system, slash, board = t.named["SYSTEM"].rpartition("/")
    bios, _, date = t.named["TEXT"].rpartition(" ")
    return machine_facts.Dmi(line, system if slash else board, board if slash else None, bios.strip(), date)


_READERS: Final[dict[str, Callable[[int, _Tokens], log_facts.Fact | AerDetail | NvmeDeath]]] = {
    "added": _group("added"),
    "removed": _group("removed"),
    "refused": _group("refused"),
    "domain": _domain,
    "domain_default": lambda line, t: log_facts.DomainDefault(
        line, t.named["WORD"], "command line" in t.named.get("TEXT", "")
    ),
    "dmar": lambda line, t: log_facts.IommuState(
        line, "intel", _kind(_IOMMU_KINDS, t.ordered[-1]), t.ordered[-1]
    ),
    "amd": lambda line, t: log_facts.IommuState(
        line, "amd", _kind(_IOMMU_KINDS, t.ordered[-1]), t.ordered[-1]
    ),
    "fault": _fault,
    "interrupt_fault": _interrupt_fault,
    "amd_event": _amd_event,
    "rmrr": lambda line, t: log_facts.ReservedMemory(line, int(t.ordered[-2], 16), int(t.ordered[-1], 16)),
    "remapping": lambda line, t: log_facts.InterruptRemapping(
        line, ": Enabled" in t.named["REMAPPING"], t.named["REMAPPING"]
    ),
    "bus_shortage": lambda line, t: log_facts.BusShortage(line, " ".join(t.ordered)),
    "sriov_shortage": lambda line, t: log_facts.SriovShortage(line, t.device, t.named["SRIOV"]),
    "death": lambda line, t: log_facts.Death(line, t.device, t.driver, t.named["DEATH"]),
    "xid": _xid,
    "nvme_name": lambda line, t: log_facts.NvmeName(line, t.device, t.named["NVME"].rstrip(":")),
    "nvme_death": _nvme_death,
    "firmware_missing": lambda line, t: log_facts.FirmwareMissing(line, t.device, t.driver, t.named["WORD"]),
    "payload": _payload,
    "firmware_error": lambda line, t: log_facts.FirmwareError(line, t.device),
    "unknown_parameters": lambda line, t: machine_facts.UnknownParameters(
        line, t.named["UNKNOWN_PARAMETERS"]
    ),
    "hypervisor": lambda line, t: machine_facts.Hypervisor(line, t.named["TEXT"]),
    "xen": lambda line, _: machine_facts.Hypervisor(line, "Xen"),
    "acs_quirk": _acs_quirk,
    "alias": lambda line, t: log_facts.DmaAlias(line, t.device, t.named["WORD"]),
    "probe_failed": _probe_failed,
    "complaint": lambda line, t: log_facts.Complaint(line, t.device, t.driver, t.named["COMPLAINT"]),
    "unassigned": lambda line, t: log_facts.Unassigned(line, t.device, t.named["UNASSIGNED"]),
    "firmware": lambda line, t: log_facts.Firmware(line, t.device, t.driver, t.named["VERSION"]),
    "driver_of": lambda line, t: log_facts.DriverVersion(line, t.driver, t.named["VERSION"]),
    "driver": _driver,
    "bandwidth": _bandwidth,
    "aer": _aer,
    "aer_status": lambda _, t: AerDetail(t.device, None),
    "aer_bit": lambda _, t: AerDetail(t.device, t.named["TEXT"].removesuffix("(First)").strip()),
    "hotplug": _hotplug,
    "contained": _link_event("contained"),
    "gone": _link_event("inaccessible"),
    "stuck": _link_event("stuck"),
    "retrained": _link_event("retrained"),
    "kernel": lambda line, t: machine_facts.Kernel(
        line, t.named["WORD"], machine_facts.upstream(t.named["WORD"])
    ),
    "cmdline": lambda line, t: machine_facts.CommandLine(line, t.named.get("TEXT", "")),
    "trace": lambda line, t: machine_facts.Trace(line, t.named["WORD"]),
    "dmi": _dmi,
    "enumerated": lambda line, t: log_facts.Enumerated(
        line, t.device, t.named["IDS"][1:5], t.named["IDS"][6:10], t.named["CLASS"][2:6]
    ),
}
