"""What could not be compared, and how to take a better dump."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.findings.model import Finding, Found
from lspci_parse.findings.rule import rule
from lspci_parse.lspci.visibility import Detail, Visibility
from lspci_parse.model.display import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.findings.pair_view import PairView


def _sides(view: PairView) -> Iterator[tuple[str, Visibility, Visibility]]:
    """Yield each host's name with what it shows and what the other one shows."""
    one, other = view.a.visible, view.b.visible
    yield "A", one, other
    yield "B", other, one


_OPTIONS: Final = {Detail.NAMES: "no -v", Detail.TITLES: "-v", Detail.REGISTERS: "-vv or -vvv"}


def _about(side: str, name: str, values: tuple[str, str], title: str, detail: str, remedy: str) -> Found:
    """Return a finding about one host as a whole; ``values`` are what it shows and what the other one shows."""
    before, after = values if side == "A" else reversed(values)
    return Found(Finding(name, "warning", None, None, "", before, after, title, detail, remedy))


@rule("access-denied", "warning", "capabilities are hidden from the user who ran lspci")
def access_denied(view: PairView) -> Iterator[Found]:
    """Find a dump that was taken without root rights, when the other was not."""
    for side, own, other in _sides(view):
        if own.access_denied and not other.access_denied:
            yield _about(
                side, "access-denied", ("denied", "not denied"),
                f"the capabilities of {side} are hidden: <access denied>",
                "lspci shows capabilities to root only, so nothing is known of ACS, links, errors and interrupts on "
                f"{side}; none of them counts as lost.",
                f"Take the dump of {side} again as root: sudo lspci -vvv",
            )  # fmt: skip


@rule("extended-config-unreadable", "warning", "no extended capability is readable on a whole host")
def extended_config_unreadable(view: PairView) -> Iterator[Found]:
    """Find a host whose extended configuration space cannot be read."""
    for side, own, other in _sides(view):
        if not own.extended_readable and other.extended_readable and not own.access_denied:
            if Detail.NAMES in (own.detail, other.detail) or not _has_extended(other):
                continue
            yield _about(
                side, "extended-config-unreadable", ("not readable", "readable"),
                f"no device of {side} shows a capability in extended configuration space",
                "Memory-mapped configuration access (MMCONFIG, from the ACPI MCFG table) is not usable on "
                f"{side}, so ACS, AER, SR-IOV and the like are not known there. The kernel could not read them either, "
                "and groups devices as if there was no ACS.",
                "Look for MMCONFIG and MCFG in the kernel log; compare pci=nommconf on the command line and BIOS "
                "versions.",
            )  # fmt: skip


def _has_extended(visible: Visibility) -> bool:
    return any(cap.extended for device in visible.dump for cap in device.capabilities)


@rule("less-detail", "warning", "one dump was taken with less detail than the other")
def less_detail(view: PairView) -> Iterator[Found]:
    """Find a dump taken with fewer -v."""
    for side, own, other in _sides(view):
        if own.detail < other.detail:
            option = _OPTIONS[own.detail]
            yield _about(
                side, "less-detail", (option, _OPTIONS[other.detail]),
                f"the dump of {side} was taken with {option} and lacks registers",
                "What it does not print is not known on that host; none of it counts as lost.",
                f"Take the dump of {side} again: sudo lspci -vvv",
            )  # fmt: skip


@rule("dump-cut", "warning", "a dump ends in the middle of a device")
def dump_cut(view: PairView) -> Iterator[Found]:
    """Find a dump that is not complete."""
    for side, own, other in _sides(view):
        cut = [device for device in own.dump if device.cut]
        if cut and not any(device.cut for device in other.dump):
            yield _about(
                side, "dump-cut", ("ends in the middle of a device", "ends behind a device"),
                f"the dump of {side} ends in the middle of {named(cut[-1])}",
                "Devices after this one are missing from the text; whether they are missing from the machine is not "
                "known.",
                f"Take the dump of {side} again, and copy the whole file.",
            )  # fmt: skip


@rule("other-system", "info", "one host ran Windows, the other did not")
def other_system(view: PairView) -> Iterator[Found]:
    """Find two operating systems: lspci prints the driver's file on Windows, and there are no IOMMU groups."""
    if view.other_system:
        systems = ["Windows" if side.windows else "another system" for side in (view.a, view.b)]
        yield Found(
            Finding(
                "other-system", "info", None, None, "driver", systems[0], systems[1],
                f"A ran {systems[0]} and B {systems[1]}: drivers and IOMMU groups are not compared",
                "Their drivers have other names, and what they set up differs by design.",
            )
        )  # fmt: skip
