from __future__ import annotations

import pytest

from lspci_parse.evidence.cmdline import TOUCHES, Parameter, parse_cmdline


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("", []),
        ("ro quiet\n", [("ro", None), ("quiet", None)]),
        ("root=UUID=1-2 x=", [("root", "UUID=1-2"), ("x", "")]),
        ("intel_iommu=on,sm_on iommu=pt", [("intel_iommu", "on"), ("intel_iommu", "sm_on"), ("iommu", "pt")]),
        ("pci=noaer,nomsi pci=realloc", [("pci", "noaer"), ("pci", "nomsi"), ("pci", "realloc")]),
        (
            "pci=disable_acs_redir=0000:00:1c.5;pci:8086:a195,noats",
            [("pci", "disable_acs_redir=0000:00:1c.5;pci:8086:a195"), ("pci", "noats")],
        ),
        ("vfio-pci.ids=10de:1db4,10de:1db5", [("vfio_pci.ids", "10de:1db4,10de:1db5")]),
        ('dyndbg="file a.c +p" "quiet" s="a b', [("dyndbg", "file a.c +p"), ("quiet", None), ("s", "a b")]),
        ("iommu=pt -- iommu=off", [("iommu", "pt")]),
        ("pcie_acs_override=id:8086:a195", [("pcie_acs_override", "id:8086:a195")]),
    ],
)  # fmt: skip
def test_parameters(text: str, parameters: list[tuple[str, str | None]]) -> None:
    assert parse_cmdline(text).parameters == tuple(Parameter(*pair) for pair in parameters)


def test_values_of_a_name_keep_their_order() -> None:
    cmdline = parse_cmdline("console=tty0 console=ttyS0,115200 vfio-pci.ids=1:2")
    assert cmdline.values("console") == ("tty0", "ttyS0,115200")
    assert cmdline.values("vfio-pci.ids") == cmdline.values("vfio_pci.ids") == ("1:2",)
    assert cmdline.values("iommu") == ()
    assert cmdline.names == ("console", "vfio_pci.ids")


def test_membership() -> None:
    cmdline = parse_cmdline("quiet iommu=pt,force")
    assert "iommu=pt" in cmdline
    assert "iommu=force" in cmdline
    assert "quiet" in cmdline
    assert "iommu" not in cmdline


def test_what_touches_pci() -> None:
    cmdline = parse_cmdline("BOOT_IMAGE=/vmlinuz ro quiet intel_iommu=on iommu=pt pcie_aspm=off hugepages=4")
    assert [str(parameter) for parameter in cmdline.touching] == [
        "intel_iommu=on",
        "iommu=pt",
        "pcie_aspm=off",
    ]


def test_the_table_names_parameters_as_they_are_compared() -> None:
    assert all(name == name.replace("-", "_") and why for name, why in TOUCHES.items())
