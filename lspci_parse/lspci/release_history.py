"""What changed in lspci from release to release: which fields it prints, when, and what they mean.

An interval names the first and the last release that prints something: ``3.6-3.12``, ``3.13-`` (still does),
``-3.5.6`` (always did until then); several are separated by blanks. Each was measured: one set of generated
configuration spaces was printed by every release, and the trees were compared.
"""

from __future__ import annotations

from typing import Final

RELEASES: Final = (
    *("3.2", "3.2.1", "3.3", "3.3.1", "3.4", "3.4.1"),
    *("3.5", "3.5.1", "3.5.2", "3.5.3", "3.5.4", "3.5.5", "3.5.6", "3.6", "3.6.1", "3.6.2", "3.6.3", "3.6.4"),
    *("3.7", "3.8", "3.9", "3.10", "3.11", "3.11.1", "3.12", "3.13", "3.14", "3.15"),
)
"""The releases of pciutils that the tables tell apart; older ones count as 3.2. The last stands for what comes
after 3.14: what its development already prints."""

PRINTED: Final[dict[str, str]] = {
    # the header
    "DeviceName": "3.3-3.3.1 3.6-",
    "label": "3.3-3.3.1 3.6-",
    "NUMA node": "3.4-",
    "numa_node": "3.4-",
    "Device tree node": "3.6-",
    "IOMMU group": "3.7-",
    "iommu_group": "3.7-",
    "BridgeCtl/VGA16": "3.6-",
    "* behind bridge/size": "3.5.3-",
    "* behind bridge/disabled": "3.5.3-",
    "* behind bridge/width": "3.8-",
    "Unknown resource behind bridge": "3.8-",
    "Region*/enhanced": "3.5-",
    "Expansion ROM/enhanced": "3.5-",
    # capabilities whose registers are printed only since they are decoded
    "ea/*": "3.4.1-",
    "vndr/VirtIO": "3.3.1-",
    "vndr/BAR": "3.3.1-",
    "vndr/offset": "3.3.1-",
    "vndr/size": "3.3.1-",
    "vndr/multiplier": "3.3.1-",
    "vndr/id": "3.14-",
    "vndr/Intel*": "3.14-",
    "vndr/Cap[ABC]": "3.14-",
    "rcec/*": "3.8-",
    "mcast/*": "3.6.3-",
    "pri/*": "3.4.1-",
    "rebar/*": "3.7-",
    "vf_rebar/*": "3.7-",
    "secpci/*": "3.6.3-",
    "pasid/*": "3.4.1-",
    "dpc/*": "3.5-",
    "ptm/*": "3.5-",
    "dvsec/*": "3.7-",
    "16gt/*": "3.14-",
    "32gt/*": "3.14-",
    "64gt/*": "3.14-",
    "lmr/*": "3.11-",
    "doe/*": "3.8-",
    "dev3/*": "3.14-",
    "ide/*": "3.12-",
    "fl/*": "3.15-",
    "flit_ei/*": "3.15-",
    "mmio_rbl/*": "3.15-",
    # an extended configuration space that reads as all ones
    "ecapffff": "-3.7",
    # registers and fields of Express
    "exp/FLIT Mode Supported": "3.14-",
    "exp/DevCap/TEE-IO": "3.12-",
    "exp/LnkCap/ASPMOptComp": "3.3-",
    "exp/LnkCtl/FltModeDis": "3.14-",
    "exp/LnkSta/* check": "3.6-",
    "exp/DevCap2/NROPrPrP": "3.6.3-",
    "exp/DevCap2/10BitTag*": "3.6.3-",
    "exp/DevCap2/ExtFmt": "3.6.3-",
    "exp/DevCap2/*EETLPPrefix*": "3.6.3-",
    "exp/DevCap2/EmergencyPowerReduction*": "3.6.3-",
    "exp/DevCap2/FRS": "3.6.3-",
    "exp/DevCap2/LN System CLS": "3.6.3-",
    "exp/DevCap2/*TPHComp": "3.6.3-",
    "exp/DevCap2/AtomicOpsCap": "3.5.3-",
    "exp/DevCtl2/AtomicOpsCtl": "3.5.3-",
    "exp/DevCtl2/10BitTagReq": "3.8-",
    "exp/DevCtl2/IDO*": "3.11-",
    "exp/DevCtl2/EmergencyPowerReductionReq": "3.11-",
    "exp/DevCtl2/EETLPPrefixBlk": "3.11-",
    "exp/LnkCap2": "3.7-",
    "exp/LnkCtl2/Compliance De-emphasis": "-3.7",
    "exp/LnkCtl2/Compliance Preset/De-emphasis": "3.8-",
    "exp/LnkSta2/*Retimer*": "3.7-",
    "exp/LnkSta2/CrosslinkRes": "3.7-",
    "exp/LnkSta2/DownstreamComp": "3.7-",
    "exp/LnkSta2/DRS": "3.7-",
    "exp/LnkSta2/FltMode": "3.14-",
    # registers and fields of other capabilities
    "aer/UE*/UncorrIntErr": "3.13-",
    "aer/UE*/*Blocked*": "3.13-",
    "aer/UE*/IDECheck": "3.13-",
    "aer/UE*/MisIDETLP": "3.13-",
    "aer/UE*/PCRC_CHECK": "3.13-",
    "aer/CE*/CorrIntErr": "3.13-",
    "aer/CE*/HeaderOF": "3.13-",
    "aer/AERCap/MultHdrRec*": "3.5.5-",
    "aer/AERCap/TLPPfxPres": "3.5.5-",
    "aer/AERCap/HdrLogCap": "3.5.5-",
    "aer/HeaderLog": "3.5.5-",
    "aer/Root*": "3.5.5-",
    "aer/ErrorSrc": "3.5.5-",
    "sriov/IOV*/10BitTagReq": "3.8-",
    "pri/PRISta/PASID": "3.11-",
    "l1pm/L1SubCtl*": "3.5.2-",
    "l1pm/unreadable": "3.5.2-",
    "dvsec/DVSEC": "3.11-",
    "dvsec/AlternateBus": "3.9-",
    "dvsec/Block*": "3.9-",
    "dvsec/CXLPort*": "3.9-",
    "dvsec/CXLSta2": "3.9-",
    "dvsec/CXLCap2": "3.9-",
    "dvsec/CXLCap3": "3.11-",
    "dvsec/CXLCtl2": "3.11-",
    "dvsec/FB*": "3.9-",
    "dvsec/FuncMap*": "3.9-",
    "dvsec/GPF*": "3.9-",
    "dvsec/NumLogDevs": "3.9-",
    "dvsec/Range*": "3.9-",
    "dvsec/Range*/size": "3.11-",
    "ide/*/XT": "3.15-",
    "ide/IDECap/SelCfg": "3.15-",
    "ide/* Ctl/TeeLim": "3.15-",
    "ide/* Ctl/CFG": "3.13-",
}
"""Which releases print a register or field. A row speaks for everything below its path; ``*`` is any text."""

CHANGED: Final[dict[str, str]] = {
    "Region*": "3.6 3.6.3 3.8",
    "Region*/disabled": "3.5",
    "Region*/virtual": "3.5",
    "Expansion ROM/disabled*": "3.5",
    "Expansion ROM/virtual": "3.5",
    "* behind bridge": "3.8",
    "Interrupt": "3.3 3.8",
    "subsystem": "3.8",
    "chain": "3.8",
    "exp/DevCap/FLReset": "3.6.3",
    "exp/DevCap/SlotPowerLimit": "3.4.1",
    "exp/DevCap2/AtomicOpsCap/*bit*": "3.8",
    "exp/DevCtl/FLReset": "3.6.3",
    "exp/LnkCap": "3.13",
    "exp/LnkCap/Exit Latency*": "3.5.5",
    "exp/LnkCtl": "3.13",
    "exp/LnkSta": "3.13",
    "exp/LnkSta/* check": "3.8",
    "exp/Root*": "3.6.3",
    "exp/Slot": "3.5.5",
    "exp/Slt*": "3.5.5",
    "l1pm/L1SubCap": "3.5.2",
    "vndr/Len": "3.3.1 3.14",
    "dvsec/CXL*": "3.9",
    "dvsec/FB*": "3.11",
}
"""Releases since which lspci prints a register or field for other devices than before."""

REINTERPRETED: Final[dict[str, str]] = {
    "* behind bridge/range": "3.8",
    "* behind bridge/size": "3.8",
    "Region*/address": "3.8",
    "Region*/type": "3.8",
    "Region*/width": "3.6 3.6.3 3.8",
    "Region*/prefetchable": "3.6 3.6.3 3.8",
    "pm/Bridge": "3.8",
    "ht/Command/DevNum": "3.9",
    "vndr/offset": "3.14",
    "vndr/size": "3.14",
    "exp/RootCap/CRSVisible": "3.3",
    "exp/RootSta/PMEStatus": "3.5.5",
    "exp/RootSta/PMEPending": "3.5.5",
    "vc/VC*/Caps/MaxTimeSlots": "3.9",
    "l1pm/L1SubCap/L1_PM_Substates": "3.5.2 3.9",
    "doe/DOESta/Error": "3.11",
    "ide/* Sta/Status": "3.13",
    "ide/* RID*": "3.13",
}
"""Releases since which lspci reads a field from another place than before (most often, a mistake was mended)."""

_SPEEDS: Final = "3.5.3 3.6.3 3.8 3.15"

NAMED: Final[dict[tuple[str, str], str]] = {
    ("exp/LnkCap/Speed", "unknown"): _SPEEDS,
    ("exp/LnkSta/Speed", "unknown"): _SPEEDS,
    ("exp/LnkCtl2/Target Link Speed", "Unknown"): _SPEEDS,
    ("exp/LnkCap2/Supported Link Speeds", "RsvdP"): "3.11 3.15",
    ("vndr/VirtIO", "<unknown>"): "3.14",
}
"""Releases since which lspci has a name for more codes of a field, and the word it prints for the others."""

DERIVED: Final = ("!!!", "exp/LnkSta/* check", "dvsec/problem")
"""Fields that are no content of a register but lspci's opinion of it, and are worded differently by releases."""
