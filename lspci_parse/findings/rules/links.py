"""PCI Express links that run slower or narrower than they should."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lspci_parse.findings.model import Finding, Found, Severity
from lspci_parse.findings.rule import HOST, rule
from lspci_parse.lspci.pci_ids import class_id
from lspci_parse.model.display import named, short
from lspci_parse.topology.links import ABOVE, Link, asleep, link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.comparison.matching import Pair
    from lspci_parse.findings.host_view import HostView
    from lspci_parse.findings.pair_view import PairView
    from lspci_parse.model.address import Address
    from lspci_parse.model.device import Device


@rule(
    "link-degraded",
    "warning",
    "a link runs slower or narrower than on A, or than both its ends can on B only",
)
def link_degraded(view: PairView) -> Iterator[Found]:
    """Find links that lost speed or width; told at the lower end of the link."""
    for pair in view.unequal:
        now, before = link(pair.b, "LnkSta"), link(pair.a, "LnkSta")
        if now is None or before is None or pair.b.port_type in ABOVE or asleep(pair.b):
            continue
        if not (now.speed < before.speed or now.width < before.width):
            continue
        if _of_slot(view, pair) or _inside_package(view.b, pair.b):
            continue
        possible, possible_before = (
            _possible(view, pair, side_b=True),
            _possible(view, pair, side_b=False),
        )
        if now == possible and pair.how != "path":
            continue  # A card moved to a slot that can do no more runs as it should.
        upper = view.b.tree.parent(pair.b.address)
        above = f" below {short(upper)}" if upper is not None else ""
        yield Found(
            Finding(
                "link-degraded", _severity(pair, now, before),
                pair.a.address, pair.b.address, "exp/LnkSta", str(before), str(now),
                f"{named(pair.b)}{above} runs at {now}, on A at {before}",
                f"{_limited(pair)}{_why(now, possible, possible_before)}",
                "Reseat the card and its riser or cable, try another slot, compare BIOS settings of the slot (link "
                "speed, bifurcation). A device that saves power may slow its link while idle: compare under load.",
                facts=("exp/LnkSta/Speed", "exp/LnkSta/Width"),
            )
        )  # fmt: skip


_IDLE: Final = ("0300", "0302", "0380", "1200")
"""Classes whose links slow down while they idle in D0: VGA, 3D and display controllers, accelerators."""


def _severity(pair: Pair, now: Link, before: Link) -> Severity:
    return "info" if now.width >= before.width and class_id(pair.b) in _IDLE else "warning"


def _of_slot(view: PairView, pair: Pair) -> bool:
    """Whether function 0 of the slot tells of the same link."""
    address = pair.b.address
    first = view.difference.pair_of_b.get(address._replace(function=0)) if address.function else None
    return first is not None and link(first.b, "LnkSta") == link(pair.b, "LnkSta")


_INTERNAL: Final = re.compile(r"\bInternal\b.*\b(?:GPP|PCIe)\b|\bDummy (?:Host Bridge|Function)\b")


def _inside_package(view: HostView, device: Device) -> bool:
    """Whether the link joins parts of one package: AMD's internal bridges print a made-up speed."""
    upper = view.tree.parent(device.address)
    above = "" if upper is None else view.tree.devices[upper].name
    return _INTERNAL.search(above) is not None or _INTERNAL.search(device.name) is not None


def _limited(pair: Pair) -> str:
    """Say that software keeps the link slow, if its target speed is below what the device can."""
    target, able = _target_speed(pair.b), link(pair.b, "LnkCap")
    if target is None or able is None or target >= able.speed:
        return ""
    return f"Its target speed (LnkCtl2) is set to {target:g}GT/s, below the {able.speed:g}GT/s that it can. "


def _why(now: Link, possible: Link | None, before: Link | None) -> str:
    bandwidth = "Bandwidth to the device is limited to what the link carries."
    if possible is None:
        return bandwidth
    if now.speed < possible.speed or now.width < possible.width:
        return f"Both ends of the link can do {possible} on B. {bandwidth}"
    if before is not None and before != possible:
        return (
            f"The ends of the link can do no more than {possible} together on B, on A {before}. {bandwidth}"
        )
    return bandwidth


def _possible(view: PairView, pair: Pair, *, side_b: bool) -> Link | None:
    """Return what both ends of the link above a device can do together."""
    device = pair.b if side_b else pair.a
    return possible_link(view.b if side_b else view.a, device)


def possible_link(view: HostView, device: Device) -> Link | None:
    """Return what both ends of the link above a device can do together, as far as the dump shows them."""
    upper = view.tree.parent(device.address)
    ends = [
        link(end, "LnkCap")
        for end in (device, view.tree.devices[upper] if upper else None)
        if end is not None
    ]
    known = [end for end in ends if end is not None and end.speed and end.width]
    if not known:
        return None
    return Link(min(end.speed for end in known), min(end.width for end in known))


# -------------------------------------------------------------------------------------------------- one host alone


def sleep_of_link(view: HostView, address: Address) -> str:
    """Return a sentence, a blank in front, that a device's link may sleep (ASPM, L1 substates); empty if not known."""
    device = view.device(address)
    express = None if device is None else device.capability("exp")
    aspm = None if express is None else express.get("LnkCtl", {}).get("ASPM")
    if device is None or not isinstance(aspm, str) or "Enabled" not in aspm:
        return ""
    substates = device.capability("l1pm")
    control = {} if substates is None else substates.get("L1SubCtl1", {})
    deep = [name for name in ("PCI-PM_L1.2", "PCI-PM_L1.1", "ASPM_L1.2", "ASPM_L1.1") if control.get(name)]
    return f" Its link may sleep: ASPM {aspm}{f', {chr(32).join(deep)}' if deep else ''}."


@rule(
    "link-narrow",
    "warning",
    "a link runs narrower than both its ends can",
    needs=HOST,
    told_by=("link-degraded",),
)
def link_narrow(view: HostView) -> Iterator[Found]:
    """Find links with fewer lanes than both ends have (PCI Express Base Specification 7.5.3.8): once a slot."""
    for device in view.host.dump:
        now, able = link(device, "LnkSta"), possible_link(view, device)
        if now is None or able is None or device.port_type in ABOVE or not view.tree.parent(device.address):
            continue
        if (
            device.address.function
            or asleep(device)
            or _inside_package(view, device)
            or now.width >= able.width
        ):
            continue
        yield Found(
            Finding(
                "link-narrow", "warning", None, device.address, "exp/LnkSta/Width", None, f"x{now.width}",
                f"{named(device)} runs at x{now.width}, both ends of its link can do x{able.width}",
                "Slots are often wired with fewer lanes than their connector has, and ports split for several cards "
                "(bifurcation) still name all of theirs; if this slot should carry more, lanes do not come up.",
                "Reseat the card and its riser; compare the slot's wiring in the manual, and bifurcation in BIOS.",
            )
        )  # fmt: skip


@rule("link-speed-limited", "warning", "software holds a link below the speed of both its ends", needs=HOST)
def link_speed_limited(view: HostView) -> Iterator[Found]:
    """Find ports whose target link speed is below what both ends can (PCI Express Base Specification 7.5.3.19)."""
    for device in view.host.dump:
        upper = view.tree.parent(device.address)
        if upper is None or device.address.function or device.port_type in ABOVE:
            continue
        now, able = link(device, "LnkSta"), possible_link(view, device)
        target = _target_speed(view.tree.devices[upper])
        if now is None or able is None or target is None or not now.speed <= target < able.speed:
            continue
        yield Found(
            Finding(
                "link-speed-limited", "warning", None, upper, "exp/LnkCtl2/Target Link Speed", None, f"{target:g}GT/s",
                f"{named(view.tree.devices[upper])} holds its link at {target:g}GT/s; both ends can {able.speed:g}GT/s",
                "Firmware, a tool or the kernel after failed training (pcie_failed_link_retrain) set its target speed.",
                "Compare the slot's link speed in BIOS setup; look for 'retraining' in the kernel log.",
            )
        )  # fmt: skip


def _target_speed(port: Device) -> float | None:
    express = port.capability("exp")
    target = None if express is None else express.get("LnkCtl2", {}).get("Target Link Speed")
    found = re.match(r"[\d.]+", target) if isinstance(target, str) else None
    return None if found is None else float(found[0])
