"""Bridges, buses, slots and virtual functions of one dump, put together to a tree.

Nothing here depends on a kernel release, and nothing is guessed in silence: a device whose bridge the dump does
not show hangs below an *unknown* bus, which is neither a root bus nor lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from lspci_parse.model.address import Address

if TYPE_CHECKING:
    from lspci_parse.model.device import Device
    from lspci_parse.model.dump import Dump

Path: TypeAlias = tuple[str, ...]
"""A topology path: the root bus, then one hop ``device.function`` for each bridge and for the device itself."""

FIRST_VMD_DOMAIN: Final = 0x10000
"""Linux numbers the domains behind Intel VMD from here (``vmd_find_free_domain``)."""

ROOT_PORT: Final = "Root Port"
UPSTREAM: Final = "Upstream Port"
DOWNSTREAM: Final = "Downstream Port"
TO_PCI: Final = "PCI-Express to PCI/PCI-X Bridge"
TO_EXPRESS: Final = "PCI/PCI-X to PCI-Express Bridge"
INTEGRATED: Final = "Root Complex Integrated Endpoint"
COLLECTOR: Final = "Root Complex Event Collector"

_ROOT_ONLY: Final = frozenset({ROOT_PORT, INTEGRATED, COLLECTOR})
_NEVER_ROOT: Final = frozenset({"Endpoint", "Legacy Endpoint", UPSTREAM, DOWNSTREAM, TO_PCI})


class BusKind(Enum):
    """How a bus hangs in the tree.

    ``ROOT`` has no bridge; ``BRIDGED`` is the secondary bus of one; ``VIRTUAL`` has no bridge of its own since
    it exists only as bus number of SR-IOV virtual functions; ``UNKNOWN`` has one that the dump does not show.
    """

    ROOT = "root"
    BRIDGED = "bridged"
    VIRTUAL = "virtual"
    UNKNOWN = "unknown"


class BusNumber(NamedTuple):
    """A bus of one domain."""

    domain: int
    bus: int

    def __str__(self) -> str:
        return f"{self.domain:04x}:{self.bus:02x}"


class Bus(NamedTuple):
    """One bus.

    Attributes:
        number: its domain and number.
        kind: how it hangs in the tree.
        bridge: the bridge above it, or ``None``; of an unknown bus the nearest bridge whose bus range holds it,
            of a virtual bus the bridge above the physical function.
        devices: the functions on it by device and function number.
    """

    number: BusNumber
    kind: BusKind
    bridge: Address | None
    devices: tuple[Address, ...]


class VirtualFunction(NamedTuple):
    """Which physical function a virtual function belongs to, and its number there, from 0."""

    physical: Address
    number: int


class Topology:
    """The tree of one dump. Building it takes time in proportion to the number of devices.

    Args:
        dump: of several devices with one address the first counts.

    Attributes:
        devices: every device by its address.
        virtual: the virtual functions, found by the SR-IOV capabilities of their physical functions.
        buses: every bus that holds a device, parents before children.
    """

    def __init__(self, dump: Dump | Iterable[Device]) -> None:
        self.devices: dict[Address, Device] = {}
        for device in dump:
            self.devices.setdefault(device.address, device)
        self.virtual: Mapping[Address, VirtualFunction] = _virtual_functions(self.devices)
        self._slots: dict[tuple[int, int, int], list[Address]] = {}
        for address in sorted(self.devices):
            self._slots.setdefault(address[:3], []).append(address)
        self.buses: dict[BusNumber, Bus] = _buses(self.devices, self.virtual)
        self._bus = {address: bus for bus in self.buses.values() for address in bus.devices}
        self._parents = {
            address: None if bus.kind is BusKind.UNKNOWN else bus.bridge for address, bus in self._bus.items()
        }
        for address in self.virtual:
            self._parents[address] = self._parents[self._real(address)]
        self._below = {
            bus.bridge: bus for bus in self.buses.values() if bus.kind is BusKind.BRIDGED and bus.bridge
        }
        self._paths: dict[Address, Path] = {}
        self._roots: dict[Address, Bus] = {}

    def bus(self, address: Address) -> Bus:
        """Return the bus a device is on."""
        return self._bus[address]

    def parent(self, address: Address) -> Address | None:
        """Return the bridge above a device, or ``None`` on a root bus and below an unknown bridge.

        A virtual function has the bridge of its physical function.
        """
        return self._parents[address]

    def ancestors(self, address: Address) -> Iterator[Address]:
        """Yield the bridges above a device, nearest first."""
        bridge = self.parent(address)
        while bridge is not None:
            yield bridge
            bridge = self.parent(bridge)

    def children(self, address: Address) -> tuple[Address, ...]:
        """Return the functions on the secondary bus of a bridge; none for other functions."""
        bus = self._below.get(address)
        return () if bus is None else bus.devices

    def root(self, address: Address) -> Bus:
        """Return the topmost bus above a device that is known: a root bus, or an unknown one."""
        above = self.parent(address)
        if above is not None:
            found = self._roots.get(above)
            if found is None:
                found = self._roots[above] = self.root(above)
            return found
        return self.bus(self._real(address))

    def _real(self, address: Address) -> Address:
        """Return the physical function of a virtual one, and any other function itself."""
        while address in self.virtual:
            address = self.virtual[address].physical
        return address

    @property
    def roots(self) -> tuple[Bus, ...]:
        """The root buses by number; expander bridges and further sockets have one each."""
        return tuple(bus for bus in self.buses.values() if bus.kind is BusKind.ROOT)

    def slot(self, address: Address) -> tuple[Address, ...]:
        """Return the functions of a device's slot (same bus and device number), itself included."""
        return tuple(self._slots[address[:3]])

    def multifunction(self, address: Address) -> bool:
        """Tell whether Linux counts a function as part of a multi-function device.

        That is the header type's bit 7, seen in a hex dump only; or a function number above 0, also of the
        eight-bit function numbers of ARI; or another function in the slot. Virtual functions never are
        (``pci_setup_device``, ``pci_scan_slot``, ``pci_iov_add_virtfn``).
        """
        if address in self.virtual:
            return False
        if address.function or len(self._physical(address)) > 1 or self._ari(address):
            return True
        return bool(self.devices[address].config[0x0E:0x0F] > b"\x7f")

    def _physical(self, address: Address) -> list[Address]:
        return [other for other in self._slots[address[:3]] if other not in self.virtual]

    def _ari(self, address: Address) -> bool:
        """Tell a function number above 7 that an address shows as a device number above 0."""
        parent = self.parent(address) if address.device else None
        if parent is None or self.devices[address].capability("ari") is None:
            return False
        express = self.devices[parent].capability("exp")
        control = None if express is None else express.get("DevCtl2")
        return not isinstance(control, Mapping) or bool(control.get("ARIFwd", True))

    def path(self, address: Address) -> Path:
        """Return the topology path of a device: ``("0000:00", "1c.5", "00.0")``.

        The first part is the root bus by domain and number, for firmware numbers root buses by the board and
        not by what is plugged in; ``match_roots`` finds the counterparts where it does not. The rest holds no
        bus number and so survives renumbering. A virtual function is a hop ``vf0`` below its physical
        function; below a bridge that the dump does not show, a hop ``?31`` stands for the unknown part.
        """
        path = self._paths.get(address)
        if path is None:
            path = self._paths[address] = self._path(address)
        return path

    def _path(self, address: Address) -> Path:
        if address in self.virtual:
            physical, number = self.virtual[address]
            return (*self.path(physical), f"vf{number}")
        bus, hop = self.bus(address), f"{address.device:02x}.{address.function}"
        if bus.kind is BusKind.ROOT:
            return (str(bus.number), hop)
        if bus.bridge is None:
            return (f"{bus.number}?", hop)
        if bus.kind is BusKind.UNKNOWN:
            return (*self.path(bus.bridge), f"?{address.bus:02x}", hop)
        return (*self.path(bus.bridge), hop)

    def walk(self) -> Iterator[Address]:
        """Yield every device as Linux visits it: a bus's devices in order, then each bridge's secondary bus."""
        for bus in self.buses.values():
            yield from bus.devices


def topology(dump: Dump) -> Topology:
    """Return the tree of ``dump``; it is built once for each dump."""
    # Kept with the dump, like its own cached properties: a table on the side would need its hash, which is
    # as much work as the tree.
    found = vars(dump).get("_topology")
    if not isinstance(found, Topology):
        found = vars(dump)["_topology"] = Topology(dump)
    return found


def secondary(device: Device) -> range:
    """Return the bus numbers behind a bridge; empty for other functions and for bridges not set up."""
    register = device.registers.get("Bus")
    if not isinstance(register, Mapping):
        return range(0)
    first, last = register.get("secondary"), register.get("subordinate")
    # Linux numbers again where the secondary bus is not above the bridge's own (pci_scan_bridge_extend).
    if not isinstance(first, int) or first <= device.address.bus:
        return range(0)
    return range(first, max(first, last if isinstance(last, int) else first) + 1)


def _virtual_functions(devices: Mapping[Address, Device]) -> dict[Address, VirtualFunction]:
    """Find the virtual functions: routing id of the physical one + offset + i * stride (SR-IOV, 3.3.10)."""
    found: dict[Address, VirtualFunction] = {}
    for physical in sorted(devices):
        capability = devices[physical].capability("sriov")
        if capability is None or physical in found:
            continue
        numbers = [capability.get(name) for name in ("Number of VFs", "VF offset", "VF stride")]
        count, offset, stride = (number if isinstance(number, int) else 0 for number in numbers)
        hits = misses = 0
        for number in range(count):
            routing = (
                (physical.bus << 8 | physical.device << 3 | physical.function) + offset + number * stride
            )
            if routing > 0xFFFF or offset == 0 or (number and stride == 0):
                break
            address = Address(physical.domain, routing >> 8, routing >> 3 & 31, routing & 7)
            if address in devices and address not in found:
                found[address] = VirtualFunction(physical, number)
                hits += 1
            else:
                misses += 1
            # A dump shows all of them or few; this bound keeps the search linear whatever a dump claims.
            if misses > hits + 8:
                break
    return found


def _buses(
    devices: Mapping[Address, Device], virtual: Mapping[Address, VirtualFunction]
) -> dict[BusNumber, Bus]:
    """Put the buses in order: each root bus with all that is below it, depth first."""
    members: dict[BusNumber, list[Address]] = {}
    for address in sorted(devices):
        members.setdefault(BusNumber(address.domain, address.bus), []).append(address)
    order: list[Bus] = []
    below: dict[BusNumber, list[Bus]] = {}
    for bus in _place(members, devices, virtual):
        if bus.bridge is None:
            order.append(bus)
        else:
            below.setdefault(BusNumber(bus.bridge.domain, bus.bridge.bus), []).append(bus)
    result: dict[BusNumber, Bus] = {}
    stack = order[::-1]
    while stack:
        bus = stack.pop()
        result[bus.number] = bus
        children = below.get(bus.number, ())
        stack += sorted(children, key=lambda child: (child.bridge or (), child.number), reverse=True)
    return result


def _place(
    members: Mapping[BusNumber, list[Address]],
    devices: Mapping[Address, Device],
    virtual: Mapping[Address, VirtualFunction],
) -> Iterator[Bus]:
    """Yield each bus with its bridge, or the reason why it has none."""
    bridges = _bridges(devices)
    free = {number: addresses for number, addresses in members.items() if number not in bridges}
    nearest = _nearest(free, bridges.values(), devices)
    types = {
        number: {devices[address].port_type for address in addresses} for number, addresses in free.items()
    }
    roots = {number for number in free if number.bus == 0 or types[number] & _ROOT_ONLY}
    rooted = {number.domain for number in roots}
    for number, addresses in members.items():
        physical = [address for address in addresses if address not in virtual]
        kind, bridge = BusKind.UNKNOWN, nearest.get(number)
        if number in bridges:
            kind, bridge = BusKind.BRIDGED, bridges[number]
        elif not physical:
            owner = virtual[addresses[0]].physical
            kind, bridge = BusKind.VIRTUAL, bridges.get(BusNumber(owner.domain, owner.bus))
        elif number in roots:
            kind, bridge = BusKind.ROOT, None
        elif bridge is None and number.domain in rooted and not types[number] & _NEVER_ROOT:
            # Conventional functions on a bus that nothing leads to: servers have such root buses, and a
            # dump without lspci's -v shows every bus this way.
            kind = BusKind.ROOT if any(devices[address].registers for address in physical) else kind
        yield Bus(number, kind, bridge, tuple(addresses))


def _bridges(devices: Mapping[Address, Device]) -> dict[BusNumber, Address]:
    """Return the bridge above each secondary bus. Should two claim one, the first by address has it."""
    bridges: dict[BusNumber, Address] = {}
    for address in sorted(devices):
        buses = secondary(devices[address])
        if buses:
            bridges.setdefault(BusNumber(address.domain, buses[0]), address)
    return bridges


def _nearest(
    numbers: Iterable[BusNumber], bridges: Iterable[Address], devices: Mapping[Address, Device]
) -> dict[BusNumber, Address]:
    """Find for each bus number the nearest bridge whose range of buses holds it."""
    starts = sorted(
        (
            (bridge.domain, buses.start, -buses.stop, bridge)
            for bridge in bridges
            for buses in (secondary(devices[bridge]),)
        ),
        reverse=True,
    )
    found: dict[BusNumber, Address] = {}
    opened: list[tuple[int, int, Address]] = []
    for number in sorted(numbers):
        while starts and starts[-1][:2] <= number:
            domain, _, stop, bridge = starts.pop()
            opened.append((domain, -stop, bridge))
        # Ranges lie inside each other: one that has ended is of no more use, nor are those inside it.
        while opened and (opened[-1][0], opened[-1][1]) <= number:
            opened.pop()
        if opened and opened[-1][0] == number.domain:
            found[number] = opened[-1][2]
    return found


def match_roots(a: Topology, b: Topology) -> dict[str, str]:
    """Say which root bus of ``b`` is which of ``a``, as first parts of topology paths.

    Equal number and devices that are at least half alike come first, then equal devices, then equal number, then the
    order within a domain; a root bus without counterpart is left out.
    """
    left, right = ([(bus.number, _signature(t, bus)) for bus in t.roots] for t in (a, b))
    numbered = dict(left)
    found: dict[BusNumber, BusNumber] = {
        number: number for number, signature in right if _half_alike(signature, numbered.get(number, ()))
    }
    keys: tuple[Callable[[BusNumber, object], object], ...] = (
        lambda _, signature: signature,
        lambda number, _: number,
        lambda number, _: number.domain,
    )
    for key in keys:
        taken = set(found.values())
        free: dict[object, list[BusNumber]] = {}
        for number, signature in reversed(left):
            if number not in taken:
                free.setdefault(key(number, signature), []).append(number)
        for number, signature in right:
            candidates = free.get(key(number, signature))
            if candidates and number not in found:
                found[number] = candidates.pop()
    return {str(number): str(match) for number, match in found.items()}


def _half_alike(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    return bool(one) and 2 * len(set(one) & set(other)) >= max(len(one), len(other))


def _signature(tree: Topology, bus: Bus) -> tuple[object, ...]:
    devices = (tree.devices[address] for address in bus.devices)
    return tuple((d.address[2:], d.class_.name or d.class_.id, d.name, d.port_type) for d in devices)
