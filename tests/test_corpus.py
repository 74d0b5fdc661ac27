"""Every dump of the corpus: laws that hold for each, and a snapshot of its tree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension

from lspci_parse import Dump, from_json, parse, parse_all, to_json
from lspci_parse.model.fields import Register
from tests.paths import CORPUS

NO_DUMPS = {"iommu_groups.txt", "dmesg.txt"}
"""What else lies in a host's folder."""


def dumps() -> list[Path]:
    paths = [path for path in CORPUS.rglob("*.txt") if path.name not in NO_DUMPS]
    return sorted([*paths, CORPUS / "hosts" / "sosreport" / "sos_commands" / "pci" / "lspci_-nnvv"])


def name(path: Path) -> str:
    # syrupy drops slashes from file names, so two folders could share a snapshot.
    return "--".join(path.relative_to(CORPUS).with_suffix("").parts)


@pytest.fixture(params=dumps(), ids=name)
def path(request: pytest.FixtureRequest) -> Path:
    chosen: Path = request.param
    return chosen


class TreeSnapshot(SingleFileSnapshotExtension):
    """One readable file for each dump."""

    file_extension = "tree"

    def serialize(self, data: Any, **_: Any) -> bytes:
        return "".join(f"{line}\n" for line in tree(data)).encode("utf-8", "surrogateescape")


def tree(dump: Dump) -> Iterator[str]:
    """Write what a dump says, a register a line; device lines begin with a letter, so diffs name the device."""
    low, high = dump.lspci
    yield f"devices {len(dump)}  unrecognised {len(dump.unrecognised)}  lspci {low or ''}..{high or ''}"
    for device in dump:
        yield f"device {device.slot} {device.class_.name} [{device.class_.id}]: {device.name}"
        for attribute in ("ids", "revision", "prog_if", "subsystem", "label", "physical_slot", "driver", "modules",
                          "iommu_group", "numa_node", "access_denied", "chain", "dead", "cut"):  # fmt: skip
            value = getattr(device, attribute)
            if value not in (None, (), False, "00", (None, None, None, None)):
                yield f"  {attribute} = {':'.join(map(str, value)) if isinstance(value, tuple) else value}"
        yield from entries(device.registers, "  ")
        if device.config:
            yield f"  config {len(device.config)} bytes"
        for capability_path, capability in device.capability_paths():
            yield f"  {capability_path} {capability.where} {capability.name}"
            yield from entries(capability, "    ")
        for line, text in device.unrecognised:
            yield f"  unrecognised line {line}: {text}"


def entries(mapping: Any, indent: str) -> Iterator[str]:
    for key, value in mapping.items():
        yield f"{indent}{key}: {value}" if isinstance(value, Register) else f"{indent}{key} = {value}"


def test_there_are_dumps() -> None:
    assert len(dumps()) > 50


def test_tree(path: Path, snapshot: SnapshotAssertion) -> None:
    assert parse(path.read_bytes()) == snapshot.use_extension(TreeSnapshot)


def test_text_comes_back_byte_for_byte(path: Path) -> None:
    data = path.read_bytes()
    assert str(parse(data)).encode("utf-8", "surrogateescape") == data


def test_every_line_belongs_to_a_device_or_to_none(path: Path) -> None:
    """No line is dropped and none is read twice: devices and outside lines make up the input."""
    data = path.read_bytes()
    if b"\r" in data or path.stem in ("mail-quoted", "spaces", "mixed-stderr"):
        pytest.skip("the text was laid out anew")
    text = data.decode("utf-8", "surrogateescape")
    parts = [line for dump in parse_all(data) for device in dump for line in device.text.split("\n")]
    parts += [line for _, line in parse(data).outside]
    assert sorted(filter(str.strip, parts)) == sorted(filter(str.strip, text.split("\n")))


def test_json_and_back_gives_an_equal_tree(path: Path) -> None:
    dump = parse(path.read_bytes())
    assert from_json(to_json(dump)) == dump


def test_everything_is_recognised(path: Path) -> None:
    assert parse(path.read_bytes()).unrecognised == ()
