"""The IOMMU groups that Linux makes of a machine, predicted from the text of its dump."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.errors import LspciError
from lspci_parse.evidence.host import Host
from lspci_parse.evidence.log_facts import AcsQuirk
from lspci_parse.evidence.machine_facts import UnknownParameters
from lspci_parse.linux.acs import Isolation, Reason, unreadable
from lspci_parse.linux.groups.absence import absence
from lspci_parse.linux.groups.assumptions import assumptions, switched_off
from lspci_parse.linux.groups.device_group import Walk
from lspci_parse.linux.groups.model import Absence, Groups
from lspci_parse.linux.kernel import NEWEST, Boot, Kernel
from lspci_parse.linux.platforms import other_rules
from lspci_parse.model.dump import Dump
from lspci_parse.topology.tree import topology

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lspci_parse.model.address import Address


def predict(
    dump: Dump,
    *,
    kernel: str | Kernel | None = None,
    cmdline: str | None = None,
    recorded: Mapping[Address, int] | None = None,
    boot: Boot | None = None,
) -> Groups:
    """Predict the IOMMU groups of a host.

    Group numbers that the dump records are compared with, and never enter the prediction.

    Args:
        dump: lspci's output as root, with ``-vv`` or more.
        kernel: the release whose rules hold, such as ``6.1.0-56-amd64``; without it the newest known.
        cmdline: the kernel's command line.
        recorded: the groups that the host recorded; without it those in the dump.
        boot: kernel, command line and more at once; it replaces ``kernel`` and ``cmdline``.

    Raises:
        LspciError: ``kernel`` is not a release; or the dump does not show what every decision hangs on.
    """
    if boot is None:
        release = Kernel.parse(kernel) if isinstance(kernel, str) else kernel
        boot = Boot(release or NEWEST, known=release is not None, cmdline=cmdline)
    if recorded is None:
        recorded = {d.address: d.iommu_group for d in dump if d.iommu_group is not None}
    recorded = {device: number for device, number in recorded.items() if device in dump}
    off = None if recorded else switched_off(topology(dump), boot)
    if off is not None:
        return _without_groups(dump, boot, Absence("command line", off))
    return predict_by(dump, resolved(dump, boot, recorded), recorded)


def _without_groups(dump: Dump, boot: Boot, absent: Absence) -> Groups:
    """Return that there are no groups, and those that there would be with the IOMMU on."""
    try:
        with_iommu = predict_by(dump, boot._replace(flags_as_set=True), {})
    except LspciError:
        with_iommu = None
    return Groups(str(boot.kernel), (), absent=absent, recorded={}, with_iommu=with_iommu)


def resolved(dump: Dump, boot: Boot, recorded: Mapping[Address, int]) -> Boot:
    """Let recorded groups decide whether the kernel has the patch of ``pcie_acs_override=``, if nothing else does."""
    if boot.patched is not None or not recorded or not boot.parameter("pcie_acs_override"):
        return boot
    with_, without = (boot._replace(patched=patched) for patched in (True, False))
    differences = [len(predict_by(dump, way, recorded).disagreements) for way in (with_, without)]
    return with_ if differences[0] < differences[1] else without


def predict_by(dump: Dump, boot: Boot, recorded: Mapping[Address, int]) -> Groups:
    """Predict the groups of a host whose IOMMU is on.

    Raises:
        LspciError: the dump does not show what every decision hangs on, and nothing is recorded.
    """
    tree = topology(dump)
    walk = Walk(tree, boot)
    if walk.undecided and _blind(dump, walk) and not recorded:
        raise _refusal(dump, walk)
    found = Groups(
        str(boot.kernel),
        walk.groups,
        tuple(walk.undecided),
        tuple(walk.ungrouped),
        recorded=recorded,
        assumptions=tuple(assumptions(tree, boot, walk)),
    )
    return found._replace(switched_off_since=_switched_off_since(found, walk.isolation))


def _switched_off_since(found: Groups, isolation: Isolation) -> tuple[Address, ...]:
    """Return ports whose flags are off, though the kernel made the groups with them on.

    Linux makes groups once, when it finds a device; what changes later moves nothing (``iommu_probe_device``).
    """
    torn = {
        device
        for entry in found.disagreements
        if entry.kind == "together"
        for part in entry.parts
        for device in part
    }
    joins = (join for group in found.groups for join in group.joined_by if torn.intersection(group.devices))
    culprits = dict.fromkeys(culprit for join in joins for culprit in join.culprits)
    return tuple(culprit for culprit in culprits if isolation[culprit].reason is Reason.FLAGS_OFF)


def _blind(dump: Dump, walk: Walk) -> bool:
    """Tell whether all that could be said is what a root bus alone says."""
    if not walk.groups or not any(device.registers for device in dump):
        return True
    bridges = [device for device in dump if device.is_bridge]
    return bool(bridges) and all(unreadable(bridge) for bridge in bridges)


def _refusal(dump: Dump, walk: Walk) -> LspciError:
    first = walk.undecided[0]
    line = dict(zip((device.address for device in dump), dump.lines, strict=False)).get(first.device)
    return LspciError(
        f"IOMMU groups cannot be told from this dump: {first.device}: {first.why} (expected the output of "
        "'lspci -vvv', run as root, for all devices)",
        dump.source,
        line,
    )


def boot_of(host: Host | Dump, kernel: str | Kernel | None = None) -> Boot:
    """Return what a host tells of its boot.

    Args:
        host: a host, or only its dump, which tells nothing of it.
        kernel: another release than the host's.

    Raises:
        LspciError: ``kernel`` is not a release.
    """
    if isinstance(host, Dump):
        release = Kernel.parse(kernel) if isinstance(kernel, str) else kernel
        return Boot(release or NEWEST, known=release is not None)
    kernel = kernel or _release(host.kernel)
    release = Kernel.parse(kernel) if isinstance(kernel, str) else kernel
    cmdline = None if host.cmdline is None else host.cmdline.text
    return Boot(
        release or NEWEST,
        release is not None,
        cmdline,
        host.aliases,
        host.pch_failed,
        _patched(host, release),
    )


def _patched(host: Host, release: Kernel | None) -> bool | None:
    """Tell whether a kernel has the patch of ``pcie_acs_override=``; ``None`` where nothing tells.

    The patch warns when it reads its parameter, which is early; a kernel without it does not.
    """
    log = host.own_log
    if log is not None and any(quirk.address is None for quirk in log.of(AcsQuirk)):
        return True
    unknown = log.of(UnknownParameters) if log is not None else ()
    if any("pcie_acs_override" in fact.text for fact in unknown) or (log is not None and log.whole):
        return False
    return True if release is not None and release.carries_override else None


def _release(text: str | None) -> Kernel | None:
    try:
        return None if text is None else Kernel.parse(text)
    except LspciError:  # what a host's files say may be anything
        return None


def groups(host: Host | Dump, *, kernel: str | Kernel | None = None) -> Groups:
    """Predict the IOMMU groups of a host with all that is known of it.

    Args:
        host: a host, or only its dump.
        kernel: another release than the host's.

    Raises:
        LspciError: as ``predict``.
    """
    boot = boot_of(host, kernel)
    if isinstance(host, Dump):
        host = Host(host.source or "", host)
    host = host.identified
    platform = other_rules(host)
    if platform is not None:
        recorded = {device: number for device, number in (host.recorded or {}).items() if device in host.dump}
        return Groups(str(boot.kernel), (), recorded=recorded, other_rules=platform.what)
    absent = absence(host, boot)
    if absent is None:
        return predict(host.dump, boot=boot, recorded=host.recorded)
    if absent.cause == "given up":
        # The log has the groups that were made until then, and the prediction tells why they were given up.
        return predict(host.dump, boot=boot, recorded=host.recorded)._replace(absent=absent)
    return _without_groups(host.dump, boot, absent)


def isolation_of(
    host: Host | Dump, kernel: str | Kernel | None = None, *, with_iommu: bool = False
) -> Isolation:
    """Return the verdicts on a host's functions that its groups stand on.

    Args:
        host: a host, or only its dump.
        kernel: another release than the host's.
        with_iommu: suppose that the IOMMU is on: the flags are as Linux sets them.

    Raises:
        LspciError: ``kernel`` is not a release.
    """
    dump = host if isinstance(host, Dump) else host.identified.dump
    recorded = {} if isinstance(host, Dump) else host.recorded or {}
    boot = resolved(dump, boot_of(host, kernel)._replace(flags_as_set=with_iommu), recorded)
    return Isolation(topology(dump), boot)
