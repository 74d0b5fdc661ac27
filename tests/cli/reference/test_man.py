from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from lspci_parse import cli
from lspci_parse.cli.reference.man import man
from tests.cli.reference.programs import parser

PAGE = man(parser(), version="1.2", date="2024-02-03")


def section(name: str) -> list[str]:
    """Return the lines of a section."""
    (_, _, rest) = PAGE.partition(f"\n.SH {name}\n")
    return rest.split("\n.SH ")[0].splitlines()


def test_title_line_and_name() -> None:
    assert PAGE.splitlines()[0] == r'.TH MY\-TOOL 1 "2024-02-03" "my\-tool 1.2" "User Commands"'
    assert section("NAME") == [r"my\-tool \- read what\(aqs there \-\- and say so"]


def test_synopsis_has_a_call_of_each_command() -> None:
    calls = "\n".join(section("SYNOPSIS")).split("\n.P\n")
    assert calls[0].splitlines() == [
        r"\fBmy\-tool\fR",
        r"\fBshow\fR",
        r"\fIHOST\fR",
        r"[\fB\-\-json\fR |",
        r"\fB\-\-flat\fR]",
        r"[\fB\-s\fR\ \fISLOT\fR]",
        r"[\fB\-\-only\fR\ \fIRULE\fR]\ ...\&",
    ]
    assert len(calls) == 4
    assert r"\fIHOST\fR\ ...\&" in calls[3]


def test_each_command_has_its_arguments_and_notes() -> None:
    text = "\n".join(section("COMMANDS"))
    shows = text.split("\n.SS ")[0]
    assert shows.startswith(".SS my\\-tool show\nPrint a tree.\n.TP\n\\fIHOST\\fR\na dump\n")
    assert "\n.TP\n\\fB\\-s\\fR\\ \\fISLOT\\fR, \\fB\\-\\-slot\\fR\\ \\fISLOT\\fR\nonly SLOT\n" in shows
    assert "\nit\\(aqs flat: 100%\n" in shows
    assert shows.endswith("\n.P\nExample:\n.RS 4\n.EX\nmy\\-tool show x\n.EE\n.RE")
    assert "\\-\\-help" not in text
    assert "secret" not in PAGE
    assert ".SS my\\-tool diff\ncompare\n" in text


def test_examples_can_be_copied() -> None:
    assert section("EXAMPLES") == [
        ".RS 4",
        ".EX",
        r"my\-tool show \(aqa b\(aq    it\en",
        r"\&.dot",
        ".EE",
        ".RE",
    ]


def test_exit_status_is_a_list() -> None:
    assert section("EXIT STATUS") == [
        ".TP", r"\fB0\fR", "fine", ".TP", r"\fB1\fR", "findings, or so", ".TP", r"\fB2\fR", "trouble",
    ]  # fmt: skip


def test_every_option_of_the_real_commands_is_there() -> None:
    page = man(cli.parser())
    assert man(cli.parser()) == page
    for option in ("--fail-on", "--format", "--policy", "--kernel", "--ignore-file", "--strict", "--version"):
        assert option.replace("-", r"\-") in page
    for name in (
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "COMMANDS",
        "EXIT STATUS",
        "EXAMPLES",
        "SEE ALSO",
    ):
        assert page.count(f"\n.SH {name}\n") == 1
    macros = set(re.findall(r"^[.'](\S*)", page, re.MULTILINE))
    assert macros <= {"TH", "SH", "SS", "P", "TP", "RS", "RE", "EX", "EE"}


@pytest.mark.parametrize(
    "check",
    [["mandoc", "-T", "lint", "-W", "warning"], ["groff", "-man", "-ww", "-z", "-T", "utf8"]],
    ids=lambda x: x[0],
)
@pytest.mark.parametrize("page", [PAGE, man(cli.parser(), date="2024-02-03")], ids=["made-up", "real"])
def test_formatters_have_nothing_to_say(check: list[str], page: str) -> None:
    if shutil.which(check[0]) is None:
        pytest.skip(f"{check[0]} is not installed")
    done = subprocess.run(check, input=page, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout + done.stderr == ""
