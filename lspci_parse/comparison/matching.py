"""Which device of host A is which device of host B.

A matching is a function of two topologies, so that callers can replace it. ``by_topology`` is the default;
``by_address`` takes addresses at their word.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from lspci_parse.topology.tree import BusKind, Path, Topology, match_roots

if TYPE_CHECKING:
    from lspci_parse.model.address import Address
    from lspci_parse.model.device import Device

How = Literal["path", "serial", "identity", "address"]


class Pair(NamedTuple):
    """The same function on both hosts, and what told so.

    ``path``: it hangs at the same place; ``serial``: it carries the same serial number elsewhere; ``identity``:
    it is the only one of its kind on both hosts; ``address``: addresses were taken at their word. ``moved`` is
    true for a function that hangs elsewhere while the bridge above it does not, never between equal addresses.
    """

    a: Device
    b: Device
    how: How
    moved: bool = False


class Match(NamedTuple):
    """The pairs, in the order of host A, and the devices that only one host has."""

    pairs: tuple[Pair, ...]
    only_a: tuple[Device, ...]
    only_b: tuple[Device, ...]


Matching = Callable[[Topology, Topology], Match]


def by_address(a: Topology, b: Topology) -> Match:
    """Match devices of equal address, whatever they are."""
    others = b.devices
    pairs = [Pair(device, others[at], "address") for at, device in a.devices.items() if at in others]
    return _match(a, b, pairs)


def by_topology(a: Topology, b: Topology) -> Match:
    """Match devices by place, then by serial number, then by being the only one of their kind.

    Place is the way from the root bus over the bridges' device.function numbers, so a renumbered bus changes
    nothing. Where both sides of a place carry different serial numbers and one of these is found elsewhere,
    the card has moved. What hangs below a moved device is looked for below it.
    """
    return _ByTopology(a, b).run()


def _match(a: Topology, b: Topology, pairs: Iterable[Pair]) -> Match:
    order = {device.address: index for index, device in enumerate(a.devices.values())}
    pairs = tuple(sorted(pairs, key=lambda pair: order[pair.a.address]))
    seen_a, seen_b = {pair.a.address for pair in pairs}, {pair.b.address for pair in pairs}
    return Match(
        pairs,
        tuple(device for device in a.devices.values() if device.address not in seen_a),
        tuple(device for device in b.devices.values() if device.address not in seen_b),
    )


class _ByTopology:
    """One run of ``by_topology``."""

    def __init__(self, a: Topology, b: Topology) -> None:
        self.a, self.b = a, b
        self.pairs: dict[Address, Pair] = {}
        self.taken: set[Address] = set()
        self.places_a = _places(a, match_roots(b, a))
        self.places_b = _places(b, {})
        numbers_a = _unique(a.devices.values(), _serial_key)
        numbers_b = _unique(b.devices.values(), _serial_key)
        self.moves = {
            numbers_a[key].address: numbers_b[key].address for key in numbers_a.keys() & numbers_b.keys()
        }
        self.origins = {after: before for before, after in self.moves.items()}

    def run(self) -> Match:
        self._match_below(None, None)
        for before, after in self.moves.items():
            self._pair(before, after, "serial")
        self._match_behind_the_unknown()
        kinds_a = _unique((d for d in self.a.devices.values() if d.address not in self.pairs), _kind_key)
        kinds_b = _unique((d for d in self.b.devices.values() if d.address not in self.taken), _kind_key)
        for key, device in kinds_a.items():
            if key in kinds_b:
                self._pair(device.address, kinds_b[key].address, "identity")
        return _match(self.a, self.b, self.pairs.values())

    def _match_behind_the_unknown(self) -> None:
        """Pair equal addresses of one kind on buses whose bridge is not known: it is dead, or its line is missing."""
        for address in self.a.devices:
            unknown = address in self.b.devices and BusKind.UNKNOWN in (
                self.a.bus(address).kind,
                self.b.bus(address).kind,
            )
            if unknown and self._same(address, address):
                self._pair(address, address, "address")

    def _pair(self, before: Address, after: Address, how: How) -> None:
        """Pair two devices and what hangs below them."""
        if before not in self.pairs and after not in self.taken:
            moved = how != "path" and before != after
            self.pairs[before] = Pair(self.a.devices[before], self.b.devices[after], how, moved=moved)
            self.taken.add(after)
            self._match_below(before, after)

    def _match_below(self, before: Address | None, after: Address | None) -> None:
        """Pair what hangs at the same place below one bridge, or below the root of everything."""
        stack = [(before, after)]
        while stack:
            above_a, above_b = stack.pop()
            others = self.places_b.get(above_b, {})
            for place, address in self.places_a.get(above_a, {}).items():
                other = others.get(place)
                if other is not None and self._same(address, other):
                    self.pairs[address] = Pair(self.a.devices[address], self.b.devices[other], "path")
                    self.taken.add(other)
                    stack.append((address, other))

    def _same(self, address: Address, other: Address) -> bool:
        """Whether devices in the same place are one, unless serial numbers tell of another place for either."""
        return (
            address not in self.pairs
            and other not in self.taken
            and self.moves.get(address, other) == other
            and self.origins.get(other, address) == address
            and same_kind(self.a.devices[address], self.b.devices[other])
        )


def _places(tree: Topology, roots: Mapping[str, str]) -> dict[Address | None, dict[Path, Address]]:
    """Return, for each bridge, what hangs below it by the rest of its topology path; ``None`` holds the top.

    Args:
        tree: the devices of one host.
        roots: the names that root buses have on the other host.
    """
    owners = {tree.path(address): address for address in tree.devices}
    places: dict[Address | None, dict[Path, Address]] = {}
    for path, address in owners.items():
        length = next((n for n in range(len(path) - 1, 0, -1) if path[:n] in owners), 0)
        place = path[length:] if length else (roots.get(path[0], path[0]), *path[1:])
        places.setdefault(owners[path[:length]] if length else None, {})[place] = address
    return places


def _unique(devices: Iterable[Device], key: Callable[[Device], Hashable | None]) -> dict[Hashable, Device]:
    """Return the devices whose key no other device has."""
    groups: defaultdict[Hashable, list[Device]] = defaultdict(list)
    for device in devices:
        value = key(device)
        if value is not None:
            groups[value].append(device)
    return {value: group[0] for value, group in groups.items() if len(group) == 1}


def serial(device: Device) -> str | None:
    """Return the serial number a device prints, if it is one: Device Serial Number, else VPD's ``SN``."""
    dsn = device.capability("dsn")
    number = dsn.get("Serial") if dsn is not None else None
    if number is None:
        vpd = device.capability("vpd")
        number = None if vpd is None else _vpd_serial(vpd)
    return None if number is None or not number.strip("0-") or not number.strip("f-") else number


def _vpd_serial(fields: object) -> str | None:
    """Find VPD's ``SN`` wherever the tree keeps it."""
    if not hasattr(fields, "items"):
        return None
    for name, value in fields.items():
        if name.startswith("[SN]") or name == "Serial number":
            return str(value)
        found = _vpd_serial(value)
        if found is not None:
            return found
    return None


def _serial_key(device: Device) -> Hashable | None:
    number = serial(device)
    # Functions of one card share its number.
    return (
        None if number is None else (number, device.address.function, device.class_.id or device.class_.name)
    )


def _kind_key(device: Device) -> Hashable | None:
    identity = device.ids[:2] if all(device.ids[:2]) else device.name
    subsystem = device.ids[2:] if all(device.ids[2:]) else device.subsystem
    return (device.class_.id or device.class_.name, identity, subsystem, device.address.function)


_UNKNOWN_NAME: Final = re.compile(r"(.*?) ?Device [0-9a-f]{4}")


def same_kind(a: Device, b: Device) -> bool:
    """Whether two devices are of one model, as far as both texts can tell.

    Ids decide where both print them. Names come from the pci.ids file of the moment: a newer one knows more
    devices and words some differently, so names that share most of their words count as one.
    """
    if all(a.ids[:2]) and all(b.ids[:2]):
        return a.ids[:2] == b.ids[:2]
    if a.class_.id and b.class_.id and a.class_.id != b.class_.id:
        return False
    if a.dead or b.dead or not a.name or not b.name or a.name == b.name:
        return True
    for one, other in ((a, b), (b, a)):
        unknown = _UNKNOWN_NAME.fullmatch(one.name)
        if unknown is not None:
            return other.name.startswith(unknown[1]) and not _UNKNOWN_NAME.fullmatch(other.name)
    words_a, words_b = set(_words(a.name)), set(_words(b.name))
    return 2 * len(words_a & words_b) >= min(len(words_a), len(words_b))


def _words(name: str) -> Iterator[str]:
    # The vendor's legal form says nothing about the device.
    return (
        word
        for word in re.findall(r"[\w/+-]+", name.lower())
        if word not in ("inc", "corporation", "co", "ltd")
    )
