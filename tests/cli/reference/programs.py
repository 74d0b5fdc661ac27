"""A made-up command line for the tests of what is made from one."""

from __future__ import annotations

import argparse


def parser() -> argparse.ArgumentParser:
    """Return a parser with every kind of argument that completions and manual pages know."""
    top = argparse.ArgumentParser(
        prog="my-tool",
        description="Read what's there -- and say so.",
        epilog="examples:\n  my-tool show 'a b'    it\\n\n  .dot\n\nexit codes: 0 fine, 1 findings, or so, 2 trouble",
    )
    top.add_argument("--version", action="version", version="1", help="print the version")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    show = commands.add_parser(
        "show", help="print: a [tree]", description="Print a tree.", epilog="example:\n  my-tool show x"
    )
    show.add_argument("host", metavar="HOST", help="a dump")
    form = show.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--flat", action="store_true", help="it's flat: 100%%")
    show.add_argument("-s", "--slot", metavar="SLOT", help="only %(metavar)s")
    show.add_argument("--only", action="append", metavar="RULE", help="only RULE")
    show.add_argument("--secret", help=argparse.SUPPRESS)
    diff = commands.add_parser("diff", help="compare")
    diff.add_argument("a", metavar="A", help="one")
    diff.add_argument("b", metavar="B", help="other")
    diff.add_argument(
        "--format", choices=("text", "json"), default="text", help="one of %(choices)s (default: %(default)s)"
    )
    diff.add_argument("--policy", metavar="vfio|p2p|FILE", help="what to hold it against")
    diff.add_argument("--ignores", metavar="LIST", help="a file of patterns")
    schema = commands.add_parser("schema", help="print a schema")
    schema.add_argument("name", metavar="NAME", choices=("dump", "diff"), help="which")
    many = commands.add_parser("many", help="take many")
    many.add_argument("hosts", nargs="+", metavar="HOST", help="dumps")
    return top
