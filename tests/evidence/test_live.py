"""Machines that run as hosts: this one, and others over a real sshd."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lspci_parse.cli import main
from lspci_parse.errors import LspciError
from lspci_parse.evidence import live
from lspci_parse.evidence.load import load
from tests.paths import CORPUS

GOOD = CORPUS / "incident" / "good" / "lspci.txt"
BAD = CORPUS / "incident" / "bad" / "lspci.txt"


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tools = tmp_path / "tools"
    tools.mkdir()
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(temporary))
    program(tools / "lspci", f"cat '{GOOD}'")
    program(tools / "dmesg", "exit 1")
    return tools


@pytest.mark.usefixtures("tools")
def test_this_machine_is_a_host(tmp_path: Path) -> None:
    host = load("live")
    assert host.source == "live"
    assert host.dump.source == "live:lspci-vvvnn.txt"
    assert len(host.dump) == len(load(GOOD).dump)
    assert host.kernel == os.uname().release
    assert "live: failed: dmesg" in host.notes
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_machine_without_lspci_says_so(tools: Path) -> None:
    program(tools / "lspci", "exit 127")
    with pytest.raises(LspciError, match="live: failed: lspci -vvvnn"):
        load("live")


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("command", ["show", "groups", "check", "diagnose"])
def test_the_host_may_be_left_out(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    left_out, code = main([command]), main([command, "live"])
    assert left_out == code < 2
    out = capsys.readouterr().out
    assert out[: len(out) // 2] == out[len(out) // 2 :] != ""


def test_elsewhere_there_is_no_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(LspciError, match="only Linux"):
        load("live")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-oProxyCommand=touch gone",
        "a@-b",
        "-a@b",
        "@b",
        "a@",
        "a b",
        "a\nb",
        "$(x)",
        "a;b",
        "a@b\x1b",
        "a'b",
    ],
)
def test_what_is_no_name_never_reaches_ssh(name: str, tools: Path, tmp_path: Path) -> None:
    program(tools / "ssh", f"touch '{tmp_path}/gone'")
    with pytest.raises(LspciError, match="cannot be a host"):
        load(f"ssh:{name}")
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize(
    "name", ["a", "root@a.example", "root@10.0.0.1", "u@[::1]", "first.last@realm@host-1"]
)
def test_names(name: str) -> None:
    assert live.ssh_command(f"ssh:{name}")[:4] == ["ssh", "-T", "--", name]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'ssh: connect to host a: refused' >&2; exit 255", "connect to host a: refused"),
        ("cat >/dev/null; echo 'Welcome to a!'", "something else than the script writes"),
        ("exec cat /dev/zero", "sends more than 1 MB"),
    ],
)
def test_ssh_that_fails(tools: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str) -> None:
    monkeypatch.setattr(live, "MAX_SENT", 1 << 20)
    program(tools / "ssh", script)
    with pytest.raises(LspciError, match=said):
        load("ssh:a")


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture
def two_hosts(tools: Path, tmp_path: Path) -> Iterator[None]:
    """A real sshd on two ports of the loopback: ``good`` and ``bad``."""
    sshd, ssh, keygen = (
        shutil.which("sshd", path="/usr/sbin:/usr/bin"),
        shutil.which("ssh"),
        shutil.which("ssh-keygen"),
    )
    if not (sshd and ssh and keygen):
        pytest.skip("no OpenSSH server is installed here")
    for key in ("server", "user"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / key)], check=True)
    good, bad = _free_ports(2)
    program(tools / "lspci", f'case $SSH_CONNECTION in *" {bad}") cat "{BAD}" ;; *) cat "{GOOD}" ;; esac')
    (tmp_path / "sshd_config").write_text(
        f"Port {good}\nPort {bad}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/server\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {tmp_path}/user.pub\nStrictModes no\nPermitRootLogin yes\n"
        f"SetEnv PATH={tools}:/usr/bin:/bin TMPDIR={tmp_path / 'tmp'}\n"
    )
    (tmp_path / "ssh_config").write_text(
        f"Host good\n  Port {good}\nHost bad\n  Port {bad}\nHost *\n  HostName 127.0.0.1\n  BatchMode yes\n"
        f"  IdentityFile {tmp_path}/user\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n"
    )
    program(tools / "ssh", f'exec "{ssh}" -F "{tmp_path}/ssh_config" "$@"')
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with (tmp_path / "sshd.log").open("wb") as log:
        server = subprocess.Popen([sshd, "-D", "-e", "-f", str(tmp_path / "sshd_config")], stderr=log)
        try:
            for port in (good, bad):
                _wait(port, server, tmp_path / "sshd.log")
            yield
        finally:
            server.terminate()
            server.wait()


def _wait(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        if server.poll() is not None:
            pytest.skip(f"sshd does not run here: {log.read_text()[-200:]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.skip("sshd does not answer here")


@pytest.mark.usefixtures("two_hosts")
def test_two_hosts_over_ssh(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "ssh:good", "ssh:bad", "--only", "acs-lost"]) == 1
    assert "00:1c.5" in capsys.readouterr().out
    assert main(["diff", "ssh:good", "ssh:good"]) == 0
    assert list((tmp_path / "tmp").iterdir()) == []
    assert load("ssh:good").dump.source == "ssh:good:lspci-vvvnn.txt"


def test_ssh_that_reads_nothing_is_told_by_the_program(
    tools: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program(tools / "ssh", "exec <&-; echo 'no route to host' >&2; exit 255")
    assert main(["show", "ssh:a"]) == 2
    assert "no route to host" in capsys.readouterr().err
