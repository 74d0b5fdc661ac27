"""PCI Express links that run slower or narrower than they should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.findings.model import Finding, Found
from lspci_parse.findings.rule import rule
from lspci_parse.model.display import named, short
from lspci_parse.topology.links import ABOVE, Link, link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.comparison.matching import Pair
    from lspci_parse.findings.pair_view import PairView
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
        if now is None or before is None or pair.b.port_type in ABOVE or _asleep(pair.b):
            continue
        if not (now.speed < before.speed or now.width < before.width):
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
                "link-degraded", "warning", pair.a.address, pair.b.address, "exp/LnkSta", str(before), str(now),
                f"{named(pair.b)}{above} runs at {now}, on A at {before}",
                _why(now, possible, possible_before),
                "Reseat the card and its riser or cable, try another slot, compare BIOS settings of the slot (link "
                "speed, bifurcation). A device that saves power may slow its link while idle: compare under load.",
                facts=("exp/LnkSta/Speed", "exp/LnkSta/Width"),
            )
        )  # fmt: skip


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
    topology = view.b.tree if side_b else view.a.tree
    upper = topology.parent(device.address)
    ends = [
        link(end, "LnkCap") for end in (device, topology.devices[upper] if upper else None) if end is not None
    ]
    known = [end for end in ends if end is not None and end.speed and end.width]
    if not known:
        return None
    return Link(min(end.speed for end in known), min(end.width for end in known))


def _asleep(device: Device) -> bool:
    """Whether the device is in a low-power state, in which links may slow down."""
    power = device.capability("pm")
    return power is not None and power.get("Status", {}).get("State", "D0") != "D0"
