"""Whether a text ends in the middle of a line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lspci_parse.parsing.segments import hex_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NUMBER: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]*\d[0-9a-f]*")
_LIST: Final = re.compile(r"\s+(?:Kernel modules|Latency|Flags): ").match
_ROW_BEGINS: Final = re.compile(r"[0-9a-f]{1,3}(?::[ 0-9a-f]*)?").fullmatch
_ROW: Final = len("00:" + 16 * " 00")


def is_cut(line: str, recent: Iterable[str]) -> bool:
    """Tell whether a line without an end is incomplete.

    A text that lost nothing but its last line end is common. The line is incomplete where it goes on in another
    device, and a row of a hex dump with fewer than 16 bytes is. A list may end behind any item.

    Args:
        line: the last line of a device and of the text.
        recent: the texts of some devices in front of it.
    """
    if hex_row(line):
        return len(line.rstrip()) < _ROW
    start = _shape(line)
    more = [
        shape[len(start) :]
        for text in recent
        for shape in _shape(text).split("\n")
        if shape.startswith(start)
    ]
    return "" not in more and any(not (_LIST(line) and rest.startswith(",")) for rest in more)


def may_be_cut(text: str, recent: Sequence[str]) -> bool:
    """Tell whether the last line of a device, which has no end, is one to doubt.

    That is a capability's line as no other begins or ends, in a dump of devices with empty lines between them.

    Args:
        text: the device.
        recent: the texts of some devices in front of it.
    """
    *lines, last = text.split("\n")
    if not last.startswith(("\t\t", 9 * " ")) or not recent or not recent[-1].endswith("\n"):
        return False
    known = {_fields(line) for part in ("\n".join(lines), *recent) for line in _shape(part).split("\n")}
    return _fields(_shape(last)) not in known


def is_dump_cut(config: bytes) -> bool:
    """Tell whether a hex dump is incomplete: lspci prints the header, a CardBus bridge's, or all of one space."""
    return len(config) not in (0, 64, 128, 256) and len(config) < 4096


def is_row_begun(line: str, config: bytes) -> bool:
    """Tell whether a line without an end, behind a dump of ``config``, is the beginning of a row."""
    return bool(_ROW_BEGINS(line)) and (bool(config) or line.startswith("00: "))


def _shape(text: str) -> str:
    """Return a text without its values: what differs between two devices of a kind."""
    return _NUMBER.sub("0", text).replace("+", "-")


def _fields(line: str) -> str:
    """Return a line without its label."""
    return line.rpartition(":")[2].strip()
