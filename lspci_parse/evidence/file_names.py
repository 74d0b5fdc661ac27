"""Which file of a folder or an archive is what: by the names that people and sosreport give."""

from __future__ import annotations

import re
from typing import Final, Literal

Role = Literal["dump", "log", "cmdline", "groups", "kernel", "dmi", "names"]

PATTERNS: Final[dict[Role, tuple[str, ...]]] = {
    "dump": ("sos_commands/pci/lspci*", "lspci*"),
    "log": (
        "dmesg*", "sos_commands/kernel/dmesg*", "sos_commands/general/dmesg*", "var/log/dmesg*",
        "journalctl*", "sos_commands/logs/journalctl*", "kern.log*", "var/log/kern.log*",
        "messages*", "var/log/messages*", "syslog*", "var/log/syslog*",
    ),
    "cmdline": ("cmdline*", "proc_cmdline*", "proc/cmdline"),
    "groups": ("iommu_group*", "iommu-group*", "iommu.group*", "groups*"),
    "kernel": ("uname*", "sos_commands/kernel/uname*"),
    "names": ("os_names*", "lstopo*.xml", "hwloc*.xml"),
    "dmi": ("dmidecode*", "dmi*", "sos_commands/hardware/dmidecode*"),
}  # fmt: skip
"""Patterns of file names by what the file holds, the preferred first; ``*`` stands for anything but ``/``."""

_NOT: Final = re.compile(r"types?\b|boot_-\d|-b_?-\d", re.IGNORECASE)
"""Types of groups, logs of earlier boots: named alike, but something else."""
_ROTATED: Final = re.compile(r"[.-]\d+(\.\w+)?$")
"""Logs that were put aside: ``kern.log.1``, ``messages-20240128.gz``."""
_ORDER: Final = [
    (role, rank, re.compile(re.escape(pattern).replace(r"\*", "[^/]*"), re.IGNORECASE).fullmatch)
    for role, patterns in PATTERNS.items()
    for rank, pattern in enumerate(patterns)
]


def role(name: str) -> tuple[Role, int] | None:
    """Return what a file holds and how much it is preferred among its likes (0: most), by its name.

    Args:
        name: relative to the folder, with ``/`` between its parts.
    """
    tail = name.rpartition("/")[2]
    if tail.startswith(".") or _NOT.search(tail):
        return None
    for found, rank, fits in _ORDER:
        if fits(name):
            return found, rank + 100 * bool(found == "log" and _ROTATED.search(tail))
    return None
