"""Which facts change from boot to boot."""

from __future__ import annotations

import re

import pytest

from lspci_parse.comparison.volatile import VOLATILE, is_volatile


@pytest.mark.parametrize(
    "path",
    ["iommu_group", "Interrupt/IRQ", "Region 0/address", "Region/address", "Memory behind bridge/range", "msi/Data",
     "msi#2/Data", "exp/DevSta/CorrErr", "aer/HeaderLog/log", "Status/>TAbort", "Bus/secondary",
     "32gt/Phy32Sta/EquComplete"],
)  # fmt: skip
def test_volatile(path: str) -> None:
    assert is_volatile(path)


@pytest.mark.parametrize(
    "path",
    ["acs", "acs/ACSCtl/SrcValid", "driver", "exp/LnkSta/Speed", "exp/LnkSta/Width", "Region 0/size", "Control/Mem",
     "msi/Enable", "Interrupt/pin", "revision", "aer/UEMsk/DLP", "pm/Status/State", "sriov/Number of VFs"],
)  # fmt: skip
def test_lasting(path: str) -> None:
    assert not is_volatile(path)


def test_each_pattern_compiles_and_has_a_reason() -> None:
    for pattern, reason in VOLATILE:
        re.compile(pattern)
        assert reason
