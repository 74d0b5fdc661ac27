"""Every format says whether a finding's cause is certain or likely."""

from __future__ import annotations

import json
import re

import pytest

from lspci_parse.evidence.load import load
from lspci_parse.findings.engine import diff
from lspci_parse.findings.report import Comparison
from lspci_parse.render.github import github
from lspci_parse.render.junit import junit
from lspci_parse.render.markdown import markdown
from lspci_parse.render.sarif import sarif
from lspci_parse.render.text.overview import overview
from lspci_parse.render.text.report import text
from lspci_parse.serialization.report import report_to_json
from tests.paths import CORPUS


@pytest.fixture(scope="module")
def incident() -> Comparison:
    return diff(load(CORPUS / "incident" / "good"), load(CORPUS / "incident" / "bad"))


WRITERS = {
    "overview": (overview, "likely because B runs BIOS", ""),
    "text": (text, "likely    because of bios-changed", "because   acs-lost 00:1c.5"),
    "markdown": (markdown, r"  - likely because of \d+ \(bios-changed\)", r"  - because of \d+ \(acs-lost"),
    "junit": (junit, "likely because of bios-changed", "because of acs-lost 00:1c.5"),
    "github": (github, "likely because of bios-changed", "because of acs-lost 00:1c.5"),
    "sarif": (sarif, "likely because of bios-changed", "because of acs-lost 00:1c.5"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_guess_is_called_likely_and_a_cause_is_not(name: str, incident: Comparison) -> None:
    write, likely, certain = WRITERS[name]
    written = write(incident)  # type: ignore[operator]
    written = written if isinstance(written, str) else json.dumps(written)
    assert re.search(likely, written)
    assert re.search(certain, written)
    assert "likely because of acs-lost" not in written


def test_json_has_both(incident: Comparison) -> None:
    report = report_to_json(incident)
    lost = next(finding for finding in report["findings"] if finding["rule"] == "acs-lost")
    assert lost["likely"] == lost["because"] != []
    merged = next(finding for finding in report["findings"] if finding["rule"] == "groups-merged")
    assert (bool(merged["because"]), merged["likely"]) == (True, [])
