"""The tree: Dump -> Device -> Capability -> Register -> value.

Everything here is immutable, so equal pieces of text share one object. Equality is meaning: two devices are
equal when they say the same thing, whatever line or spelling said it. ``str()`` of a dump or a device is the
text it was read from.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_ADDRESS: Final = re.compile(r"(?ai)(?:([\da-f]{4,8}):)?([\da-f]{1,2}):([\da-f]{1,2})\.([0-7])").fullmatch


class Address(NamedTuple):
    """Where a PCI function sits: ``domain:bus:device.function`` (PCI Firmware Specification, segment group).

    Domains wider than 16 bits exist: Linux numbers the buses behind Intel VMD from 0x10000.
    """

    domain: int
    bus: int
    device: int
    function: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``00:1c.5`` or ``0000:00:1c.5``; a missing domain is 0.

        Raises:
            ValueError: ``text`` is not an address.
        """
        match = _ADDRESS(text)
        if match is not None:
            domain, bus, device, function = match.groups("0")
            found = cls(int(domain, 16), int(bus, 16), int(device, 16), int(function))
            if found.device < 32:
                return found
        raise ValueError(f"not a PCI address: {text!r} (expected domain:bus:device.function)")

    def __str__(self) -> str:
        return f"{self.domain:04x}:{self.bus:02x}:{self.device:02x}.{self.function}"

    @property
    def slot(self) -> str:
        """The address without its domain, as lspci prints it on most machines: ``00:1c.5``."""
        return f"{self.bus:02x}:{self.device:02x}.{self.function}"
