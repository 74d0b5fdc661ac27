"""Devices that are gone, new, elsewhere, dead, or not what they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.findings.model import Cause, Finding, Found
from lspci_parse.findings.rule import HOST, rule
from lspci_parse.lspci.pci_ids import class_id
from lspci_parse.model.display import listed, named, short
from lspci_parse.topology.tree import BusKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lspci_parse.comparison.matching import Pair
    from lspci_parse.findings.host_view import HostView
    from lspci_parse.findings.pair_view import PairView
    from lspci_parse.model.address import Address
    from lspci_parse.model.device import Device
    from lspci_parse.topology.tree import Topology


@rule("device-dead", "critical", "a function answers on A and reads as all ones on B")
def device_dead(view: PairView) -> Iterator[Found]:
    """Find functions that fell off the bus."""
    for pair in view.difference.match.pairs:
        if pair.b.dead and not pair.a.dead:
            yield Found(
                Finding(
                    "device-dead", "critical", pair.a.address, pair.b.address, "", pair.a.name, "rev ff",
                    f"{named(pair.b)} does not answer: every read gives ones",
                    "The kernel knows the function, but reads of its registers fail: its link is down, it lost "
                    "power, or it hung. Nothing else is known of it on B.",
                    "Look for AER and link-down messages in B's kernel log; power-cycle the machine (a warm reboot "
                    "is not enough), reseat the card, try another slot.",
                )
            )  # fmt: skip


@rule("not-answering", "critical", "a function reads as all ones", needs=HOST, told_by=("device-dead",))
def not_answering(view: HostView) -> Iterator[Found]:
    """Find functions of one host that fell off the bus: configuration reads without an answer give ones."""
    for device in view.host.dump:
        if device.dead:
            yield Found(
                Finding(
                    "not-answering", "critical", None, device.address, "", None, "rev ff",
                    f"{named(device)} does not answer: every read gives ones",
                    "The kernel knows the function, but reads of its registers fail: its link is down, it lost power "
                    "(D3cold), or it hung. Nothing else is known of it.",
                    "Look for AER and link-down messages in the kernel log; power-cycle the machine (a warm reboot is "
                    "not enough), reseat the card. A GPU that sleeps in D3cold wakes when it is used.",
                ),
                [Cause("bridge-not-set-up", device.address)],
            )  # fmt: skip


@rule("device-missing", "critical", "a device of A is not on B")
def device_missing(view: PairView) -> Iterator[Found]:
    """Find devices that are gone: one finding for the topmost of those that hang together."""
    replaced = {before.address for before, _ in view.replaced}
    for top, below in _trees((d for d in _expected(view) if d.address not in replaced), view.a.tree):
        more = _along(top.address, below)
        yield Found(
            Finding(
                "device-missing", "critical", top.address, None, "", top.name, None,
                f"{named(top)} is not on B: {top.name}{more}",
                "The device is absent, disabled, or its link did not come up. Whatever depends on it is gone, too.",
                "Check that the card is seated and powered, that BIOS setup enables its slot (bifurcation, hot-plug), "
                "and whether the kernel log of B mentions its slot or link.",
                devices=tuple(below),
            )
        )  # fmt: skip


def _expected(view: PairView) -> Iterator[Device]:
    """Yield the devices that only A has, less those whose absence something else explains.

    That is a virtual function, for which its physical function answers (``sriov-changed``), and what B's text was
    cut off before.
    """
    last = view.b.host.dump.devices[-1]
    for device in view.difference.match.only_a:
        virtual = _of_shared(device, view.a.tree, view.difference.pair_of_a)
        if not virtual and not (last.cut and device.address > last.address):
            yield device


def _of_shared(device: Device, topology: Topology, pairs: Mapping[Address, Pair]) -> bool:
    """Whether a device is a virtual function of a physical one that both hosts have."""
    virtual = topology.virtual.get(device.address)
    return virtual is not None and virtual.physical in pairs


@rule("device-new", "warning", "a device of B is not on A")
def device_new(view: PairView) -> Iterator[Found]:
    """Find devices that only B has: one finding for the topmost of those that hang together."""
    difference = view.difference
    replaced = {after.address for _, after in view.replaced}
    new = [
        d
        for d in difference.match.only_b
        if d.address not in replaced and not _of_shared(d, view.b.tree, difference.pair_of_b)
    ]
    for top, below in _trees(new, view.b.tree):
        more = _along(top.address, below)
        yield Found(
            Finding(
                "device-new", "warning", None, top.address, "", None, top.name,
                f"{named(top)} is on B only: {top.name}{more}",
                "A does not have it. Bus numbers behind it may shift; that alone is no difference.",
                devices=tuple(below),
            )
        )  # fmt: skip


def _along(top: Address, below: Sequence[Address]) -> str:
    """Name what is concerned along with a device: functions of its slot, and what hangs below."""
    mates = [address for address in below if address[:3] == top[:3]]
    rest = [address for address in below if address[:3] != top[:3]]
    slot = f", with {listed(mates)}" if mates else ""
    return f"{slot}, with {len(rest)} below it: {listed(rest)}" if rest else slot


def _trees(devices: Iterable[Device], topology: Topology) -> Iterator[tuple[Device, list[Address]]]:
    """Yield each device whose bridge is not among ``devices``, with those among them that hang below it.

    Functions of one slot go with the first of them: they are one card, but on a root bus, where each is on its own.
    """
    among = {device.address: device for device in devices}
    heads: dict[Address, Address] = {}
    members: dict[Address, list[Address]] = {}
    for address in among:
        parent = topology.parent(address)
        if parent is not None and parent in among:
            head = heads.get(parent, parent)
        elif topology.bus(address).kind is BusKind.ROOT:
            head = address
        else:
            slot = address._replace(function=0)
            head = members.get(slot, [address])[0] if slot in members else address
            members.setdefault(slot, [head])
        heads[address] = head
    below: dict[Address, list[Address]] = {head: [] for head in heads.values()}
    for address, head in heads.items():
        if address != head:
            below[head].append(address)
    for head, rest in below.items():
        yield among[head], sorted(rest)


@rule("device-moved", "info", "a device hangs elsewhere on B")
def device_moved(view: PairView) -> Iterator[Found]:
    """Find devices in another slot; what moved along with a bridge is not told again."""
    for pair in view.difference.match.pairs:
        if pair.moved and not (pair.a.address.function and _first_moved(view, pair.a.address)):
            how = "its serial number says so" if pair.how == "serial" else "it is the only one of its kind"
            yield Found(
                Finding(
                    "device-moved", "info", pair.a.address, pair.b.address, "",
                    short(pair.a.address), short(pair.b.address),
                    f"{named(pair.b)} is {short(pair.a.address)} on A: {pair.b.name}",
                    f"It is the same device in another place ({how}); its facts are compared all the same.",
                )
            )  # fmt: skip


def _first_moved(view: PairView, address: Address) -> bool:
    first = view.difference.pair_of_a.get(address._replace(function=0))
    return first is not None and first.moved


@rule("revision-changed", "warning", "a device has another revision or other ids on B")
def revision_changed(view: PairView) -> Iterator[Found]:
    """Find devices of another silicon revision, model or make in the same place."""
    for pair, change in view.changes_at("revision"):
        yield _revised(pair, ("revision", change.path), change.before, change.after)
    seen: set[Address] = set()
    for pair, _ in view.changes_at("ids/subvendor", "ids/subdevice"):
        if pair.b.address not in seen:
            seen.add(pair.b.address)
            before, after = (f"{d.ids.subvendor}:{d.ids.subdevice}" for d in (pair.a, pair.b))
            yield _revised(pair, ("subsystem", "ids/subvendor"), before, after)


def _revised(pair: Pair, fact: tuple[str, str], before: str, after: str) -> Found:
    what, path = fact
    own = path != "revision" and after in (f"{pair.b.ids.vendor}:{pair.b.ids.device}", "0000:0000")
    detail = (
        "B shows the chip's own ids: its firmware or the BIOS did not program those of the board."
        if own
        else "The two hosts do not carry the same hardware here: another stepping or another make may behave "
        "differently and need other firmware."
    )
    return Found(
        Finding(
            "revision-changed", "warning", pair.a.address, pair.b.address, path, before, after,
            f"{named(pair.b)} has {what} {after}, on A {before}", detail,
            "If the hosts should be equal, compare part numbers of the cards.",
            facts=() if path == "revision" else ("ids/subdevice",),
        )
    )  # fmt: skip


@rule("device-replaced", "critical", "another device sits where A's was")
def device_replaced(view: PairView) -> Iterator[Found]:
    """Find places that hold another device on B; one of another class is critical."""
    for before, after in view.replaced:
        other = class_id(before)[:2] != class_id(after)[:2]
        yield Found(
            Finding(
                "device-replaced", "critical" if other else "warning", before.address, after.address, "",
                before.name, after.name,
                f"{named(after)} is where A has {before.name}",
                "Another device answers in the same place: a card was swapped, or the firmware of one shows another "
                "function.",
                "If the hosts should be equal, compare the cards; if the card is the same, compare its firmware mode.",
            )
        )  # fmt: skip
