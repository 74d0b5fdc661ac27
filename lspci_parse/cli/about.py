"""Commands that tell about the program: ``rules``, ``schema``, ``completion``, ``man``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from lspci_parse.cli.common import EXIT_SAME, Commands, command, print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SCHEMAS = ("dump", "diff", "groups", "check", "policy", "ignore")
Shell: TypeAlias = Literal["bash", "zsh", "fish"]
TOPICS = ("recipes", "policies", "json", "rules", "collecting")
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
    rules = command(commands, "rules", "list the rules: name, severity, what each looks for; or explain one")
    rules.add_argument("name", metavar="NAME", nargs="?", help="explain one rule in full")
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

    topics = command(commands, "help", "print help, or a topic of it", f"topics: {', '.join(TOPICS)}")
    topics.add_argument("topic", metavar="TOPIC", nargs="?", choices=TOPICS, help=", ".join(TOPICS))
    topics.set_defaults(run=lambda options: _help(whole(), options.topic))

    man = command(commands, "man", "print the manual page", "example:\n  lspci-parse man | man -l -")
    man.set_defaults(run=lambda _: _man(whole()))


_COMPLETION = """\
examples:
  source <(lspci-parse completion bash)
  lspci-parse completion fish >~/.config/fish/completions/lspci-parse.fish"""


def _help(parser: argparse.ArgumentParser, topic: str | None) -> int:
    if topic is None:
        parser.print_help()
        print(f"\nmore: lspci-parse help TOPIC, with one of {', '.join(TOPICS)}")
    else:
        from lspci_parse.lspci.package_data import package_data

        print(package_data(f"cli/topics/{topic}.md").decode(), end="")
    return EXIT_SAME


def _rules(options: argparse.Namespace) -> int:
    from lspci_parse.findings.catalogue import CATALOGUE

    if options.name is not None:
        return _rule(options.name)
    rows = [(rule.name, rule.severity, rule.summary) for rule in CATALOGUE.values()]
    if options.json:
        print_json([dict(zip(("rule", "severity", "summary"), row, strict=True)) for row in rows])
    else:
        from lspci_parse.render.text.table import table

        print(table(rows, ("rule", "at most", "finds that")))
    return EXIT_SAME


def _rule(name: str) -> int:
    import difflib

    from lspci_parse.errors import LspciError
    from lspci_parse.findings.catalogue import CATALOGUE
    from lspci_parse.findings.rule_page import rule_page

    if name not in CATALOGUE:
        near = difflib.get_close_matches(name, CATALOGUE, 1)
        raise LspciError(
            f"no rule {name!r}{f'; did you mean {near[0]}?' if near else ''} (see 'lspci-parse rules')"
        )
    print(rule_page(CATALOGUE[name]))
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

    print(man(parser, version=version(), date=_date()), end="")
    return EXIT_SAME


_WRITTEN = "2026-11-27"
"""The day of this version's manual, unless ``SOURCE_DATE_EPOCH`` names another (reproducible-builds.org)."""


def _date() -> str:
    import os
    from datetime import UTC, datetime

    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), UTC).date().isoformat() if epoch.isdecimal() else _WRITTEN
