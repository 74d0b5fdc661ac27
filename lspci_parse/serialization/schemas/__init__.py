"""JSON Schemas (draft 2020-12) of the documents that the commands write with ``--json``."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

from lspci_parse.errors import LspciError

NAMES: Final = ("dump", "diff", "groups", "check")
"""``dump`` is written by ``show``; the others are named after their commands."""


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a document.

    Raises:
        LspciError: ``name`` is none of ``NAMES``.
    """
    if name not in NAMES:
        raise LspciError(f"no schema {name!r}; expected one of {', '.join(NAMES)}")
    document: dict[str, Any] = json.loads(files(__name__).joinpath(f"{name}.json").read_text("utf-8"))
    return document
