from __future__ import annotations

import argparse

from lspci_parse.cli.reference.arguments import Argument, described
from tests.cli.reference.programs import parser

PROGRAM = described(parser())
COMMANDS = {command.name: command for command in PROGRAM.commands}


def test_the_program_and_its_commands() -> None:
    assert (PROGRAM.name, PROGRAM.description) == ("my-tool", "Read what's there -- and say so.")
    assert list(COMMANDS) == ["show", "diff", "schema", "many"]
    assert (COMMANDS["show"].summary, COMMANDS["show"].description) == ("print: a [tree]", "Print a tree.")
    assert [option.names for option in PROGRAM.options] == [("-h", "--help"), ("--version",)]
    assert PROGRAM.positionals == ()


def test_arguments() -> None:
    assert COMMANDS["show"].positionals == (Argument((), "HOST", "a dump", files=True),)
    assert COMMANDS["schema"].positionals == (Argument((), "NAME", "which", ("dump", "diff")),)
    assert COMMANDS["many"].positionals == (Argument((), "HOST", "dumps", files=True, repeats=True),)
    assert COMMANDS["show"].options[1:] == (
        Argument(("--json",), None, "as JSON"),
        Argument(("--flat",), None, "it's flat: 100%"),
        Argument(("-s", "--slot"), "SLOT", "only SLOT"),
        Argument(("--only",), "RULE", "only RULE", repeats=True),
    )
    assert COMMANDS["diff"].options[1:] == (
        Argument(("--format",), "text|json", "one of text, json (default: text)", ("text", "json")),
        Argument(("--policy",), "vfio|p2p|FILE", "what to hold it against", ("vfio", "p2p"), files=True),
        Argument(("--ignores",), "LIST", "a file of patterns", files=True),
    )
    assert COMMANDS["show"].exclusive == (("--json", "--flat"),)


def test_notes_are_the_paragraphs_below_the_help() -> None:
    assert PROGRAM.notes == {
        "examples": "my-tool show 'a b'    it\\n\n.dot",
        "exit codes": "0 fine, 1 findings, or so, 2 trouble",
    }
    assert COMMANDS["diff"].notes == {}


def test_a_program_without_commands_and_metavars() -> None:
    plain = argparse.ArgumentParser(prog="plain", add_help=False)
    plain.add_argument("path")
    plain.add_argument("--count", type=int)
    program = described(plain)
    assert program.commands == ()
    assert program.positionals == (Argument((), "path", "", files=True),)
    assert program.options == (Argument(("--count",), "COUNT", ""),)
