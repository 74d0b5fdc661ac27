"""What stands around a dump in one text: the answers to the commands that bug reports and templates ask for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from lspci_parse.errors import LspciError
from lspci_parse.evidence.cmdline import parse_cmdline
from lspci_parse.evidence.group_listing import parse_groups

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lspci_parse.evidence.cmdline import Cmdline
    from lspci_parse.evidence.file_names import Role
    from lspci_parse.model.address import Address


class Around(NamedTuple):
    """What a text says beside its dump and log; ``None`` where it says nothing."""

    cmdline: Cmdline | None = None
    kernel: str | None = None
    groups: Mapping[Address, int] | None = None

    @property
    def roles(self) -> Iterator[Role]:
        """The kinds of evidence that were found."""
        if self.cmdline is not None:
            yield "cmdline"
        if self.kernel is not None:
            yield "kernel"
        if self.groups is not None:
            yield "groups"


_CMDLINE: Final = re.compile(r"\s{0,8}(?:BOOT_IMAGE|initrd)=\S.{0,4000}")
_UNAME: Final = re.compile(r"\s{0,8}Linux \S{1,64} (\d+\.\d+\S{0,64}) (?:#|\S*SMP)")
_RELEASE: Final = re.compile(r"\s{0,8}(\d+\.\d+\.\d+(?:[-+.][\w.+-]{1,60})?)\s*")
_ASKED: Final = re.compile(r"\buname -r\b")
_GROUP: Final = re.compile(
    r"\s{0,8}(?:IOMMU )?[Gg]roup:?\s{0,8}\d+|\s{0,8}\d{1,4} (?:[0-9a-f]{4}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7]\s*$"
    r"|\s{0,8}\S{0,40}/iommu_groups/\d+/devices/"
)
_FEWEST: Final = 2


def in_text(lines: Sequence[str]) -> Around:
    """Read the lines of a text that are neither its dump nor its log.

    Args:
        lines: in their order. A line counts for what it shows by itself: a command line begins with the boot loader's
            ``BOOT_IMAGE=``, a kernel's release follows ``uname -r``.
    """
    cmdline = next((line for line in lines if _CMDLINE.match(line)), None)
    return Around(None if cmdline is None else parse_cmdline(cmdline), _kernel(lines), _groups(lines))


def _kernel(lines: Sequence[str]) -> str | None:
    asked = False
    for line in lines:
        found = _UNAME.match(line) or (_RELEASE.fullmatch(line) if asked else None)
        if found is not None:
            return found[1]
        asked = _ASKED.search(line) is not None
    return None


def _groups(lines: Sequence[str]) -> Mapping[Address, int] | None:
    listed = [line for line in lines if _GROUP.match(line)]
    if len(listed) < _FEWEST:
        return None
    try:
        return parse_groups("\n".join(listed))
    except LspciError:  # lines that only look like a listing
        return None
