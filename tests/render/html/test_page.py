"""The page, as its reader meets it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import expect

from lspci_parse.cli import main
from lspci_parse.evidence.host import Host
from lspci_parse.evidence.load import load
from lspci_parse.findings.engine import diagnose, diff
from lspci_parse.render.html.page import page
from tests.machines import endpoint, machine, root_port
from tests.paths import CORPUS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    Opened = Callable[..., Page]

GOOD, BAD = CORPUS / "incident" / "good", CORPUS / "incident" / "bad"


@cache
def incident() -> str:
    a, b = load(GOOD), load(BAD)
    return page("lspci-parse diff", [a, b], diff(a, b))


def visible(shown: Page) -> list[str]:
    slots: list[str] = shown.eval_on_selector_all(
        "button.device", "all => all.filter(one => one.offsetParent).map(one => one.dataset.slot)"
    )
    return slots


def test_small_and_alone() -> None:
    html = incident()
    assert len(html) < 200_000
    assert "http://" not in html
    assert "https://" not in html
    assert "src=" not in html


def test_the_verdict_the_cause_and_the_next_step_come_first(opened: Opened) -> None:
    shown = opened(incident())
    expect(shown.locator(".verdict")).to_have_text("7 critical 2 warning")
    cause = shown.locator("article.cause")
    expect(cause).to_have_count(1)
    expect(cause.locator("h2")).to_contain_text("00:1c.5 (Root Port) has lost its ACS capability")
    expect(cause.locator(".likely")).to_contain_text("likely because B runs BIOS 1.4.2")
    expect(cause.locator(".step")).to_contain_text("Power off fully, and bring BIOS")
    expect(cause.locator(".chain li li li li li").first).to_contain_text(
        "31:00.0 (Ethernet controller) has no driver"
    )


def test_a_device_opens_with_what_differs_first(opened: Opened) -> None:
    shown = opened(incident())
    expect(shown.locator("#details")).to_be_hidden()
    shown.locator("#B-00\\:1c\\.5").click()
    facts = shown.locator("#facts")
    expect(facts.locator("h3").first).to_have_text("00:1c.5 (Root Port) has lost its ACS capability")
    expect(facts.locator("tr").first).to_have_text("acs[148 v1] Access Control Services → not there")
    expect(facts).to_contain_text("exp/LnkSta/Speed")
    shown.keyboard.press("Escape")
    expect(shown.locator("#details")).to_be_hidden()


def test_search_and_filters(opened: Opened) -> None:
    shown = opened(incident())
    everything = visible(shown)
    shown.keyboard.press("/")
    shown.keyboard.type("mlx5_core")
    assert visible(shown) == ["31:00.0", "31:00.1"]
    expect(shown.locator("#count")).to_have_text("2 shown")
    shown.keyboard.press("Escape")
    assert visible(shown) == everything
    shown.locator("#severity").select_option("critical")
    assert visible(shown) == ["00:1c.5", "02:00.0", "31:00.0", "31:00.1"]
    shown.locator("#severity").select_option("")
    shown.locator("#group").select_option("17")
    assert visible(shown) == ["00:1c.0", "00:1c.5", "02:00.0"]


def test_flip_between_the_hosts(opened: Opened) -> None:
    shown = opened(incident(), "#00:1c.5")
    expect(shown.locator("#B-00\\:1c\\.5 .acs")).to_have_text("ACS none")
    expect(shown.locator("#A-00\\:1c\\.5")).to_be_hidden()
    shown.get_by_label("A", exact=True).check()
    expect(shown.locator("#A-00\\:1c\\.5 .acs")).to_have_text("ACS on")
    expect(shown.locator("#B-00\\:1c\\.5")).to_be_hidden()
    expect(shown.locator("#facts")).to_contain_text("acs/ACSCtl/SrcValid")


def test_a_link_to_a_device_opens_there(opened: Opened) -> None:
    shown = opened(incident(), "#31:00.1")
    expect(shown.locator("#facts h2")).to_contain_text("31:00.1")
    expect(shown.locator("#B-31\\:00\\.1")).to_be_focused()
    shown.locator("article.cause h2 a").click()
    expect(shown.locator("#facts h2")).to_contain_text("00:1c.5")


def test_arrows_walk_the_devices(opened: Opened) -> None:
    shown = opened(incident())
    shown.locator("#B-00\\:00\\.0").focus()
    shown.keyboard.press("ArrowDown")
    expect(shown.locator("#B-00\\:01\\.0")).to_be_focused()
    shown.keyboard.press("Enter")
    expect(shown.locator("#facts h2")).to_contain_text("00:01.0")
    shown.keyboard.press("ArrowUp")
    expect(shown.locator("#B-00\\:00\\.0")).to_be_focused()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anyone_out(scheme: str, opened: Opened) -> None:
    shown = opened(incident(), "#00:1c.5", color_scheme=scheme, bypass_csp=True)
    found = Axe().run(shown)
    assert [(item["id"], item["nodes"][0]["html"][:120]) for item in found["violations"]] == []


@pytest.mark.slow
def test_it_fits_a_phone_and_prints(opened: Opened) -> None:
    shown = opened(incident(), viewport={"width": 390, "height": 800})
    assert shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert shown.pdf().startswith(b"%PDF-")


PAYLOADS = (
    "<img src=x onerror=window.pwned=1>",
    "</script><script>window.pwned=1</script>",
    '"><svg onload=window.pwned=1>',
    "{{ 7 * 7 }}{% raw %}",
    "javascript:window.pwned=1",
    "<!--<script>",
)


def hostile(payload: str) -> str:
    card = endpoint(
        "01:00.0", f"Subsystem: {payload}", f"DeviceName: {payload}", f"Physical Slot: {payload}",
        f"Kernel driver in use: {payload}", f"Kernel modules: {payload}", name=payload,
    )  # fmt: skip
    return root_port("00:01.0", 1, name=payload) + card


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_from_a_dump_runs(payload: str, opened: Opened) -> None:
    a = Host(payload, machine(hostile(payload)))
    b = Host(payload, machine(hostile(f"other {payload}")))
    shown = opened(page(payload, [a, b], diff(a, b)), "#01:00.0")
    shown.locator("#search").fill("a")
    assert shown.evaluate("window.pwned") is None
    assert shown.locator("img, svg").count() == 0
    assert payload in shown.locator("#facts").inner_text()
    assert "49" not in shown.locator("h1").inner_text()


def test_one_host_and_many_devices(opened: Opened) -> None:
    parts = []
    for bus in range(1, 251):
        slot = f"00:{bus % 32:02x}.{bus // 32}"
        parts += [root_port(slot, bus, acs=None), endpoint(f"{bus:02x}:00.0"), endpoint(f"{bus:02x}:00.1")]
    host = Host("many", machine(*parts))
    shown = opened(page("lspci-parse diagnose", [host], diagnose(host)))
    assert len(visible(shown)) == 750
    shown.locator("#search").fill("fa:00")
    assert visible(shown) == ["fa:00.0", "fa:00.1"]


@pytest.mark.parametrize(
    "argv",
    [
        ["diff", str(GOOD), str(BAD)], ["diagnose", str(BAD)], ["check", str(BAD)], ["show", str(GOOD)],
        ["groups", str(GOOD)],
    ],
    ids=lambda argv: argv[0],
)  # fmt: skip
def test_every_command_writes_one(
    argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.html"
    assert main([*argv, "--format", "html", "-o", str(file)]) in (0, 1)
    assert capsys.readouterr().out == ""
    html = file.read_text()
    assert html.startswith("<!doctype html>")
    assert f"<title>lspci-parse {argv[0]}</title>" in html
    assert html.rstrip().endswith("</html>")


def test_without_the_library_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    assert main(["show", str(GOOD), "--format", "html"]) == 2
    assert capsys.readouterr().err == "lspci-parse: pages need Jinja2: install lspci-parse[html]\n"


def test_a_file_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(GOOD), "-o", "/nowhere/x.html"]) == 2
    assert "/nowhere/x.html: cannot be written: No such file or directory" in capsys.readouterr().err
