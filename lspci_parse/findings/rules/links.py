"""PCI Express links that run slower or narrower than they should."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lspci_parse.findings.model import Finding, Found, Severity
from lspci_parse.findings.rule import rule
from lspci_parse.lspci.pci_ids import class_id
from lspci_parse.model.display import named, short
from lspci_parse.topology.links import ABOVE, Link, asleep, link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.comparison.matching import Pair
    from lspci_parse.findings.pair_view import PairView


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
        if _of_slot(view, pair) or _inside_package(view, pair):
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


def _inside_package(view: PairView, pair: Pair) -> bool:
    """Whether the link joins parts of one package: AMD's internal bridges print a made-up speed."""
    upper = view.b.tree.parent(pair.b.address)
    above = "" if upper is None else view.b.tree.devices[upper].name
    return _INTERNAL.search(above) is not None or _INTERNAL.search(pair.b.name) is not None


def _limited(pair: Pair) -> str:
    """Say that software keeps the link slow, if its target speed is below what the device can."""
    express = pair.b.capability("exp")
    target = None if express is None else express.get("LnkCtl2", {}).get("Target Link Speed")
    able = link(pair.b, "LnkCap")
    found = re.match(r"[\d.]+", target) if isinstance(target, str) else None
    if found is None or able is None or float(found[0]) >= able.speed:
        return ""
    return f"Its target speed (LnkCtl2) is set to {target}, below the {able.speed:g}GT/s that it can. "


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
