from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from lspci_parse.evidence.collect import script
from lspci_parse.evidence.group_listing import parse_groups
from lspci_parse.evidence.load import load
from lspci_parse.model.address import Address

if TYPE_CHECKING:
    from pathlib import Path

SHELLS = [["sh"], ["dash"], ["bash", "--posix"], ["busybox", "sh"], ["zsh"]]
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
    for tool in ("sh", "id", "uname", "mkdir", "cat", "grep", "rm", "ls", "awk", "dd", "tr"):
        (tools / tool).symlink_to(shutil.which(tool) or "/bin/false")
    done = subprocess.run(
        [str(tools / "sh"), str(written), "out"],
        cwd=tmp_path, env={"PATH": str(tools)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "no such command: lspci" in done.stderr
    assert not (tmp_path / "out" / "lspci-vvvnn.txt").exists()


def run(shell: list[str], written: Path, place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    tools = place.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "lspci").write_text(LSPCI)
    (tools / "lspci").chmod(0o755)
    return subprocess.run(
        [*shell, str(written), *words],
        cwd=place, env={"PATH": f"{tools}:{os.environ['PATH']}"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    place = tmp_path / "shared"
    place.mkdir()
    place.chmod(0o1777)
    return place


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "file"])
def test_a_planted_name_is_refused(shell: list[str], written: Path, shared: Path, kind: str) -> None:
    victim = shared.parent / "victim"
    victim.mkdir()
    (victim / "dmesg.txt").write_text("precious")
    planted = shared / "out"
    if kind == "folder":
        planted.mkdir()
        (planted / "dmesg.txt").symlink_to(victim / "dmesg.txt")
    elif kind == "file":
        planted.write_text("")
    else:
        planted.symlink_to(victim if kind == "link" else victim / "new")
    done = run(shell, written, shared, "out")
    assert done.returncode == 2
    assert "a new folder is needed" in done.stderr
    assert [path.name for path in victim.iterdir()] == ["dmesg.txt"]
    assert (victim / "dmesg.txt").read_text() == "precious"


def test_without_a_name_the_folder_is_new_and_private(shell: list[str], written: Path, shared: Path) -> None:
    for count in (1, 2):
        done = run(shell, written, shared)
        assert done.returncode == 0, done.stderr
        assert len(list(shared.iterdir())) == count
    for folder in shared.iterdir():
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
        assert not (folder / ".room").exists()
    assert "serial numbers, MAC addresses, the host name, the command line" in done.stderr


def test_a_full_disk_is_told(shell: list[str], written: Path, shared: Path) -> None:
    mounted = subprocess.run(
        [shutil.which("mount") or "false", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(shared)], check=False
    )
    if mounted.returncode:
        pytest.skip("no small file system can be mounted here")
    try:
        (shared / "ballast").write_bytes(bytes(48 << 10))
        done = run(shell, written, shared, "out")
    finally:
        subprocess.run([shutil.which("umount") or "false", str(shared)], check=True)
    assert done.returncode == 2
    assert "the disk is full" in done.stderr


def fake_sysfs(root: Path) -> None:
    device = root / "sys/bus/pci/devices/0000:31:00.0"
    for path in (
        "net/eth0",
        "infiniband/mlx5_0",
        "virtio3/block/vda",
        "nvme/nvme0/nvme0n1",
        "nvme/nvme0/hwmon1",
    ):
        (device / path).mkdir(parents=True)
    facts = {"reset_method": "flr bus", "boot_vga": "0", "local_cpulist": "0-15,32-47", "numa_node": "-1"}
    for name, value in facts.items():
        (device / name).write_text(f"{value}\n")
    (root / "sys/bus/pci/devices/0000:32:00.0").mkdir()


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (None, "# /sys/kernel/iommu_groups is not there"),
        ([], "# /sys/kernel/iommu_groups is empty"),
        (["4/devices/0000:31:00.0", "5/devices/0000:32:00.0"], "# /sys/kernel/iommu_groups: 2 devices"),
    ],
)
def test_groups_and_names_of_the_system(
    shell: list[str], written: Path, shared: Path, groups: list[str] | None, said: str
) -> None:
    root = shared.parent / "root"
    fake_sysfs(root)
    if groups is not None:
        (root / "sys/kernel/iommu_groups").mkdir(parents=True)
        for group in groups:
            (root / "sys/kernel/iommu_groups" / group).mkdir(parents=True)
    written.write_text(script().replace("/sys/", f"{root}/sys/").replace(f"# {root}", "# "))
    assert run(shell, written, shared, "out").returncode == 0
    text = (shared / "out/iommu_groups.txt").read_text().replace(str(root), "")
    assert text.startswith(said)
    assert {str(address): group for address, group in parse_groups(text).items()} == {
        group.rpartition("/")[2]: int(group[0]) for group in groups or ()
    }
    host = load(shared / "out")
    found = host.os_names[Address.parse("31:00.0")]
    assert set(found.names) == {"net/eth0", "infiniband/mlx5_0", "block/vda", "nvme/nvme0", "block/nvme0n1"}
    assert found[1:] == (("flr", "bus"), False, "0-15,32-47", -1, None)
    assert host.os_names[Address.parse("32:00.0")].names == ()
