from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given

from lspci_parse.render.escape import name, place, printable, summary
from tests.render.reports import ANYTHING, CARD, comparison, finding, incident


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Ethernet controller: Ärger 電 \U0001f600", "Ethernet controller: Ärger 電 \U0001f600"),
        ("\x1b[31m\x00\x7f\x85", r"\x1b[31m\x00\x7f\x85"),
        ("one\r\n\ttwo", r"one\r\n\ttwo"),
        ("byte \udcff", r"byte \xff"),
        ("half \ud83d", r"half \ud83d"),
        ("\u202etxt.exe\u2028\u200b\ufeff", r"\u202etxt.exe\u2028\u200b\ufeff"),
        ("\ufffe\U0001f600", "\\ufffe\U0001f600"),
        ("a\u061cb\u034fc\u180ed\u3164e\u2800f\ufff9g", r"a\u061cb\u034fc\u180ed\u3164e\u2800f\ufff9g"),
        ("\x0b\x0c\x1c\u2066\U000e0041\U000e0100\ufe0f", r"\x0b\x0c\x1c\u2066\U000e0041\U000e0100\ufe0f"),
        ("\x1b]52;c;eA==\x07\x9d8;;x\x9c", r"\x1b]52;c;eA==\x07\x9d8;;x\x9c"),
    ],
)
def test_what_cannot_be_shown_is_spelt_out(text: str, written: str) -> None:
    assert printable(text) == written


@given(ANYTHING)
def test_any_text_becomes_one_encodable_line(text: str) -> None:
    written = printable(text)
    assert written.encode("utf-8").decode("utf-8") == written
    assert not {unicodedata.category(char) for char in written} & {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
    assert len(written.splitlines()) <= 1
    assert printable(written) == written


def test_a_finding_is_named_after_host_b() -> None:
    assert name(finding(b=CARD)) == "acs-lost 02:00.0"
    assert place(finding(b=None, a=CARD)) == "02:00.0"
    assert name(finding("bios-changed", a=None, b=None)) == "bios-changed"


def test_summary_counts_findings_and_what_was_hidden() -> None:
    assert summary(incident()) == "2 critical, 1 warning."
    assert summary(comparison(hidden={"--only": 3})) == "No findings; 3 hidden by --only."
