"""A host: its dump and whatever else is known of it, from a file, a folder or a sosreport."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from lspci_parse.evidence.log_facts import AcsQuirk, DmaAlias, Enumerated
from lspci_parse.parsing.parser import parse_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lspci_parse.evidence.cmdline import Cmdline
    from lspci_parse.evidence.file_names import Role
    from lspci_parse.evidence.log import Log
    from lspci_parse.evidence.machine_facts import Dmi
    from lspci_parse.evidence.os_names import OsDevice
    from lspci_parse.model.address import Address
    from lspci_parse.model.dump import Dump


class _Host(NamedTuple):
    source: str
    dump: Dump
    log: Log | None = None
    cmdline: Cmdline | None = None
    groups: Mapping[Address, int] | None = None
    kernel: str | None = None
    dmi: Dmi | None = None
    files: Mapping[Role, str] = {}
    notes: tuple[str, ...] = ()
    foreign_log: bool = False
    os_names: Mapping[Address, OsDevice] = {}


class Host(_Host):  # a named tuple has no place for what is cached
    """One machine.

    Attributes:
        source: the path as given.
        dump: its lspci output; of several, the last that complete each other, together.
        log: the kernel log, ``None`` if there is none.
        cmdline: the kernel's command line, from a file of its own, else from the log.
        groups: the listing of IOMMU groups; empty if there are no groups, ``None`` if there is no listing.
        kernel: the kernel's release, from ``uname``, else from the log.
        dmi: machine and BIOS, from dmidecode, else from the log.
        files: the name of the file that each kind of evidence is from.
        notes: what was found and not used, and why.
        foreign_log: the log is another machine's: it names other devices. Nothing is taken from it.
        os_names: what the system calls its devices, as far as it was gathered. Names are no identity: they change
            from boot to boot.
    """

    @cached_property
    def dumps(self) -> tuple[Dump, ...]:
        """Every output in the file that ``dump`` is from."""
        return parse_all(self.dump.text, source=self.dump.source)

    @cached_property
    def identified(self) -> Host:
        """The host with the ids that the log's enumeration lines tell, where the dump prints none (no ``-nn``)."""
        found = {fact.address: fact for fact in self.own_log.of(Enumerated)} if self.own_log else {}
        if not any(device.ids.vendor is None and device.address in found for device in self.dump):
            return self
        devices = tuple(
            device._replace(ids=device.ids._replace(vendor=fact.vendor, device=fact.device))
            if device.ids.vendor is None and (fact := found.get(device.address)) is not None
            else device
            for device in self.dump
        )
        dump = self.dump
        return self._replace(
            dump=type(dump)(devices, dump.lines, dump.source, dump.outside, dump.text, dump.printed_by)
        )

    @property
    def own_log(self) -> Log | None:
        """The log, unless it is another machine's."""
        return None if self.foreign_log else self.log

    @cached_property
    def aliases(self) -> Mapping[Address, frozenset[Address]]:
        """DMA aliases that the log tells of: functions of the same bus by whose id a function's requests may go."""
        found: dict[Address, frozenset[Address]] = {}
        for fact in self.own_log.of(DmaAlias) if self.own_log else ():
            device, _, function = fact.devfn.partition(".")
            alias = fact.address._replace(device=int(device, 16), function=int(function))
            found[fact.address] = found.get(fact.address, frozenset()) | {alias}
        return found

    @cached_property
    def pch_failed(self) -> frozenset[Address]:
        """Intel PCH root ports of which the log says that enabling their ACS failed."""
        quirks = self.own_log.of(AcsQuirk) if self.own_log else ()
        return frozenset(
            quirk.address for quirk in quirks if quirk.address and "Failed to enable" in quirk.text
        )

    @cached_property
    def recorded(self) -> Mapping[Address, int] | None:
        """The IOMMU groups that the kernel made: from the listing, else the dump, else a complete log.

        Of a set-up that the kernel gave up, the log still has the groups made until then.
        """
        printed = {
            device.address: device.iommu_group for device in self.dump if device.iommu_group is not None
        }
        log = self.own_log
        if self.groups or printed or log is None or not log.complete:
            return self.groups or printed or self.groups
        if log.rollback is not None:
            return log.made
        return log.groups if self.groups is None else self.groups
