"""What the bytes tell about an ACS capability that is gone."""

from __future__ import annotations

import struct

import pytest

from lspci_parse.findings.capability_list import acs_hole
from lspci_parse.findings.engine import diff
from lspci_parse.model.device import Device
from lspci_parse.model.dump import Dump
from tests.machines import machine, root_port, with_hex

IDS = b"\x86\x80\x95\xa1"
AER, ACS, LTR = 0x0001, 0x000D, 0x0018


def space(*headers: tuple[int, int, int], ids: bytes = IDS) -> bytes:
    """Extended configuration space with headers at offsets: offset, id, next."""
    config = bytearray(4096)
    config[:4] = ids
    for offset, capability, following in headers:
        struct.pack_into("<I", config, offset, capability | 1 << 16 | following << 20)
    return bytes(config)


WHOLE = space((0x100, AER, 0x140), (0x140, ACS, 0x200), (0x200, LTR, 0))


def port(config: bytes, *, acs: str | None) -> Dump:
    return machine(root_port("00:1b.0", 2), with_hex(root_port("00:1c.5", 1, acs=acs), config))


def device(dump: Dump) -> Device:
    return dump["00:1c.5"]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            space((0x100, AER, 0x200), (0x140, ACS, 0x200), (0x200, LTR, 0)),
            "still sits at [140], and the list leads past",
        ),
        (
            space((0x100, AER, 0x200), (0x200, LTR, 0)),
            "the list leads past [140], where it was, to 200: firmware hides",
        ),
        (space((0x100, AER, 0)), "the list ends at [100], before [140], where it was"),
        (space(), "the function has no extended capabilities at all"),
        (
            space((0x100, AER, 0x200), (0x200, LTR, 0), ids=b"\x86\x80\x96\xa1"),
            "another function answers here",
        ),
        # A list that leads in a circle ends.
        (space((0x100, AER, 0x100)), "the list ends at [100]"),
    ],
)
def test_where_acs_was(config: bytes, words: str) -> None:
    found = acs_hole(device(port(WHOLE, acs="on")), device(port(config, acs=None)))
    assert found is not None
    assert words in found


@pytest.mark.parametrize(("before", "after"), [(WHOLE, b""), (b"", space()), (WHOLE[:256], space()[:256])])
def test_without_the_bytes_of_both_nothing_is_said(before: bytes, after: bytes) -> None:
    one = port(before, acs="on") if before else machine(root_port("00:1c.5", 1))
    other = port(after, acs=None) if after else machine(root_port("00:1c.5", 1, acs=None))
    assert acs_hole(device(one), device(other)) is None


def test_the_finding_says_it() -> None:
    good, bad = port(WHOLE, acs="on"), port(space((0x100, AER, 0x200), (0x200, LTR, 0)), acs=None)
    (finding,) = (finding for finding in diff(good, bad).findings if finding.rule == "acs-lost")
    assert "By the bytes the list leads past [140]" in finding.detail
