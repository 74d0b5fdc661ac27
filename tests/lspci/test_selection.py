"""``-s`` and ``-d`` as lspci takes them."""

from __future__ import annotations

import pytest

from lspci_parse.errors import LspciError
from lspci_parse.lspci.selection import chosen
from lspci_parse.parsing.parser import parse

DUMP = parse(
    "0000:00:1c.0 PCI bridge [0604]: Port [8086:a190] (prog-if 00 [Normal decode])\n"
    "0000:31:00.0 Ethernet controller [0200]: NIC [15b3:1017]\n"
    "0000:31:00.1 Ethernet controller [0200]: NIC [15b3:1017]\n"
    "0001:31:00.0 VGA compatible controller [0300]: GPU [10de:2204] (prog-if 00 [VGA controller])\n"
)


def slots(slot: str | None = None, ids: str | None = None) -> list[str]:
    return sorted(str(address) for address in chosen(DUMP, slot, ids))


NICS = ["0000:31:00.0", "0000:31:00.1"]


@pytest.mark.parametrize(
    ("slot", "expected"),
    [
        ("31:", [*NICS, "0001:31:00.0"]),
        ("31:00.1", ["0000:31:00.1"]),
        ("0000:31:", NICS),
        ("0001::", ["0001:31:00.0"]),
        (".1", ["0000:31:00.1"]),
        ("1c", ["0000:00:1c.0"]),
        ("00:1c.*", ["0000:00:1c.0"]),
        ("*:31:*.0", ["0000:31:00.0", "0001:31:00.0"]),
    ],
)
def test_slots(slot: str, expected: list[str]) -> None:
    assert slots(slot) == expected


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ("15b3:", NICS),
        ("15b3:1017", NICS),
        (":2204", ["0001:31:00.0"]),
        ("::0300", ["0001:31:00.0"]),
        ("::06", ["0000:00:1c.0"]),
        ("::0604:00", ["0000:00:1c.0"]),
        ("*:*:02xx", NICS),
    ],
)
def test_ids(ids: str, expected: list[str]) -> None:
    assert slots(ids=ids) == expected


def test_both_must_fit() -> None:
    assert slots("31:", "10de:") == ["0001:31:00.0"]


@pytest.mark.parametrize(
    ("slot", "ids", "message"),
    [
        ("nic", None, "-s 'nic'; expected such as 31:00.0, 31:, 00:1c or .0"),
        ("", None, "-s ''; expected such as"),
        (None, "mellanox", "-d 'mellanox'; expected such as 15b3:1017, 15b3: or ::0300"),
        ("55:", None, "no device fits -s 55:; the dump has 0000:00:1c.0, 0000:31:00.0"),
        ("31:", "8086:", "no device fits -s 31: -d 8086:"),
    ],
)
def test_what_means_nothing(slot: str | None, ids: str | None, message: str) -> None:
    with pytest.raises(LspciError) as caught:
        chosen(DUMP, slot, ids)
    assert message in caught.value.message
