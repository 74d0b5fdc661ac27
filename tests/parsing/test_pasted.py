"""Text that mail programs, web pages, consoles and logs have changed says what the dump said."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Final

import pytest

from lspci_parse.parsing.parser import parse
from tests.paths import CORPUS

if TYPE_CHECKING:
    from collections.abc import Callable

DUMP: Final = (CORPUS / "hosts" / "server.txt").read_text("utf-8")


def _each(change: Callable[[int, str], str]) -> str:
    return "\n".join(change(at, line) for at, line in enumerate(DUMP.removesuffix("\n").split("\n"))) + "\n"


PASTED: Final = {
    "no-break spaces for tabs": DUMP.replace("\t", 7 * "\u00a0" + " "),
    "no-break spaces for blanks": DUMP.replace(" ", "\u00a0"),
    "blanks of no width": DUMP.replace("\t", "\u200b\t"),
    "HTML": html.escape(DUMP).replace("\t", 8 * "&nbsp;"),
    "JSON": '{"cmd": "lspci -vvv", "stdout": ' + json.dumps(DUMP) + ', "rc": 0}\n',
    "code fence": f"# Report\n\n```\n{DUMP}```\n\nThanks\n",
    "colours": _each(lambda _, line: f"\x1b[1;32m{line}\x1b[0m" if line else line),
    "kernel log": _each(lambda at, line: f"[{at / 7:12.6f}] {line}"),
    "syslog": _each(lambda at, line: f"Nov  6 16:23:{at % 60:02} web-01 kernel: {line}"),
    "journal": _each(lambda at, line: f"2024-01-02T16:23:{at % 60:02}+0100 web-01 report[12]: {line}"),
    "timestamps": _each(lambda at, line: f"2024-01-02 16:23:{at % 60:02}.123 {line}"),
    "quoted twice, by two programs": _each(lambda at, line: f"> > {line}" if at % 3 else f">> {line}"),
}


@pytest.mark.parametrize("how", PASTED)
def test_pasted_text_says_what_the_dump_said(how: str) -> None:
    dump = parse(PASTED[how], strict=True)
    assert dump.devices == parse(DUMP).devices
    assert str(dump) == PASTED[how]
    assert len(dump.outside) <= 4


def test_quotation_marks_of_a_wrapped_line_may_be_fewer() -> None:
    whole = "> > 00:1c.0 PCI bridge: Intel Corporation Port\n> > \tStatus: Cap+ 66MHz- UDF- FastB2B- ParErr- "
    rest = (
        "DEVSEL=fast >TAbort- <TAbort- <MAbort- >SERR- <PERR- INTx-\n> > \tKernel driver in use: pcieport\n"
    )
    broken = rest.replace(" >SERR", "\n> >SERR")
    assert parse(whole + broken, strict=True).devices == parse(whole + rest).devices


def test_what_only_looks_like_a_prefix_stays() -> None:
    text = "00:1f.3 Audio device: AT&T &ltd; [kernel: 5] Chip\n\tSubsystem: a\\n\\tb\n"
    device = parse(text)["00:1f.3"]
    assert (device.name, device.subsystem) == ("AT&T &ltd; [kernel: 5] Chip", "a\\n\\tb")


@pytest.mark.parametrize(
    "hidden", ["xx-xx-xx-xx-xx-xx-xx-xx", "00-11-22-xx-xx-xx-xx-xx", "<redacted>", "XXXX"]
)
def test_a_serial_number_that_was_blacked_out_has_no_value(hidden: str) -> None:
    title = "01:00.0 Ethernet controller: a\n\tCapabilities: [140 v1] Device Serial Number "
    serial = parse(f"{title}{hidden}\n", strict=True)["01:00.0"].capability("dsn")
    assert serial is not None
    assert dict(serial) == {}
    assert parse(f"{title}00-11-22-ff\n").unrecognised


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("[40] Express Root Port (Slot+) IRQ 0", "exp"),
        ("[a0] Express Legacy Endpoint IRQ 0", "exp"),
        ("[100] Advanced Error Reporting <?>", "aer"),
    ],
)
def test_titles_of_old_releases_are_read(title: str, kind: str) -> None:
    dump = parse(f"01:00.0 Ethernet controller: a\n\tCapabilities: {title}\n", strict=True)
    assert [cap.kind for cap in dump["01:00.0"].capabilities] == [kind]
