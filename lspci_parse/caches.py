"""What is remembered of texts that were read: a dump repeats itself, and hosts of one model repeat each other.

The limits may be set at any time, for instance ``lspci_parse.caches.SIZE = 1000``.
"""

from __future__ import annotations

from typing import Any, Final

SIZE = 50_000
"""How many texts of each kind (devices, capabilities, registers) are remembered before all are forgotten."""
TEXT = 8 << 20
"""How many characters of texts of each kind are remembered before all are forgotten; their trees take more."""


class Cache(dict[Any, Any]):
    """A dictionary that forgets everything once it is full: cheap, and a fleet of equal hosts stays inside.

    Its keys are texts, or a rule's name and a text.
    """

    def __init__(self) -> None:
        super().__init__()
        self.text = 0

    def __setitem__(self, key: str | tuple[str, str], value: Any) -> None:
        size = len(key if isinstance(key, str) else key[1])
        if len(self) >= SIZE or self.text + size > TEXT:
            self.clear()
        self.text += size
        super().__setitem__(key, value)

    def clear(self) -> None:
        """Forget everything."""
        super().clear()
        self.text = 0


devices: Final = Cache()
capabilities: Final = Cache()
registers: Final = Cache()
