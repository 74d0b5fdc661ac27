"""What a release can print, and which release printed a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from lspci_parse import Device, Dump, parse, parse_all
from lspci_parse.lspci.release_history import CHANGED, DERIVED, NAMED, PRINTED, REINTERPRETED, RELEASES
from lspci_parse.lspci.release_markers import MARKERS
from lspci_parse.lspci.releases import comparable, derived, differs, longest_literal, printable, releases
from lspci_parse.model.dump import Releases
from lspci_parse.parsing.grammar_files import grammar_text
from tests.paths import CORPUS

OLD = Releases(None, "3.5.6")
DEBIAN_12 = Releases("3.8", "3.10")
NEW = Releases("3.14", None)
ALL = [marker for markers in MARKERS.values() for marker in markers]

# ----------------------------------------------------------------------------------------------------- tables


def test_tables_name_releases() -> None:
    texts = [*PRINTED.values(), *CHANGED.values(), *REINTERPRETED.values(), *NAMED.values()]
    for text in [*texts, *(interval for _, interval in ALL)]:
        assert set(re.findall(r"\d+(?:\.\d+)+", text)) <= set(RELEASES), text


def test_tables_name_capabilities_that_exist() -> None:
    kinds = set(re.findall(r"^\??in_(\w+):", grammar_text("lspci"), re.MULTILINE))
    paths = [*PRINTED, *CHANGED, *REINTERPRETED, *DERIVED, *(path for path, _ in NAMED)]
    inside = {path.partition("/")[0] for path in paths if re.match(r"[0-9a-z_]+/", path)}
    assert len(inside) > 20
    assert sorted(inside - kinds) == []


def test_markers_have_no_choice_outside_of_parentheses() -> None:
    """Python finds a pattern that begins with plain text many times faster."""
    for pattern, _ in ALL:
        bare = re.sub(r"\\.|\[\^?\]?[^]]*\]|\([^()]*\)", "", pattern)
        assert "|" not in re.sub(r"\([^()]*\)", "", bare), pattern


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"Capability ID 0x", "Capability ID 0x"),
        (r"\] Null\s*$", " Null"),
        (r"2.5-64GT/s", "5-64GT/s"),
        (r"Speed:? 16GT/s", " 16GT/s"),
        (r"ab[^]cde]{2}fg(?:hijk|lmno)?p\.qrst?", "qrs"),
    ],
)
def test_the_text_that_a_marker_holds(pattern: str, text: str) -> None:
    assert longest_literal(pattern) == text


def test_every_marker_holds_its_text() -> None:
    text = "\n".join(path.read_text(errors="replace") for path in sorted(CORPUS.rglob("*.txt")))
    for pattern, _ in ALL:
        assert len(longest_literal(pattern)) > 1, pattern
        assert all(longest_literal(pattern) in found[0] for found in re.finditer(pattern, text, re.MULTILINE))


# -------------------------------------------------------------------------------------------------- questions


@pytest.mark.parametrize(
    ("path", "by", "answer"),
    [
        ("acs/ACSCtl/SrcValid", OLD, True),
        ("BridgeCtl/VGA16", OLD, False),
        ("BridgeCtl/VGA16", DEBIAN_12, True),
        ("aer/UESta/UncorrIntErr", DEBIAN_12, False),
        (("aer", "UESta", "UncorrIntErr"), NEW, True),
        ("aer#2/UESta/UncorrIntErr", NEW, True),
        ("exp/LnkCap2", Releases("3.6.3", "3.7"), None),
        ("exp/LnkCap2/Supported Link Speeds", OLD, False),
        ("exp/LnkCtl2/Compliance De-emphasis", OLD, True),
        ("exp/LnkCtl2/Compliance De-emphasis", NEW, False),
        ("rebar/BAR 0/current size", Releases("3.6", "3.6.4"), False),
        ("rebar", Releases("3.6", "3.6.4"), True),
        ("fl/Log1/Valid", Releases("3.14", "3.14"), False),
        ("fl/Log1/Valid", NEW, None),
        ("label", Releases("3.4", "3.5.6"), False),
        ("I/O behind bridge/width", OLD, False),
        ("exp/SltCap/HotPlug", DEBIAN_12, None),
    ],
)
def test_printable(path: str | tuple[str, ...], by: Releases, *, answer: bool | None) -> None:
    assert printable(path, by) is answer


def test_printable_for_the_same_devices_on_one_side_of_a_change() -> None:
    assert printable("exp/SltCap/HotPlug", DEBIAN_12, NEW) is True
    assert printable("exp/SltCap/HotPlug", OLD, NEW) is None
    assert printable("exp/SltCap/HotPlug", Releases("3.2.1", "3.5.4"), Releases("3.3", "3.3")) is True


def test_releases_between_those_of_the_table() -> None:
    assert printable("exp/LnkCap2", Releases("3.7.0", "3.7.0")) is True
    assert printable("exp/LnkCap2", Releases("3.0.3", "3.1.10")) is False
    assert printable("fl/Log1", Releases("3.16", "3.20")) is True


@pytest.mark.parametrize(
    ("path", "first", "second", "answer"),
    [
        ("exp/LnkSta/Speed", ("8GT/s", OLD), ("2.5GT/s", NEW), True),
        ("exp/LnkSta/Speed", ("unknown", OLD), ("64GT/s", NEW), False),
        ("exp/LnkSta/Speed", ("unknown", NEW), ("64GT/s", NEW), False),
        ("exp/LnkSta/Speed", ("unknown", DEBIAN_12), ("64GT/s", DEBIAN_12), True),
        ("vc/VC0/Caps/MaxTimeSlots", (64, OLD), (128, NEW), False),
        ("vc/VC0/Caps/MaxTimeSlots", (64, NEW), (128, NEW), True),
        ("Region 0/size", (1024, Releases(None, "3.4.1")), (1536, NEW), False),
        ("Region 0/size", (1024, Releases(None, "3.4.1")), (2048, NEW), True),
        ("acs/ACSCtl/SrcValid", (True, OLD), (False, NEW), True),
    ],
)
def test_comparable(
    path: str, first: tuple[Any, Releases], second: tuple[Any, Releases], *, answer: bool
) -> None:
    one, other = (first[0], lambda: first[1]), (second[0], lambda: second[1])
    assert comparable(path, one, other) is answer
    assert comparable(path, other, one) is answer


def test_what_all_releases_read_alike_takes_no_look_at_the_dump() -> None:
    def never() -> Releases:
        raise AssertionError

    assert comparable("acs/ACSCtl/SrcValid", (True, never), (False, never))
    assert comparable("exp/LnkSta/Speed", ("8GT/s", never), ("16GT/s", never))
    with pytest.raises(AssertionError):
        comparable("exp/LnkSta/Speed", ("8GT/s", never), ("unknown", never))


def test_differs_says_where_to_ask() -> None:
    assert not differs("acs/ACSCtl/SrcValid")
    assert differs("exp/LnkCap2/DRS")


@pytest.mark.parametrize("prefix", ["\t", "\t\t", "    ", "> "])
def test_the_release_of_an_indented_dump(prefix: str) -> None:
    text = (CORPUS / "hosts" / "server.txt").read_text()
    indented = "".join(f"{prefix}{line}\n" for line in text.splitlines())
    assert parse(indented).lspci == parse(text).lspci != Releases()


def test_the_release_is_that_of_the_output_alone() -> None:
    old, new = (
        f"00:00.0 Host bridge: A\n\t{line}\n" for line in ("BridgeCtl: NoISA- VGA- MAbort-", "IOMMU group: 1")
    )
    dumps = parse_all(f"{old}\n$ lspci -vv\n{new}")
    assert [dump.lspci for dump in dumps] == [Releases(None, "3.5.6"), Releases("3.7", None)]


def test_opinions_are_no_facts() -> None:
    assert derived("exp/LnkSta/Speed check")
    assert not derived("exp/LnkSta/Speed")


# --------------------------------------------------------------------------------------------------- evidence


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", Releases(None, None)),
        ("Report errors: Correctable-", Releases(None, "3.5.6")),
        ("IOMMU group: 7", Releases("3.7", None)),
        ("IOMMU group: 7\n(overdriven)\nExpress (v2) Endpoint, MSI 00", Releases("3.8", "3.10")),
        ("IOMMU group: 7\nReport errors: Correctable-", Releases(None, None)),
        ("] Flit Logging\n", Releases("3.14", None)),
        ("IDE_KM+ Alg='x'", Releases("3.12", "3.14")),
    ],
)
def test_a_text_tells_the_release(line: str, found: Releases) -> None:
    assert releases(line) == found


def folders(shared: Path) -> Iterator[list[tuple[str, Dump]]]:
    for name in ("normal", "sysfs"):
        paths = sorted((shared / "fuzz" / name).glob("lspci-*.txt"))
        yield [(path.stem.removeprefix("lspci-"), parse(path.read_bytes())) for path in paths]


def numbers(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))


def test_the_true_release_is_in_the_range(shared: Path) -> None:
    for dumps in folders(shared):
        assert len(dumps) == 13
        for release, dump in dumps:
            low, high = dump.lspci
            if release == "HEAD":
                assert (low, high) == ("3.14", None)
                continue
            true = numbers(release)
            assert low is None or numbers(low) <= true, release
            assert high is None or numbers(high) >= true[: len(numbers(high))], release


# ------------------------------------------------------------------------------------- one machine, two releases


def facts(device: Device) -> dict[str, Any]:
    found: dict[str, Any] = {"subsystem": device.subsystem, "label": device.label}
    found.update(numa_node=device.numa_node, iommu_group=device.iommu_group, driver=device.driver)
    found = {name: value for name, value in found.items() if value is not None}
    for name, value in device.registers.items():
        found.update(flat(name, value))
    for path, capability in device.capability_paths():
        found[path] = (capability.offset, capability.version, capability.extended)
        for name, value in capability.items():
            found.update(flat(f"{path}/{name}", value))
    return found


def flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from flat(f"{path}/{name}", inner)
    else:
        yield path, value


@pytest.mark.slow
def test_releases_explain_every_difference_of_one_machine(shared: Path) -> None:
    """Every release printed the same devices, so whatever differs between two texts is the releases' doing."""
    unexplained = set()
    pairs = 0
    for dumps in folders(shared):
        trees = [(release, dump, [facts(device) for device in dump]) for release, dump in dumps]
        for (name, one, first), (other, two, second) in combinations(trees, 2):
            assert [device.address for device in one] == [device.address for device in two]
            pairs += 1
            for before, after in zip(first, second, strict=True):
                for path in differing(before, one.lspci, after, two.lspci):
                    unexplained.add((path, name, other))
    assert pairs == 2 * 78
    assert sorted(unexplained) == []


def differing(before: dict[str, Any], old: Releases, after: dict[str, Any], new: Releases) -> Iterator[str]:
    """Yield the paths at which two trees differ, and the releases do not explain it."""
    for path in before.keys() | after.keys():
        one, two = before.get(path), after.get(path)
        if one == two or derived(path):
            continue
        if one is None:
            unexplained = printable(path, old, new) is True
        elif two is None:
            unexplained = printable(path, new, old) is True
        else:
            unexplained = comparable(path, (one, lambda: old), (two, lambda: new))
        if unexplained:
            yield path
