"""JSON Schemas (draft 2020-12) of the documents that the commands write with ``--json``."""

from __future__ import annotations

import json
from typing import Any, Final

from lspci_parse.errors import LspciError
from lspci_parse.lspci.package_data import package_data

NAMES: Final = ("dump", "diff", "groups", "check", "policy", "ignore")
"""``dump`` is written by ``show``; people write ``policy`` and ``ignore``; others are named after commands."""


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a document.

    Raises:
        LspciError: ``name`` is none of ``NAMES``.
    """
    if name not in NAMES:
        raise LspciError(f"no schema {name!r}; expected one of {', '.join(NAMES)}")
    document: dict[str, Any] = json.loads(package_data(f"serialization/schemas/{name}.json"))
    return document
