"""What a kernel log says of the machine and its kernel as a whole: one class for each kind of fact."""

from __future__ import annotations

from typing import NamedTuple


class Kernel(NamedTuple):
    """The running kernel.

    Attributes:
        release: as ``uname -r`` prints it, such as ``4.18.0-240.el8.x86_64``.
        version: the upstream numbers it begins with, ``(4, 18, 0)``; a vendor may have added newer code.
    """

    line: int
    release: str
    version: tuple[int, ...]


def upstream(release: str) -> tuple[int, ...]:
    """Return the numbers that a kernel release begins with: ``(4, 18, 0)`` of ``4.18.0-240.el8.x86_64``."""
    numbers: list[int] = []
    for part in release.partition("-")[0].split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)


class Trace(NamedTuple):
    """The kernel's release as a trace tells it (``Not tainted 6.10.8-arch1-1 #1``)."""

    line: int
    release: str


class CommandLine(NamedTuple):
    """The kernel's command line as the log repeats it."""

    line: int
    text: str


class Dmi(NamedTuple):
    """What the firmware says of the machine (SMBIOS).

    Attributes:
        system: vendor and product name, which the log does not separate.
        board: name of the board, ``None`` where the firmware gives none.
        bios: version of the BIOS.
        date: its release date as printed, month first: ``08/27/2020``.
    """

    line: int
    system: str
    board: str | None
    bios: str
    date: str


class UnknownParameters(NamedTuple):
    """Parameters of the command line that this kernel does not know (Linux 5.14 and newer)."""

    line: int
    text: str


class Hypervisor(NamedTuple):
    """The hypervisor that the kernel runs on: ``KVM``, ``Microsoft Hyper-V``, ``Xen`` ..."""

    line: int
    name: str
