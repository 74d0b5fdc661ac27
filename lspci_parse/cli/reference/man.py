"""The manual page, made from the argument parser (man(7) macros)."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

from lspci_parse.cli.reference.arguments import described

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from lspci_parse.cli.reference.arguments import Argument, Command

_SEE_ALSO: Final = ("lspci", "setpci")
_MORE_SECTIONS: Final = {
    "ENVIRONMENT": (
        ("NO_COLOR", "If it is set and not empty, nothing is coloured."),
        ("FORCE_COLOR", "If it is set and not empty, reports are coloured without a terminal, too."),
        ("COLUMNS", "The width that text is laid out for."),
        ("SOURCE_DATE_EPOCH", "The day that 'lspci-parse man' puts into the page."),
    ),
    "FILES": (
        ("lspci*, dmesg*, cmdline, iommu_groups*", "What a folder given as HOST may hold."),
        ("sos_commands/pci/lspci*", "The dump of a sosreport."),
    ),
}
_MORE: Final = r"\ ...\&"
_WIDTH: Final = 66
"""Characters of a line of text; what roff wants escaped makes it longer."""
_SPECIAL: Final = {
    "\\": r"\e",
    "-": r"\-",
    "'": r"\(aq",
    "`": r"\(ga",
    "^": r"\(ha",
    "~": r"\(ti",
    '"': r"\(dq",
}
"""What roff would take for a command or print as a typographer's character: none of it could be copied to a shell."""


def man(parser: argparse.ArgumentParser, *, version: str = "", date: str = "") -> str:
    """Return the manual page of the program and its commands.

    Args:
        parser: the parser of the whole command line.
        version: the program's version, for the foot of the page.
        date: the day of that version (``2024-02-03``), likewise.
    """
    return "\n".join([*_page(described(parser), version, date), ""])


def _page(program: Command, version: str, date: str) -> Iterator[str]:
    title = f"{program.name} {version}".rstrip()
    yield f'.TH {_roff(program.name.upper())} 1 "{date}" "{_roff(title)}" "User Commands"'
    description = program.description.rstrip(".")
    yield ".SH NAME"
    yield f"{_roff(program.name)} \\- {_text(description[:1].lower() + description[1:])}"
    yield ".SH SYNOPSIS"
    yield "\n.P\n".join(_call(program, command) for command in program.commands or (program,))
    yield ".SH DESCRIPTION"
    yield _text(program.description)
    yield ".SH OPTIONS"
    yield from _arguments(program.options)
    if program.commands:
        yield ".SH COMMANDS"
    for command in program.commands:
        yield from _command(program, command)
    yield from _notes(program.notes, ".SH")
    for heading, rows in _MORE_SECTIONS.items():
        yield f".SH {heading}"
        for name, text in rows:
            yield from (".TP", f"\\fB{_roff(name)}\\fR", _text(text))
    yield ".SH REPORTING BUGS"
    yield _text(
        "With the command and its message; 'lspci-parse redact' takes private facts out of what you attach."
    )
    yield ".SH SEE ALSO"
    yield ",\n".join(f"\\fB{_roff(page)}\\fR(8)" for page in _SEE_ALSO)


def _call(program: Command, command: Command) -> str:
    """Return how a command is called: ``lspci-parse show HOST [--json | --flat] [-s SLOT]``."""
    parts = [f"\\fB{_roff(program.name)}\\fR"]
    if command is not program:
        parts.append(f"\\fB{_roff(command.name)}\\fR")
    parts += [f"{_spelt(argument)}{_MORE if argument.repeats else ''}" for argument in command.positionals]
    seen: set[str] = set()
    for option in _own(command.options):
        if option.names[0] not in seen:
            rivals = next(
                (group for group in command.exclusive if option.names[0] in group), option.names[:1]
            )
            alternatives = [
                _spelt(other, other.names[0]) for other in command.options if other.names[0] in rivals
            ]
            parts.append(f"[{f' |{chr(10)}'.join(alternatives)}]{_MORE if option.repeats else ''}")
            seen.update(rivals)
    return "\n".join(parts)


def _own(options: Iterable[Argument]) -> list[Argument]:
    """Leave out ``--help``, which every command has."""
    return [option for option in options if "--help" not in option.names]


def _spelt(argument: Argument, name: str = "") -> str:
    value = "" if argument.value is None else f"\\fI{_roff(argument.value)}\\fR"
    return "\\ ".join(filter(None, (f"\\fB{_roff(name)}\\fR" if name else "", value)))


def _arguments(arguments: Iterable[Argument]) -> Iterator[str]:
    for argument in arguments:
        yield ".TP"
        yield ", ".join(_spelt(argument, name) for name in argument.names or ("",))
        yield _text(argument.help)


def _command(program: Command, command: Command) -> Iterator[str]:
    yield f".SS {_roff(program.name)} {_roff(command.name)}"
    yield _text(command.description or command.summary)
    yield from _arguments((*command.positionals, *_own(command.options)))
    yield from _notes(command.notes, "")


def _notes(notes: dict[str, str], heading: str) -> Iterator[str]:
    """Write examples as they are, and exit codes as a list; below a heading of their own, or as paragraphs."""
    for title, text in sorted(notes.items(), key=lambda note: not note[0].startswith("exit")):
        codes = title.startswith("exit")
        yield f"{heading} {'EXIT STATUS' if codes else _roff(title.upper())}" if heading else ".P"
        if not heading:
            yield _text(f"{title.capitalize()}:")
        if codes:
            for number, meaning in re.findall(r"(\d+) (.*?)(?=, \d+ |$)", text, re.DOTALL):
                yield from (".TP", f"\\fB{number}\\fR", _text(meaning))
        else:
            yield from (".RS 4", ".EX", *map(_line, text.splitlines()), ".EE", ".RE")


def _text(text: str) -> str:
    """Write text in lines that are not too long; roff fills them anew."""
    lines = (
        part
        for line in text.split("\n")
        for part in textwrap.wrap(line, _WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
    )
    return "\n".join(map(_line, lines))


def _line(text: str) -> str:
    """Write a line; one that begins with a dot would be a command of roff's."""
    escaped = _roff(text)
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


def _roff(text: str) -> str:
    return re.sub(r"[\\\-'`^~\"]", lambda match: _SPECIAL[match[0]], text)
