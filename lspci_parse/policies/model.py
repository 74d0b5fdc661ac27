"""What checking a host against a policy gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lspci_parse.findings.model import Severity
    from lspci_parse.model.address import Address


class Remedy(NamedTuple):
    """Something to do, and what it may cost; ``risk`` is empty where there is none."""

    action: str
    risk: str = ""


class Breach(NamedTuple):
    """One thing that a policy does not want, or that a dump does not show.

    Attributes:
        device: the function to look at; ``None`` for the host as a whole.
        severity: how bad.
        title: what it is, one line.
        detail: what it means.
        devices: all functions concerned.
        remedies: what to do about it, the least harmful first.
        known: ``False`` where the dump does not show whether the policy is kept.
    """

    device: Address | None
    severity: Severity
    title: str
    detail: str
    devices: tuple[Address, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    known: bool = True


class Check(NamedTuple):
    """A host held against a policy.

    Attributes:
        policy: ``vfio``, ``p2p`` or the name of the policy file.
        source: the name of the dump.
        breaches: worst first.
    """

    policy: str
    source: str | None
    breaches: tuple[Breach, ...]

    @property
    def failed(self) -> bool:
        """Whether anything is known to be worse than a remark."""
        return any(breach.known and breach.severity != "info" for breach in self.breaches)

    @property
    def cannot_tell(self) -> bool:
        """Whether nothing failed, and something that the policy asks about is not known."""
        return not self.failed and any(not breach.known for breach in self.breaches)
