"""Help where people look: topics, rules in full, the recipes as they stand."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from lspci_parse.cli import main
from lspci_parse.cli.about import TOPICS
from lspci_parse.findings.catalogue import CATALOGUE
from lspci_parse.lspci.package_data import package_data
from tests.paths import CORPUS

if TYPE_CHECKING:
    from pathlib import Path

RECIPES = re.findall(r"^\$ lspci-parse (.+)$", package_data("cli/topics/recipes.md").decode(), re.MULTILINE)


@pytest.mark.parametrize("topic", TOPICS)
def test_topics(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", topic]) == 0
    out = capsys.readouterr().out
    assert out.startswith("# ")
    main(["help"])
    whole = capsys.readouterr().out
    for command in re.findall(r"lspci-parse ([a-z]+)", out):
        assert re.search(rf"^    {command}\b", whole, re.MULTILINE), command


def test_help_alone_names_the_topics(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: lspci-parse")
    assert "lspci-parse help TOPIC, with one of recipes, policies" in out


def test_every_recipe_runs_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "corpus").symlink_to(CORPUS)
    monkeypatch.chdir(tmp_path)
    assert len(RECIPES) >= 10
    for recipe in RECIPES:
        assert main(shlex.split(recipe)) in (0, 1), recipe
        out, err = capsys.readouterr()
        assert "lspci-parse: " not in err.replace("lspci-parse: note: ", ""), recipe
        assert out or " -o " in recipe, recipe


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_rule_has_a_page(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", name]) == 0
    title, _, what, *_ = capsys.readouterr().out.split("\n")
    assert title == f"# {name}"
    assert what.startswith("Finds that ")
    assert len(CATALOGUE[name].find.__doc__ or "") > 20


def test_a_rule_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "acs-lots"]) == 2
    assert "no rule 'acs-lots'; did you mean acs-lost?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, False), ({"FORCE_COLOR": "1"}, True),
     ({"NO_COLOR": "", "FORCE_COLOR": "1"}, True), ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False)],
)  # fmt: skip
def test_colours(
    variables: dict[str, str],
    coloured: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    main(["diff", str(CORPUS / "incident" / "good"), str(CORPUS / "incident" / "bad")])
    assert ("\x1b[" in capsys.readouterr().out) is coloured
