from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from lspci_parse.evidence.collect import script
from lspci_parse.evidence.load import load

if TYPE_CHECKING:
    from pathlib import Path

SHELLS = [["sh"], ["dash"], ["bash", "--posix"], ["busybox", "sh"]]
LSPCI = """\
#!/bin/sh
printf '00:00.0 Host bridge [0600]: Example [8086:3ec2]\\n\\tControl: I/O+ Mem+\\n'
"""


@pytest.fixture(params=SHELLS, ids=lambda words: words[0])
def shell(request: pytest.FixtureRequest) -> list[str]:
    words: list[str] = request.param
    path = shutil.which(words[0])
    if path is None:
        pytest.skip(f"{words[0]} is not installed")
    return [path, *words[1:]]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "collect.sh"
    path.write_text(script())
    return path


def test_every_shell_reads_it(shell: list[str], written: Path) -> None:
    subprocess.run([*shell, "-n", str(written)], check=True)


@pytest.mark.parametrize("name", ["host", "a folder with blanks", "-n", "$(touch gone)"])
def test_what_it_gathers_is_a_host(shell: list[str], written: Path, tmp_path: Path, name: str) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "lspci").write_text(LSPCI)
    (tools / "lspci").chmod(0o755)
    done = subprocess.run(
        [*shell, str(written), name],
        cwd=tmp_path,
        env={"PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    host = load(tmp_path / name)
    assert [device.slot for device in host.dump] == ["00:00.0"]
    assert host.cmdline is not None
    assert host.kernel == os.uname().release
    assert host.groups is not None
    assert done.stdout == ""
    assert f"wrote to {'./' if name.startswith('-') else ''}{name}" in done.stderr
    assert ("not root" in done.stderr) == (os.geteuid() != 0)
    assert not (tmp_path / "gone").exists()


def test_it_says_what_is_missing(written: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "id", "uname", "mkdir", "cat", "grep", "rm"):
        (tools / tool).symlink_to(shutil.which(tool) or "/bin/false")
    done = subprocess.run(
        [str(tools / "sh"), str(written), "out"],
        cwd=tmp_path, env={"PATH": str(tools)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "no such command: lspci" in done.stderr
    assert not (tmp_path / "out" / "lspci-vvvnn.txt").exists()
