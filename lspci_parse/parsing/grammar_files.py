"""The grammars under ``grammar/``, and the parsers that Lark makes of them.

The tables are part of the package (``tables.json``), so that Lark need not make them, nor be imported, at every
start. They carry the fingerprint of the grammar: one that was edited in a checkout is compiled anew.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent.parent
TABLES: Final = _PACKAGE / "parsing" / "tables.json"
"""The tables of both grammars; ``write_tables`` makes them."""
FILES: Final = {"lspci": "[0-9]*.lark", "log": "log.lark"}
"""Which files are the grammar of lspci's output (one text, in the order of their names) and of the kernel log."""


def is_checkout() -> bool:
    """Whether the package stands in a checkout of the project, whose grammar may be edited.

    Another project's folder ``grammar`` beside an installed package is not ours.
    """
    project = _PACKAGE.parent
    return (project / "grammar" / FILES["log"]).is_file() and (project / ".ci" / "generate").is_file()


def grammar_dir() -> Path:
    """Return the folder of ``.lark`` files: inside the package in a wheel, beside it in a checkout."""
    packaged = _PACKAGE / "grammar"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "grammar"


def grammar_text(name: str) -> str:
    """Return a grammar, ``lspci`` or ``log``, as one text."""
    return "\n".join(path.read_text("utf-8") for path in sorted(grammar_dir().glob(FILES[name])))


def digest(name: str) -> str:
    """Return the fingerprint of a grammar, which its tables carry."""
    return f"{zlib.crc32(grammar_text(name).encode()):08x}"
