"""Documents of wrong types, whatever is wrong with them, are refused by their path and never half read."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lspci_parse import LspciError, diff, from_json, report_from_json, report_to_json, to_json
from lspci_parse.evidence.load import load
from lspci_parse.model.document import MAX_DEPTH, checked
from tests.paths import CORPUS

GOOD, BAD = (load(CORPUS / "incident" / side) for side in ("good", "bad"))
DUMP = to_json(GOOD.dump)
REPORT = report_to_json(diff(GOOD, BAD))


def changed(document: dict[str, Any], path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    found = copy.deepcopy(document)
    place: Any = found
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return found


WRONG: list[tuple[tuple[str | int, ...], object, str]] = [
    (("devices",), {}, "devices must be array"),
    (("devices", 3, "driver"), 7, "devices[3].driver must be string or null"),
    (("devices", 3, "iommu_group"), "17", "devices[3].iommu_group must be integer or null"),
    (("devices", 3, "iommu_group"), -1, "devices[3].iommu_group must be bigger than or equal to 0"),
    (("devices", 3, "address"), "nowhere", "devices[3].address must match pattern"),
    (("devices", 3, "modules"), "a", "devices[3].modules must be array"),
    (("devices", 3, "registers"), [], "devices[3].registers must be object"),
    (("devices", 3, "registers", "Control"), float("nan"), "devices[3].registers.Control must be"),
    (("devices", 3, "config"), "xyz", "devices[3].config must match pattern"),
    (("devices", 3, "class"), None, "devices[3].class must be object"),
    (("lspci", "min"), "new", "lspci.min must match pattern"),
]


@pytest.mark.parametrize(("path", "value", "message"), WRONG, ids=[message for *_, message in WRONG])
def test_a_wrong_dump_is_refused_by_its_path(
    path: tuple[str | int, ...], value: object, message: str
) -> None:
    with pytest.raises(LspciError) as caught:
        from_json(changed(DUMP, path, value))
    assert str(caught.value).startswith(
        f"the document does not fit its schema 'lspci-parse.dump/1': {message}"
    )


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize("levels", [MAX_DEPTH, 400, 5000])
def test_a_document_that_is_too_deep(levels: int) -> None:
    with pytest.raises(LspciError, match="nested more than 32 levels deep"):
        from_json({**DUMP, "units": nested(levels)})


def test_our_own_documents_fit() -> None:
    assert from_json(DUMP) == GOOD.dump
    assert checked("diff", REPORT) is REPORT
    assert report_to_json(report_from_json(json.loads(json.dumps(REPORT)))) == REPORT


def test_reports_of_the_first_version_are_read() -> None:
    """Those without causes, facts and likely links."""
    old = copy.deepcopy(REPORT)
    del old["causes"]
    for finding in old["findings"]:
        del finding["facts"], finding["likely"]
    assert [f.rule for f in report_from_json(old).findings] == [f["rule"] for f in REPORT["findings"]]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def paths(document: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the places in a document, of lists the first item's alone."""
    children = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document[:1])
        if isinstance(document, list)
        else ()
    )
    found = [(*at, step) for step, _ in children]
    for step, child in (
        children
        if isinstance(document, dict)
        else enumerate(document[:1])
        if isinstance(document, list)
        else ()
    ):
        found += paths(child, (*at, step))
    return found


@pytest.mark.parametrize(
    ("read", "document"), [(from_json, DUMP), (report_from_json, REPORT)], ids=["dump", "diff"]
)
@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_any_value_at_any_place_is_read_or_refused(
    read: Any, document: dict[str, Any], data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(paths(document)))
    with contextlib.suppress(LspciError):
        read(changed(document, path, data.draw(JSON)))
