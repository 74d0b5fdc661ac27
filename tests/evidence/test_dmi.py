from __future__ import annotations

from lspci_parse.evidence.dmi import parse_dmi
from lspci_parse.evidence.machine_facts import Dmi

DMIDECODE = """\
# dmidecode 3.3
Getting SMBIOS data from sysfs.

Handle 0x0000, DMI type 0, 24 bytes
BIOS Information
	Vendor: Dell Inc.
	Version: 2.8.2
	Release Date: 08/27/2020
	Characteristics:
		PCI is supported

Handle 0x0100, DMI type 1, 27 bytes
System Information
	Manufacturer: Dell Inc.
	Product Name: PowerEdge R740
	Version: Not Specified

Handle 0x0200, DMI type 2, 15 bytes
Base Board Information
	Manufacturer: Dell Inc.
	Product Name: 06WXJT
	Version: A02

Handle 0x0201, DMI type 2, 15 bytes
Base Board Information
	Product Name: RISER
"""


def test_dmidecode() -> None:
    assert parse_dmi(DMIDECODE) == Dmi(7, "Dell Inc. PowerEdge R740", "06WXJT", "2.8.2", "08/27/2020")


def test_files_of_sysfs() -> None:
    text = "sys_vendor: Dell Inc.\nproduct_name: PowerEdge R740\nbios_version: 2.8.2\nbios_date: 08/27/2020\n"
    assert parse_dmi(text) == Dmi(3, "Dell Inc. PowerEdge R740", None, "2.8.2", "08/27/2020")
    grep = "".join(f"/sys/class/dmi/id/{line.replace(': ', ':')}\n" for line in text.splitlines())
    assert parse_dmi(grep) == parse_dmi(text)


def test_no_bios() -> None:
    assert parse_dmi("# dmidecode 3.3\n/dev/mem: Permission denied\n") is None
