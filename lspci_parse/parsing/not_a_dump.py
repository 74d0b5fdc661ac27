"""What an input is when it is no dump: the error that says so."""

from __future__ import annotations

import re
from typing import Final

from lspci_parse.errors import LspciError

HEAD: Final = 1 << 16
"""Characters at the start of an input by which it is judged."""

_MAGIC: Final = (
    (0, b"%PDF-", "a PDF document"),
    (0, b"\x7fELF", "a program (ELF)"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"!<arch>\n", "an ar archive or a Debian package"),
    (0, b"\xed\xab\xee\xdb", "an RPM package"),
    (0, b"070701", "a cpio archive"),
    (0, b"070702", "a cpio archive"),
    (0, b"070707", "a cpio archive"),
    (0, b"\xc7\x71", "a cpio archive"),
    (0, b"MSCF", "a cabinet archive"),
    (0, b"hsqs", "a squashfs image"),
    (0, b"\x1f\x9d", "data that compress packed"),
    (0, b"LZIP", "data that lzip packed"),
    (0, b"\x5d\0\0", "data that lzma packed"),
    (0, b"\x04\x22\x4d\x18", "data that lz4 packed"),
    (0, b"\x89LZO\0", "data that lzop packed"),
    (0, b"\x1f\x8b", "gzip data, not yet unpacked"),
    (0, b"BZh", "bzip2 data, not yet unpacked"),
    (0, b"\xfd7zXZ\0", "xz data, not yet unpacked"),
    (0, b"\x28\xb5\x2f\xfd", "zstd data, not yet unpacked"),
    (0, b"\x89PNG", "a picture (PNG)"),
    (0, b"\xff\xd8\xff", "a picture (JPEG)"),
    (0, b"GIF8", "a picture (GIF)"),
    (0, b"RIFF", "a picture or a sound (RIFF)"),
    (0, b"\xd0\xcf\x11\xe0", "an Office document"),
    (0, b"{\\rtf", "an RTF document"),
    (0, b"SQLite format 3\0", "an SQLite database"),
)
"""Kinds of files, by bytes at a place near their beginning, as file(1) knows them."""

_LINES: Final = {
    r"(?i)\s*<(?:!doctype html|html|head|body)\b": "this is an HTML page, not its text",
    r"[ |+\\-]*-\[[0-9a-f:]+(?:-[0-9a-f]+)?\]-": "this is the bus tree that 'lspci -t' prints",
    r'[0-9a-f:./]{7,} "[^\n"]*" "': "this is the machine-readable list that 'lspci -m' prints",
    r"(?:<\d{1,3}>)?\[ *\d+\.\d{6}\] ": "this is a kernel log, which 'lspci-parse diagnose' takes alone",
    r"(?:Slot|Device):[ \t]+[0-9a-f:./]{7,}$": "this is the machine-readable list that 'lspci -vm' prints",
}
"""Kinds of text, by one line."""

_EXPECTED: Final = (
    "expected the output of 'lspci -vvv', whose devices begin with an address such as '00:1c.5 '"
)
_CONTEXT: Final = 100


def container(start: bytes) -> str | None:
    """Return what a file is that holds other files or no text at all (``a zip archive``), by its first 512 bytes.

    ``None`` is text, or something unknown. A tar archive without a mark (V7) is told by its header's checksum.
    """
    for at, magic, what in _MAGIC:
        if start.startswith(magic, at):
            return what
    return "a tar archive" if _is_old_tar(start[:512]) else None


def _is_old_tar(header: bytes) -> bool:
    if len(header) < 512 or not header[0] or not re.fullmatch(rb"[ 0]*[0-7]+[\0 ]+", header[148:156]):
        return False
    return sum(header) - sum(header[148:156]) + 8 * 0x20 == int(header[148:156].strip(b"\0 "), 8)


def no_dump(text: str, source: str | None) -> LspciError:
    """Return the error for an input without a device.

    Args:
        text: the input, or its first ``HEAD`` characters.
        source: the name of the input.
    """
    head = text[:HEAD].removeprefix("\ufeff")
    what = container(head[:512].encode("utf-8", "surrogateescape"))
    if what is not None:
        return LspciError(f"this is {what}; {_EXPECTED}", source)
    if not head.strip():
        return LspciError(f"the input is empty; {_EXPECTED}", source)
    if "\0" in head.partition("\n")[0]:
        return LspciError(f"this is binary data; {_EXPECTED}", source)
    lines = [(number, line) for number, line in enumerate(head.split("\n"), 1) if line.strip()]
    for pattern, what in _LINES.items():
        for number, line in lines:
            if re.match(pattern, line):
                return LspciError(f"{what}; {_EXPECTED}", source, number, 1, line[:_CONTEXT])
    number, line = lines[0]
    return LspciError(f"no PCI device found; {_EXPECTED}", source, number, 1, line[:_CONTEXT])
