"""Machine and BIOS from dmidecode, or from the files under ``/sys/class/dmi/id``."""

from __future__ import annotations

import re
from typing import Final

from lspci_parse.evidence.machine_facts import Dmi

_FIELDS: Final = {
    ("System Information", "Manufacturer"): "sys_vendor",
    ("System Information", "Product Name"): "product_name",
    ("Base Board Information", "Product Name"): "board_name",
    ("BIOS Information", "Version"): "bios_version",
    ("BIOS Information", "Release Date"): "bios_date",
}
# "bios_version: 2.8.2", and what "grep . /sys/class/dmi/id/*" prints: ".../bios_version:2.8.2"
_FILE: Final = re.compile(r"(?:.*/)?(sys_vendor|product_name|board_name|bios_version|bios_date): *(.*)")


def parse_dmi(text: str) -> Dmi | None:
    """Return machine and BIOS, ``None`` when the text names no BIOS version."""
    found: dict[str, str] = {}
    section, line = "", 0
    for number, row in enumerate(text.splitlines(), 1):
        file = _FILE.fullmatch(row.strip())
        label, _, value = row.strip().partition(":")
        if not row[:1].isspace():
            section = row.strip()
        name = file[1] if file else _FIELDS.get((section, label))
        if name and name not in found:
            found[name] = (file[2] if file else value).strip()
            line = number if name == "bios_version" else line
    if "bios_version" not in found:
        return None
    system = " ".join(filter(None, (found.get("sys_vendor"), found.get("product_name"))))
    return Dmi(line, system, found.get("board_name"), found["bios_version"], found.get("bios_date", ""))
