from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from lspci_parse.errors import LspciError
from lspci_parse.findings.engine import diff
from lspci_parse.findings.filters import read_ignores
from lspci_parse.linux.groups import prediction
from lspci_parse.parsing.parser import parse
from lspci_parse.policies import check
from lspci_parse.policies.model import Breach, Remedy
from lspci_parse.policies.policy_file import read
from lspci_parse.serialization.check import as_json as check_as_json
from lspci_parse.serialization.dump import to_json
from lspci_parse.serialization.groups import as_json as groups_as_json
from lspci_parse.serialization.report import report_to_json
from lspci_parse.serialization.schemas import NAMES, schema
from tests.render.reports import comparison, finding, incident, nasty
from tests.texts import ACS_OFF, ACS_ON, AER, bridge, device, dump, serial

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lspci_parse.findings.report import Comparison
    from lspci_parse.model.dump import Dump

ROOT_PORT = bridge("00:1c.0", 1, ACS_ON, AER)
CARD = device("01:00.0", serial("00-11-22-33-44-55-66-77"), "Kernel driver in use: nic\n", "IOMMU group: 7\n")
ODD = (
    device("02:00.0", "Capabilities: <access denied>\n", "Something new: 12\n", name="Caf\udce9")
    + "03:00.0 Ethernet controller: Example (rev ff)\n\t!!! Unknown header type 7f\n\n"
    + device("04:00.0", "Region 0: Memory at f0000000 (64-bit, prefetchable) [size=16M]\n", "NUMA node: 1\n")
)


def faults(name: str, document: dict[str, Any]) -> list[str]:
    """Return what is wrong with a document, after the way through a file."""
    document = json.loads(json.dumps(document))
    return [
        f"{error.json_path}: {error.message}"
        for error in Draft202012Validator(schema(name)).iter_errors(document)
    ]


def made_up() -> Dump:
    return dump(ROOT_PORT, CARD, ODD)


def compared() -> Comparison:
    return diff(dump(ROOT_PORT, CARD), dump(ROOT_PORT.replace("8GT/s", "5GT/s").replace(ACS_ON, ""), ODD))


WRITTEN = [name for name in NAMES if name not in ("policy", "ignore")]
"""The documents that the program writes."""


@pytest.mark.parametrize("name", NAMES)
def test_schemas_are_schemas_and_closed(name: str) -> None:
    document = schema(name)
    Draft202012Validator.check_schema(document)
    assert document["title"] == f"lspci-parse.{name}/1"
    if name in WRITTEN:
        assert document["properties"]["schema"]["const"] == document["title"]
    assert any("NOT_EVEN_THIS" in fault for fault in faults(name, {"NOT_EVEN_THIS": 1}))


def test_there_are_no_other_schemas() -> None:
    with pytest.raises(LspciError, match=r"no schema '\.\./dump'; expected one of dump, diff, groups, check"):
        schema("../dump")


def objects(node: Any) -> list[dict[str, Any]]:
    """Return every subschema that describes an object."""
    found = [node] if isinstance(node, dict) and "properties" in node and "type" in node else []
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    return found + [item for child in children for item in objects(child)]


@pytest.mark.parametrize("name", WRITTEN)
def test_fixed_shapes_are_closed_and_complete(name: str) -> None:
    optional = {"line", "unseen", "facts", "likely", "access_denied", "dead", "cut", "config"}
    for shape in objects(schema(name)):
        assert shape["additionalProperties"] is False
        assert set(shape["properties"]) - set(shape["required"]) <= optional


def test_dumps_fit() -> None:
    assert faults("dump", to_json(made_up())) == []


def test_comparisons_fit() -> None:
    report = compared()
    assert {change.kind for change in report.changes} == {"changed", "added", "removed"}
    assert report.findings
    for item in (
        report,
        comparison(),
        incident(),
        nasty(),
        comparison(finding("bios-changed", a=None, b=None)),
    ):
        assert faults("diff", report_to_json(item)) == []


def test_groups_fit() -> None:
    cards = dump(
        bridge("00:1c.0", 1, ACS_OFF),
        bridge("00:1c.5", 2, ACS_ON),
        CARD,
        device("02:00.0", "IOMMU group: 8\n"),
    )
    found = prediction.groups(cards)
    assert any(group.joined_by for group in found.groups)
    assert faults("groups", groups_as_json(found)) == []


def test_checks_fit() -> None:
    ports = [bridge("00:1c.0", 1, ACS_OFF), bridge("00:1c.5", 2, ACS_OFF)]
    cards = dump(*ports, CARD, device("02:00.0"), device("00:1f.0"), device("00:1f.3"))
    found = check.check(cards, "vfio")
    assert found.breaches
    whole = Breach(None, "info", "title", "detail", remedies=(Remedy("wait"),))
    for made in (found, check.check(cards, "p2p"), found._replace(source="host.txt", breaches=(whole,))):
        assert faults("check", check_as_json(made)) == []


RECORDED = [
    "lab/incident-good/lspci-vvv.txt",
    "lab/cxl/lspci-vvv.txt",
    "lab/ats/lspci-vvv-user.txt",
    "lab/sriov-off/lspci-vvvxxxx.txt",
    "fuzz/normal/lspci-3.2.1.txt",
]


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_dumps_fit(shared: Path, name: str) -> None:
    path = shared / name
    if not path.is_file():
        pytest.skip(f"{name} is not in the recorded material")
    assert faults("dump", to_json(parse(path.read_bytes(), source=name))) == []


def test_recorded_incident_fits(shared: Path) -> None:
    good, bad = (
        parse((shared / "lab" / f"incident-{name}" / "lspci-vvv.txt").read_bytes())
        for name in ("good", "bad")
    )
    assert faults("diff", report_to_json(diff(good, bad))) == []
    assert faults("groups", groups_as_json(prediction.groups(bad))) == []


def changed(document: dict[str, Any], *path: str | int, to: Any) -> dict[str, Any]:
    """Return a document with one value replaced."""
    document = copy.deepcopy(document)
    node: Any = document
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = to
    return document


DUMPS: list[tuple[tuple[str | int, ...], Any]] = [
    (("schema",), "lspci-parse.dump/2"),
    (("lspci", "min"), 3.8),
    (("units", "RCB"), 4),
    (("devices", 0, "address"), "00:1c.0"),
    (("devices", 0, "address"), "0000:00:2c.0"),
    (("devices", 0, "class", "id"), 604),
    (("devices", 0, "ids", "vendor"), "0x8086"),
    (("devices", 0, "revision"), 0),
    (("devices", 0, "iommu_group"), "7"),
    (("devices", 0, "modules"), None),
    (("devices", 0, "dead"), False),
    (("devices", 0, "chain"), "short"),
    (("devices", 0, "registers", "Control", "Mem"), 0.5),
    (("devices", 0, "capabilities", 0, "offset"), 64),
    (("devices", 0, "capabilities", 0, "extended"), None),
    (("devices", 0, "capabilities", 0, "more"), 1),
    (("devices", 0, "config"), "0"),
    (("unrecognised",), [{"line": 0, "text": ""}]),
]
REPORTS: list[tuple[tuple[str | int, ...], Any]] = [
    (("a", "devices"), "15"),
    (("findings", 0, "severity"), "fatal"),
    (("findings", 0, "because"), [-1]),
    (("findings", 0, "title"), ""),
    (("findings", 0, "values"), {"a": 1}),
    (("findings", 0, "line"), 1),
    (("changes", 0, "kind"), "lost"),
    (("changes", 0, "known"), "yes"),
    (("changes", 0, "values"), {"a": 1, "b": 1}),
    (("moved",), [["0000:00:1c.0", "0000:00:1c.1"]]),
    (("hidden",), {"--only": "1"}),
    (("summary", "critical"), -1),
]


@pytest.mark.parametrize(("path", "value"), DUMPS, ids=str)
def test_a_wrong_dump_does_not_fit(path: tuple[str | int, ...], value: Any) -> None:
    assert faults("dump", changed(to_json(made_up()), *path, to=value)) != []


@pytest.mark.parametrize(("path", "value"), REPORTS, ids=str)
def test_a_wrong_report_does_not_fit(path: tuple[str | int, ...], value: Any) -> None:
    document = report_to_json(compared())
    first = next(change for change in document["changes"] if change["kind"] == "added")
    document["changes"].insert(0, first)
    assert faults("diff", document) == []
    assert faults("diff", changed(document, *path, to=value)) != []


@pytest.mark.parametrize("make", [lambda: to_json(made_up()), lambda: report_to_json(compared())])
def test_a_missing_part_does_not_fit(make: Callable[[], dict[str, Any]]) -> None:
    document = make()
    name = document["schema"].removeprefix("lspci-parse.").removesuffix("/1")
    for key in document:
        assert faults(name, {other: value for other, value in document.items() if other != key}) != []


TABLES: list[dict[str, Any]] = [
    {"path": "acs/ACSCtl/SrcValid", "equals": True},
    {"path": "exp/DevCtl/MaxPayload", "min": 256, "max": 512, "device": ["class:0604", "port:Root Port"]},
    {
        "path": "driver",
        "one-of": ["nvme", "vfio-pci"],
        "device": "class:0108",
        "reason": "x",
        "severity": "info",
    },
    {"path": "driver", "present": False, "remedy": "unbind it", "risk": "none"},
    {"path": "driver"},
    {"equals": 1},
    {"path": "driver", "matches": 3},
    {"path": "driver", "min": "3"},
    {"path": "driver", "present": "yes"},
    {"path": 3, "equals": 3},
    {"path": "driver", "equals": 1, "severity": "dire"},
    {"path": "driver", "equals": 1, "colour": "red"},
    {"path": "driver", "one-of": "nvme"},
]


def toml(name: str, table: dict[str, Any]) -> str:
    return (
        "\n".join([f"[[{name}]]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]) + "\n"
    )


@pytest.mark.parametrize("table", TABLES, ids=map(str, TABLES))
def test_the_schema_of_policies_and_their_reader_agree(table: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(toml("require", table), "utf-8")
    try:
        read(path)
    except LspciError:
        assert faults("policy", {"require": [table]})
    else:
        assert faults("policy", {"require": [table]}) == []


IGNORES: list[dict[str, Any]] = [
    {"pattern": "acs-lost", "reason": "known"},
    {"pattern": "acs-lost"},
    {"reason": "known"},
    {"pattern": 3, "reason": "known"},
    {"pattern": "", "reason": "known"},
    {"pattern": "x", "reason": "known", "by": "me"},
]


@pytest.mark.parametrize("table", IGNORES, ids=map(str, IGNORES))
def test_the_schema_of_ignores_and_their_reader_agree(table: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "ignore.toml"
    path.write_text(toml("ignore", table), "utf-8")
    try:
        read_ignores(path)
    except LspciError:
        assert faults("ignore", {"ignore": [table]})
    else:
        assert faults("ignore", {"ignore": [table]}) == []
