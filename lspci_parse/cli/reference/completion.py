"""Completion scripts for shells, made from the argument parser."""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING, Final, Literal

from lspci_parse.cli.reference.arguments import described

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

    from lspci_parse.cli.reference.arguments import Argument, Command

Shell = Literal["bash", "zsh", "fish"]


def completion(parser: argparse.ArgumentParser, shell: Shell) -> str:
    """Return the script that completes the program's commands, options, their values and names of files."""
    program = described(parser)
    return _FILL[shell](program)


def _function(program: Command) -> str:
    return "_" + re.sub(r"\W", "_", program.name)


def _all(program: Command) -> Iterable[tuple[str, Command]]:
    """Return the program under the name ``""`` and each command under its own."""
    return [("", program), *((command.name, command) for command in program.commands)]


def _indented(lines: Iterable[str], depth: int) -> str:
    return "\n".join(f"{'    ' * depth}{line}" for line in lines)


# ----------------------------------------------------------------------------------------------------- bash

_BASH: Final = """\
# bash completion for @NAME@. Try it: source <(@NAME@ completion bash)
@FUNCTION@() {
    local cur=${COMP_WORDS[COMP_CWORD]} command='' pending='' words='' files='' word
    local -i i place=0
    COMPREPLY=()
    # Readline takes ':' and '=' for words of their own.
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == = && $pending ]]; then
            continue
        elif [[ $word == [:=]* ]]; then
            i+=1
        elif [[ $pending ]]; then
            pending=''
        else
            case $command:$word in
@VALUED@
                *:-?*) ;;
                :*) command=$word ;;
                *) place+=1 ;;
            esac
        fi
    done
    [[ $cur == = && $pending ]] && cur=''
    [[ $cur == [:=]* || ${COMP_WORDS[COMP_CWORD - 1]} == :* ]] && return
    [[ $cur == -* && -z $pending ]] && pending=-
    case $command:${pending:-$place} in
@OFFERS@
    esac
    if [[ $files ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -W "$words" -f -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    fi
}
complete -F @FUNCTION@ @NAME@
"""


def _bash(program: Command) -> str:
    valued = [
        f"{name}:{spelling}"
        for name, command in _all(program)
        for option in command.options
        if option.value is not None
        for spelling in option.names
    ]
    offers = [line for name, command in _all(program) for line in _bash_offers(name, command)]
    return (
        _BASH.replace("@VALUED@", _indented([f"{' | '.join(valued)}) pending=$word ;;"] if valued else [], 4))
        .replace("@OFFERS@", _indented(offers, 2))
        .replace("@FUNCTION@", _function(program))
        .replace("@NAME@", program.name)
    )


def _bash_offers(name: str, command: Command) -> Iterator[str]:
    """Yield what is offered at each place: by an option's spelling, ``-`` for options, or a number from 0."""
    spellings = [spelling for option in command.options for spelling in option.names]
    yield f"{name}:-) words={quote(' '.join(spellings))} ;;"
    if command.commands:
        yield f"{name}:0) words={quote(' '.join(entry.name for entry in command.commands))} ;;"
    for place, argument in enumerate(command.positionals):
        yield from _bash_values(f"{name}:{'[0-9]*' if argument.repeats else place}", argument)
    for option in command.options:
        if option.value is not None:
            yield from _bash_values(" | ".join(f"{name}:{spelling}" for spelling in option.names), option)


def _bash_values(pattern: str, argument: Argument) -> Iterator[str]:
    offered = [f"words={quote(' '.join(argument.words))}"] if argument.words else []
    offered += ["files=yes"] if argument.files else []
    if offered:
        yield f"{pattern}) {' '.join(offered)} ;;"


# ------------------------------------------------------------------------------------------------------ zsh

_ZSH: Final = """\
#compdef @NAME@
# zsh completion. Try it: source <(@NAME@ completion zsh); to keep it, save it as _@NAME@ in a folder of $fpath.
@FUNCTION@() {
    local curcontext=$curcontext state line
    typeset -A opt_args
    _arguments -C @TOP@ '1: :->command' '*:: :->argument'
    case $state in
        command)
            local -a commands=(
@COMMANDS@
            )
            _describe command commands
            ;;
        argument)
            case $words[1] in
@OFFERS@
            esac
            ;;
    esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    @FUNCTION@ "$@"
else
    compdef @FUNCTION@ @NAME@
fi
"""


def _zsh(program: Command) -> str:
    commands = [
        quote(f"{command.name.replace(':', chr(92) + ':')}:{command.summary}") for command in program.commands
    ]
    offers = [
        f"{command.name}) _arguments {' '.join(_zsh_specs(command))} ;;" for command in program.commands
    ]
    return (
        _ZSH.replace("@TOP@", " ".join(_zsh_specs(program)))
        .replace("@COMMANDS@", _indented(commands, 4))
        .replace("@OFFERS@", _indented(offers, 4))
        .replace("@FUNCTION@", _function(program))
        .replace("@NAME@", program.name)
    )


def _zsh_specs(command: Command) -> Iterator[str]:
    """Yield the arguments of ``_arguments`` (zshcompsys)."""
    for option in command.options:
        rivals = [name for group in command.exclusive if option.names[0] in group for name in group]
        excluded = "" if option.repeats else f"({' '.join(dict.fromkeys((*option.names, *rivals)))})"
        for name in option.names:
            spelling = f"{name}=" if option.value is not None and name.startswith("--") else name
            yield quote(
                f"{excluded or '*'}{spelling}[{_zsh_escape(option.help)}]"
                + (f":{_zsh_value(option)}" if option.value is not None else "")
            )
    for place, argument in enumerate(command.positionals, 1):
        yield quote(f"{'*' if argument.repeats else place}:{_zsh_value(argument)}")


def _zsh_value(argument: Argument) -> str:
    words = " ".join(argument.words)
    if argument.files:
        action = f"{{compadd -- {words}; _files}}" if words else "_files"
    else:
        action = f"({words})" if words else " "
    return f"{_zsh_escape(argument.value or '')}:{action}"


def _zsh_escape(text: str) -> str:
    return re.sub(r"[\\:\[\]]", r"\\\g<0>", text)


# ----------------------------------------------------------------------------------------------------- fish

_FISH: Final = """\
# fish completion for @NAME@. Try it: @NAME@ completion fish | source
function _@FUNCTION@_at -d 'whether the command is the given one'
    set -l words (commandline -opc)
    test "$words[2]" = "$argv[1]"
end
@OFFERS@
"""


def _fish(program: Command) -> str:
    offers = [
        f"complete -c @NAME@ -n {_fish_quote(f'_{_function(program)}_at {_fish_quote(name)}')} {arguments}"
        for name, command in _all(program)
        for arguments in _fish_offers(command)
    ]
    return (
        _FISH.replace("@OFFERS@", "\n".join(offers))
        .replace("@FUNCTION@", _function(program))
        .replace("@NAME@", program.name)
    )


def _fish_offers(command: Command) -> Iterator[str]:
    """Yield the arguments of ``complete`` that tell of one option, value or command. Files are fish's default."""
    if not any(argument.files for argument in command.positionals):
        yield "-f"
    for entry in command.commands:
        yield f"-a {_fish_quote(entry.name)} -d {_fish_quote(entry.summary)}"
    for argument in command.positionals:
        if argument.words:
            yield f"-a {_fish_quote(' '.join(argument.words))}"
    for option in command.options:
        parts = [_fish_name(name) for name in option.names]
        if option.value is not None:
            parts.append("-r -F" if option.files else "-x")
        if option.words:
            parts.append(f"-a {_fish_quote(' '.join(option.words))}")
        yield " ".join([*parts, "-d", _fish_quote(option.help)])


def _fish_name(name: str) -> str:
    flag = "-l" if name.startswith("--") else "-s" if len(name) == 2 else "-o"
    return f"{flag} {_fish_quote(name.lstrip('-'))}"


def _fish_quote(text: str) -> str:
    """Quote a word; in fish's single quotes the backslash escapes."""
    return quote(text) if re.fullmatch(r"[\w./=-]+", text) else "'" + re.sub(r"[\\']", r"\\\g<0>", text) + "'"


_FILL: Final[dict[Shell, Callable[[Command], str]]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
