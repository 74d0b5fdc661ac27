"""Rules about the IOMMU groups of one host: what triggers each, and what nearly does."""

from __future__ import annotations

import pytest

from tests.findings.rules.one_host import driven, found
from tests.machines import acs, at, downstream, endpoint, root_port, upstream

PORT, CARD = root_port("00:01.0", 1), endpoint("01:00.0")


def test_a_host_without_groups_is_a_remark() -> None:
    (finding,) = found("no-iommu-groups", PORT, CARD, groups={})
    assert finding.severity == "info"
    assert finding.title == (
        "there are no IOMMU groups: the listing of IOMMU groups is empty: the IOMMU is off in BIOS setup, or the kernel "
        "was not told to use it (on Intel: intel_iommu=on)"
    )
    assert found("no-iommu-groups", PORT, CARD) == []


@pytest.mark.parametrize(
    ("state", "numbers", "told"),
    [("off", (0, 1), True), ("off", (0, 0), False), (None, (0, 1), False), ("on", (0, 1), False)],
)
def test_acs_off_since_boot(state: str | None, numbers: tuple[int, int], told: bool) -> None:  # noqa: FBT001
    groups = dict(zip((at("00:01.0"), at("01:00.0")), numbers, strict=True))
    findings = found("acs-off-since-boot", root_port("00:01.0", 1, acs=state), CARD, groups=groups)
    assert [finding.b.slot for finding in findings if finding.b] == (["00:01.0"] if told else [])


@pytest.mark.parametrize(
    ("drivers", "told"),
    [
        (("vfio-pci", "snd_hda_intel"), True),
        (("vfio-pci", "vfio-pci"), False),
        (("nouveau", "snd_hda_intel"), False),
    ],
)
def test_a_group_that_the_host_holds(drivers: tuple[str, str], told: bool) -> None:  # noqa: FBT001
    cards = [driven(endpoint(f"01:00.{number}"), driver) for number, driver in enumerate(drivers)]
    findings = found("group-held", driven(PORT, "pcieport"), *cards)
    assert [finding.after for finding in findings] == (["01:00.1 (snd_hda_intel)"] if told else [])


RMRR = "[ 9.0] vfio-pci 0000:01:00.0: DMAR: Device is ineligible for IOMMU domain attach due to platform RMRR requirement.\n"
DIRECT = (
    "[ 9.0] vfio-pci 0000:01:00.0: Firmware has requested this device have a 1:1 IOMMU mapping, rejecting configuring "
    "the device without a 1:1 mapping. Contact your platform vendor.\n"
)
MAPPED = "[ 9.0] vfio-pci 0000:01:00.0: Using iommu direct mapping\n"


@pytest.mark.parametrize(("line", "count"), [(RMRR, 1), (DIRECT, 1), (RMRR + RMRR, 1), (MAPPED, 0)])
def test_a_device_that_firmware_keeps(line: str, count: int) -> None:
    assert len(found("needs-direct-map", PORT, CARD, log=line)) == count


FAILED = "[ 0.5] DMAR-IR: Failed to enable irq remapping. You are vulnerable to irq-injection attacks.\n"
DISABLED = "[ 0.5] AMD-Vi: Disabling interrupt remapping\n"
ENABLED = "[ 0.6] DMAR-IR: Enabled IRQ remapping in x2apic mode\n"


@pytest.mark.parametrize(
    ("log", "cmdline", "told"),
    [
        (FAILED, None, True), (DISABLED, None, True), (ENABLED, None, False), (FAILED + ENABLED, None, False),
        ("", "intremap=off", True), (ENABLED, "intremap=on", False), ("", "quiet", False),
    ],
)  # fmt: skip
def test_interrupt_remapping(log: str, cmdline: str | None, told: bool) -> None:  # noqa: FBT001
    assert bool(found("interrupt-remapping-off", PORT, CARD, log=log, cmdline=cmdline)) is told


ISOLATING = frozenset({"SrcValid", "ReqRedir", "CmpltRedir", "UpstreamFwd"})


@pytest.mark.parametrize(
    ("on", "cmdline", "kernel", "now"),
    [
        (ISOLATING, "pci=disable_acs_redir=00:01.0", "6.1", "ReqRedir+ CmpltRedir+"),
        (frozenset({"SrcValid"}), "pci=disable_acs_redir=00:01.0", "6.1", None),
        (ISOLATING, "pci=disable_acs_redir=00:02.0", "6.1", None),
        (
            frozenset(),
            "pci=config_acs=xx111x1@0000:00:01.0",
            "6.12.117",
            "UpstreamFwd- CmpltRedir- ReqRedir- SrcValid-",
        ),
        (ISOLATING, "pci=config_acs=xx111x1@0000:00:01.0", "6.12.117", None),
        # Egress control is not among what the capability has: it cannot be on.
        (ISOLATING, "pci=config_acs=x11111x@00:01.0", "6.12.117", None),
        # What is left to the firmware is not compared.
        (frozenset(), "pci=config_acs=xxxxxx1@00:01.0", "6.12.117", "SrcValid-"),
        # config_acs overrides disable_acs_redir.
        (ISOLATING, "pci=config_acs=xx111x1@00:01.0,disable_acs_redir=00:01.0", "6.12.117", None),
        (ISOLATING, "pci=disable_acs_redir=pci:1234:5678", "6.1", None),
        (ISOLATING, "pci=noaer", "6.1", None),
    ],
)
def test_what_the_command_line_asks_of_acs(
    on: frozenset[str], cmdline: str, kernel: str, now: str | None
) -> None:
    port = root_port("00:01.0", 1, acs=acs("on", on=on))
    findings = found("acs-not-as-asked", port, CARD, cmdline=cmdline, kernel=kernel)
    assert [set(str(finding.after).split()) for finding in findings] == (
        [] if now is None else [set(now.split())]
    )


@pytest.mark.parametrize(
    ("cmdline", "kernel", "words"),
    [
        ("pci=config_acs=xx111x1@00:01.0", "6.1.0", "Linux 6.1.0 does not know config_acs (since 6.11)"),
        (
            "pci=config_acs=xx111x1@00:01.0;1111111@00:02.0",
            "6.12.3",
            "may refuse several devices in one config_acs",
        ),
        (
            "pci=config_acs=xx111x1@00:01.0",
            "6.12.117",
            "It was changed later (setpci, a reset, a driver), or",
        ),
    ],
)
def test_why_acs_is_not_as_asked(cmdline: str, kernel: str, words: str) -> None:
    port = root_port("00:01.0", 1, acs=acs("on", on=frozenset()))
    (finding,) = found("acs-not-as-asked", port, CARD, cmdline=cmdline, kernel=kernel)
    assert words in finding.detail


def test_a_path_names_a_device_by_the_way_to_it() -> None:
    parts = [
        root_port("00:01.0", 1, last=3), upstream("01:00.0", 2, last=3), downstream("02:03.0", 3), endpoint("03:00.0"),
    ]  # fmt: skip
    findings = found(
        "acs-not-as-asked", *parts, cmdline="pci=disable_acs_redir=00:01.0/00.0/03.0", kernel="6.1"
    )
    assert [finding.b.slot for finding in findings if finding.b] == ["02:03.0"]


def joined(*kinds: str | None) -> str:
    lines = []
    for number, kind in enumerate(kinds):
        lines.append(f"[ 1.0] pci 0000:01:00.{number}: Adding to iommu group 25")
        lines += [] if kind is None else [f"[ 1.0] pci 0000:01:00.{number}: {kind}"]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        (("Using iommu dma mapping", "DMAR: Device uses a private identity domain."), True),
        (("Using iommu dma mapping", "DMAR: Device uses a private dma domain."), False),
        (("Using iommu direct mapping", None), False),
    ],
)
def test_two_kinds_of_domains_in_a_group(kinds: tuple[str | None, ...], told: bool) -> None:  # noqa: FBT001
    cards = [endpoint(f"01:00.{number}") for number in range(len(kinds))]
    assert bool(found("domain-mix", PORT, *cards, log=joined(*kinds))) is told
