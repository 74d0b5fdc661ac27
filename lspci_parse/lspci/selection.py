"""Which devices ``-s`` and ``-d`` mean, as lspci takes them (pciutils: ``pci_filter_parse_slot`` and ``_id``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lspci_parse.errors import LspciError
from lspci_parse.lspci.pci_ids import class_id, identify

if TYPE_CHECKING:
    from lspci_parse.model.address import Address
    from lspci_parse.model.device import Device
    from lspci_parse.model.dump import Dump

_SLOT: Final = re.compile(
    r"(?:(?:(?P<domain>[0-9a-f]{1,8}|\*)?:)?(?P<bus>[0-9a-f]{1,2}|\*)?:)?(?P<device>[0-9a-f]{1,2}|\*)?"
    r"(?:\.(?P<function>[0-7]|\*)?)?",
    re.IGNORECASE,
)
_IDS: Final = re.compile(
    r"(?P<vendor>[0-9a-f]{1,4}|\*)?:(?P<device>[0-9a-f]{1,4}|\*)?(?::(?P<class>[0-9a-fx]{2,4}|\*)?(?::(?P<prog_if>[0-9a-f]{1,2}|\*)?)?)?",
    re.IGNORECASE,
)


def chosen(dump: Dump, slot: str | None, ids: str | None) -> frozenset[Address]:
    """Return the devices that both options mean; all of them where neither is given.

    Args:
        dump: the devices.
        slot: ``[[[domain]:][bus]:][device][.[function]]``, each part left out or ``*`` for any: ``31:``, ``.0``.
        ids: ``[vendor]:[device][:class[:prog-if]]``: ``15b3:``, ``::0300``.

    Raises:
        LspciError: a text that is neither; or no device fits.
    """
    found = [
        device for device in dump if (slot is None or _at(device, slot)) and (ids is None or _is(device, ids))
    ]
    if not found:
        options = " ".join(filter(None, (slot and f"-s {slot}", ids and f"-d {ids}")))
        known = ", ".join(device.slot for device in dump.devices[:5])
        raise LspciError(f"no device fits {options}; the dump has {known} ...", dump.source)
    return frozenset(device.address for device in found)


def _at(device: Device, spec: str) -> bool:
    match = _SLOT.fullmatch(spec)
    if match is None or not spec:
        raise LspciError(f"-s {spec!r}; expected such as 31:00.0, 31:, 00:1c or .0, as lspci takes it")
    return all(
        part in (None, "*") or int(part, 16) == value
        for part, value in zip(
            match.group("domain", "bus", "device", "function"), device.address, strict=True
        )
    )


def _is(device: Device, spec: str) -> bool:
    match = _IDS.fullmatch(spec)
    if match is None:
        raise LspciError(f"-d {spec!r}; expected such as 15b3:1017, 15b3: or ::0300, as lspci takes it")
    identity = identify(device)
    vendors = {int(vendor, 16) for vendor in identity.vendors}
    vendor, number = match["vendor"], match["device"]
    if vendor not in (None, "*") and int(vendor, 16) not in vendors:
        return False
    if number not in (None, "*") and (identity.device is None or int(number, 16) != int(identity.device, 16)):
        return False
    class_, interface = match["class"], match["prog_if"]
    if class_ not in (None, "*") and not re.fullmatch(
        class_.lower().replace("x", "."), class_id(device)[: len(class_)]
    ):
        return False
    own = None if device.prog_if is None else device.prog_if.id
    return interface in (None, "*") or (own is not None and int(interface, 16) == int(own, 16))
