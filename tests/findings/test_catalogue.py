from __future__ import annotations

import ast
from pathlib import Path

import pytest

from lspci_parse.findings import rules
from lspci_parse.findings.catalogue import CATALOGUE, RULES
from lspci_parse.findings.rule import HOST, Rule

FOLDER = Path(rules.__file__).parent


def declared() -> dict[str, str]:
    """Return every ``@rule`` in the rules' files, by name, with its file."""
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            for call in getattr(node, "decorator_list", ()):
                if isinstance(call, ast.Call) and getattr(call.func, "id", None) == "rule":
                    name = ast.literal_eval(call.args[0])
                    assert name not in found, f"two rules {name!r}"
                    found[name] = path.name
    return found


def test_every_rule_is_in_the_table() -> None:
    missing = {name: file for name, file in declared().items() if name not in CATALOGUE}
    assert missing == {}, "list the rule in RULES of lspci_parse/findings/catalogue.py"
    assert len(RULES) == len(CATALOGUE) == len(declared())


@pytest.mark.parametrize("rule", RULES, ids=CATALOGUE)
def test_rules_say_what_they_look_for(rule: Rule) -> None:
    assert rule.name == rule.name.lower().replace("_", "-")
    assert not rule.summary.endswith(".")
    assert (rule.find.__doc__ or "").strip()
    if rule.of_evidence or rule.told_by:
        assert rule.needs == HOST
    assert set(rule.told_by) <= CATALOGUE.keys()
