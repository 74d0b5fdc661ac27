from __future__ import annotations

import pytest

from lspci_parse.errors import LspciError
from lspci_parse.evidence.group_listing import parse_groups
from lspci_parse.model.address import Address

LINK = "lrwxrwxrwx 1 root root 0"


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("# /sys/kernel/iommu_groups is empty: no IOMMU is in use\n", {}),
        ("# /sys/kernel/iommu_groups is not there: the kernel has no IOMMU groups\n", {}),
        ("# /sys/kernel/iommu_groups: 1 devices\n17 0000:00:1c.0\n", {"00:1c.0": 17}),
        ("17 0000:00:1c.0\n18 0000:00:1c.5\n", {"00:1c.0": 17, "00:1c.5": 18}),
        ("17: 00:1c.0\r\n18: 00:1c.5\r\n", {"00:1c.0": 17, "00:1c.5": 18}),
        ("0000:00:1c.0 17\n10000:00:1c.5\t18\n", {"00:1c.0": 17, "10000:00:1c.5": 18}),
        (
            (
                "IOMMU Group 17 00:1c.0 PCI bridge [0604]: Intel Corporation Port #1 [8086:a195] (rev f0)\n"
                "IOMMU Group 2 00:14.0 USB controller [0c03]: Intel Corporation Group 7 [8086:a12f]\n"
            ),
            {"00:1c.0": 17, "00:14.0": 2},
        ),
        (
            "IOMMU Group 17:\n\t00:1c.0 PCI bridge [0604]\n\t02:00.0 VGA [0300]\nIOMMU Group 18:\n\t00:1c.5 PCI\n",
            {"00:1c.0": 17, "02:00.0": 17, "00:1c.5": 18},
        ),
        (
            "Group 17:\t[8086:a195]     00:1c.0  PCI bridge\nGroup 18:\t[1a03:2000] [R] 02:00.0  VGA\n",
            {"00:1c.0": 17, "02:00.0": 18},
        ),
        ("Group:  5   0000:00:14.0 USB controller   Driver: xhci_hcd\n", {"00:14.0": 5}),
        (
            "/sys/kernel/iommu_groups/17/devices/0000:00:1c.0\n/sys/kernel/iommu_groups/1/devices/0000:00:01.0\n",
            {"00:1c.0": 17, "00:01.0": 1},
        ),
        (
            (
                f"/sys/kernel/iommu_groups/17/devices:\ntotal 0\n"
                f"{LINK} Nov 23 03:11 0000:00:1c.0 -> ../../../../devices/pci0000:00/0000:00:1c.0\n"
                f"{LINK} 2026-11-23 03:11:35.000000000 +0000 0000:02:00.0 -> "
                "../../../../devices/pci0000:00/0000:00:1c.5/0000:01:00.0/0000:02:00.0\n"
            ),
            {"00:1c.0": 17, "02:00.0": 17},
        ),
        (
            f"{LINK} Nov 23 03:11 /sys/bus/pci/devices/0000:00:1c.0/iommu_group -> ../../../kernel/iommu_groups/17\n",
            {"00:1c.0": 17},
        ),
        (
            (
                f"1 0 {LINK} Nov 23 03:11 /sys/kernel/iommu_groups/3/devices/0000:00:1c.0 -> "
                "../../../../devices/pci0000:00/0000:00:1c.0\n"
            ),
            {"00:1c.0": 3},
        ),
    ],
)
def test_forms(text: str, groups: dict[str, int]) -> None:
    assert parse_groups(text) == {Address.parse(slot): number for slot, number in groups.items()}


def test_something_else() -> None:
    with pytest.raises(LspciError) as caught:
        parse_groups("ls: cannot access '/sys/kernel/iommu_groups/*'\n", source="groups.txt")
    assert str(caught.value) == (
        "groups.txt:1:1: no IOMMU group found; expected lines such as '17 0000:00:1c.0' or the output of a loop over "
        "/sys/kernel/iommu_groups\n"
        "  ls: cannot access '/sys/kernel/iommu_groups/*'\n"
        "  ^"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "# /sys/kernel/iommu_groups: 2 devices\n17 0000:00:1c.0\n",
        "# /sys/kernel/iommu_groups: 2 devices",
    ],
)
def test_a_listing_that_was_cut_is_no_listing(text: str) -> None:
    with pytest.raises(LspciError):
        parse_groups(text)
