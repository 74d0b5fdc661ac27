"""What a finding is, how severe it may be, and how one finding names another as its cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lspci_parse.model.address import Address


Severity = Literal["critical", "warning", "info"]
SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "warning", "info")
"""Worst first."""


class Finding(NamedTuple):
    """A difference that matters, or, of one host alone, what its evidence tells.

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
        likely: those of ``because`` that are likely causes; the others are certain.
        facts: paths of the facts that it stands on beside ``path``: ``exp/LnkSta/Speed`` of ``exp/LnkSta``.
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
    likely: tuple[int, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def links(self) -> Iterator[tuple[int, str]]:
        """Yield each cause's index with how it is one: ``because of`` or ``likely because of``."""
        for cause in self.because:
            yield cause, "likely because of" if cause in self.likely else "because of"

    @property
    def device(self) -> Address | None:
        """The device as host B has it, else as host A has it."""
        return self.a if self.b is None else self.b


class Cause(NamedTuple):
    """A link from a finding to another one that causes it, if that is found, too.

    Attributes:
        rule: the other finding's rule.
        device: its device, as host B has it, else as host A has it; ``None`` of a finding about a whole host.
        path: its path, where the rule makes several findings about one device.
        certain: the kernel's code or the hardware makes the one follow from the other; otherwise it is likely.
        otherwise: what to look for where this finding is not there.
    """

    rule: str
    device: Address | None = None
    path: str | None = None
    certain: bool = True
    otherwise: tuple[Cause, ...] = ()


class Found(NamedTuple):
    """A finding and what causes it."""

    finding: Finding
    causes: Sequence[Cause] = ()
