"""What the bytes of extended configuration space tell about a capability that is gone (``lspci -xxxx``).

Extended capabilities are a list of headers: id, version and the offset of the next one (PCI Express Base
Specification 7.6.3). Firmware hides one by pointing past it.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lspci_parse.model.device import Device

_ACS: Final = 0x000D
_FIRST: Final = 0x100


def acs_hole(before: Device, after: Device) -> str | None:
    """Say what the bytes show where a device had its ACS capability; ``None`` where one dump lacks them.

    Args:
        before: the device with the capability.
        after: its counterpart without.
    """
    acs = before.capability("acs")
    if acs is None or min(len(before.config), len(after.config)) < _FIRST + 4 or not acs.offset:
        return None
    if before.config[:4] != after.config[:4]:
        return "By the bytes another function answers here: the port itself is another one, or gone."
    offsets = _offsets(after.config)
    here = struct.unpack_from("<I", after.config, acs.offset)[0] if len(after.config) > acs.offset + 3 else 0
    place = f"[{acs.offset:x}]"
    if here & 0xFFFF == _ACS and acs.offset not in offsets:
        return (
            f"By the bytes the capability still sits at {place}, and the list leads past it: firmware took it out of "
            "the list."
        )
    if offsets and offsets[-1] > acs.offset:
        return (
            f"By the bytes the list leads past {place}, where it was, to {offsets[-1]:x}: firmware hides it."
        )
    if offsets:
        return f"By the bytes the list ends at [{offsets[-1]:x}], before {place}, where it was."
    return "By the bytes the function has no extended capabilities at all."


def _offsets(config: bytes) -> list[int]:
    """Return where the list of extended capabilities leads, in its order."""
    found: list[int] = []
    offset = _FIRST
    while _FIRST <= offset <= len(config) - 4 and offset not in found:
        header = struct.unpack_from("<I", config, offset)[0]
        if header in (0, 0xFFFFFFFF):
            break
        found.append(offset)
        offset = header >> 20 & ~3
    return found
