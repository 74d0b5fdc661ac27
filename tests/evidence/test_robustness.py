"""Whatever the text, reading evidence ends, and only with the package's own error."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from lspci_parse.errors import LspciError
from lspci_parse.evidence.cmdline import parse_cmdline
from lspci_parse.evidence.dmi import parse_dmi
from lspci_parse.evidence.group_listing import parse_groups
from lspci_parse.evidence.log import parse_log
from tests.evidence.test_log import SAMPLES

WORDS = st.sampled_from([word for sample in SAMPLES for word in sample.split(" ")])
NOISE = st.text(max_size=12)
LINES = st.lists(
    st.one_of(st.sampled_from(SAMPLES), st.lists(WORDS | NOISE, max_size=12).map(" ".join)), max_size=12
)

QUICK = settings(max_examples=50, deadline=None)


@QUICK
@given(LINES)
def test_logs(lines: list[str]) -> None:
    text = "\n".join(lines)
    log = parse_log(text)
    assert all(1 <= fact.line <= text.count("\n") + 1 for fact in log.facts)
    assert set(log.groups) <= set(log.made)
    assert log.addresses >= set(log.probe_failures)
    assert (log.rollback is None) or log.rollback.removed


@QUICK
@given(LINES)
def test_a_time_stamp_changes_nothing(lines: list[str]) -> None:
    known = [line for line in lines if line in SAMPLES]
    stamped = parse_log("".join(f"[   12.345678] {line}\n" for line in known))
    assert stamped.facts == parse_log("\n".join(known)).facts


@QUICK
@given(st.text())
def test_command_lines(text: str) -> None:
    cmdline = parse_cmdline(text)
    assert all(parameter.name in cmdline.names for parameter in cmdline.parameters)


@QUICK
@given(
    st.lists(
        st.sampled_from(["IOMMU Group 17", "00:1c.0", "->", "0000:02:00.0", "17", ":", "/", "\n"]) | NOISE
    ).map(" ".join)
)
def test_listings(text: str) -> None:
    with suppress(LspciError):
        assert all(number >= 0 for number in parse_groups(text).values())


@QUICK
@given(st.text())
def test_dmi(text: str) -> None:
    parse_dmi(text)
