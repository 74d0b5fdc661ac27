"""Kernel drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.findings.model import Cause, Finding, Found
from lspci_parse.findings.rule import HOST, rule
from lspci_parse.lspci.pci_ids import class_id
from lspci_parse.model.display import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.findings.host_view import HostView
    from lspci_parse.findings.pair_view import PairView
    from lspci_parse.model.device import Device


_SERVING: Final = ("01", "02", "03", "12", "0604", "0609", "0c03")
"""Classes whose devices a machine is used through: storage, network, display, accelerators, PCI bridges, USB."""


def serves(device: Device) -> bool:
    """Whether a device without its driver is one that users miss; helpers (uncore, thermal, SMBus) are not."""
    return class_id(device).startswith(_SERVING)


@rule("driver-missing", "critical", "a device has a driver on A and none on B")
def driver_missing(view: PairView) -> Iterator[Found]:
    """Find devices that no driver is bound to any more."""
    for pair, change in view.changes_at("driver"):
        if change.kind == "removed" and not view.other_system:
            modules = f" ({', '.join(pair.b.modules)} would claim it)" if pair.b.modules else ""
            yield Found(
                Finding(
                    "driver-missing", "critical" if serves(pair.b) else "warning",
                    change.a, change.b, "driver", change.before, None,
                    f"{named(pair.b)} has no driver, on A {change.before}",
                    f"The device is there, but nothing drives it{modules}: the module is not loaded, or its probe "
                    "failed.",
                    f"Look in B's kernel log for '{change.before}' and 'probe of {pair.b.address} failed'; check "
                    f"that the module is installed and not denied in modprobe.d.",
                ),
                [Cause("probe-failed", change.b), *view.parameter("pcie_ports")],
            )  # fmt: skip


_TWINS: Final = ("01", "02", "03", "12", "0c03")


@rule(
    "twin-without-driver",
    "warning",
    "of equal devices one has no driver",
    needs=HOST,
    told_by=("driver-missing",),
)
def twin_without_driver(view: HostView) -> Iterator[Found]:
    """Find devices without driver whose twin in the same host has one: same ids, or name, and same function number."""
    twins: dict[tuple[object, ...], list[Device]] = {}
    for device in view.host.dump:
        if (
            class_id(device).startswith(_TWINS)
            and not device.dead
            and device.address not in view.tree.virtual
        ):
            key = (device.ids.vendor, device.ids.device, device.name, device.address.function)
            twins.setdefault(key, []).append(device)
    for devices in twins.values():
        driven = next((device for device in devices if device.driver is not None), None)
        for device in devices if driven is not None else ():
            if device.driver is None and driven is not None:
                yield Found(
                    Finding(
                        "twin-without-driver", "warning", None, device.address, "driver", None, "none",
                        f"{named(device)} has no driver, its twin {driven.address.slot} has {driven.driver}",
                        "Both are the same model; this one is set aside, its probe failed, or something unbound it.",
                        f"Look for 'probe of {device.address}' and {driven.driver}'s messages in the kernel log.",
                    ),
                    [Cause("probe-failed", device.address)],
                )  # fmt: skip


@rule("driver-changed", "warning", "a device has another driver on B, or one only there")
def driver_changed(view: PairView) -> Iterator[Found]:
    """Find devices with another driver."""
    for pair, change in view.changes_at("driver"):
        if change.kind == "removed" or view.other_system:
            continue
        passed = change.after in {"vfio-pci", "pci-stub"}
        yield Found(
            Finding(
                "driver-changed", "warning" if change.kind == "changed" else "info",
                change.a, change.b, "driver", change.before, change.after,
                f"{named(pair.b)} is driven by {change.after}, on A by {change.before or 'nothing'}",
                "It is set aside for a guest and does not serve the host." if passed else
                "Another driver means other features, other settings and other firmware.",
            )
        )  # fmt: skip
