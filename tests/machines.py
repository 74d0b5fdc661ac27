"""lspci's text for made-up machines: one call is one function, a machine is its functions one after the other.

machine(
    root_port("00:01.0", 1),
    endpoint("01:00.0", acs="off"),
)
"""

from __future__ import annotations

from lspci_parse.model.address import Address
from lspci_parse.model.dump import Dump
from lspci_parse.parsing.parser import parse

FLAGS = ("SrcValid", "TransBlk", "ReqRedir", "CmpltRedir", "UpstreamFwd", "EgressCtrl", "DirectTrans")
REQUIRED = frozenset({"SrcValid", "ReqRedir", "CmpltRedir", "UpstreamFwd"})
CONTROL = (
    "Control: I/O+ Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR+ FastB2B- DisINTx+"
)


def acs(kind: str | None, *, able: frozenset[str] = REQUIRED, on: frozenset[str] | None = None) -> list[str]:
    """Return an ACS capability: ``on``, ``off`` or ``empty``; none for ``None``. ``on`` says which flags are on."""
    if kind is None:
        return []
    if kind == "empty":
        able = frozenset()
    control = on if on is not None else able if kind == "on" else frozenset()
    lines = ["Capabilities: [140 v1] Access Control Services"]
    for name, flags in (("ACSCap", able), ("ACSCtl", control)):
        lines.append(f"\t{name}:\t" + " ".join(f"{flag}{'+' if flag in flags else '-'}" for flag in FLAGS))
    return lines


def function(
    slot: str, *lines: str, name: str = "Example Corporation Device", class_: str = "Ethernet controller"
) -> str:
    """Return a conventional function; further ``lines`` follow its Control line."""
    return f"{slot} {class_}: {name}\n" + "".join(f"\t{line}\n" for line in (CONTROL, *lines)) + "\n"


def express(
    slot: str,
    kind: str,
    *lines: str,
    acs: str | list[str] | None = None,
    name: str = "Example Corporation Device",
    class_: str = "Ethernet controller",
) -> str:
    """Return an Express function of a type, with an ACS capability as ``acs`` makes it."""
    own = acs if isinstance(acs, list) else globals()["acs"](acs)
    return function(
        slot, *lines, f"Capabilities: [40] Express (v2) {kind}, MSI 00", *own, name=name, class_=class_
    )


def endpoint(slot: str, *lines: str, acs: str | list[str] | None = None, name: str = "Example Corporation Device",
             class_: str = "Ethernet controller") -> str:  # fmt: skip
    """Return an endpoint."""
    return express(slot, "Endpoint", *lines, acs=acs, name=name, class_=class_)


def buses(slot: str, secondary: int, subordinate: int | None = None) -> str:
    """Return the line that makes a function a bridge."""
    last = secondary if subordinate is None else subordinate
    primary = Address.parse(slot).bus
    return f"Bus: primary={primary:02x}, secondary={secondary:02x}, subordinate={last:02x}, sec-latency=0"


def port(
    slot: str,
    secondary: int,
    kind: str,
    *lines: str,
    acs: str | list[str] | None = None,
    last: int | None = None,
    name: str = "Example Corporation Port",
) -> str:
    """Return an Express bridge."""
    return express(slot, kind, buses(slot, secondary, last), *lines, acs=acs, name=name, class_="PCI bridge")


def root_port(slot: str, secondary: int, *lines: str, acs: str | list[str] | None = "on", last: int | None = None,
              name: str = "Example Corporation Port") -> str:  # fmt: skip
    """Return a root port; it isolates unless ``acs`` says otherwise."""
    return port(slot, secondary, "Root Port (Slot+)", *lines, acs=acs, last=last, name=name)


def upstream(slot: str, secondary: int, *lines: str, acs: str | None = None, last: int | None = None) -> str:
    """Return a switch's upstream port."""
    return port(slot, secondary, "Upstream Port", *lines, acs=acs, last=last)


def downstream(
    slot: str, secondary: int, *lines: str, acs: str | list[str] | None = "on", last: int | None = None
) -> str:
    """Return a switch's downstream port; it isolates unless ``acs`` says otherwise."""
    return port(slot, secondary, "Downstream Port (Slot+)", *lines, acs=acs, last=last)


def pci_bridge(slot: str, secondary: int, last: int | None = None) -> str:
    """Return a conventional PCI bridge."""
    return function(
        slot, buses(slot, secondary, last), name="Example Corporation Bridge", class_="PCI bridge"
    )


def sriov(count: int, offset: int, stride: int) -> str:
    """Return an SR-IOV capability."""
    return (
        "Capabilities: [160 v1] Single Root I/O Virtualization (SR-IOV)\n"
        f"\t\tInitial VFs: 64, Total VFs: 64, Number of VFs: {count}, Function Dependency Link: 00\n"
        f"\t\tVF offset: {offset}, stride: {stride}, Device ID: 1889"
    )


def hexdump(data: bytes) -> str:
    """Return the rows that ``lspci -x`` prints after a function."""
    rows = (data[at : at + 16] for at in range(0, len(data), 16))
    return "".join(f"{16 * at:02x}: {row.hex(' ')}\n" for at, row in enumerate(rows))


def with_hex(text: str, data: bytes) -> str:
    """Return a function followed by its configuration space."""
    return text.rstrip("\n") + "\n" + hexdump(data) + "\n"


def machine(*functions: str) -> Dump:
    """Read functions as one dump."""
    return parse("".join(functions))


def at(slot: str) -> Address:
    """Return an address."""
    return Address.parse(slot)
