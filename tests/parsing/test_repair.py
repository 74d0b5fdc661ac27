"""Wrapped text is joined as it was, whatever the widths: dumps are wrapped, and read as those that were not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lspci_parse.parsing.parser import parse
from tests.paths import CORPUS, SHARED

if TYPE_CHECKING:
    from collections.abc import Callable

    from lspci_parse.model.device import Device

LONG = "\tDevice tree node: /sys/firmware/devicetree/base/soc@0/pcie@33800000/pcie@0,0/pcie@0,0/pcie@3,0/x@0"


def _width(text: str) -> int:
    return len(text.expandtabs(8))


def _words(line: str, width: int) -> list[str]:
    """Wrap a line as mail programs do: a blank becomes a line end; what holds none stays long."""
    parts = []
    while _width(line) > width:
        blanks = list(re.finditer(r"(?<=\S) +(?=\S)", line))
        if not blanks:
            break
        at = max(
            (b for b in blanks if _width(line[: b.start()]) <= width), key=re.Match.start, default=blanks[0]
        )
        parts.append(line[: at.start()])
        line = line[at.end() :]
    return [*parts, line]


def _columns(line: str, width: int) -> list[str]:
    """Wrap a line as terminals do."""
    parts = [""]
    for char in line:
        if _width(parts[-1] + char) > width:
            parts.append("")
        parts[-1] += char
    return parts


def _wrapped(device: str, wrap: Callable[[str, int], list[str]], width: int) -> str:
    first, *rest = device.split("\n")
    lines = [*wrap(first, width), LONG, *(part for line in rest for part in wrap(line, width))]
    return "\n".join(lines) + "\n"


def _facts(device: Device) -> dict[str, object]:
    found: dict[str, object] = {f"{path}/{name}": str(value) for path, cap in device.capability_paths()
                                for name, value in cap.items()}  # fmt: skip
    found |= {name: str(value) for name, value in device.registers.items()}
    found |= {name: getattr(device, name) for name in ("ids", "revision", "driver", "iommu_group")}
    # Of a name that was cut once nobody knows whether a blank stood there.
    return found | {"name": device.name.replace(" ", "")}


def _devices() -> list[str]:
    files = [CORPUS / "hosts" / "server.txt", SHARED / "fuzz" / "normal" / "lspci-HEAD.txt"]
    texts = [file.read_text("utf-8", "surrogateescape") for file in files if file.is_file()]
    assert texts
    return [device for text in texts for device in text.strip("\n").split("\n\n")[::4]]


@pytest.mark.parametrize("width", [60, 67, 72, 76, 80])
@pytest.mark.parametrize("wrap", [_words, _columns])
def test_wrapped_devices_with_one_long_line_are_read(
    wrap: Callable[[str, int], list[str]], width: int
) -> None:
    broken = unread = 0
    for device in _devices():
        whole = parse(device.replace("\n", f"\n{LONG}\n", 1) + "\n")
        text = _wrapped(device, wrap, width)
        dump = parse(text)
        assert str(dump) == text
        broken += text.count("\n") - whole.text.count("\n")
        unread += len(dump.unrecognised) + len(dump.outside) - len(whole.unrecognised)
        facts = _facts(whole.devices[0])
        if not dump.unrecognised and not dump.outside:
            assert _facts(dump.devices[0]) == facts
    assert broken > 100
    assert unread <= broken // 50


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ParErr- Step", "ping-"),
        ("ParErr- Stepping", "-"),
        ("ParErr-", "Stepping-"),
        ("ParErr-", " Stepping-"),
    ],
)
def test_a_blank_is_put_where_one_was(first: str, second: str) -> None:
    control = "\tControl: I/O+ Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- {} SERR- FastB2B- DisINTx-\n"
    lines = f"00:1f.0 ISA bridge: Intel Corporation Chip\n{control}{LONG}\n"
    dump = parse(lines.format(f"{first}\n{second}"))
    assert dump.devices == parse(lines.format("ParErr- Stepping-")).devices
    assert not dump.unrecognised


def test_a_name_with_a_hyphen_is_put_together() -> None:
    lines = "01:00.0 Ethernet controller: a\n\tCapabilities: [40] Power Management version 3\n\t\tStatus: D0 NoSoftRst+ {}\n"
    whole = lines.format("PME-Enable- DSel=0 DScale=0 PME-")
    assert parse(lines.format("PME-\nEnable- DSel=0 DScale=0 PME-")).devices == parse(whole).devices


@pytest.mark.parametrize(
    "foreign", ["SrcValid- TransBlk+", "[   12.5] vfio-pci reset+", "Done.", "user@host$ ls"]
)
def test_foreign_lines_are_not_joined(foreign: str) -> None:
    text = (
        "00:1c.0 PCI bridge: Intel Corporation Root Port\n"
        "\tCapabilities: [140 v1] Access Control Services\n"
        "\t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-\n"
        "{}\tKernel driver in use: pcieport\n"
    )
    dump = parse(text.format(foreign + "\n"))
    assert dump.devices == parse(text.format("")).devices
    assert [line.text for line in (*dump.unrecognised, *dump.outside)] == [foreign]
