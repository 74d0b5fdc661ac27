"""What the kernel's command line asks of ACS: ``pci=disable_acs_redir=`` and ``pci=config_acs=``.

Source: ``Documentation/admin-guide/kernel-parameters.txt``, ``__pci_config_acs`` and ``pci_dev_str_match``
(drivers/pci/pci.c).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from lspci_parse.lspci.pci_ids import identify
from lspci_parse.model.address import Address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lspci_parse.linux.kernel import Boot
    from lspci_parse.topology.tree import Topology

_ORDER: Final = ("DirectTrans", "EgressCtrl", "UpstreamFwd", "CmpltRedir", "ReqRedir", "TransBlk", "SrcValid")
"""The flags in the order in which ``config_acs`` writes them, the most significant first."""
_REDIRECTING: Final = ("ReqRedir", "CmpltRedir", "EgressCtrl")
_SINCE: Final = {"disable_acs_redir": (4, 19), "config_acs": (6, 11)}
_SEVERAL_SINCE: Final = (6, 15)
"""Before it ``config_acs`` with several devices is refused; late 6.12.y has the correction, too."""
_PATH: Final = re.compile(
    r"(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])((?:/[0-9a-f]{1,2}\.[0-7])*)"
)
_IDS: Final = re.compile(r"pci:([0-9a-f]{1,8}):([0-9a-f]{1,8})(?::[0-9a-f]{1,8}:[0-9a-f]{1,8})?")


class AcsRequest(NamedTuple):
    """What a parameter asks of one function.

    Attributes:
        device: the function.
        parameter: as given, without ``pci=``.
        flags: the flags that it names, on or off; those that it leaves to the firmware are not in it.
        problem: why the kernel does not do it, in words; empty where it should.
    """

    device: Address
    parameter: str
    flags: Mapping[str, bool]
    problem: str = ""


def acs_requests(tree: Topology, boot: Boot) -> Iterator[AcsRequest]:
    """Yield what the command line asks of the functions of a dump; ``config_acs`` overrides ``disable_acs_redir``."""
    found: dict[Address, AcsRequest] = {}
    for value in boot.parameter("pci"):
        name, equals, text = value.partition("=")
        if name not in _SINCE or not equals:
            continue
        for element in text.split(";"):
            flags, at, spec = element.rpartition("@")
            wanted = _flags(flags) if name == "config_acs" and at else dict.fromkeys(_REDIRECTING, False)
            for device in _matching(tree, spec if name == "config_acs" else element):
                if name == "config_acs" or device not in found or "config_acs" not in found[device].parameter:
                    found[device] = AcsRequest(device, value, wanted, _problem(name, text, boot))
    yield from found.values()


def _flags(text: str) -> dict[str, bool]:
    """Read ``xx111x1``; shorter texts are the least significant flags."""
    pairs = zip(reversed(_ORDER), reversed(text), strict=False)
    return {name: char == "1" for name, char in pairs if char in "01"}


def _problem(name: str, text: str, boot: Boot) -> str:
    version = boot.kernel.version
    if boot.known and version < _SINCE[name]:
        since = ".".join(map(str, _SINCE[name]))
        return f"Linux {boot.kernel} does not know {name} (since {since})"
    if boot.known and name == "config_acs" and ";" in text and version < _SEVERAL_SINCE:
        return f"Linux {boot.kernel} may refuse several devices in one config_acs (corrected in 6.15 and late 6.12.y)"
    return ""


def _matching(tree: Topology, spec: str) -> Iterator[Address]:
    """Yield the functions that a device of a parameter names: by address, by a path from it, or by ids."""
    spec = spec.strip().lower()
    ids = _IDS.fullmatch(spec)
    if ids is not None:
        vendor, device = (f"{int(part, 16):04x}" for part in ids.groups())
        for address, one in tree.devices.items():
            identity = identify(one)
            if vendor in identity.vendors and identity.device == device:
                yield address
        return
    path = _PATH.fullmatch(spec)
    if path is None:
        return
    place: Address | None = Address(int(path[1] or "0", 16), int(path[2], 16), int(path[3], 16), int(path[4]))
    for hop in filter(None, path[5].split("/")):
        device, _, function = hop.partition(".")
        children = () if place is None or place not in tree.devices else tree.children(place)
        place = next(
            (c for c in children if (c.device, c.function) == (int(device, 16), int(function))), None
        )
    if place is not None and place in tree.devices:
        yield place
