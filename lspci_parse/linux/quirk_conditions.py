"""What the rows of the ACS quirk table say of a function, each rule with conditions of its own."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from lspci_parse.lspci.pci_ids import is_amd_iommu
from lspci_parse.topology.tree import BusKind

if TYPE_CHECKING:
    from lspci_parse.linux.kernel import Boot
    from lspci_parse.linux.quirks import AcsQuirk
    from lspci_parse.model.device import Device
    from lspci_parse.topology.tree import Topology

_BITS: Final = {"SrcValid": 1 << 0, "ReqRedir": 1 << 2, "CmpltRedir": 1 << 3, "UpstreamFwd": 1 << 4}
_NO_PCH_WORKAROUND: Final = ((5, 9), (6, 11))
"""Releases that switch ACS on only where there is the capability; fixed in 5.10 and 6.12."""
_WORKAROUND: Final = (
    "the IOMMU was on at boot, for only then the kernel sets chipset root ports up to isolate"
)


class Answer(NamedTuple):
    """What a row says of one function.

    Attributes:
        isolated: the answer; ``None`` where the row's own conditions do not hold.
        sentence: why.
        notes: what the answer takes for granted.
    """

    isolated: bool | None
    sentence: str = ""
    notes: tuple[str, ...] = ()


def ask(row: AcsQuirk, device: Device, tree: Topology, boot: Boot) -> Answer:
    """Return what a row of the table says of a function that it is about."""
    if row.rule == "isolated":
        return Answer(isolated=True, sentence="the kernel knows it as isolated without ACS")
    if row.rule == "denied":
        return Answer(isolated=False, sentence="the kernel trusts no ACS of this vendor's other devices")
    if row.rule == "intel-pch":
        return _ask_pch(device, tree, boot)
    return _ask_spt(device) if row.rule == "intel-spt" else _ask_southbridge(device, tree)


def _ask_southbridge(device: Device, tree: Topology) -> Answer:
    """Answer for southbridge functions that AMD vouches for where there is an IOMMU (``pci_quirk_amd_sb_acs``)."""
    on_root = tree.bus(device.address).kind is BusKind.ROOT
    if not on_root or not tree.multifunction(device.address):
        return Answer(isolated=None)
    if not any(map(is_amd_iommu, tree.devices.values())):
        return Answer(isolated=None, notes=("there is no AMD IOMMU, for the dump shows none",))
    return Answer(isolated=True, sentence="the kernel knows it as isolated where there is an AMD IOMMU")


def _ask_pch(device: Device, tree: Topology, boot: Boot) -> Answer:
    """Answer for chipset root ports without ACS, which the kernel isolates by chipset registers at boot."""
    if boot.kernel.version in _NO_PCH_WORKAROUND:
        return Answer(isolated=False, sentence=f"Linux {boot.kernel} forgets the ACS workaround of this port")
    if device.address in boot.pch_failed:
        return Answer(isolated=False, sentence="the kernel's ACS workaround for this port failed")
    lpc = tree.devices.get(device.address._replace(device=0x1F, function=0))
    if lpc is not None and len(lpc.config) > 0xF0 and not lpc.config[0xF0] & 1:
        return Answer(
            isolated=False,
            sentence="the kernel's ACS workaround needs the chipset's RCBA, which is not enabled",
        )
    return Answer(
        isolated=True, sentence="the kernel isolates this port by chipset registers", notes=(_WORKAROUND,)
    )


def _ask_spt(device: Device) -> Answer:
    """Answer for Sunrise Point and Union Point root ports.

    Their ACS registers are wider than the specification's: the control register is the double word at offset 8,
    and what lspci prints as ACSCtl is the upper half of the capability (``pci_quirk_intel_spt_pch_acs``).
    """
    acs = device.capability("acs")
    if acs is None:
        return Answer(isolated=None)
    registers = device.config[acs.offset + 4 : acs.offset + 12] if acs.offset else b""
    if len(registers) < 8:
        sentence = "the kernel switches ACS on, in another register than lspci prints"
        return Answer(isolated=True, sentence=sentence, notes=(_WORKAROUND,))
    capable, control = struct.unpack("<II", registers)
    off = [name for name, bit in _BITS.items() if capable & bit and not control & bit]
    if off:
        return Answer(
            isolated=False, sentence=f"its ACS flags {' '.join(off)} are off in the register that counts"
        )
    return Answer(isolated=True, sentence="its ACS flags are on in the register that counts")
