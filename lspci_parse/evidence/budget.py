"""How much one host may unpack and hold: a small file must not cost more memory or time than its text is worth."""

from __future__ import annotations

from typing import Final

from lspci_parse.errors import LspciError

MAX_UNPACKED: Final = 8 << 30
"""Bytes that a host's archive and compressed files may unpack to, those passed over included."""
MAX_HELD: Final = 512 << 20
"""Bytes of a host's files that are held at a time."""
FREE: Final = 64 << 20
"""Bytes that anything may unpack to, however small it is packed."""
RATIO: Final = 256
"""How many bytes each packed byte may stand for beyond that; lspci's text packs to a twentieth, zeros much smaller."""


class Budget:
    """Counts what the files of one host unpack to and how much of it is kept.

    Attributes:
        taken: packed bytes that were read.
        unpacked: bytes that they unpacked to.
        held: bytes that are kept.
    """

    def __init__(self) -> None:
        self.taken = self.unpacked = self.held = 0

    def unpack(self, size: int, name: str) -> None:
        """Count bytes that were unpacked.

        Raises:
            LspciError: there are too many.
        """
        self.unpacked += size
        if self.unpacked > min(MAX_UNPACKED, FREE + RATIO * self.taken):
            raise LspciError(
                f"unpacks to more than {self.unpacked - size:,} bytes from {self.taken:,}; "
                "expected the output of 'lspci -vvv'",
                name,
            )

    def hold(self, size: int, name: str) -> None:
        """Count bytes that are kept.

        Raises:
            LspciError: there are too many.
        """
        self.held += size
        if self.held > MAX_HELD:
            raise LspciError(
                f"more than {MAX_HELD:,} bytes of text for one host; expected the output of 'lspci -vvv'",
                name,
            )
