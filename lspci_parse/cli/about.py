"""Commands that tell about the program: ``rules``, ``schema``, ``completion``, ``man``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from lspci_parse.cli.common import EXIT_SAME, Commands, command, print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SCHEMAS = ("dump", "diff", "groups", "check", "policy", "ignore")
Shell: TypeAlias = Literal["bash", "zsh", "fish"]
SHELLS: tuple[Shell, ...] = ("bash", "zsh", "fish")


class Version(argparse.Action):
    """Prints the version; looks it up only then."""

    def __init__(self, option_strings: Sequence[str], dest: str, **more: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=more.get("help"))

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it and end."""
        from lspci_parse import version

        print(f"lspci-parse {version()}")
        parser.exit()


def add(commands: Commands, whole: Callable[[], argparse.ArgumentParser]) -> None:
    """Add the commands; ``whole`` makes the parser of the whole command line."""
    rules = command(commands, "rules", "list the rules of diff: name, severity, what each looks for")
    rules.add_argument("--json", action="store_true", help="as JSON")
    rules.set_defaults(run=_rules)

    schema = command(
        commands, "schema", "print the JSON Schema of an output, a policy file or a file of ignores"
    )
    schema.add_argument("name", metavar="NAME", choices=SCHEMAS, help=", ".join(SCHEMAS))
    schema.set_defaults(run=_schema)

    completion = command(commands, "completion", "print a completion script for a shell", _COMPLETION)
    completion.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))
    completion.set_defaults(run=lambda options: _completion(whole(), options.shell))

    man = command(commands, "man", "print the manual page", "example:\n  lspci-parse man | man -l -")
    man.set_defaults(run=lambda _: _man(whole()))


_COMPLETION = """\
examples:
  source <(lspci-parse completion bash)
  lspci-parse completion fish >~/.config/fish/completions/lspci-parse.fish"""


def _rules(options: argparse.Namespace) -> int:
    from lspci_parse.findings.catalogue import CATALOGUE

    rows = [(rule.name, rule.severity, rule.summary) for rule in CATALOGUE.values()]
    if options.json:
        print_json([dict(zip(("rule", "severity", "summary"), row, strict=True)) for row in rows])
    else:
        from lspci_parse.render.text.table import table

        print(table(rows, ("rule", "at most", "finds that")))
    return EXIT_SAME


def _schema(options: argparse.Namespace) -> int:
    from lspci_parse.serialization.schemas import schema

    print_json(schema(options.name))
    return EXIT_SAME


def _completion(parser: argparse.ArgumentParser, shell: Shell) -> int:
    from lspci_parse.cli.reference.completion import completion

    print(completion(parser, shell), end="")
    return EXIT_SAME


def _man(parser: argparse.ArgumentParser) -> int:
    from lspci_parse import version
    from lspci_parse.cli.reference.man import man

    print(man(parser, version=version()), end="")
    return EXIT_SAME
