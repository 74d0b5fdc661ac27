"""``lspci-parse show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lspci_parse.cli.common import EXIT_SAME, Commands, add_host, command, load, print_json
from lspci_parse.cli.reports import add_output, add_selection, output

if TYPE_CHECKING:
    import argparse

    from lspci_parse.evidence.host import Host
    from lspci_parse.model.device import Device
    from lspci_parse.model.dump import Dump

_EXAMPLES = """\
examples:
  lspci-parse show host.txt                      the machine as a tree
  lspci-parse show host.txt -s 00:1c.5           one device in full
  lspci-parse show host.txt --cap acs            every ACS capability
  lspci-parse show host.txt --flat | grep LnkSta"""


def add(commands: Commands) -> None:
    """Add the command."""
    show = command(commands, "show", "print a dump as a tree", _EXAMPLES)
    add_host(show)
    form = show.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--flat", action="store_true", help="one 'path = value' a line, for grep and diff -u")
    form.add_argument("--format", choices=("text", "html", "dot", "mermaid"), default="text",
                      help="a page, or a graph for a README or ticket")  # fmt: skip
    add_output(show)
    add_selection(show)
    show.add_argument(
        "--cap", metavar="KIND", help="only capabilities of KIND, as setpci names them (exp, acs ...)"
    )
    show.add_argument("--strict", action="store_true", help="a line that no rule knows is an error")
    show.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    host = load(options.host, strict=options.strict)
    chosen = _chosen(host.dump, options.slot, options.ids, options.cap)
    with output(options):
        _print(host, chosen, options)
    return EXIT_SAME


def _print(host: Host, chosen: list[Device], options: argparse.Namespace) -> None:
    if options.format == "html":
        from lspci_parse.render.html.page import page

        print(page("lspci-parse show", [host]), end="")
    elif options.format != "text":
        from lspci_parse.render.graph import dot, mermaid

        print((dot if options.format == "dot" else mermaid)(host))
    elif options.json:
        from lspci_parse.serialization.dump import to_json

        addresses = {str(device.address) for device in chosen}
        document = to_json(host.dump)
        document["devices"] = [item for item in document["devices"] if item["address"] in addresses]
        print_json(document)
    elif options.flat:
        from lspci_parse.render.flat import flat

        print("\n".join(flat(chosen, options.cap)))
    else:
        from lspci_parse.render.text import tree

        whole = options.slot is None and options.ids is None and options.cap is None
        print(tree.tree(host.dump, host.os_names) if whole else tree.devices(chosen, options.cap))


def _chosen(dump: Dump, slot: str | None, ids: str | None, kind: str | None) -> list[Device]:
    from lspci_parse.errors import LspciError
    from lspci_parse.lspci.selection import chosen

    devices = list(dump)
    if slot is not None or ids is not None:
        wanted = chosen(dump, slot, ids)
        devices = [device for device in dump if device.address in wanted]
    if kind is not None:
        devices = [device for device in devices if device.capability(kind) is not None]
        if not devices:
            kinds = sorted({capability.kind for device in dump for capability in device.capabilities})
            raise LspciError(
                f"no capability of kind {kind!r} here; expected one of {', '.join(kinds) or 'none'}",
                dump.source,
            )
    return devices
