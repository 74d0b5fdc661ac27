"""Tables, by tabulate: the only place that imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]], headers: Sequence[str] = (), style: str = "plain") -> str:
    """Return rows as a table whose cells stay as they are.

    Left to itself tabulate takes ``1e31`` and ``0010`` for numbers and strips leading blanks, which would change
    device ids and flatten trees.
    """
    from tabulate import tabulate  # noqa: PLC0415 - 50 ms that only tables need

    text = tabulate(rows, headers=headers, tablefmt=style, disable_numparse=True, preserve_whitespace=True)
    return "\n".join(line.rstrip() for line in text.splitlines())
