"""What is remembered of texts that were read: a dump repeats itself, and hosts of one model repeat each other.

The limits may be set at any time, for instance ``lspci_parse.caches.SIZE = 1000``. They are looked at before each
device, so a cache may exceed them by what one device adds.
"""

from __future__ import annotations

from typing import Any, Final

SIZE = 50_000
"""How many texts of each kind (devices, their bodies, their parts, the registers in those) are remembered."""
TEXT = 8 << 20
"""How many characters of texts of each kind are remembered; their trees take more."""

devices: Final[dict[str, Any]] = {}
bodies: Final[dict[str, Any]] = {}
"""Devices by what follows their address."""
parts: Final[dict[str, Any]] = {}
registers: Final[dict[tuple[str, str], Any]] = {}
"""What a text says by a rule of the grammar."""

_CACHES: Final[tuple[dict[Any, Any], ...]] = (devices, bodies, parts, registers)
_held = 0
"""An upper bound of the characters that each cache holds."""


def make_room(text: str) -> None:
    """Forget what has grown too large, before a text is read of which each cache may keep all."""
    global _held  # noqa: PLW0603 - the caches are global, too
    _held += len(text)
    full = len(devices) >= SIZE or len(bodies) >= SIZE or len(parts) >= SIZE or len(registers) >= SIZE
    if full or _held > TEXT:
        _held = len(text) + max(map(_trim, _CACHES))


def clear() -> None:
    """Forget everything."""
    global _held  # noqa: PLW0603 - the caches are global, too
    _held = 0
    for cache in _CACHES:
        cache.clear()


def _trim(cache: dict[Any, Any]) -> int:
    """Empty a cache that is half full or more; return how many characters it holds."""
    # A list of the keys is made at once: another thread may be reading, too.
    held = sum(len(key if isinstance(key, str) else key[1]) for key in list(cache))
    if 2 * held < TEXT and 2 * len(cache) < SIZE:
        return held
    cache.clear()
    return 0
