from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lspci_parse.cli import main
from lspci_parse.errors import LspciError
from lspci_parse.evidence.load import load
from lspci_parse.evidence.redact import Redactor, host_names
from lspci_parse.evidence.source import redacted
from lspci_parse.findings.engine import diff
from lspci_parse.serialization.report import report_to_json
from tests.paths import CORPUS

KEY = b"key"


def dump(text: str) -> str:
    return Redactor(KEY).text(text, "dump")


def log(text: str, *names: str) -> str:
    return Redactor(KEY, names).text(text, "log")


@pytest.mark.parametrize(
    ("before", "secret", "after"),
    [
        ("\tCapabilities: [140 v1] Device Serial Number ", "b8-59-9f-ff-ff-03-00-1a", ""),
        ("\t\t\t[SN] Serial number: ", "MT2012X01234", ""),
        ("\t\t\t[V3] Vendor specific: ", "c83a7f5e7d9ce911", ""),
        ("\t\t\t[YA] Asset tag: ", "rack 7 left", ""),
    ],
)
def test_secrets_of_a_dump(before: str, secret: str, after: str) -> None:
    found = dump(before + secret + after)
    assert found.startswith(before)
    assert secret not in found
    assert len(found) == len(before + secret + after)
    assert found == dump(before + secret + after)
    assert found != dump(before + secret.replace("1", "2").replace("r", "s") + after)
    assert Redactor(b"other").text(before + secret + after, "dump") != found


@pytest.mark.parametrize(
    "line",
    [
        "00:1c.5 PCI bridge [0604]: Intel Corporation C620 Root Port #6 [8086:a195] (rev f9)",
        "\tCapabilities: [140 v1] Device Serial Number 00-00-00-00-00-00-00-00",
        "\t\t\t[PN] Part number: MCX556A-EDAT",
        "\t\tBridge: PM- B3+",
        "00: 86 80 95 a1 07 04 10 00 f9 00 04 06 10 00 81 00",
        "\tMemory behind bridge: 92000000-920fffff [size=1M] [32-bit]",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert dump(line) == line


@pytest.mark.parametrize(
    "line",
    [
        "mlx5_core 0000:31:00.0: firmware version: 16.28.2006",
        "i40e 0000:3d:00.0: fw 6.0.48442 api 1.7 nvm 6.01 0x800034a4 1.1747.0",
        "pci 0000:31:00.0: [15b3:1019] type 00 class 0x020000",
        "[    0.000000] Linux version 6.1.0-18-amd64",
        "drv 0000:31:00.0: firmware version 9.40.1.3",
        "nfs: server 127.0.0.1 not responding",
    ],
)
def test_facts_of_a_log_stay(line: str) -> None:
    assert log(line) == line


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("igb 0000:01:00.0: added PHC, eth0: (PCIe:2.5Gb/s) aa:bb:cc:dd:ee:01", "aa:bb:cc:dd:ee:01"),
        ("igb 0000:01:00.0 enxaabbccddee01: renamed", "aabbccddee01"),
        ("nfs: server 10.20.30.40 not responding", "10.20.30.40"),
        ("nfs: server fe80::1234:5678 not responding", "fe80::1234:5678"),
        ("usb 1-1: SerialNumber: ABC123", "ABC123"),
        ("EXT4-fs (sda2): mounted filesystem 7d9f9a52-7a1e-4a63-b1a3-3b0c1f9d1c11", "7d9f9a52"),
        ("Linux version 6.1.0 (jane@build.example.org)", "jane"),
        ("May  1 12:00:00 db7 kernel: hello from db7.example.org", "db7"),
        ("Command line: ro luks.password=hunter22 -- secretarg", "hunter22"),
        ("Command line: ro quiet -- secretarg", "secretarg"),
    ],
)
def test_secrets_of_a_log(line: str, secret: str) -> None:
    found = log(line, *host_names([line]))
    assert secret not in found
    assert found.partition(" ")[0] == line.partition(" ")[0]


def test_parameters_that_touch_pci_stay() -> None:
    line = "BOOT_IMAGE=/vmlinuz ro intel-iommu=on iommu=pt vfio-pci.ids=10de:1db4 token=abc"
    assert Redactor(KEY).text(line, "cmdline").startswith(line.removesuffix("abc"))
    assert "token=abc" not in Redactor(KEY).text(line, "cmdline")


def test_the_extended_rows_of_a_hex_dump_go() -> None:
    row = "140: 03 00 01 00 1a 00 03 ff ff 9f 59 b8 00 00 00 00\n"
    assert dump("00: 86 80\n" + row + "\n") == "00: 86 80\n\n"


def test_a_redacted_pair_compares_as_the_pair_does(tmp_path: Path) -> None:
    good, bad = CORPUS / "incident" / "good", CORPUS / "incident" / "bad"
    new = tmp_path / "new"
    assert main(["redact", str(good), str(bad), "-o", str(new), "--key", "k"]) == 0
    place = [tmp_path / name for name in ("good", "bad")]
    for number, folder in enumerate(place, 1):
        shutil.move(new / str(number), folder)
    plain = json.dumps(report_to_json(diff(load(good), load(bad))))
    after = json.dumps(report_to_json(diff(load(place[0]), load(place[1]))))
    redactor = Redactor(b"k")
    for source in (good, bad):
        plain = plain.replace(str(source), str(tmp_path / source.name))
        for path in source.iterdir():
            redactor.text(path.read_text(), "log")
    for secret, stand_in in redactor.replaced.items():
        plain = plain.replace(secret, stand_in)
    assert json.loads(after) == json.loads(plain)
    assert "b8-59-9f-03-00-1a-2b-3c" not in (place[0] / "lspci.txt").read_text()


def test_serial_numbers_still_pair_devices(tmp_path: Path) -> None:
    text = (CORPUS / "incident" / "good" / "lspci.txt").read_text()
    one, two = tmp_path / "a.txt", tmp_path / "b.txt"
    one.write_text(text)
    two.write_text(text.replace("b8-59-9f-03-00-1a-2b-3c", "b8-59-9f-03-00-1a-2b-3d"))
    (first,), (second,) = redacted(str(one), KEY).values(), redacted(str(two), KEY).values()
    assert first != second
    assert redacted(str(one), KEY) == redacted(str(one), KEY) != redacted(str(one))


def test_one_dump_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["redact", str(CORPUS / "incident" / "good" / "lspci.txt")]) == 0
    out = capsys.readouterr().out
    assert "00:1c.5" in out
    assert "b8-59-9f-03-00-1a-2b-3c" not in out


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir()
    good = str(CORPUS / "incident" / "good")
    assert main(["redact", good, "-o", str(tmp_path / "out")]) == 2
    assert main(["redact", good]) == 2
    assert "expected -o DIR" in capsys.readouterr().err
    with pytest.raises(LspciError):
        redacted(str(tmp_path / "none"))
