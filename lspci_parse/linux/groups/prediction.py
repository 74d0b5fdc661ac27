"""The IOMMU groups that Linux makes of a machine, predicted from the text of its dump."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.errors import LspciError
from lspci_parse.linux.acs import unreadable
from lspci_parse.linux.groups.assumptions import assumptions, switched_off
from lspci_parse.linux.groups.device_group import Walk
from lspci_parse.linux.groups.model import Groups
from lspci_parse.linux.kernel import NEWEST, Boot, Kernel
from lspci_parse.model.dump import Dump
from lspci_parse.topology.tree import topology

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lspci_parse.evidence.host import Host
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
    off = switched_off(topology(dump), boot)
    if off is not None:
        return Groups(str(boot.kernel), (), off=off, recorded=recorded)
    return _predict(dump, boot, recorded)


def _predict(dump: Dump, boot: Boot, recorded: Mapping[Address, int]) -> Groups:
    tree = topology(dump)
    walk = Walk(tree, boot)
    if walk.undecided and _blind(dump, walk):
        raise _refusal(dump, walk)
    return Groups(
        str(boot.kernel),
        walk.groups,
        tuple(walk.undecided),
        tuple(walk.ungrouped),
        recorded=recorded,
        assumptions=tuple(assumptions(tree, boot, walk)),
    )


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
    return Boot(release or NEWEST, release is not None, cmdline, host.aliases, host.pch_failed)


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
        return predict(host, boot=boot)
    return predict(host.dump, boot=boot, recorded=host.recorded)
