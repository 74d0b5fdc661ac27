"""The rules, by what they look at. The order of these modules is the order of findings of one severity."""

from __future__ import annotations

from lspci_parse.findings.rules import blind, capabilities, drivers, isolation, links, presence, state

__all__ = ["blind", "capabilities", "drivers", "isolation", "links", "presence", "state"]
