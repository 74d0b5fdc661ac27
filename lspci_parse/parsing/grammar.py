"""The grammars under ``grammar/``, and the parsers that Lark makes of them.

The tables are part of the package (``tables.json``), so that Lark need not make them, nor be imported, at every
start. They carry the fingerprint of the grammar: one that was edited in a checkout is compiled anew.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from lspci_parse.lspci.package_data import package_data
from lspci_parse.parsing.grammar_files import digest, is_checkout
from lspci_parse.parsing.lalr import Parser
from lspci_parse.parsing.lark_tables import compiled, tables


@cache
def parser(name: str) -> Parser:
    """Return the parser of a grammar: from the package's tables where they fit it, else compiled from its text."""
    found = _stored().get(name)
    if found is None or (is_checkout() and found["grammar"] != digest(name)):
        found = tables(compiled(name), digest(name))
    return Parser(found)


@cache
def _stored() -> dict[str, Any]:
    try:
        stored: dict[str, Any] = json.loads(package_data("parsing/tables.json"))
    except FileNotFoundError:
        return {}
    return stored
