"""Generated configuration spaces, printed by lspci: what the tree says is what the bytes say."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lspci_parse import Capability, Device, Dump, parse
from lspci_parse.lspci.names import KINDS

ACS = ("SrcValid", "TransBlk", "ReqRedir", "CmpltRedir", "UpstreamFwd", "EgressCtrl", "DirectTrans")
"""Bits 0 to 6 of both ACS registers (PCI Express Base Specification, ACS Extended Capability)."""
STANDARD = ["null", "pm", "agp", "vpd", "slotid", "msi", "chswp", "pcix", "ht", "vndr", "dbg", "ccrc", "hotplug", "ssvid",
            "agp3", "secure", "exp", "msix", "sata", "af", "ea"]  # fmt: skip
EXTENDED = ["null", "aer", "vc", "dsn", "pb", "rclink", "rcilink", "rcec", "mfvc", "vc", "rbcb", "vndr"]
"""Kinds by capability id."""
IDS = Path("/usr/share/misc/pci.ids")


def expected_kind(capability: dict[str, Any]) -> str:
    number: int = capability["id"]
    names = STANDARD if capability["where"] == "std" else EXTENDED
    if number < len(names):
        return names[number]
    code = f"cap{number:02x}" if names is STANDARD else f"ecap{number:04x}"
    return KINDS.get(code, code)


def check(truth: Path, dump: Dump, *, numbers: bool) -> int:
    """Hold a dump against the truth; return how many ACS registers were compared."""
    devices = {str(device.address): device for device in dump}
    compared = 0
    for true in json.loads(truth.read_text("utf-8"))["devices"]:
        device = devices.get(true["address"])
        if device is None:
            assert not true["readable"], true["address"]
            continue
        if not true["readable"]:
            continue
        if numbers and not device.name.endswith("..."):
            check_ids(true, device)
        # Until 3.7 lspci takes all ones for capabilities; where it cannot read on, it does not tell what follows.
        if "ext_all_ones" in true["notes"] or device.access_denied or device.chain or device.dead:
            continue
        compared += check_capabilities(true, device)
    return compared


def check_ids(true: dict[str, Any], device: Device) -> None:
    assert device.ids[:2] == (f"{true['vendor_id']:04x}", f"{true['device_id']:04x}"), true["address"]
    assert device.class_.id == f"{true['class']:04x}", true["address"]
    assert device.revision == f"{true['rev']:02x}", true["address"]


def check_capabilities(true: dict[str, Any], device: Device) -> int:
    wanted = [
        (expected_kind(cap), cap["off"], cap["where"] == "ext", cap["ver"] if cap["where"] == "ext" else None)
        for cap in true["capabilities"]
    ]
    found = [(cap.kind, cap.offset, cap.extended, cap.version) for cap in device.capabilities]
    assert found == wanted, true["address"]
    by_offset = {
        capability.offset: capability for capability in device.capabilities if capability.kind == "acs"
    }
    return sum(check_acs(acs, by_offset[acs["off"]]) for acs in true["acs"] if acs["printed"])


def check_acs(true: dict[str, Any], capability: Capability) -> int:
    for register, value in (("ACSCap", true["cap"]), ("ACSCtl", true["ctl"])):
        assert dict(capability[register]) == {name: bool(value >> bit & 1) for bit, name in enumerate(ACS)}
    return 2


@pytest.mark.parametrize("folder", ["normal", "sysfs", "weird", "mixed"])
def test_recorded_dumps(shared: Path, folder: str) -> None:
    paths = sorted((shared / "fuzz" / folder).glob("lspci-*.txt"))
    assert paths
    for path in paths:
        dump = parse(path.read_bytes())
        assert check(path.with_name("truth.json"), dump, numbers="-nn" in path.name) > 0, path
        if folder != "mixed":
            assert dump.unrecognised == (), path


@pytest.mark.parametrize(
    ("profile", "mode", "seed"), [("normal", "dump", 11), ("weird", "dump", 12), ("weird", "sysfs", 13)]
)
def test_fresh_devices(shared: Path, tmp_path: Path, profile: str, mode: str, seed: int) -> None:
    """A hundred devices that nobody has seen yet."""
    lspci = shutil.which("lspci")
    if lspci is None or not IDS.is_file():
        pytest.skip("lspci is not here")
    command = [
        sys.executable,
        str(shared / "fuzz" / "fuzzgen.py"),
        f"--seed={seed}",
        "--count=100",
        "--shard=100",
    ]
    command += [
        f"--profile={profile}",
        f"--mode={mode}",
        "--flags=-nnvvv",
        f"--lspci=x={lspci}",
        f"--ids={IDS}",
    ]
    subprocess.run([*command, "--out", str(tmp_path)], check=False, capture_output=True, timeout=60)
    dump = parse((tmp_path / "x" / "-nnvvv" / "000.txt").read_bytes())
    assert dump.unrecognised == ()
    assert check(tmp_path / "truth-000.json", dump, numbers=True) > 0
