"""Graphs for Graphviz and Mermaid."""

from __future__ import annotations

import pytest

from lspci_parse.cli import main
from lspci_parse.evidence.host import Host
from lspci_parse.render.graph import dot, mermaid
from tests.machines import endpoint, machine, root_port
from tests.paths import CORPUS

HOST = Host("host", machine(root_port("00:01.0", 1), endpoint("01:00.0", name='A "card" <b>')))


def test_dot() -> None:
    assert dot(HOST).split("\n") == [
        "digraph lspci {",
        "  rankdir=LR;",
        '  node [shape=box, fontname="sans-serif"];',
        '  b0000_00 [label="root bus 0000:00"];',
        '  d0000_00_01_0 [label="00:01.0 Root Port\\nExample Corporation Port\\nACS on (SrcValid ReqRedir CmpltRedir UpstreamFwd)"];',
        '  d0000_01_00_0 [label="01:00.0 Ethernet controller\\nA \\"card\\" <b>"];',
        "  b0000_00 -> d0000_00_01_0;",
        "  d0000_00_01_0 -> d0000_01_00_0;",
        "}",
    ]


def test_mermaid() -> None:
    assert mermaid(HOST).split("\n") == [
        "flowchart LR",
        '  b0000_00["root bus 0000:00"]',
        '  d0000_00_01_0["00:01.0 Root Port<br>Example Corporation Port<br>ACS on (SrcValid ReqRedir CmpltRedir UpstreamFwd)"]',
        '  d0000_01_00_0["01:00.0 Ethernet controller<br>A &quot;card&quot; &lt;b>"]',
        "  b0000_00 --> d0000_00_01_0",
        "  d0000_00_01_0 --> d0000_01_00_0",
    ]


@pytest.mark.parametrize("form", ["dot", "mermaid"])
def test_the_command(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(CORPUS / "hosts" / "server.txt"), "--format", form]) == 0
    assert "05:00.0" in capsys.readouterr().out
