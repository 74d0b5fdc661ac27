"""Rules about what fails while a system runs: what triggers each, and what nearly does."""

from __future__ import annotations

import pytest

from tests.findings.rules.one_host import driven, found
from tests.machines import endpoint, root_port

PORT, CARD = root_port("00:01.0", 1), endpoint("01:00.0")
ASPM = "\t\tLnkCtl:\tASPM L1 Enabled; RCB 64 bytes, LnkDisable- CommClk+\n"


@pytest.mark.parametrize(
    ("log", "title"),
    [
        ("igc 0000:01:00.0 eth0: PCIe link lost, device now detached", "PCIe link lost, device now detached"),
        ("xhci_hcd 0000:01:00.0: HC died; cleaning up", "HC died; cleaning up"),
        (
            "xhci_hcd 0000:01:00.0: xHCI host controller not responding, assume dead",
            "xHCI host controller not responding, assume dead",
        ),
        ("amdgpu 0000:01:00.0: amdgpu: device lost from bus!", "amdgpu: device lost from bus!"),
        ("e1000e 0000:01:00.0 eth0: Detected Hardware Unit Hang:", "Detected Hardware Unit Hang:"),
        ("pcieport 0000:01:00.0: AER: device recovery failed", "AER: device recovery failed"),
        (
            "pci 0000:01:00.0: not ready 65535ms after FLR; giving up",
            "not ready 65535ms after FLR; giving up",
        ),
        (
            "NVRM: Xid (PCI:0000:01:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
            "Xid 79: pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
        ),
        (
            "nvme nvme0: pci function 0000:01:00.0\nnvme nvme0: controller is down; will reset: CSTS=0xffffffff",
            "controller is down; will reset: CSTS=0xffffffff",
        ),
        (
            "nvme nvme0: pci function 0000:01:00.0\nnvme nvme0: Removing after probe failure status: -19",
            "Removing after probe failure status: -19",
        ),
        # Near misses: still waiting, another Xid, a name that no line gave an address, what merely sounds alike.
        ("pci 0000:01:00.0: not ready 1023ms after FLR; waiting", None),
        ("NVRM: Xid (PCI:0000:01:00): 31, pid=1, name=x, Ch 00000010, MMU Fault", None),
        ("nvme nvme1: controller is down; will reset: CSTS=0x1", None),
        ("igc 0000:01:00.0 eth0: NIC Link is Up 1000 Mbps Full Duplex", None),
        ("pcieport 0000:01:00.0: AER: device recovery successful", None),
    ],
)
def test_devices_that_died(log: str, title: str | None) -> None:
    findings = found("device-died", PORT, CARD, log=log + "\n")
    assert [finding.title for finding in findings] == (
        [] if title is None else [f"01:00.0 (Ethernet controller): {title}"]
    )


def test_a_death_tells_whether_the_link_may_sleep() -> None:
    log = "xhci_hcd 0000:01:00.0: HC died; cleaning up\n"
    asleep = CARD.rstrip("\n") + "\n" + ASPM + "\n"
    assert "Its link may sleep: ASPM L1 Enabled." in found("device-died", PORT, asleep, log=log)[0].detail
    assert "sleep" not in found("device-died", PORT, CARD, log=log)[0].detail


MISSING = "iwlwifi 0000:01:00.0: Direct firmware load for iwlwifi-so-a0.ucode failed with error -2\n"


@pytest.mark.parametrize(("card", "count"), [(CARD, 1), (driven(CARD, "iwlwifi"), 0)])
def test_a_firmware_file_that_is_missing(card: str, count: int) -> None:
    assert len(found("firmware-missing", PORT, card, log=MISSING)) == count


def test_a_probe_is_explained_by_the_first_complaint() -> None:
    log = MISSING + (
        "iwlwifi 0000:01:00.0: no suitable firmware found, failed\n"
        "iwlwifi: probe of 0000:01:00.0 failed with error -2\n"
    )
    (finding,) = found("probe-failed", PORT, CARD, log=log)
    assert finding.detail == (
        "The driver's first complaint: 'Direct firmware load for iwlwifi-so-a0.ucode failed with error -2'; its last: 'no suitable "
        "firmware found, failed'."
    )
    assert finding.because != ()


@pytest.mark.parametrize(
    ("rule", "line", "near"),
    [
        (
            "power-stuck", "nouveau 0000:01:00.0: Refused to change power state, currently in D3",
            "nouveau 0000:01:00.0: power state changed by ACPI to D0",
        ),
        (
            "link-retrained", "pci 0000:01:00.0: broken device, retraining non-functional downstream link at 2.5GT/s",
            "pci 0000:01:00.0: enabling device (0000 -> 0002)",
        ),
        (
            "iotlb-timeout", "AMD-Vi: Event logged [IOTLB_INV_TIMEOUT device=01:00.0 address=0x100053450]",
            "AMD-Vi: Event logged [IO_PAGE_FAULT device=01:00.0 domain=0x000c address=0xfe000 flags=0x0000]",
        ),
        (
            "interrupt-fault",
            "DMAR: [INTR-REMAP] Request device [01:00.0] fault index 0x8000 [fault reason 0x22] Present field clear",
            "DMAR: [DMA Read] Request device [01:00.0] fault addr fe3000 [fault reason 06] PTE Read access is not set",
        ),
        (
            "bus-numbers-exhausted",
            "pci_bus 0000:02: busn_res: can not insert [bus 02] under [bus 00-01] (conflicts with (null) [bus 00-01])",
            "pci_bus 0000:02: resource 0 [io 0x0000-0x0cf7]",
        ),
        (
            "sriov-no-room", "igb 0000:01:00.0: not enough MMIO resources for SR-IOV",
            "igb 0000:01:00.0: 7 VFs allocated",
        ),
        (
            "firmware-error", "{1}[Hardware Error]:   device_id: 0000:01:00.0",
            "{1}[Hardware Error]:   section_type: PCIe error",
        ),
        (
            "parameter-unknown",
            'Unknown kernel command line parameters "pcie_acs_override=downstream", will be passed to user space.',
            'Unknown kernel command line parameters "BOOT_IMAGE=/vmlinuz", will be passed to user space.',
        ),
    ],
    ids=lambda value: value if value.replace("-", "").isalpha() else "",
)  # fmt: skip
def test_log_lines(rule: str, line: str, near: str) -> None:
    assert len(found(rule, PORT, CARD, log=line + "\n")) == 1
    assert found(rule, PORT, CARD, log=near + "\n") == []


def test_the_device_that_the_iommu_names_is_blamed_and_not_the_iommu() -> None:
    log = "pci 0000:00:00.2: AMD-Vi: Event logged [IOTLB_INV_TIMEOUT device=01:00.0 address=0x100053450]\n"
    (finding,) = found("iotlb-timeout", PORT, CARD, log=log)
    assert finding.b is not None
    assert finding.b.slot == "01:00.0"


def test_a_refusal_to_change_power_is_no_lost_link() -> None:
    log = "nouveau 0000:01:00.0: Refused to change power state, currently in D3\n"
    assert found("link-lost", PORT, CARD, log=log) == []
    gone = "nvme 0000:01:00.0: Unable to change power state from D3cold to D0, device inaccessible\n"
    assert len(found("link-lost", PORT, CARD, log=gone)) == 1


@pytest.mark.parametrize(("address", "told"), [("0xbe000000", True), ("0xc0000000", False)])
def test_a_fault_in_memory_that_firmware_reserved(address: str, told: bool) -> None:  # noqa: FBT001
    log = (
        "DMAR: RMRR base: 0x000000bdffd000 end: 0x000000bf7fffff\n"
        f"DMAR: [DMA Read NO_PASID] Request device [01:00.0] fault addr {address} [fault reason 0x06] PTE Read access\n"
    )
    (finding,) = found("dma-fault", PORT, CARD, log=log)
    assert ("lies in memory that firmware reserved" in finding.detail) is told
