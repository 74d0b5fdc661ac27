"""Which Linux made the groups: its release, and what else is known of its boot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from lspci_parse.errors import LspciError
from lspci_parse.evidence.cmdline import parse_cmdline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lspci_parse.model.address import Address

_LONG_TERM: Final = frozenset(
    {(4, 4), (4, 9), (4, 14), (4, 19), (5, 4), (5, 10), (5, 15), (6, 1), (6, 6), (6, 12), (6, 18)}
)
_RELEASE: Final = re.compile(r"(?:Linux version )?(\d{1,3})\.(\d{1,4})(?:\.(\d{1,5}))?(?!\d)\S*", re.ASCII)


class Kernel(NamedTuple):
    """A kernel release. Distributions put rules of newer releases into older numbers.

    Attributes:
        release: as ``uname -r`` prints it.
        version: major and minor number.
        point: the third number; 0 in releases that distributions number themselves.
    """

    release: str
    version: tuple[int, int]
    point: int = 0

    @classmethod
    def parse(cls, text: str) -> Kernel:
        """Read ``6.1.0-56-amd64``, ``4.18.0-147.el8``, ``6.18-rc7`` or the first line of a kernel log.

        Raises:
            LspciError: ``text`` does not begin with a release.
        """
        match = _RELEASE.match(text.strip())
        if match is None:
            raise LspciError(f"not a kernel release: {text[:80]!r} (expected such as '6.1.0-56-amd64')")
        release = match[0].removeprefix("Linux version ")
        return cls(release, (int(match[1]), int(match[2])), int(match[3] or 0))

    def __str__(self) -> str:
        return self.release

    @property
    def maintained(self) -> bool:
        """Whether it is likely to have got quirks of newer releases, as series with long-term support do.

        Distributions hide the point release behind a number of their own (``6.1.0-56-amd64``).
        """
        hidden = self.point == 0 and re.search(r"\.0-\d", self.release) is not None
        return self.version in _LONG_TERM and (hidden or self.point >= 50)

    @property
    def regrouped(self) -> bool:
        """Whether it carries NVIDIA's rewrite of the grouping rules, which mainline has not (up to 7.1.5).

        Source: "iommu: Compute iommu_groups properly for PCIe switches", version 2, in NV-Kernels since 6.14.
        """
        return "-nvidia" in self.release and self.version >= (6, 14)

    @property
    def carries_override(self) -> bool:
        """Whether its name is one of a distribution that carries the ACS override patch (Proxmox, zen, xanmod ...)."""
        return re.search(r"-(?:pve|zen|xanmod|liquorix|unraid)\b", self.release, re.IGNORECASE) is not None


NEWEST: Final = Kernel("7.1", (7, 1))
"""The newest release whose rules are known; they are assumed where a host's release is not known."""


class Boot(NamedTuple):
    """What is known of a boot beside the dump.

    Attributes:
        kernel: the release whose rules hold.
        known: whether that release is a fact, and not an assumption.
        cmdline: the kernel's command line, or ``None``.
        aliases: DMA aliases that the dump does not show, as the kernel log tells them (``Enabling fixed DMA alias
            to``): functions of the same bus.
        pch_failed: root ports of which the log says ``Failed to enable Intel PCH ACS quirk``.
        patched: whether the kernel carries the patch that ``pcie_acs_override=`` belongs to; ``None`` if not known.
        acs: functions whose flags are taken as on or off, whatever their registers say.
        flags_as_set: the flags are taken as Linux sets them with the IOMMU on, whatever the registers say.
    """

    kernel: Kernel = NEWEST
    known: bool = False
    cmdline: str | None = None
    aliases: Mapping[Address, frozenset[Address]] = {}
    pch_failed: frozenset[Address] = frozenset()
    patched: bool | None = None
    acs: Mapping[Address, bool] = {}
    flags_as_set: bool = False

    def parameter(self, name: str) -> tuple[str, ...]:
        """Return the values of a command line parameter, the elements of a list each; empty when it is not given."""
        return tuple(filter(None, parse_cmdline(self.cmdline or "").values(name)))
