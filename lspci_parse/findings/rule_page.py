"""One rule explained in full: what it finds, on what facts, what it stands on, when it is silent."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from lspci_parse.findings.rule import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lspci_parse.findings.rule import Rule


def rule_page(rule: Rule) -> str:
    """Return the page of a rule as Markdown: its own docstring names its source (specification or kernel function)."""
    return "\n".join(_lines(rule))


def _lines(rule: Rule) -> Iterator[str]:
    yield f"# {rule.name}"
    yield ""
    yield f"Finds that {rule.summary}. At most {rule.severity}."
    yield ""
    yield inspect.cleandoc(rule.find.__doc__ or "")
    yield ""
    if rule.needs == HOST and rule.told_by:
        yield f"Asked of one host in `diagnose`; of two hosts {', '.join(rule.told_by)} tells it."
    elif rule.of_evidence:
        yield "Judges how far the evidence of a host reaches; `diff` tells it of either host."
    elif rule.needs == HOST:
        yield "Asked of one host in `diagnose`, of both in `diff`, where what A tells, too, is no difference."
    else:
        yield "Asked of two hosts in `diff`."
    yield ""
    yield "Silent where a fact is not known: not read, not printed by that release of lspci, or cut off."
    yield f"Only it: `--only {rule.name}`. Without it: `--ignore {rule.name}`."
