"""Hold a host against a policy: pass-through (``vfio``), peer-to-peer traffic (``p2p``), or a file of requirements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lspci_parse.errors import LspciError
from lspci_parse.findings.model import SEVERITIES
from lspci_parse.linux.groups.prediction import boot_of, groups, isolation_of
from lspci_parse.model.dump import Dump, find
from lspci_parse.policies.group_remedies import READ_ALL
from lspci_parse.policies.model import Breach, Check
from lspci_parse.policies.p2p import p2p, pair
from lspci_parse.policies.policy_file import read
from lspci_parse.policies.vfio import vfio
from lspci_parse.topology.tree import topology

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from lspci_parse.evidence.host import Host
    from lspci_parse.linux.kernel import Kernel
    from lspci_parse.topology.tree import Topology


def check(
    host: Host | Dump,
    policy: str | os.PathLike[str] = "vfio",
    *,
    kernel: str | Kernel | None = None,
    pairs: Sequence[tuple[str, str]] = (),
) -> Check:
    """Hold a host against a policy.

    Args:
        host: a host, or only its dump.
        policy: ``vfio``, ``p2p``, or the path of a policy file (see ``policies/policy_file.py``).
        kernel: another release than the host's.
        pairs: of ``p2p``, pairs of devices whose way is judged, and nothing else.

    Raises:
        LspciError: the policy file cannot be used, ``kernel`` is not a release, or a device is not in the dump.
    """
    dump = host if isinstance(host, Dump) else host.dump
    tree = topology(dump)
    found: Iterable[Breach]
    if policy == "vfio":
        found = _vfio(host, tree, kernel)
    elif policy == "p2p":
        found = [pair(tree, find(dump, a), find(dump, b)) for a, b in pairs] if pairs else p2p(tree)
    else:
        found = (breach for requirement in read(policy) for breach in requirement.breaches(dump))
    worst_first = sorted(found, key=lambda breach: SEVERITIES.index(breach.severity))
    return Check(
        str(policy) if policy in ("vfio", "p2p") else Path(policy).name, dump.source, tuple(worst_first)
    )


def _vfio(host: Host | Dump, tree: Topology, kernel: str | Kernel | None) -> Iterable[Breach]:
    boot = boot_of(host, kernel)
    try:
        found = groups(host, kernel=kernel)
    except LspciError as error:
        title = "the IOMMU groups cannot be told"
        return (Breach(None, "warning", title, f"{error.message}.", remedies=(READ_ALL,), known=False),)
    isolation = isolation_of(host, kernel, with_iommu=found.with_iommu is not None)
    return vfio(tree, found, isolation, boot.kernel)
