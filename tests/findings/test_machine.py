from __future__ import annotations

import pytest

from lspci_parse.comparison.host_changes import host_changes
from lspci_parse.comparison.matching import Pair
from lspci_parse.evidence.cmdline import parse_cmdline
from lspci_parse.evidence.host import Host
from lspci_parse.evidence.log import parse_log
from lspci_parse.evidence.machine_facts import Dmi
from lspci_parse.findings.engine import diff
from lspci_parse.findings.model import Finding
from lspci_parse.parsing.parser import parse

DUMP = parse("31:00.0 Ethernet controller: Example Corporation NIC\n\tKernel driver in use: mlx5_core\n")
BARE = Host("x", DUMP)
RULES = {"bios-changed", "kernel-changed", "cmdline-changed", "firmware-changed", "driver-version-changed"}


def found(a: Host, b: Host) -> list[Finding]:
    return [finding for finding in diff(a, b).findings if finding.rule in RULES]


def dmi(bios: str, date: str, system: str = "Example Systems Rack Server") -> Host:
    return BARE._replace(dmi=Dmi(1, system, None, bios, date))


def boots(text: str) -> Host:
    return BARE._replace(cmdline=parse_cmdline(text))


@pytest.mark.parametrize(
    ("date", "title"),
    [
        ("06/18/2020", "B runs BIOS 1.2 (06/18/2020), which is newer, A 1.1 (03/12/2019)"),
        ("11/02/2018", "B runs BIOS 1.2 (11/02/2018), which is older, A 1.1 (03/12/2019)"),
        ("unknown", "B runs BIOS 1.2 (unknown), A 1.1 (03/12/2019)"),
    ],
)
def test_bios(date: str, title: str) -> None:
    (finding,) = found(dmi("1.1", "03/12/2019"), dmi("1.2", date))
    assert (finding.rule, finding.severity, finding.title) == ("bios-changed", "warning", title)


def test_bios_of_another_model() -> None:
    (finding,) = found(dmi("1.1", "03/12/2019"), dmi("1.1", "03/12/2019", "Other Model"))
    assert (finding.rule, finding.severity) == ("bios-changed", "info")
    assert finding.title == "B is another model: Other Model, A is Example Systems Rack Server"


@pytest.mark.parametrize(("b", "severity"), [("6.1.0-20-amd64", "info"), ("5.10.7", "warning")])
def test_kernel(b: str, severity: str) -> None:
    (finding,) = found(BARE._replace(kernel="6.1.0-18-amd64"), BARE._replace(kernel=b))
    assert (finding.rule, finding.severity, finding.before, finding.after) == (
        "kernel-changed", severity, "6.1.0-18-amd64", b,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("a", "b", "titles"),
    [
        ("ro quiet", "ro splash", []),
        ("iommu=pt", "iommu=pt quiet", []),
        ("vfio-pci.ids=1:2", "vfio_pci.ids=1:2", []),
        ("quiet", "quiet iommu=pt", ["B boots with iommu=pt, A does not"]),
        ("iommu=pt", "", ["B boots without iommu=pt"]),
        ("pci=noaer", "pci=nomsi,noaer", ["B boots with pci=nomsi pci=noaer, A with pci=noaer"]),
        (
            "intel_iommu=on iommu=pt",
            "pcie_aspm=off",
            [
                "B boots without intel_iommu=on",
                "B boots without iommu=pt",
                "B boots with pcie_aspm=off, A does not",
            ],
        ),
    ],
)
def test_command_line(a: str, b: str, titles: list[str]) -> None:
    findings = found(boots(a), boots(b))
    assert [finding.title for finding in findings] == titles
    assert {finding.rule for finding in findings} <= {"cmdline-changed"}


def logged(text: str) -> Host:
    return BARE._replace(log=parse_log(text))


def test_firmware() -> None:
    line = "mlx5_core 0000:31:00.0: firmware version: {}\n"
    (finding,) = found(logged(line.format("14.27.1016")), logged(line.format("14.28.2006")))
    assert (finding.rule, finding.before, finding.after) == ("firmware-changed", "14.27.1016", "14.28.2006")
    assert str(finding.b) == "0000:31:00.0"


def test_driver_version() -> None:
    line = "mlx5_core: Mellanox Connect-IB Infiniband driver v{}\n"
    (finding,) = found(logged(line.format("4.7-1")), logged(line.format("5.0-0")))
    assert (finding.rule, finding.severity) == ("driver-version-changed", "info")
    assert finding.title == "driver mlx5_core is version 5.0-0 on B, 4.7-1 on A"


@pytest.mark.parametrize(
    "known",
    [
        dmi("1.1", "03/12/2019"),
        BARE._replace(kernel="6.1.0"),
        boots("iommu=pt"),
        logged("mlx5_core 0000:31:00.0: firmware version: 14.27.1016\n"),
    ],
)
def test_what_one_host_does_not_tell_is_no_difference(known: Host) -> None:
    assert found(known, BARE) == []
    assert found(BARE, known) == []
    assert list(host_changes(known, BARE)) == []


def test_every_parameter_is_a_change() -> None:
    changes = host_changes(
        boots("root=/dev/sda1 quiet iommu=pt"), boots("root=/dev/sdb1 iommu=pt,force debug")
    )
    assert [(c.kind, c.path, c.before, c.after, c.volatile) for c in changes] == [
        ("changed", "cmdline/root", "root=/dev/sda1", "root=/dev/sdb1", True),
        ("removed", "cmdline/quiet", "quiet", None, False),
        ("changed", "cmdline/iommu", "iommu=pt", "iommu=pt iommu=force", False),
        ("added", "cmdline/debug", None, "debug", False),
    ]


def test_changes_of_versions() -> None:
    lines = "mlx5_core 0000:31:00.0: firmware version: {}\nahci 0000:00:1f.2: version {}\n"
    a, b = logged(lines.format("14.27", "3.0")), logged(lines.format("14.28", "3.1"))
    nic = DUMP.devices[0]
    changes = list(host_changes(a, b._replace(kernel="6.1"), (Pair(nic, nic, "path"),)))
    assert [(c.path, c.b, c.before, c.after) for c in changes] == [
        ("driver/ahci/version", None, "3.0", "3.1"),
        ("firmware", nic.address, "14.27", "14.28"),
    ]
