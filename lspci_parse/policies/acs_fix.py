"""Lines that switch redirection off, to be read before they are run, and those that undo them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.linux.peers import redirects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lspci_parse.model.address import Address
    from lspci_parse.topology.tree import Topology

_BITS: Final = {"ReqRedir": 1 << 2, "CmpltRedir": 1 << 3, "EgressCtrl": 1 << 5}
"""Bits of the ACS Control Register (PCI Express Base Specification 7.7.11.3)."""


def at_boot(ports: Iterable[Address]) -> str:
    """Return the kernel parameter that clears ReqRedir, CmpltRedir and EgressCtrl of ports."""
    return f"pci=disable_acs_redir={';'.join(map(str, ports))}"


def at_once(tree: Topology, ports: Iterable[Address]) -> Iterator[str]:
    """Yield ``setpci`` commands that clear the bits which are on, and no others (``VALUE:MASK``)."""
    return (f"setpci -s {port} ECAP_ACS+0x6.w=0000:{_mask(tree, port):04x}" for port in ports)


def _mask(tree: Topology, port: Address) -> int:
    return sum(_BITS[flag] for flag in redirects(tree, port))


def script(tree: Topology, ports: Sequence[Address], how: str) -> Iterator[str]:
    """Yield a change as lines: for GRUB's files, or as ``setpci`` commands with those that undo it.

    Args:
        tree: the devices.
        ports: the ports that redirect, none if there is nothing to change.
        how: ``grub`` or ``setpci``.
    """
    if not ports:
        yield "# nothing to change: no port between peers redirects"
    elif how == "grub":
        yield "# /etc/default/grub: add the parameter to the line that is there, then update-grub and reboot."
        yield "# Undo: take it out again. From Linux 6.11 on SrcValid and UpstreamFwd of these ports go off with it;"
        yield "# IOMMU groups grow: what is below these ports can no longer be passed through one by one."
        yield f'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT {at_boot(ports)}"'
    else:
        yield "# Lost at boot, resume, reset of a function and, from Linux 7.0, when a driver binds."
        yield from at_once(tree, ports)
        yield "# undo:"
        for port in ports:
            mask = _mask(tree, port)
            yield f"# setpci -s {port} ECAP_ACS+0x6.w={mask:04x}:{mask:04x}"
