"""Whether all of a register was read: the text may have lost what stood behind a line that was cut or wrapped.

A field that is missing from an incomplete register is not known; it is not off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lspci_parse.model.fields import Register

_ENDS: Final = {
    # The header.
    "Control": ("DisINTx", "Interlock"),
    "Bus": ("sec-latency",),
    "Secondary status": ("<PERR", "SERR"),
    "BridgeCtl": ("DiscTmrSERREn", "PostWrite"),
    # Of the header, of PM, AGP, PCI-X and VC, and of a slot.
    "Status": ("INTx", "PME", "Rate", "533MHz", "SRD", "InProgress", "Interlock"),
    # PM
    "Bridge": ("B3",),
    # Express. What stands behind RBE is printed for some types only, and so is what follows FLReset.
    "DevCap": ("RBE", "FLReset", "SlotPowerLimit", "TEE-IO"),
    "DevCtl": ("MaxReadReq",),
    "DevSta": ("TransPend",),
    "LnkCap": ("BwNot", "ASPMOptComp"),
    "LnkCtl": ("AutBWInt", "FltModeDis"),
    "LnkSta": ("ABWMgmt",),
    "SltCap": ("NoCompl",),
    "Enable": ("LinkChg",),
    "Changed": ("LinkState",),
    "RootCap": ("CRSVisible",),
    "RootCtl": ("CRSVisible",),
    "DevCap2": ("TimeoutDis", "ARIFwd", "OBFF", "FRS", "ExtTPHComp", "AtomicOpsCap"),
    "AtomicOpsCap": ("Routing", "128bitCAS"),
    "DevCtl2": ("TimeoutDis", "ARIFwd", "OBFF", "EETLPPrefixBlk", "AtomicOpsCtl"),
    "AtomicOpsCtl": ("ReqEn", "EgressBlck"),
    "LnkCap2": ("DRS",),
    # ACS, AER, ARI, ATS, DPC, PASID, PRI, SR-IOV, LTR
    "ACSCap": ("DirectTrans",),
    "ACSCtl": ("DirectTrans",),
    "UESta": ("ACSViol", "ACSVoil", "TLPXlatBlocked"),
    "UEMsk": ("ACSViol", "ACSVoil", "TLPXlatBlocked"),
    "UESvrt": ("ACSViol", "ACSVoil", "TLPXlatBlocked"),
    "CESta": ("AdvNonFatalErr", "HeaderOF"),
    "CEMsk": ("AdvNonFatalErr", "HeaderOF"),
    "AERCap": ("ECRCChkEn", "HdrLogCap"),
    "RootCmd": ("FERptEn",),
    "ARICap": ("Next Function",),
    "ARICtl": ("Function Group",),
    "ATSCtl": ("Smallest Translation Unit",),
    "DpcCap": ("DL_ActiveErr",),
    "DpcCtl": ("DL_ActiveErr",),
    "DpcSta": ("RP PIO ErrPtr",),
    "PASIDCtl": ("Priv",),
    "PRICtl": ("Reset",),
    "PRISta": ("Stopped", "PASID"),
    "IOVCtl": ("ARIHierarchy", "10BitTagReq"),
}
"""The fields that a register can end with, by its name, for registers that all releases print to a known end.

Source: the ``printf`` calls of pciutils 3.0 to 3.14 (``ls-caps.c``, ``ls-ecaps.c``, ``lspci.c``).
"""


def is_incomplete(register: Any) -> bool:
    """Tell whether the known end of a register is missing, also that of a group of fields at its end.

    Args:
        register: what a device or capability holds; what is no register is never incomplete.
    """
    if not isinstance(register, Register):
        return False
    last = next(reversed(tuple(register)), None)
    ends = _ENDS.get(register.name)
    if ends is not None and last not in ends:
        return True
    return last is not None and is_incomplete(register[last])


def is_missing(entries: Mapping[str, Any], path: Sequence[str]) -> bool:
    """Tell whether the fact at ``path`` may have been lost: it is in a register, and the register is incomplete.

    Args:
        entries: registers of a device's header, or of a capability.
        path: the names on the way from there to the fact.
    """
    found: Any = entries
    for name in path:
        if not isinstance(found, Mapping) or name not in found:
            return False
        found = found[name]
        if is_incomplete(found):
            return True
    return False
