"""What a finding is, and the catalogue of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from lspci_parse.model.address import Address

if TYPE_CHECKING:
    from collections.abc import Sequence


Severity = Literal["critical", "warning", "info"]
SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "warning", "info")
"""Worst first."""

Key = tuple[str, Address | None, Address | None] | tuple[str, Address | None, Address | None, str]
"""What names a finding of a comparison: rule, device on A, device on B, and the path where a rule has several."""


class Finding(NamedTuple):
    """A difference that matters.

    Attributes:
        rule: stable name of the rule.
        severity: ``critical`` (isolation, a device or a driver is gone), ``warning`` or ``info``.
        a: the device on host A; ``None`` if only B has it or the finding is about the hosts.
        b: the device on host B; ``None`` if only A has it or the finding is about the hosts.
        path: the fact inside the device, such as ``exp/LnkSta/Speed``.
        before: value on host A.
        after: value on host B.
        title: one line: which device, and what.
        detail: why it matters, two sentences or so.
        remedy: what to try.
        because: indices of the findings that cause this one.
        leads_to: indices of the findings that this one causes.
        devices: further devices concerned, as written on the host that has them.
        name: name of the device, as lspci prints it; empty where the finding is about the hosts.
    """

    rule: str
    severity: Severity
    a: Address | None
    b: Address | None
    path: str
    before: Any
    after: Any
    title: str
    detail: str
    remedy: str = ""
    because: tuple[int, ...] = ()
    leads_to: tuple[int, ...] = ()
    devices: tuple[Address, ...] = ()
    name: str = ""

    @property
    def key(self) -> tuple[str, Address | None, Address | None]:
        """What names the finding among those of one comparison."""
        return (self.rule, self.a, self.b)


class Found(NamedTuple):
    """A finding and the keys of the findings that cause it, if they are found, too."""

    finding: Finding
    causes: Sequence[Key] = ()
