from __future__ import annotations

import re

import pytest
from hypothesis import given

from lspci_parse.render.markdown import markdown
from tests.render.reports import ANYTHING, CARD, PORT, comparison, finding, incident, nasty


def test_a_report_has_hosts_a_table_and_a_section_for_each_rule() -> None:
    assert (
        markdown(incident())
        == """\
# lspci-parse: `good.txt` and `bad.txt`

|  | host | devices |
| --- | --- | --- |
| A | `good.txt` | 15 |
| B | `bad.txt` | 14 |

2 critical, 1 warning.

| # | severity | rule | device | A | B |
| --- | --- | --- | --- | --- | --- |
| 1 | critical | `acs-lost` | `00:1c.5` | `[148 v1] Access Control Services` | `not there` |
| 2 | warning | `groups-merged` | `00:1c.5` | `00:1c.0 \\| 00:1c.5` | `00:1c.0, 00:1c.5` |
| 3 | critical | `device-missing` | `02:00.0` | `Example NIC` | `not there` |

## acs-lost

- **1.** `00:1c.5` (Root Port) has lost its ACS capability
  - leads to 2 (groups-merged `00:1c.5`)

**Why:** Nothing keeps devices apart.

**Try:** Compare BIOS versions.

## groups-merged

- **2.** 2 IOMMU groups are one on B
  - because of 1 (acs-lost `00:1c.5`)

**Why:** They share a domain.

## device-missing

- **3.** `02:00.0` is not on B: Example NIC

**Why:** Nothing keeps devices apart.

**Try:** Compare BIOS versions."""
    )


def test_nothing_found_is_said() -> None:
    text = markdown(comparison(hidden={"--ignore exp/*": 2}))
    assert text.endswith("\n\nNo findings; 2 hidden by --ignore exp/\\*.")
    assert "##" not in text


def test_findings_with_one_reason_and_remedy_share_a_section() -> None:
    text = markdown(comparison(finding(), finding(b=CARD, title="another"), finding(detail="else")))
    assert text.count("## acs-lost") == 2
    assert "- **1.** `00:1c.5` (Root Port) has lost its ACS capability\n- **2.** another\n\n**Why:**" in text


def test_a_finding_without_values_has_empty_cells() -> None:
    assert "| `acs-lost` | `00:1c.5` |  |  |" in markdown(comparison(finding(before=None)))


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a|b", r"`a\|b`"),
        ("a`b", "``a`b``"),
        ("``", "``` `` ```"),
        (" a", "`  a `"),
        ("<b>*_&\\", "`<b>*_&\\`"),
        ("\udcff\x1b", r"`\xff\x1b`"),
        (True, "`on`"),
        (4096, "`4096`"),
    ],
)
def test_values_are_code(text: object, cell: str) -> None:
    assert f"| `00:1c.5` | {cell} | `not there` |" in markdown(comparison(finding(before=text)))


@pytest.mark.parametrize(
    ("title", "written"),
    [
        (
            "<script> & *x* `y` [l](u) ~z~ $m$ a|b \\",
            r"\<script\> \& \*x\* \`y\` \[l\](u) \~z\~ \$m\$ a\|b \\",
        ),
        ("intel_iommu _x_", r"intel_iommu \_x\_"),
        ("Root Port #6 of @someone", "Root Port #<!-- -->6 of @<!-- -->someone"),
        ("drive :cd: 0000:cd:00.0", "drive :<!-- -->cd: `0000:cd:00.0`"),
        ("10000:e1:00.0/exp and 00:1c.5.", "`10000:e1:00.0`/exp and `00:1c.5`."),
        ("\udcff", r"\\xff"),
        ("one\n# two", r"one\\n# two"),
    ],
)
def test_prose_holds_no_markup(title: str, written: str) -> None:
    assert f"\n- **1.** {written}\n" in markdown(comparison(finding(title=title)))


@given(ANYTHING, ANYTHING, ANYTHING)
def test_no_text_breaks_the_table(rule: str, value: str, words: str) -> None:
    text = markdown(comparison(finding(rule, before=value, title=words, detail=words, remedy=words, b=PORT)))
    row = text.encode("utf-8").decode("utf-8").split("\n")[11]
    assert row.startswith("| 1 | critical |")
    assert len(re.findall(r"(?<!\\)\|", row)) == 7


def test_the_worst_text_stays_on_its_lines() -> None:
    lines = markdown(nasty()).split("\n")
    assert [line[:4] for line in lines if line and line[0] not in "|-*"] == ["# ls", "1 cr", "## a"]


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example/x", "HTTP://a.example", "ftp://a.example", "www.a.example", "a@b.example", "mailto:a@b.c",
        "@user", "@org/team", "#123", "org/repo#123", "GH-123", "org/repo@0123abc", "0123456789abcdef0123456789abcdef01234567",
    ],
)  # fmt: skip
def test_text_of_a_dump_links_nowhere(text: str) -> None:
    written = markdown(comparison(finding(title=f"see {text} now")))
    bare = re.sub(r"`[^`]*`", "", written)
    assert text not in bare
    assert re.sub(r"<!-- -->|\\(?=\W)", "", written).count(f"see {text} now") == 1
