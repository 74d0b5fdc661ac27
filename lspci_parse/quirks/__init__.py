"""What Linux knows of single devices, release by release: ACS quirks and DMA alias quirks."""

from __future__ import annotations

from lspci_parse.quirks.answers import Answer, ask
from lspci_parse.quirks.kernel import NEWEST, Boot, Kernel
from lspci_parse.quirks.tables import (
    AcsQuirk,
    AliasQuirk,
    Identity,
    acs_quirks,
    acs_rows,
    alias_quirk,
    class_id,
    identify,
    is_vmd,
    table,
)

__all__ = [
    "NEWEST",
    "AcsQuirk",
    "AliasQuirk",
    "Answer",
    "Boot",
    "Identity",
    "Kernel",
    "acs_quirks",
    "acs_rows",
    "alias_quirk",
    "ask",
    "class_id",
    "identify",
    "is_vmd",
    "table",
]
