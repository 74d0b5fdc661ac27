"""IOMMU groups as listed from sysfs, in the forms that people use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lspci_parse.errors import LspciError
from lspci_parse.model.address import Address

if TYPE_CHECKING:
    from collections.abc import Mapping

# Of a link or heading, or a number in front of the address.
_GROUP: Final = re.compile(
    r"iommu_groups/(\d{1,9})\b"
    r"|\b(?:iommu[ _-]?)?group\b[ \t:#]*(\d{1,9})\b"
    r"|^[ \t]*(\d{1,9}):?[ \t,;]+(?=[0-9a-f]{2,8}:)",
    re.IGNORECASE,
)
# Not "03:11:35.000000" (the time in a long listing) and not the "8086:a195" of "[8086:a195]".
_ADDRESS: Final = re.compile(
    r"(?<![\w:.])(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-1][0-9a-f]\.[0-7](?![\w.])", re.IGNORECASE
)
# What "collect" writes first: an empty file, in contrast, may be what a full disk or a failed command left.
_HEAD: Final = re.compile(
    r"# /sys/kernel/iommu_groups(?:: (?P<devices>\d{1,9}) devices| is (?:empty|not there)\b.*)"
)
_BEHIND: Final = re.compile(r"[ \t,;]+(\d{1,9})[ \t]*")


def parse_groups(text: str, *, source: str | None = None) -> Mapping[Address, int]:
    """Read a listing of IOMMU groups.

    Understood are ``17 0000:00:1c.0`` and ``0000:00:1c.0 17`` per line; the outputs of the usual shell loops
    (``IOMMU Group 17 00:1c.0 PCI bridge ...``, ``Group 17: [8086:a195] 00:1c.0 ...``, a heading
    ``IOMMU Group 17:`` with devices below); and what ``find`` and ``ls -l`` print of the folder
    ``/sys/kernel/iommu_groups`` and of the links ``/sys/bus/pci/devices/*/iommu_group``.

    Args:
        text: the listing; that there are no groups is known only where its first line says so
            (``# /sys/kernel/iommu_groups is empty``, as ``collect`` writes it).
        source: the name that errors give the input.

    Raises:
        LspciError: the text names no group, or fewer devices than its first line says.
    """
    head = _HEAD.match(text)
    if head is not None and head["devices"] is None:
        return {}
    groups = _read(text)
    if head is not None and len(groups) != int(head["devices"]):
        raise LspciError(
            f"the listing names {len(groups)} devices, its first line says {head['devices']}: it was cut",
            source,
            1,
        )
    if not groups:
        first = next(iter(text.strip().splitlines()), "")[:100]
        raise LspciError(
            "no IOMMU group found; expected lines such as '17 0000:00:1c.0' or the output of a loop over "
            "/sys/kernel/iommu_groups",
            source, 1, 1, first,
        )  # fmt: skip
    return groups


def _read(text: str) -> dict[Address, int]:
    groups: dict[Address, int] = {}
    current: int | None = None
    for line in text.splitlines():
        heading = _GROUP.search(line)
        address = _ADDRESS.search(line)
        if heading is not None:
            current = int(heading[heading.lastindex or 0])
        if address is None:
            continue
        group = current
        if heading is None and (behind := _BEHIND.fullmatch(line, address.end())):
            group = int(behind[1])
        if group is not None:
            groups[Address.parse(address[0])] = group
    return groups
