"""Facts that change from boot to boot of an unchanged machine: compared, but shown only on request."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

VOLATILE: Final[tuple[tuple[str, str], ...]] = (
    # path pattern, reason
    (
        "iommu_group",
        "the kernel numbers groups in the order it meets devices; membership is compared instead",
    ),
    ("Interrupt/IRQ", "assigned at boot"),
    ("Flags/(IRQ|latency|IOMMU group)", "assigned at boot"),
    ("physical_slot", "the kernel numbers slots that share a label as it meets them"),
    ("Bus/(primary|secondary|subordinate)", "buses are renumbered when a card is added; places are compared"),
    (r"(Region|Expansion ROM)[^/]*/(address|disabled|virtual)", "addresses are assigned at boot"),
    (r".* behind bridge/.*", "bridge windows follow the addresses assigned below"),
    (r"(Memory|I/O) window \d/.*", "bridge windows follow the addresses assigned below"),
    ("Latency.*", "printed only while the device is bus master"),
    ("Cache Line Size", "printed only while the device is bus master"),
    ("Status/(ParErr|[<>].*|INTx)", "latched error bits and the interrupt line"),
    ("Secondary status/(ParErr|[<>].*)", "latched error bits"),
    ("BIST.*", "result of the last self-test"),
    ("BridgeCtl/DiscTmrStat", "latched"),
    ("msix?/(Address|Data|Masking|Pending|Masked)", "the kernel programs interrupts as it goes"),
    ("exp/DevSta/.*", "latched error bits and pending transactions"),
    ("exp/LnkSta/(TrErr|Train|BWMgmt|ABWMgmt|DLActive)", "link training and latched bandwidth bits"),
    ("exp/LnkSta/(Speed|Width) check", "lspci's own comparison, worded differently by releases"),
    ("exp/LnkSta2/.*", "link training"),
    ("exp/SltSta/.*", "latched slot events"),
    ("exp/SltCtl/Control/(AttnInd|PwrInd|Power|Interlock)", "follows the card in the slot"),
    ("exp/RootSta/.*", "the last power management event"),
    ("aer/(UESta|CESta|HeaderLog|RootSta|ErrorSrc)(/.*)?", "latched errors"),
    ("aer/AERCap/First Error Pointer", "latched errors"),
    (r"16gt/.*|(?:32|64)gt/Phy\d+Sta/.*|secpci/LaneErrStat(/.*)?", "link training and latched errors"),
    ("dpc/(DpcSta|Source)(/.*)?", "latched errors"),
    ("pri/PRISta/.*", "latched"),
    ("sriov/(VF Migration|Region [^/]*)/.*", "addresses are assigned at boot"),
    ("vpd/.*/(RW|Read-write area).*", "free space of the writable area"),
    ("doe/DOESta/.*", "state of the mailbox"),
    ("lmr/PortSta/.*", "margining state"),
    ("pm/Status/PME", "latched"),
)
"""Pattern over a whole fact path (see ``diff.facts``), and why such a fact is volatile."""

_PATTERN: Final = re.compile("|".join(f"(?:{pattern})" for pattern, _ in VOLATILE))


@cache
def is_volatile(path: str) -> bool:
    """Whether the fact at ``path`` may differ between two boots of one machine."""
    return _PATTERN.fullmatch(re.sub(r"#\d+(?=/|$)", "", path)) is not None
