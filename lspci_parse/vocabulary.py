"""One name and one type for each thing that any lspci release prints.

``FIELDS`` names every field terminal of the grammar. Where releases spell a field differently, the newest
release's spelling is the name (``MSI 0a`` and ``IntMsgNum 10`` are both ``IntMsgNum``, 10), and values likewise
(``75.000W`` is ``75W``). ``FLAGS`` does the same for flags, register by register, and ``LABELS`` for registers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from lspci_parse.model import Value

Convert = Callable[[str], Value]

_UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50, "E": 1 << 60}


# --------------------------------------------------------------------------------------------------- types


def word(text: str) -> str:
    """A word of lspci's, as printed."""
    return text


def decimal(text: str) -> int:
    """A decimal number; a unit behind it is dropped (``UNITS`` tells it)."""
    match = re.match(r"-?\d+", text)
    assert match is not None  # noqa: S101 - the grammar lets nothing else through
    return int(match[0])


def hexadecimal(text: str) -> str:
    """An address, id or mask: hex digits as printed."""
    return text


def hex_number(text: str) -> int:
    """A count that lspci prints in hex."""
    return int(text, 16)


def address(text: str) -> str:
    """A bus address at one width, for releases print 4, 8 or 16 digits; a word in ``<>`` stays."""
    return text if text.startswith("<") else f"{int(text, 16):08x}"


def address_range(text: str) -> tuple[str, ...]:
    """``base-limit`` as two addresses."""
    return tuple(address(part) for part in text.split("-"))


def size(text: str) -> int:
    """``[size=4K]`` in bytes."""
    digits = text[6:-1]
    if digits.startswith("0x"):
        return int(digits, 16)
    unit = digits.lstrip("0123456789")
    return int(digits[: len(digits) - len(unit)]) * _UNITS[unit]


def watts(text: str) -> str:
    """A power as the newest release prints it: ``75W``, ``0.255W``, ``>600W``."""
    number = text.lstrip(">").rstrip("W")
    return f"{'>' if text.startswith('>') else ''}{float(number):g}W"


def printed(_text: str) -> bool:
    """The words stand there: true."""
    return True


def sign(text: str) -> bool:
    """A single flag: whether it ends in a plus."""
    return text.rstrip(")").endswith("+")


def negated(text: str) -> bool:
    """``non-prefetchable`` and the like: whether the word in front is missing."""
    return not text.startswith("non-")


# -------------------------------------------------------------------------------------------------- fields


class Field(NamedTuple):
    """What a field terminal is: the text in front of its value, the value's type, and its name.

    The name is the printed text without its punctuation, unless ``name`` says otherwise.
    """

    printed: str
    convert: Convert
    name: str | None = None


FIELDS: Final[dict[str, Field]] = {
    # header
    "LATENCY": Field("Latency:", decimal),
    "MIN_NS": Field("", decimal, "Latency min"),
    "MAX_NS": Field("", decimal, "Latency max"),
    "CACHE_LINE": Field("Cache Line Size:", decimal),
    "DEVSEL": Field("DEVSEL=", word),
    "PIN": Field("pin ", word),
    "IRQ": Field("routed to IRQ ", decimal, "IRQ"),
    "BIST_RUNNING": Field("BIST is running", printed),
    "BIST_RESULT": Field("BIST result:", hexadecimal),
    "PRIMARY": Field("primary=", hex_number),
    "SECONDARY": Field("secondary=", hex_number),
    "SUBORDINATE": Field("subordinate=", hex_number),
    "SEC_LATENCY": Field("sec-latency=", decimal),
    "RANGE": Field("", address_range, "range"),
    "SIZE": Field("", size, "size"),
    "WINDOW_BITS": Field("[", word, "width"),
    "WINDOW_NONE": Field("None", printed, "disabled"),
    "WINDOW_TAG": Field("", printed, "disabled"),
    "SECONDARY_SERR": Field("SERR", printed),
    "PREFETCHABLE": Field("", printed, "prefetchable"),
    "LEGACY_PORTS": Field("16-bit legacy interface ports at ", hexadecimal, "16-bit legacy interface ports"),
    "DENIED_REST": Field("", printed, "access denied to the rest"),
    "PROBLEM": Field("!!! ", word, "!!!"),
    "TEXT": Field("", word, "text"),
    # PM
    "PM_VERSION": Field("version", decimal, "Version"),
    "AUX_CURRENT": Field("AuxCurrent=", decimal),
    "PM_STATE": Field("", word, "State"),
    "DSEL": Field("DSel=", decimal),
    "DSCALE": Field("DScale=", decimal),
    # MSI, MSI-X
    "MSI_ADDRESS": Field("Address:", hexadecimal),
    "MSI_DATA": Field("Data:", hexadecimal),
    "MSI_MASKING": Field("Masking:", hexadecimal),
    "MSI_PENDING": Field("Pending:", hexadecimal),
    "MSIX_COUNT": Field("Count=", decimal),
    "MSIX_TABSIZE": Field("TabSize=", decimal, "Count"),
    "BAR": Field("BAR=", decimal),
    "BAR_OFFSET": Field("offset=", hexadecimal),
    # Express
    "EXP_VERSION": Field("(v", lambda text: int(text[:-1]), "Version"),
    "EXP_TYPE": Field("", lambda text: _EXPRESS_TYPES.get(text, text), "Type"),
    "EXP_SLOT": Field("(Slot", sign, "Slot"),
    "INT_MSG_NUM": Field("IntMsgNum", decimal),
    "INT_MSG": Field("IntMsg", decimal, "IntMsgNum"),
    "INT_MSG_HEX": Field("Interrupt Message Number:", hex_number, "IntMsgNum"),
    "MSI_NUM": Field("MSI", hex_number, "IntMsgNum"),
    "FLIT_MODE": Field("FLIT Mode Supported", printed),
    "MAX_PAYLOAD": Field("MaxPayload", decimal),
    "PHANT_FUNC": Field("PhantFunc", decimal),
    "LATENCY_L0S": Field("Latency L0s", word),
    "L1": Field("L1", word, "Latency L1"),
    "SLOT_POWER": Field("SlotPowerLimit", watts),
    "MAX_READ_REQ": Field("MaxReadReq", decimal),
    "PORT": Field("Port #", decimal),
    "SPEED": Field("Speed", word),
    "WIDTH": Field("Width x", decimal, "Width"),
    "ASPM": Field("ASPM", word),
    "ASPM_CONTROL": Field("ASPM", word),
    "RCB": Field("RCB", decimal),
    "EXIT_LATENCY_L0S": Field("", lambda text: text.rsplit(" ", 1)[1], "Exit Latency L0s"),
    "EXIT_LATENCY_L1": Field("Exit Latency L1", word),
    "SPEED_CHECK": Field("(", lambda text: text[:-1], "Speed check"),
    "WIDTH_CHECK": Field("(", lambda text: text[:-1], "Width check"),
    "SLOT_NUMBER": Field("Slot #", decimal),
    "POWER_LIMIT": Field("PowerLimit", watts),
    "ATTN_IND": Field("AttnInd", word),
    "PWR_IND": Field("PwrInd", word),
    "PME_REQID": Field("PME ReqID", hexadecimal),
    "TIMEOUT_RANGE": Field("Completion Timeout:", word),
    "TIMEOUT": Field("Completion Timeout:", word),
    "OBFF_CAP": Field("OBFF", word),
    "OBFF_CTL": Field("OBFF", word),
    "MAX_PREFIXES": Field("MaxEETLPPrefixes", decimal),
    "POWER_REDUCTION": Field("EmergencyPowerReduction", word),
    "LN_SYSTEM_CLS": Field("LN System CLS", word),
    "SUPPORTED_SPEEDS": Field("Supported Link Speeds:", word),
    "TARGET_SPEED": Field("Target Link Speed:", word),
    "DE_EMPHASIS": Field("Selectable De-emphasis:", word),
    "MARGIN": Field("Transmit Margin:", word),
    "PRESET": Field("Compliance Preset/De-emphasis:", word),
    "COMPLIANCE": Field("Compliance De-emphasis:", word),
    "DE_EMPHASIS_LEVEL": Field("Current De-emphasis Level:", word),
    "CROSSLINK": Field("CrosslinkRes:", word),
    "DOWNSTREAM_COMP": Field("DownstreamComp:", word),
    # AER, ARI, ATS, DSN, SR-IOV
    "FIRST_ERROR": Field("First Error Pointer:", hexadecimal),
    "HEADER_LOG": Field("", lambda text: tuple(text.split()), "log"),
    "ERR_COR": Field("ERR_COR:", hexadecimal),
    "ERR_FATAL": Field("ERR_FATAL/NONFATAL:", hexadecimal),
    "NEXT_FUNCTION": Field("Next Function:", decimal),
    "FUNCTION_GROUP": Field("Function Group:", decimal),
    "QUEUE_DEPTH": Field("Invalidate Queue Depth:", hex_number),
    "SMALLEST_UNIT": Field("Smallest Translation Unit:", hex_number),
    "SERIAL": Field("", word, "Serial"),
    "INITIAL_VFS": Field("Initial VFs:", decimal),
    "TOTAL_VFS": Field("Total VFs:", decimal),
    "NUMBER_OF_VFS": Field("Number of VFs:", decimal),
    "DEPENDENCY_LINK": Field("Function Dependency Link:", hexadecimal),
    "VF_OFFSET": Field("VF offset:", decimal),
    "VF_STRIDE": Field("stride:", decimal, "VF stride"),
    "VF_DEVICE_ID": Field("Device ID:", hexadecimal, "VF Device ID"),
    "SUPPORTED_PAGES": Field("Supported Page Size:", hexadecimal),
    "SYSTEM_PAGES": Field("System Page Size:", hexadecimal),
    "MIGRATION_OFFSET": Field("offset:", hexadecimal),
    "MIGRATION_BIR": Field("BIR:", hex_number),
}
"""Every terminal of the grammar that is one field."""

_EXPRESS_TYPES: Final = {"PCI/PCI-X Bridge": "PCI-Express to PCI/PCI-X Bridge"}

KINDS: Final[dict[str, str]] = {}
"""Kinds of the capabilities that some release prints by number, by that number."""

FLAGS: Final[dict[str, dict[str, str]]] = {
    "msi": {"Mask": "Maskable"},
    "msix": {"Mask": "Masked"},
    "devctl": {
        "Correctable": "CorrErr",
        "Non-Fatal": "NonFatalErr",
        "Fatal": "FatalErr",
        "Unsupported": "UnsupReq",
    },
    "devsta": {"UncorrErr": "NonFatalErr", "UnsuppReq": "UnsupReq"},
    "lnkcap": {"Suprise": "Surprise"},
    "lnkctl": {"Disabled": "LnkDisable"},
    "sltcap": {"Surpise": "Surprise"},
    "cesta": {"NonFatalErr": "AdvNonFatalErr"},
    "cemsk": {"NonFatalErr": "AdvNonFatalErr"},
    "aercap": {"GenCap": "ECRCGenCap", "CGenEn": "ECRCGenEn", "ChkCap": "ECRCChkCap", "ChkEn": "ECRCChkEn"},
}
"""Old names of flags, by the rule they stand in."""

UNITS: Final[dict[str, str]] = {
    "AuxCurrent": "mA",
    "Cache Line Size": "bytes",
    "Latency max": "ns",
    "Latency min": "ns",
    "MaxPayload": "bytes",
    "MaxReadReq": "bytes",
    "RCB": "bytes",
    "size": "bytes",
}
"""Units of the fields whose values are plain numbers."""
