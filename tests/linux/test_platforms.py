"""Platforms without groups, or with groups of their own."""

from __future__ import annotations

import pytest

from lspci_parse.evidence.host import Host
from lspci_parse.evidence.machine_facts import Dmi
from lspci_parse.linux.platforms import (
    DART,
    GUEST,
    HYPER_V,
    POWER,
    S390,
    TEGRA,
    XEN,
    other_rules,
    without_iommu,
)
from tests.machines import function, machine, root_port

NIC = "00:03.0 Ethernet controller: {}\n"


@pytest.mark.parametrize(
    ("line", "kernel", "expected"),
    [
        ("0000:00:00.0 PCI bridge: IBM POWER9 Host Bridge (PHB4)\n", None, POWER),
        ("0000:00:00.0 PCI bridge [0604]: IBM Device [1014:03b9]\n", None, POWER),
        ("00:00.0 PCI bridge: Apple Inc. Apple Silicon PCI Express Root Port\n", None, DART),
        ("00:00.0 PCI bridge: NVIDIA Corporation TegraK1 PCIe x4 Bridge\n", None, TEGRA),
        (NIC.format("X"), "5.14.0-70.el9.ppc64le", POWER),
        (NIC.format("X"), "5.14.0-70.el9.s390x", S390),
        # Near misses: another function of the vendor, an SMMU with common rules, a name that holds the letters.
        ("00:00.0 Ethernet controller: IBM Something (PHB4)\n", None, None),
        ("00:00.0 PCI bridge: NVIDIA Corporation Tegra PCIe x4/x8 Endpoint/Root Complex\n", None, None),
        (NIC.format("X"), "6.1.0-appcppc", None),
        (NIC.format("X"), "6.1.0-56-amd64", None),
    ],
)  # fmt: skip
def test_platforms_with_rules_of_their_own(line: str, kernel: str | None, expected: object) -> None:
    assert other_rules(Host("host", machine(line), kernel=kernel)) is expected


@pytest.mark.parametrize(
    ("line", "system", "expected"),
    [
        (NIC.format("Red Hat, Inc. Virtio network device"), None, GUEST),
        (NIC.format("VMware VMXNET3 Ethernet Controller"), None, GUEST),
        ("00:03.0 Ethernet controller [0200]: X [1d0f:ec20]\n", None, GUEST),
        (NIC.format("Intel Corporation 82540EM"), "QEMU Standard PC (Q35 + ICH9, 2009)", GUEST),
        ("0001:00:02.0 Ethernet controller [0200]: X [1414:00ba]\n", None, HYPER_V),
        (NIC.format("X"), "Xen HVM domU", GUEST),
        (NIC.format("X"), "Xen dom0", XEN),
        (NIC.format("Intel Corporation I210"), "Dell Inc. PowerEdge R740", None),
        (NIC.format("Intel Corporation I210"), None, None),
    ],
)
def test_hypervisors_that_keep_the_iommu(line: str, system: str | None, expected: object) -> None:
    dmi = None if system is None else Dmi(1, system, None, "1.0", "01/01/2020")
    assert without_iommu(Host("host", machine(line), dmi=dmi)) is expected


def test_a_common_machine_is_neither() -> None:
    host = Host("host", machine(root_port("00:01.0", 1), function("00:1f.0")))
    assert (other_rules(host), without_iommu(host)) == (None, None)
