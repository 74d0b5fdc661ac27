"""Canonical names of capabilities, flags and registers, and the units of numbers."""

from __future__ import annotations

from typing import Final

KINDS: Final[dict[str, str]] = {
    "cap00": "null",
    "cap12": "sata",
    "cap13": "af",
    "cap14": "ea",
    "ecap0000": "null",
    "ecap0007": "rcec",
    "ecap0009": "vc",
    "ecap000a": "rbcb",
    "ecap000d": "acs",
    "ecap000e": "ari",
    "ecap000f": "ats",
    "ecap0010": "sriov",
    "ecap0011": "mriov",
    "ecap0012": "mcast",
    "ecap0013": "pri",
    "ecap0015": "rebar",
    "ecap0016": "dpa",
    "ecap0017": "tph",
    "ecap0018": "ltr",
    "ecap0019": "secpci",
    "ecap001a": "pmux",
    "ecap001b": "pasid",
    "ecap001c": "lnr",
    "ecap001d": "dpc",
    "ecap001e": "l1pm",
    "ecap001f": "ptm",
    "ecap0020": "m_pcie",
    "ecap0021": "frs",
    "ecap0022": "rtr",
    "ecap0023": "dvsec",
    "ecap0024": "vf_rebar",
    "ecap0025": "dlnk",
    "ecap0026": "16gt",
    "ecap0027": "lmr",
    "ecap0028": "hier_id",
    "ecap0029": "npem",
    "ecap002a": "32gt",
    "ecap002e": "doe",
    "ecap002f": "dev3",
    "ecap0030": "ide",
    "ecap0031": "64gt",
    "ecap0032": "fl",
    "ecap0034": "flit_ei",
    "ecap0036": "mmio_rbl",
}
"""Kinds of the capabilities that some release prints by number, by that number.

Source of the names: ``setpci --dumpregs``; ``doe``, ``dev3``: ``PCI_EXT_CAP_ID_*`` in Linux's ``pci_regs.h``;
``flit_ei``, ``mmio_rbl``: the titles that lspci prints, for neither names them.
"""

_ERRORS: Final = {
    "NonFatalErr": "AdvNonFatalErr",
}

FLAGS: Final[dict[str, dict[str, str]]] = {
    "msi": {"Mask": "Maskable"},
    "msix": {"Mask": "Masked"},
    "devctl": {
        "Correctable": "CorrErr",
        "Non-Fatal": "NonFatalErr",
        "Fatal": "FatalErr",
        "Unsupported": "UnsupReq",
    },
    "devsta": {"UncorrErr": "NonFatalErr", "UnsuppReq": "UnsupReq"},
    "lnkcap": {"Suprise": "Surprise"},
    "lnkctl": {"Disabled": "LnkDisable"},
    "sltcap": {"Surpise": "Surprise"},
    "cesta": _ERRORS,
    "cemsk": _ERRORS,
    "aercap": {"GenCap": "ECRCGenCap", "CGenEn": "ECRCGenEn", "ChkCap": "ECRCChkCap", "ChkEn": "ECRCChkEn"},
}
"""Old names of flags, by the rule they stand in."""

UNITS: Final[dict[str, str]] = {
    "AuxCurrent": "mA",
    "Cache Line Size": "bytes",
    "GPF Phase 2 Power": "mW",
    "LTR1.2_Threshold": "ns",
    "Latency max": "ns",
    "Latency min": "ns",
    "Len": "bytes",
    "Max no snoop latency": "ns",
    "Max snoop latency": "ns",
    "MaxPayload": "bytes",
    "MaxReadReq": "bytes",
    "PortCommonModeRestoreTime": "us",
    "PortTPowerOnTime": "us",
    "RCB": "bytes",
    "T_CommonMode": "us",
    "T_PwrOn": "us",
    "current size": "bytes",
    "free": "bytes",
    "reserved": "bytes",
    "size": "bytes",
    "supported": "bytes",
    "timeout": "s",
}
"""Units of the fields whose values are plain numbers."""
