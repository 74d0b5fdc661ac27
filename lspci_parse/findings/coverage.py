"""What the evidence of a host does not show: what no rule could look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.lspci.visibility import Detail
from lspci_parse.model.display import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.findings.host_view import HostView


def unseen(view: HostView) -> tuple[str, ...]:
    """Return clauses that say what of a host is not known, and how to see it; none where a dump shows all it can."""
    return tuple(_clauses(view))


def _clauses(view: HostView) -> Iterator[str]:
    dump, visible = view.host.dump, view.visible
    if not dump.devices:
        yield "there is no dump, only a kernel log (add the output of sudo lspci -vvv)"
        return
    denied = sum(device.access_denied for device in dump)
    if visible.detail == Detail.NAMES:
        yield "registers and capabilities of none could be read (take the dump with sudo lspci -vvv)"
    elif denied:
        whose = "none could" if denied == len(dump) else f"{counted(denied, 'device')} could not"
        yield f"capabilities of {whose} be read (take the dump as root: sudo lspci -vvv)"
    elif visible.detail == Detail.TITLES:
        yield "flags of capabilities were not printed (take the dump with sudo lspci -vvv)"
    if visible.detail != Detail.NAMES and not denied and not visible.extended_readable:
        yield "extended capabilities of none could be read"
    dead = sum(device.dead for device in dump)
    if dead:
        yield f"{counted(dead, 'device')} did not answer"
    if dump.unrecognised:
        yield f"{counted(len(dump.unrecognised), 'line')} could not be read"
    if any(device.cut for device in dump):
        yield "the dump ends in the middle of a device"
