"""Tables, by tabulate: the only place that imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lspci_parse.render.escape import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLANK: Final = "\u2800"
"""Stands for a blank, since tabulate before 0.10 strips those of a cell; printable text has none of it."""


def table(rows: Sequence[Sequence[str]], headers: Sequence[str] = (), style: str = "plain") -> str:
    """Return rows as a table whose cells stay as they are.

    Cells are made printable first: a line feed would make rows, and tabulate's pattern for terminal links takes
    time without end for some texts with ESC. Left to itself tabulate takes ``1e31`` and ``0010`` for numbers and
    strips leading blanks, which would change device ids and flatten trees.
    """
    from tabulate import tabulate  # noqa: PLC0415 - 50 ms that only tables need

    safe = [[printable(cell).replace(" ", _BLANK) for cell in row] for row in (headers, *rows)]
    text = tabulate(safe[1:], headers=safe[0], tablefmt=style, disable_numparse=True)
    return "\n".join(line.replace(_BLANK, " ").rstrip() for line in text.split("\n"))
