"""Facts from a kernel log: dmesg, ``journalctl -k``, kern.log, messages, with or without time stamps."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from lspci_parse.evidence.cmdline import Cmdline, parse_cmdline
from lspci_parse.evidence.log_facts import (
    AerReport,
    Death,
    DomainEvent,
    Enumerated,
    Fact,
    GroupEvent,
    NvmeName,
    ProbeFailure,
)
from lspci_parse.evidence.log_messages import AerDetail, NvmeDeath, read
from lspci_parse.evidence.machine_facts import CommandLine, Dmi, Kernel, Trace, upstream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lspci_parse.model.address import Address
    from lspci_parse.model.dump import Dump

AnyFact = TypeVar("AnyFact", bound=Fact)

WHOLE: Final = 100
"""A boot with fewer lines is an excerpt."""
LONGEST: Final = 10_000
"""Longer lines are no kernel messages (which end at some 1,000 characters; command lines at 4,096)."""

# Three sieves pick the lines worth parsing; each begins with few letters, so the search is fast. They may pick too
# many, never too few: the grammar decides. First what names a device and one of the words below:
_ADDRESS: Final = re.compile(r":[0-9a-f][0-9a-f]:[01][0-9a-f]\.[0-7]")
_OTHERS: Final = (
    re.compile(
        r"DMAR: |DMAR-IR: |AMD-Vi: |DMI: |Linux version|Command line:|Kernel command|NVRM: loading|Compat-mlnx|ACS over"
        r"|ainted[: ]|Hardware name:|Unknown kernel|Hypervisor det|kernel on Xen|Xen version:|busn_res: |nvme nvme"
        r"|NVRM: Xid"
    ),
    re.compile(r"ommu: Default"),
    re.compile(r"river[ :]"),
    re.compile(r"\.c:v\d"),
    re.compile(r" version \d"),
)
_WORDS: Final = re.compile(
    r"iommu|DMAR|AMD-Vi|probe |PCIe |AER|status/mask|: +\[[ \d]\d\] |[Ff]ail|[Ee]rror|abort|annot|can't|[Uu]nable"
    r"|imed? ?out|[Ff][Ww]|[Ff]irmware|FIRMWARE|ersion|ACS|MPC IRBNCE|UPDCR|DMA alias|claims to be|Slot\(|DPC: "
    r"|change power state|\] type \d|not ready|broken device|retraining|Max Payload|SR-IOV|no space|link lost| died"
    r"|assume dead|lost from bus|fatal state|miss count|compromised|Unit Hang|recovery failed|device_id|1:1 IOMMU"
)
# Level (<6>), facility and level (dmesg -x), time (dmesg in all its formats), date and host (syslog, journal).
_PREFIX: Final = re.compile(
    r"""\s*(?:<\d{1,3}>)?(?:[a-z]+\s*:[a-z]+\s*:\s)?
    (?:\[\s*(?:\+?\d+\.\d+|[TC]\d+|[A-Z][a-z]{2}[ \w:+]*)\]\s?)*
    (?:(?:\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|\s?[+-]\d\d:?\d\d)?
         |(?:[A-Z][a-z]{2}\s)?[A-Z][a-z]{2}\s+\d{1,2}\s(?:\d{4}\s)?[\d:.]+
         |[A-Z][a-z]{2}\s\d{4}-\d\d-\d\d\s[\d:.]+\s\w+)\s+)?
    (?:[^\s:]+\skernel(?:\[\d+\])?:\s+)?
    (?:\[\s*\d+\.\d+\]\s?)?(?:\[\s*[TC]\d+\]\s?)?""",
    re.VERBOSE | re.ASCII,
)


_SAID: Final = 6
"""How many lines of a driver are kept before its failed probe."""
_NO_COMPLAINT: Final = re.compile(
    r"enabling device|[Ff]irmware version|available PCIe bandwidth|probe with driver|success|registered|irq \d+, io|"
    r"detected \d+ ports|version \d|iommu group|PTM enabled"
)
"""What drivers say of themselves when all is well."""


class Rollback(NamedTuple):
    """Devices left their IOMMU groups again, one after the other: the setting up of the IOMMU was given up.

    Attributes:
        line: number of the first line of the removals.
        removed: the devices, in the order of the log.
        failure: the last refusal before it (a private domain or a group), ``None`` if the log shows none.
    """

    line: int
    removed: tuple[Address, ...]
    failure: DomainEvent | GroupEvent | None


class _Log(NamedTuple):
    facts: tuple[Fact, ...]
    source: str | None = None
    boots: int = 0
    complete: bool = False
    lines: int = 0


class Log(_Log):  # a named tuple has no place for what is cached
    """What a kernel log says of its last boot.

    Attributes:
        facts: in the order of the log.
        source: name of the file, ``None`` for a string in memory.
        boots: how many boots the log holds; facts are of the last one.
        complete: the last boot's beginning is in the log; without it, early lines (groups, command line, BIOS)
            may be lost because the ring buffer ran over.
        lines: how many lines the last boot has.
    """

    def of(self, kind: type[AnyFact]) -> tuple[AnyFact, ...]:
        """Return the facts of one kind, in the order of the log."""
        found = self._by_kind.get(kind)
        if found is None:
            found = self._by_kind[kind] = tuple(fact for fact in self.facts if isinstance(fact, kind))
        return found

    @cached_property
    def _by_kind(self) -> dict[type, tuple[Any, ...]]:
        """What ``of`` has looked for."""
        return {}

    def _last(self, kind: type[AnyFact]) -> AnyFact | None:
        return next((fact for fact in reversed(self.facts) if isinstance(fact, kind)), None)

    @property
    def whole(self) -> bool:
        """Whether what it does not tell did not happen: it is complete, and no excerpt of a few lines."""
        return self.complete and self.lines >= WHOLE

    @cached_property
    def kernel(self) -> Kernel | None:
        """The running kernel, from the log's beginning, else from a trace; ``None`` if the log does not say."""
        found, trace = self._last(Kernel), self._last(Trace)
        return (
            Kernel(trace.line, trace.release, upstream(trace.release)) if found is None and trace else found
        )

    @cached_property
    def dmi(self) -> Dmi | None:
        """Machine and BIOS, ``None`` if the log does not say."""
        return self._last(Dmi)

    @cached_property
    def cmdline(self) -> Cmdline | None:
        """The command line, ``None`` if the log does not say."""
        found = self._last(CommandLine)
        return None if found is None else parse_cmdline(found.text)

    @cached_property
    def groups(self) -> Mapping[Address, int]:
        """The group of every device after the last line: a removal cancels, the last addition wins."""
        return _apply(self.of(GroupEvent))

    @cached_property
    def made(self) -> Mapping[Address, int]:
        """The group that every device was last added to, whether or not it left it again."""
        return {event.address: event.group for event in self.of(GroupEvent) if event.action == "added"}

    @cached_property
    def rollback(self) -> Rollback | None:
        """The removal of all devices from their groups, if the log ends with it: nothing was added afterwards."""
        return _rollback(self.of(GroupEvent), self.of(DomainEvent))

    @cached_property
    def probe_failures(self) -> Mapping[Address, ProbeFailure]:
        """The last failed probe of each device."""
        return {failure.address: failure for failure in self.of(ProbeFailure)}

    @cached_property
    def addresses(self) -> frozenset[Address]:
        """Every PCI function that a fact names."""
        named = (getattr(fact, "address", None) for fact in self.facts)
        return frozenset(address for address in named if address is not None)


def parse_log(text: str, *, source: str | None = None) -> Log:
    """Read a kernel log; a text without any line that matters gives a log without facts.

    Args:
        text: one or more boots, in the order of time.
        source: the name that reports give the log.
    """
    facts: list[Fact] = []
    boots, complete, stamped, first = 0, False, False, 1
    for number, prefix, message in _messages(text):
        fact = read(number, message)
        if isinstance(fact, Kernel) and (prefix or not stamped):
            facts, complete, first = [], True, number
            boots += 1
        if isinstance(fact, NvmeDeath):
            fact = _named_death(facts, fact)
        if isinstance(fact, AerDetail):
            _add_detail(facts, fact)
        elif fact is not None:
            facts.append(fact)
            stamped = stamped or bool(prefix)
    facts = [_with_words(fact, text) if isinstance(fact, ProbeFailure) else fact for fact in facts]
    lines = text.count("\n") + 1 - (first - 1)
    return Log(tuple(facts), source, boots or int(bool(facts)), complete, lines)


def _with_words(failure: ProbeFailure, text: str) -> ProbeFailure:
    """Return a failed probe with what its driver said of the device before, in its own words, the first ones first."""
    start = f"{failure.driver} {failure.address}"
    said: list[str] = []
    end = len(text)
    while len(said) < _SAID:
        place = text.rfind(start, 0, end)
        if place < 0:
            break
        end = text.rfind("\n", 0, place) + 1
        line = text[place + len(start) : place + LONGEST].partition("\n")[0]
        number = text.count("\n", 0, end) + 1
        if number < failure.line and not _NO_COMPLAINT.search(line):
            said.append(line.partition(": ")[2].strip())
    return failure._replace(said=tuple(reversed(said)))


def _named_death(facts: Sequence[Fact], death: NvmeDeath) -> Death | None:
    """Return which device it is that died; ``None`` if the log has not told the name's address."""
    names = (fact for fact in reversed(facts) if isinstance(fact, NvmeName) and fact.name == death.name)
    named = next(names, None)
    return None if named is None else Death(death.line, named.address, "nvme", death.text)


def _messages(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield number, prefix and message of every line that may matter."""
    number, counted = 1, 0
    for start, end in sorted(set(_picked(text))):
        number += text.count("\n", counted, start)
        counted = start
        line = text[start:end].rstrip()
        prefix = _PREFIX.match(line)
        assert prefix is not None  # noqa: S101 - every part of the pattern may be missing
        yield number, prefix[0].strip(), line[prefix.end() :]


def _picked(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the lines worth parsing begin and end, in no order."""
    for sieve in (_ADDRESS, *_OTHERS):
        end = -1
        for match in sieve.finditer(text):
            if match.start() < end:
                continue
            start = text.rfind("\n", 0, match.start()) + 1
            end = text.find("\n", start)
            end = len(text) if end < 0 else end
            if end - start <= LONGEST and (sieve is not _ADDRESS or _WORDS.search(text, start, end)):
                yield start, end


def _add_detail(facts: list[Fact], detail: AerDetail) -> None:
    """Add a continuation line to the error report it belongs to: the last one of its device."""
    if detail.kind is None:
        return
    for index in range(len(facts) - 1, max(len(facts) - 20, -1), -1):
        report = facts[index]
        if isinstance(report, AerReport) and report.address == detail.address:
            facts[index] = report._replace(kinds=(*report.kinds, detail.kind))
            return


def _apply(events: tuple[GroupEvent, ...]) -> dict[Address, int]:
    groups: dict[Address, int] = {}
    for event in events:
        if event.action == "added":
            groups[event.address] = event.group
        elif event.action == "removed":
            groups.pop(event.address, None)
    return groups


def _rollback(events: tuple[GroupEvent, ...], domains: tuple[DomainEvent, ...]) -> Rollback | None:
    last = max((index for index, event in enumerate(events) if event.action != "removed"), default=-1)
    burst = events[last + 1 :]
    # One device that leaves its group is hot-unplug or a driver's unbinding.
    if len(burst) < 2:
        return None
    refusals: list[DomainEvent | GroupEvent] = [event for event in events if event.action == "refused"]
    refusals += [event for event in domains if event.kind == "private-failed"]
    earlier = (event for event in refusals if event.line < burst[0].line)
    failure = max(earlier, key=lambda event: event.line, default=None)
    # An excerpt of a log may leave out removals: then they must follow the refusal directly.
    if _apply(events) and (failure is None or failure.line < events[last].line):
        return None
    return Rollback(burst[0].line, tuple(event.address for event in burst), failure)


def foreign(log: Log, dump: Dump) -> frozenset[Address]:
    """Return the functions that the log names and that are not in the dump, or are other devices there.

    A few are normal: unplugged since, virtual functions switched off.
    """
    devices = {device.address: device for device in dump}
    strange = log.addresses - devices.keys()
    for found in log.of(Enumerated):
        ids = devices[found.address].ids if found.address in devices else None
        if (
            ids is not None
            and ids.vendor is not None
            and (ids.vendor, ids.device) != (found.vendor, found.device)
        ):
            strange |= {found.address}
    return strange


def of_another_host(log: Log, dump: Dump) -> bool:
    """Whether most of what the log names is not this machine's.

    One or two unknown devices are too few to tell: they may have gone. A dump of a few devices (``lspci -s``) is no
    sign of another host as long as the log knows them all.
    """
    strange = foreign(log, dump)
    part = all(device.address in log.addresses - strange for device in dump)
    return not part and len(strange) > 2 and 2 * len(strange) > len(log.addresses)
