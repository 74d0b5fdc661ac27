"""What an argparse parser says of its commands and options, as plain data."""

# ruff: noqa: SLF001 - argparse has no public way to ask a parser what it holds

from __future__ import annotations

import argparse
import re
import textwrap
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Argument(NamedTuple):
    """An option or a positional argument.

    Attributes:
        names: the option's spellings; empty for a positional argument.
        value: what stands for its value in texts (``HOST``), or ``None`` for an option without a value.
        help: what it does.
        words: the values it takes, as far as they are words that can be listed.
        files: whether it takes the name of a file or folder.
        repeats: whether it may be given more than once.
    """

    names: tuple[str, ...]
    value: str | None
    help: str
    words: tuple[str, ...] = ()
    files: bool = False
    repeats: bool = False


class Command(NamedTuple):
    """A command, or the whole program.

    Attributes:
        name: how it is called.
        summary: what it does, in a few words.
        description: what it does, in sentences.
        notes: texts below the help (examples, exit codes) by their headings, in lower case.
        positionals: its positional arguments.
        options: its options.
        exclusive: spellings of options of which at most one may be given.
        commands: the program's commands.
    """

    name: str
    summary: str
    description: str
    notes: dict[str, str]
    positionals: tuple[Argument, ...]
    options: tuple[Argument, ...]
    exclusive: tuple[tuple[str, ...], ...]
    commands: tuple[Command, ...]


def described(parser: argparse.ArgumentParser, name: str | None = None, summary: str = "") -> Command:
    """Read a parser and, one level deep, the parsers of its commands."""
    arguments = [
        _argument(action, parser)
        for action in _actions(parser)
        if not isinstance(action, argparse._SubParsersAction)
    ]
    return Command(
        name or parser.prog,
        summary,
        parser.description or "",
        _notes(parser.epilog or ""),
        tuple(argument for argument in arguments if not argument.names),
        tuple(argument for argument in arguments if argument.names),
        tuple(
            tuple(action.option_strings[0] for action in group._group_actions)
            for group in parser._mutually_exclusive_groups
        ),
        tuple(_commands(parser)),
    )


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    return (action for action in parser._actions if action.help != argparse.SUPPRESS)


def _commands(parser: argparse.ArgumentParser) -> Iterator[Command]:
    for action in _actions(parser):
        if isinstance(action, argparse._SubParsersAction):
            for entry in action._choices_actions:
                yield described(action.choices[entry.dest], entry.dest, entry.help or "")


def _argument(action: argparse.Action, parser: argparse.ArgumentParser) -> Argument:
    words = tuple(str(choice) for choice in action.choices or ())
    help_ = (action.help or "") % {**vars(action), "choices": ", ".join(words), "prog": parser.prog}
    value = None if action.nargs == 0 else _value(action, words)
    if not words and value and "|" in value:  # such as vfio|p2p|FILE: words beside what is typed freely
        words = tuple(word for word in value.split("|") if word.islower())
    free = value is not None and action.choices is None
    file = re.search(r"\b(file|folder)\b", f"{value} {help_}", re.IGNORECASE) is not None
    return Argument(
        tuple(action.option_strings),
        value,
        help_,
        words,
        files=free and (file or not action.option_strings),
        repeats=action.nargs in ("*", "+") or isinstance(action, argparse._AppendAction),
    )


def _value(action: argparse.Action, words: tuple[str, ...]) -> str:
    if action.metavar is None:
        return "|".join(words) or (action.dest.upper() if action.option_strings else action.dest)
    return action.metavar if isinstance(action.metavar, str) else " ".join(action.metavar)


def _notes(epilog: str) -> dict[str, str]:
    """Read ``heading: text`` paragraphs; the text may stand on indented lines below the heading."""
    notes = {}
    for paragraph in re.split(r"\n[ \t]*\n", epilog):
        heading, colon, text = paragraph.partition(":")
        if colon:
            notes[heading.strip().lower()] = textwrap.dedent(text).strip()
    return notes
