"""Types of values: each function turns the text of a value into what the tree holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lspci_parse.model.fields import Value

_SUFFIXES: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50, "E": 1 << 60}


_DECIMAL: Final = re.compile(r"-?\d+").match


def word(text: str) -> str:
    """A word of lspci's, as printed."""
    return text


def decimal(text: str) -> int:
    """A decimal number; a unit behind it is dropped (``UNITS`` tells it)."""
    match = _DECIMAL(text)
    assert match is not None  # noqa: S101 - the grammar lets nothing else through
    return int(match[0])


def irq(text: str) -> int:
    """An interrupt number: decimal, or eight hex digits (builds for SPARC)."""
    return int(text, 16) if len(text) == 8 and text[0] == "0" else int(text)


def number_or_word(text: str) -> Value:
    """A decimal number with a unit; or the word that stands in its place (``<error>``)."""
    return decimal(text) if text[:1].isdigit() else text


def last_decimal(text: str) -> int:
    """The decimal number behind a name that releases spell differently."""
    return int(text.rsplit(" ", 1)[1])


def hexadecimal(text: str) -> str:
    """An address, id or mask: hex digits as printed."""
    return text


def hex_number(text: str) -> int:
    """A count that lspci prints in hex."""
    return int(text, 16)


def words(text: str) -> tuple[str, ...]:
    """A list of words, separated by commas or blanks; ``<none>`` is the empty list."""
    return () if text == "<none>" else tuple(text.replace(",", " ").split())


def decimals(text: str) -> tuple[int, ...]:
    """The decimal numbers behind the last colon; none of them where lspci prints ``0`` for no lane."""
    return tuple(int(number) for number in text.rpartition(":")[2].split()) if ":" in text else ()


def range_unless_none(text: str) -> tuple[str, ...]:
    """``03-05`` as two numbers; nothing where lspci says ``[none]``."""
    return () if "[none]" in text else tuple(text.split("-"))


def devices(text: str) -> tuple[str, ...]:
    """Device numbers and ranges of them; nothing where lspci says ``[none]``."""
    return () if "[none]" in text else words(text.rpartition(":")[2])


def address(text: str) -> str:
    """A bus address at one width, for releases print 4, 8 or 16 digits; a word in ``<>`` stays."""
    return text if text.startswith("<") else f"{int(text, 16):08x}"


def address_range(text: str) -> tuple[str, ...]:
    """``base-limit`` as two addresses."""
    return tuple(map(address, text.split("-")))


def hex_range(text: str) -> tuple[str, ...]:
    """``c3-8e`` as two numbers, as printed."""
    return tuple(text.split("-"))


def size(text: str) -> int:
    """``[size=4K]`` in bytes."""
    digits = text[6:-1]
    if digits.startswith("0x"):
        return int(digits, 16)
    unit = digits.lstrip("0123456789")
    return int(digits[: len(digits) - len(unit)]) * _SUFFIXES[unit]


def bar_size(text: str) -> Value:
    """``16MB`` in bytes; ``<unknown>`` stays a word."""
    return text if text.startswith("<") else int(text[:-2]) * _SUFFIXES[text[-2]]


def bar_sizes(text: str) -> tuple[Value, ...]:
    """``16MB 32MB`` in bytes."""
    return tuple(bar_size(part) for part in text.split())


_LIMITS: Final = (250, 275, 300, 325, 350, 375, 400, 425, 450, 475, 500, 525, 550, 575, 600)


def watts(text: str) -> str:
    """A power as the newest release prints it: ``75W``, ``0.255W``, ``>600W``.

    Until 3.7 lspci prints decimals, and the codes F0 to FF, which stand for 250 W and more (PCI Express Base
    Specification, Slot Capabilities), as if they were 240 W to 255 W.
    """
    number = text.lstrip(">").rstrip("W")
    value = float(number)
    if "." in number and value >= 240:
        code = int(value) - 240
        return f"{_LIMITS[code]}W" if code < len(_LIMITS) else ">600W"
    return f"{'>' if text.startswith('>') else ''}{value:g}W"


def gpf_time(text: str) -> str:
    """A time with its unit; releases until 3.13 do not know the name of the unit of ten seconds."""
    return text.replace("<?>", "s")


def printed(_text: str) -> bool:
    """The words stand there: true."""
    return True


def sign(text: str) -> bool:
    """A single flag: whether it ends in a plus."""
    return text.rstrip(")").endswith("+")


# ----------------------------------------------------------------------------------------- vital product data

_VPD_TEXT: Final = re.compile(r"CC|FC|FN|NA|RM|Z[0-9A-Z]")
_HEX_BYTES: Final = re.compile(r"[0-9a-f]{2}(?: [0-9a-f]{2})*")


def _escape(text: str) -> str:
    return re.sub(
        r"[\\\x00-\x1f\x7f]", lambda match: "\\\\" if match[0] == "\\" else f"\\x{ord(match[0]):02x}", text
    )


def vpd_key(key: str) -> str:
    """The two characters of a keyword, escaped as the newest release does; until 3.6.3 they are raw."""
    return _escape(key) if len(key) < 3 else key


def vpd_value(key: str, name: str, value: str) -> str:
    """The text of a field as the newest release prints it.

    Until 3.5 lspci has no name for some keywords and prints their bytes in hex, and the manufacturer's too.
    """
    unnamed = name == "Unknown" and (_VPD_TEXT.fullmatch(key) or key == "MN")
    # Two digits alone may also be the text of a manufacturer.
    hexed = unnamed or (name == "Manufacture ID" and len(value) > 2)
    if hexed and _HEX_BYTES.fullmatch(value.strip(" ")):
        data = bytes.fromhex(value).removesuffix(b"\0")
        value = _escape(data.decode("utf-8", "surrogateescape"))
    return value.strip(" ")
