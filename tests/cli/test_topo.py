"""``topo``: what people read, whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lspci_parse.cli import main
from tests.paths import CORPUS

if TYPE_CHECKING:
    import pytest
    from syrupy.assertion import SnapshotAssertion

SERVER = str(CORPUS / "hosts" / "server.txt")


def test_text(capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion) -> None:
    assert main(["topo", SERVER]) == 0
    assert capsys.readouterr().out == snapshot


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["topo", SERVER, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "lspci-parse.topo/1"
    assert {pair["level"] for pair in document["pairs"]} <= {"PIX", "PXB", "PHB"}
