"""What mail programs and people do to a text takes nothing away: a host against itself with one line cut, wrapped, damaged."""

from __future__ import annotations

import pytest

from lspci_parse.findings.engine import diff
from lspci_parse.linux.acs import Isolation
from lspci_parse.linux.kernel import Boot
from lspci_parse.model.address import Address
from lspci_parse.model.dump import Dump
from lspci_parse.parsing.parser import parse
from lspci_parse.policies.check import check
from lspci_parse.topology.tree import topology
from tests.paths import CORPUS

HOSTS = (
    "hosts/amd.txt",
    "pairs/acs-lost-switch/a.txt",
    "groups/switch-caps/lspci-vvv.txt",
    "pairs/card-replaced/a.txt",
)


def verdicts(dump: Dump) -> dict[Address, bool | None]:
    tree = topology(dump)
    isolation = Isolation(tree, Boot())
    return {address: isolation[address].isolated for address in tree.devices}


def hurt(line: str) -> list[list[str]]:
    """Return what may become of a line: cut off, wrapped flush left or further right, one character lost."""
    middle = len(line) // 2
    ways = [[line[:middle]], [f"{line[:middle]}?{line[middle + 1 :]}"]]
    blank = line.find(" ", middle)
    if blank > 0:
        ways.append([line[:blank], line[blank + 1 :]])
    blank = line.rfind(" ", 0, middle)
    if blank > 4:
        ways.append([line[:blank], "\t\t" + line[blank + 1 :]])
    return ways


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTS)
def test_a_hurt_line_is_no_loss_and_turns_no_verdict(name: str) -> None:
    lines = (CORPUS / name).read_text().split("\n")
    whole = parse("\n".join(lines))
    expected = verdicts(whole)
    healthy = check(whole, "p2p")
    for number, line in enumerate(lines):
        if len(line) < 12 or not line.startswith("\t"):
            continue
        for way in hurt(line):
            dump = parse("\n".join([*lines[:number], *way, *lines[number + 1 :]]))
            told = [finding.title for finding in diff(whole, dump).findings if finding.severity != "info"]
            assert told == [], (number + 1, way)
            turned = {a: found for a, found in verdicts(dump).items() if found not in (expected[a], None)}
            assert turned == {}, (number + 1, way)
            assert check(dump, "p2p").failed in (healthy.failed, False)
