"""What can be done about devices that share an IOMMU group, and about a host without groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.linux.acs import Reason
from lspci_parse.model.display import short
from lspci_parse.policies.model import Remedy
from lspci_parse.topology.tree import DOWNSTREAM, ROOT_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lspci_parse.linux.acs import Isolation
    from lspci_parse.linux.groups.model import AbsenceCause, Groups
    from lspci_parse.model.address import Address
    from lspci_parse.topology.tree import Topology

READ_ALL: Final = Remedy("take the dump as root, of all devices: lspci -vvv")
OVERRIDE_RISK: Final = (
    "a patch that mainline does not carry; it isolates nothing: a guest's device can read and write the memory of "
    "the devices beside it past the IOMMU"
)
_TURN_ON: Final = Remedy(
    "switch VT-d or AMD-Vi on in BIOS setup, and boot an Intel host with intel_iommu=on",
    "DMA is translated, unless iommu=pt is given too",
)
FOR_ABSENCE: Final[Mapping[AbsenceCause, tuple[Remedy, ...]]] = {
    "command line": (
        Remedy(
            "boot with intel_iommu=on (AMD: without amd_iommu=off) and without iommu=off",
            "DMA is translated, unless iommu=pt is given too",
        ),
    ),
    "iommu off": (_TURN_ON,),
    "given up": (Remedy("see what the kernel stumbled over: lspci-parse diagnose tells it from the log"),),
    "guest": (Remedy("give the guest a virtual IOMMU (QEMU: -device intel-iommu or virtio-iommu-pci)"),),
    "hypervisor": (),
}
_FIRMWARE: Final = Remedy(
    "look in BIOS setup for ACS and PCIe isolation (with some vendors below the chipset's or the northbridge's "
    "settings), and for a newer BIOS",
    "a new BIOS changes other settings too",
)
_NO_CURE: Final = {
    "bridge": Remedy(
        "use PCI Express cards: an IOMMU cannot tell devices below a conventional bridge from each other"
    ),
    "alias": Remedy("pass the functions through together: they really share a DMA requester id"),
    "vmd": Remedy(
        "switch Volume Management Device off in BIOS setup",
        "RAID volumes that it manages are lost to the system, and so may be the boot disk",
    ),
}


def group_remedies(tree: Topology, isolation: Isolation, culprits: Mapping[Address, str]) -> Iterator[Remedy]:
    """Yield what can be done about the functions that join others, each thing once."""
    verdicts = [isolation[culprit] for culprit, how in culprits.items() if how in ("path", "slot")]
    off = [verdict.device for verdict in verdicts if verdict.reason is Reason.FLAGS_OFF]
    lacking = [verdict.device for verdict in verdicts if verdict.reason is Reason.NO_CAPABILITY]
    if off:
        yield _flags_on(off)
    if any(tree.devices[device].is_bridge for device in lacking):
        yield _FIRMWARE
    for quirk in dict.fromkeys(verdict.quirk for verdict in verdicts if verdict.quirk is not None):
        yield Remedy(f"another kernel: in this one {quirk.function} does not count it as isolated")
    for how in dict.fromkeys(culprits.values()):
        if how in _NO_CURE:
            yield _NO_CURE[how]
    if lacking:
        ports = [device for device in lacking if tree.devices[device].port_type in (ROOT_PORT, DOWNSTREAM)]
        options = ["downstream"] * bool(ports) + ["multifunction"] * (len(ports) < len(lacking))
        yield Remedy(
            f"kernel parameter pcie_acs_override={','.join(options)} (ACS override patch)", OVERRIDE_RISK
        )


def _flags_on(off: list[Address]) -> Remedy:
    """Return how the flags come on: by Linux itself, or by a parameter (``__pci_config_acs``)."""
    flags = ";".join(f"xx111x1@{device}" for device in off)
    several = (
        "; several devices in one parameter from 6.15 and late 6.12.y, quoted in GRUB's files"
        if len(off) > 1
        else ""
    )
    return Remedy(
        f"boot with pci=config_acs={flags} (Linux 6.12 and newer{several}), without "
        "pci=disable_acs_redir= for them; take setpci lines for them out of boot scripts",
        "peer-to-peer traffic of GPUs and NICs below them goes through the root complex and gets slow",
    )


def slots_that_isolate(tree: Topology, groups: Groups, isolation: Isolation) -> list[Remedy]:
    """Name ports with a slot (``Slot+``) below which a card gets a group of its own; none, if there are none."""
    good = [
        port
        for port, device in tree.devices.items()
        if device.port_type in (ROOT_PORT, DOWNSTREAM)
        and (express := device.capability("exp")) is not None
        and express.get("Slot")
        and all(isolation[above].isolated for above in (port, *tree.ancestors(port)))
        and not any(tree.devices[child].is_bridge for child in tree.children(port))
        and (group := groups.of(port)) is not None
        and len(group.devices) == 1
    ]
    if not good:
        return []
    # A free port is of more use than one with a card in it.
    good.sort(key=lambda port: (bool(tree.children(port)), port))
    slots = ((port, tree.devices[port].physical_slot) for port in good[:4])
    labels = ", ".join(f"{short(port)}{f' (slot {slot})' if slot else ''}" for port, slot in slots)
    risk = "slots differ in lanes, and in which socket they hang on"
    return [Remedy(f"move a card below a port that isolates: {labels}", risk)]
