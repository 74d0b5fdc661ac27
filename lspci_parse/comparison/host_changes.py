"""What differs between two hosts beside the devices' own facts: kernel, command line, BIOS, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.comparison.difference import Change
from lspci_parse.evidence.log_facts import DriverVersion, Firmware

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lspci_parse.comparison.difference import Kind
    from lspci_parse.comparison.matching import Pair
    from lspci_parse.evidence.cmdline import Cmdline
    from lspci_parse.evidence.host import Host
    from lspci_parse.model.address import Address

_OWN: Final = frozenset(
    {"BOOT_IMAGE", "initrd", "rd.luks.uuid", "rd.lvm.lv", "rd.md.uuid", "resume", "root", "rootflags"}
)
"""Parameters that name a machine's own disks and files."""


def host_changes(a: Host, b: Host, pairs: tuple[Pair, ...] = ()) -> Iterator[Change]:
    """Yield the facts about the hosts that differ; where one host tells nothing of a kind, there is nothing to yield.

    Args:
        a: the host compared with.
        b: the host in question.
        pairs: the functions both have, for what the logs tell of single devices.
    """
    one, other = dict(_facts(a)), dict(_facts(b))
    for path, fact in one.items():
        if other.get(path, fact) != fact:
            yield Change("changed", None, None, path, fact, other[path])
    if a.cmdline is not None and b.cmdline is not None:
        yield from _parameters(a.cmdline, b.cmdline)
    firmware_a, firmware_b = _firmware(a), _firmware(b)
    for pair in pairs:
        before, after = firmware_a.get(pair.a.address), firmware_b.get(pair.b.address)
        if before is not None and after is not None and before != after:
            yield Change("changed", pair.a.address, pair.b.address, "firmware", before, after)


def _facts(host: Host) -> Iterator[tuple[str, str]]:
    if host.kernel is not None:
        yield "kernel", host.kernel
    if host.dmi is not None:
        yield "system", host.dmi.system
        yield "bios/version", host.dmi.bios
        yield "bios/date", host.dmi.date
    for driver, version in _drivers(host).items():
        yield f"driver/{driver}/version", version


def _parameters(a: Cmdline, b: Cmdline) -> Iterator[Change]:
    for name in dict.fromkeys((*a.names, *b.names)):
        before, after = _spelled(a, name), _spelled(b, name)
        if before != after:
            kind: Kind = "added" if before is None else "removed" if after is None else "changed"
            yield Change(kind, None, None, f"cmdline/{name}", before, after, volatile=name in _OWN)


def _spelled(cmdline: Cmdline, name: str) -> str | None:
    """Return every occurrence of a parameter: ``iommu=pt iommu=force``; ``None`` if there is none."""
    values = cmdline.values(name)
    return " ".join(name if value is None else f"{name}={value}" for value in values) or None


def _firmware(host: Host) -> Mapping[Address, str]:
    """Return the firmware versions that drivers reported, by device."""
    return {fact.address: fact.version for fact in host.own_log.of(Firmware)} if host.own_log else {}


def _drivers(host: Host) -> Mapping[str, str]:
    """Return the versions that drivers reported, by driver; most drivers have none but the kernel's."""
    return {fact.driver: fact.version for fact in host.own_log.of(DriverVersion)} if host.own_log else {}
