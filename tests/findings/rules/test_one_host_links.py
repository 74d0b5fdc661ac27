"""Links of one host alone, dead functions and twins: what triggers each rule, and what nearly does."""

from __future__ import annotations

import pytest

from tests.findings.rules.one_host import driven, found, with_state
from tests.machines import endpoint, root_port


def linked(text: str, able: tuple[str, int], now: tuple[str, int] | None, target: str | None = None) -> str:
    lines = [f"\t\tLnkCap:\tPort #0, Speed {able[0]}, Width x{able[1]}, ASPM L1, Exit Latency L1 <64us"]
    if now is not None:
        lines.append(f"\t\tLnkSta:\tSpeed {now[0]}, Width x{now[1]}")
    if target is not None:
        lines.append(f"\t\tLnkCtl2: Target Link Speed: {target}, EnterCompliance- SpeedDis-")
    return text.rstrip("\n") + "\n" + "\n".join(lines) + "\n\n"


def pair(
    port: tuple[str, int], card: tuple[str, int], now: tuple[str, int], target: str | None = None
) -> list[str]:
    return [
        linked(root_port("00:01.0", 1, acs=None), port, now, target),
        linked(endpoint("01:00.0"), card, now),
    ]


@pytest.mark.parametrize(
    ("port", "card", "now", "told"),
    [
        (("16GT/s", 16), ("16GT/s", 16), ("16GT/s", 8), True),
        (("16GT/s", 8), ("16GT/s", 16), ("16GT/s", 8), False),
        (("16GT/s", 16), ("16GT/s", 16), ("2.5GT/s", 16), False),
    ],
)
def test_a_narrow_link(
    port: tuple[str, int],
    card: tuple[str, int],
    now: tuple[str, int],
    told: bool,  # noqa: FBT001
) -> None:
    findings = found("link-narrow", *pair(port, card, now))
    assert [finding.title for finding in findings] == (
        ["01:00.0 (Ethernet controller) runs at x8, both ends of its link can do x16"] if told else []
    )


def test_a_narrow_link_is_told_once_for_a_slot_and_not_of_a_sleeper() -> None:
    parts = pair(("16GT/s", 16), ("16GT/s", 16), ("16GT/s", 8))
    second = linked(endpoint("01:00.1"), ("16GT/s", 16), ("16GT/s", 8))
    assert len(found("link-narrow", *parts, second)) == 1
    assert found("link-narrow", parts[0], with_state(parts[1], "D3")) == []


@pytest.mark.parametrize(
    ("target", "card", "told"),
    [
        ("8GT/s", "16GT/s", True),
        ("16GT/s", "16GT/s", False),
        ("8GT/s", "8GT/s", False),
        (None, "16GT/s", False),
    ],
)
def test_a_link_that_is_held_slow(target: str | None, card: str, told: bool) -> None:  # noqa: FBT001
    findings = found("link-speed-limited", *pair(("16GT/s", 16), (card, 16), ("8GT/s", 16), target))
    assert [(finding.b.slot, finding.after) for finding in findings if finding.b] == (
        [("00:01.0", "8GT/s")] if told else []
    )


def test_a_function_that_does_not_answer() -> None:
    dead = "02:00.0 Ethernet controller: X (rev ff) (prog-if ff)\n\t!!! Unknown header type 7f\n\n"
    (finding,) = found("not-answering", endpoint("01:00.0"), dead)
    assert (finding.severity, finding.b.slot if finding.b else None) == ("critical", "02:00.0")
    assert found("not-answering", endpoint("01:00.0")) == []


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (driven(endpoint("01:00.0"), "nic"), endpoint("02:00.0"), ["02:00.0"]),
        (driven(endpoint("01:00.0"), "nic"), endpoint("02:00.0", name="Another Device"), []),
        (driven(endpoint("01:00.0"), "nic"), endpoint("01:00.1"), []),
        (endpoint("01:00.0"), endpoint("02:00.0"), []),
        (
            driven(endpoint("01:00.0", class_="System peripheral"), "uncore"),
            endpoint("02:00.0", class_="System peripheral"),
            [],
        ),
    ],
    ids=["twins", "another model", "another function", "none driven", "helpers"],
)
def test_a_twin_without_driver(first: str, second: str, told: list[str]) -> None:
    findings = found("twin-without-driver", first, second)
    assert [finding.b.slot for finding in findings if finding.b] == told
