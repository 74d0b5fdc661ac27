"""The command line: exit codes, streams and exact error texts."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lspci_parse.cli import main
from tests.paths import CORPUS, ROOT

GOOD, BAD = CORPUS / "incident" / "good" / "lspci.txt", CORPUS / "incident" / "bad" / "lspci.txt"


def run(*argv: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command as its own process."""
    command = [sys.executable, "-m", "lspci_parse", *map(str, argv)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, cwd=ROOT)


def test_diff_names_the_lost_acs_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "--explain", str(GOOD), str(BAD)]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    headlines = [line for line in out.splitlines() if line.startswith(("CRITICAL", "WARNING", "INFO"))]
    assert headlines[0] == "CRITICAL  acs-lost  00:1c.5 (Root Port) has lost its ACS capability"
    assert [line.split()[1] for line in headlines] == [
        "acs-lost",
        "iommu-off",
        "driver-missing",
        "groups-merged",
    ]


def test_what_was_not_used_is_told_beside_the_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "twice.txt").write_bytes(GOOD.read_bytes() + b"$ lspci -vvv\n" + BAD.read_bytes())
    assert main(["diff", str(tmp_path / "twice.txt"), str(BAD), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["findings"] == []
    assert err.startswith(f"lspci-parse: note: {tmp_path / 'twice.txt'} shows 2 hosts or times")


def test_diff_of_a_host_with_itself_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", str(GOOD), str(GOOD)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "No findings."


def test_diff_json_has_the_promised_shape(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "--json", str(GOOD), str(BAD)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["schema"] == "lspci-parse.diff/1"
    lost, off, *drivers, merged = report["findings"]
    assert off["rule"] == "iommu-off"
    assert [finding["rule"] for finding in drivers] == ["driver-missing", "driver-missing"]
    assert (lost["rule"], lost["severity"], lost["a"], lost["b"], lost["path"]) == (
        "acs-lost", "critical", "0000:00:1c.5", "0000:00:1c.5", "acs",
    )  # fmt: skip
    assert lost["values"]["a"].endswith("] Access Control Services")
    assert lost["values"]["b"] is None
    assert (lost["leads_to"], merged["because"]) == ([4], [0])
    assert report["summary"]["critical"] == 4


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--fail-on", "critical"], 1),
        (["--only", "link-degraded"], 0),
        (
            [
                "--ignore",
                "00:1c.5/acs",
                "--ignore",
                "groups-*",
                "--ignore",
                "31:00.?",
                "--ignore",
                "iommu-off",
            ],
            0,
        ),
        (
            [
                "--ignore",
                "acs-lost",
                "--ignore",
                "driver-*",
                "--ignore",
                "iommu-off",
                "--fail-on",
                "critical",
            ],
            0,
        ),
        (["--match", "address"], 1),
    ],
)
def test_steering_decides_the_exit_code(options: list[str], code: int) -> None:
    assert main(["diff", *options, str(GOOD), str(BAD)]) == code


def test_what_was_hidden_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    main(["diff", "--ignore", "groups-merged", str(GOOD), str(BAD)])
    assert "1 hidden by --ignore groups-merged" in " ".join(capsys.readouterr().out.split())


def test_a_saved_report_can_be_written_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["diff", "--json", str(GOOD), str(BAD)])
    saved = tmp_path / "report.json"
    saved.write_text(capsys.readouterr().out)
    assert main(["diff", str(GOOD), str(BAD)]) == 1
    direct = capsys.readouterr().out
    assert main(["render", str(saved)]) == 1
    assert capsys.readouterr().out == direct


def test_standard_input() -> None:
    result = run("show", "-", stdin=GOOD.read_bytes())
    assert (result.returncode, result.stderr) == (0, b"")
    assert b"00:1c.5" in result.stdout


def test_show_one_device_and_one_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(GOOD), "-s", "00:1c.5", "--cap", "acs"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].startswith("00:1c.5 PCI bridge: ")
    assert out.splitlines()[1].startswith("  acs [")
    assert "ACSCtl: SrcValid+" in out


def test_show_flat_has_one_fact_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(GOOD), "--flat"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "00:1c.5/acs/ACSCtl/SrcValid = true" in lines
    assert all(" = " in line for line in lines)


TROUBLE = "expected the output of 'lspci -vvv', whose devices begin with an address such as '00:1c.5 '"


def trouble(*argv: object, stdin: bytes = b"") -> str:
    """Run a command that must fail: exit code 2, nothing on stdout, no traceback. Return its complaint."""
    result = run(*argv, stdin=stdin)
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"Traceback" not in result.stderr
    return result.stderr.decode()


def test_missing_file() -> None:
    message = trouble("diff", "missing.txt", GOOD)
    assert message.startswith("lspci-parse: missing.txt: ")
    assert message.count("\n") == 1


def test_no_dump(tmp_path: Path) -> None:
    path = tmp_path / "poem.txt"
    path.write_text("Roses are red\n")
    message = trouble("show", path)
    assert message.startswith(
        f"lspci-parse: {path}:1:1: no PCI device found; expected the output of 'lspci -vvv'"
    )


def test_cut_gzip(tmp_path: Path) -> None:
    path = tmp_path / "host.gz"
    path.write_bytes(gzip.compress(GOOD.read_bytes())[:-100])
    message = trouble("show", path)
    assert message.startswith(f"lspci-parse: {path}: ")
    assert "complete" in message


def test_folder_without_dump(tmp_path: Path) -> None:
    message = trouble("show", tmp_path)
    assert message.startswith(f"lspci-parse: {tmp_path}: ")
    assert "lspci" in message


def test_unknown_command() -> None:
    assert trouble("dance").startswith("lspci-parse: argument COMMAND: invalid choice: 'dance'")


def test_unknown_rule() -> None:
    assert "no rule 'acs-lots'; did you mean acs-lost?" in trouble("diff", "--only", "acs-lots", GOOD, BAD)


def test_unknown_slot() -> None:
    assert "-s '05:00.9'; expected such as 31:00.0, 31:, 00:1c or .0, as lspci takes it" in trouble(
        "show", GOOD, "-s", "05:00.9"
    )


def test_strict_shows_the_line_with_a_caret(tmp_path: Path) -> None:
    path = tmp_path / "strange.txt"
    path.write_text("00:02.0 VGA compatible controller: Example\n\tGibberish here\n")
    assert run("show", path).returncode == 0
    message = trouble("show", "--strict", path)
    assert message == f"lspci-parse: {path}:2:1: no rule knows this line\n  \tGibberish here\n  ^\n"


def test_a_closed_pipe_ends_it_quietly() -> None:
    """``lspci-parse show host | head -1`` complains of nothing."""
    read_end, write_end = os.pipe()
    command = [sys.executable, "-m", "lspci_parse", "show", "--flat", str(GOOD)]
    process = subprocess.Popen(command, stdout=write_end, stderr=subprocess.PIPE, cwd=ROOT)
    os.close(write_end)
    os.close(read_end)
    _, errors = process.communicate()
    assert errors == b""


def test_help_imports_neither_lark_nor_tabulate() -> None:
    code = "import sys, lspci_parse.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\nprint({'lark', 'tabulate'} & sys.modules.keys())"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT)
    assert result.stdout.splitlines()[-1] == b"set()"


def test_colour_only_where_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    main(["diff", str(GOOD), str(BAD)])
    assert "\x1b" not in capsys.readouterr().out
    main(["diff", "--color", "always", str(GOOD), str(BAD)])
    assert "\x1b[1;31mCRITICAL\x1b[0m" in capsys.readouterr().out


def test_a_byte_that_is_not_utf8_is_spelt_out() -> None:
    text = b"00:02.0 VGA compatible controller: Caf\xe9\n"
    assert b"Caf\\xe9\n" in run("show", "-", stdin=text).stdout
    assert json.loads(run("show", "--json", "-", stdin=text).stdout)["devices"][0]["name"] == "Caf\udce9"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("lspci-parse ")


@pytest.mark.parametrize("name", ["dump", "diff", "groups", "check"])
def test_schemas_are_printed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", name]) == 0
    assert json.loads(capsys.readouterr().out)["$schema"].startswith("https://json-schema.org/")


def test_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules"]) == 0
    assert "acs-lost" in capsys.readouterr().out
    assert main(["rules", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0].keys() == {"rule", "severity", "summary"}


def test_output_goes_to_the_stream_in_place() -> None:
    """A program that calls ``main`` may have replaced standard output."""
    code = f"import io, sys; from lspci_parse.cli import main; sys.stdout = io.StringIO(); main(['show', {str(GOOD)!r}])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, cwd=ROOT)
    assert (result.returncode, result.stderr) == (0, b"")
