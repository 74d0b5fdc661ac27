"""JSON documents that others wrote, held against the schemas they should fit.

The validators in ``documents/`` are plain Python that fastjsonschema wrote from ``serialization/schemas/``
(``.ci/generate``); the package itself does not need it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from lspci_parse.errors import LspciError

MAX_DEPTH: Final = 32
"""Levels of nesting that a document may have; ours have about ten."""


class UnfitError(ValueError):
    """A value that does not fit its schema; what the generated validators raise."""


def checked(name: str, document: Any, source: str | None = None) -> Any:
    """Return a document that fits its schema.

    Args:
        name: the schema, ``dump`` or ``diff``.
        document: what a JSON reader returned.
        source: the file that errors name.

    Raises:
        LspciError: it does not fit: ``devices[3].driver must be string or null``.
    """
    if _too_deep(document):
        raise LspciError(f"the document is nested more than {MAX_DEPTH} levels deep", source)
    validator: Any = import_module(f"lspci_parse.model.documents.{name}")
    try:
        validator.validate(document)
    except UnfitError as error:
        place = str(error).removeprefix("data").removeprefix(".").strip()
        raise LspciError(
            f"the document does not fit its schema 'lspci-parse.{name}/1': {place}", source
        ) from error
    return document


def _too_deep(document: Any) -> bool:
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
