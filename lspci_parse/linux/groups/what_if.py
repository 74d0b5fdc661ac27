"""The groups of a host under a condition, beside today's: before a BIOS setting, a slot or a kernel is changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from lspci_parse.errors import LspciError
from lspci_parse.linux.acs import Isolation, Reason
from lspci_parse.linux.groups.model import split_up
from lspci_parse.linux.groups.prediction import boot_of, groups, predict_by, resolved
from lspci_parse.linux.kernel import Kernel
from lspci_parse.model.address import Address
from lspci_parse.model.display import listed, short
from lspci_parse.model.dump import Dump, find
from lspci_parse.topology.tree import topology

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lspci_parse.evidence.host import Host
    from lspci_parse.linux.groups.model import Groups
    from lspci_parse.linux.kernel import Boot
    from lspci_parse.topology.tree import Topology

_OVERRIDE: Final = re.compile(r"downstream|multifunction|id:[0-9a-f]{4}:[0-9a-f]{4}")
_NO_ACS: Final = (Reason.CONVENTIONAL, Reason.NEVER)

Parts = tuple[tuple[Address, ...], ...]


class WhatIf(NamedTuple):
    """Today's groups and those under a condition; both are predictions, so that only the condition differs.

    Attributes:
        conditions: what is supposed, in words.
        today: the groups of the host as it is.
        then: the groups under the condition.
        gone: the functions that are taken out.
    """

    conditions: tuple[str, ...]
    today: Groups
    then: Groups
    gone: tuple[Address, ...] = ()

    @property
    def joined(self) -> tuple[Parts, ...]:
        """The groups that are one then, as the several that they are today."""
        return tuple(split_up(self.then.number, _judged(self.today).number))

    @property
    def split(self) -> tuple[Parts, ...]:
        """The groups of today that are several then, as those several."""
        return tuple(split_up(_judged(self.today).number, self.then.number))


def what_if(
    host: Host,
    *,
    acs: Mapping[str, bool] | None = None,
    without: Iterable[str] = (),
    override: str | None = None,
    kernel: str | None = None,
) -> WhatIf:
    """Predict the groups of a host as if it had booted under a condition.

    Args:
        host: the host; of one without groups, those with its IOMMU on are compared.
        acs: functions whose ACS is taken as wholly on or off, also where they have no ACS capability.
        without: functions taken out, with all that is behind them; function 0 takes its slot along, for without it
            the kernel looks for no other (``pci_scan_slot``).
        override: the value of ``pcie_acs_override=``, on a kernel that has the patch.
        kernel: a release such as ``6.1.0``.

    Raises:
        LspciError: a device is not in the dump or has no ACS to set; a value is none; or as ``groups``.
    """
    host = host.identified
    dump, tree = host.dump, topology(host.dump)
    set_ = {find(dump, device): on for device, on in (acs or {}).items()}
    gone = tuple(sorted(set(_behind(tree, [find(dump, device) for device in without]))))
    today = groups(host)
    boot = resolved(dump, boot_of(host), host.recorded or {})._replace(acs=set_)
    _refuse_without_acs(tree, boot, set_)
    if override is not None:
        boot = _overriding(boot, override)
    if kernel is not None:
        boot = boot._replace(kernel=Kernel.parse(kernel), known=True)
    then = predict_by(_rest(dump, gone), boot._replace(flags_as_set=today.with_iommu is not None), {})
    conditions = [f"ACS of {short(device)} is {'on' if on else 'off'}" for device, on in set_.items()]
    conditions += [f"{listed(gone)} {'is' if len(gone) == 1 else 'are'} taken out"] if gone else []
    conditions += [f"pcie_acs_override={override}, with the patch"] if override is not None else []
    conditions += [f"the kernel is Linux {boot.kernel}"] if kernel is not None else []
    return WhatIf(tuple(conditions), today, then, gone)


def _rest(dump: Dump, gone: Sequence[Address]) -> Dump:
    """Return a dump without some of its functions."""
    kept = [pair for pair in zip(dump, dump.lines, strict=True) if pair[0].address not in gone]
    return Dump(tuple(device for device, _ in kept), tuple(line for _, line in kept), dump.source)


def _judged(today: Groups) -> Groups:
    return today.with_iommu or today


def _behind(tree: Topology, devices: Sequence[Address]) -> Iterator[Address]:
    """Yield devices with all that goes when they go."""
    for device in devices:
        slot = tree.slot(device) if device.function == 0 and device not in tree.virtual else (device,)
        for function in slot:
            yield function
            yield from _behind(tree, tree.children(function))
            yield from (virtual for virtual, of in tree.virtual.items() if of.physical == function)


def _refuse_without_acs(tree: Topology, boot: Boot, set_: Mapping[Address, bool]) -> None:
    isolation = Isolation(tree, boot)
    for device in set_:
        if isolation[device].reason in _NO_ACS:
            raise LspciError(f"{short(device)} has no ACS to set: {isolation[device].sentence}")


def _overriding(boot: Boot, value: str) -> Boot:
    strange = next((word for word in value.split(",") if not _OVERRIDE.fullmatch(word)), None)
    if strange is not None:
        raise LspciError(f"unknown override {strange!r}; expected downstream, multifunction or id:8086:1234")
    words = [word for word in (boot.cmdline or "").split() if not word.startswith("pcie_acs_override=")]
    return boot._replace(cmdline=" ".join([*words, f"pcie_acs_override={value}"]), patched=True)
