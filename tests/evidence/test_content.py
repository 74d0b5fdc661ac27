"""What a HOST can be, and that each is read once, whole, or refused."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import shlex
import subprocess
import sys
import tarfile
import threading
import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

from lspci_parse.cli import main
from lspci_parse.errors import LspciError
from lspci_parse.evidence.load import load
from lspci_parse.parsing.parser import parse
from lspci_parse.serialization.dump import to_json
from tests.paths import CORPUS

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable

    Pack = Callable[[bytes], bytes]

GOOD = CORPUS / "incident" / "good"
LSPCI = GOOD.joinpath("lspci.txt").read_bytes()
FILES = {path.name: path.read_bytes() for path in sorted(GOOD.iterdir())}


def tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


PACKERS: dict[str, Pack] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
    "zstd with an empty first frame": lambda data: zstd.compress(b"") + zstd.compress(data),
    "gzip with an empty first member": lambda data: gzip.compress(b"") + gzip.compress(data),
    "gzip in xz": lambda data: lzma.compress(gzip.compress(data)),
}
KINDS: dict[str, bytes] = {
    "text": LSPCI,
    "tar": tar({f"good/{name}": data for name, data in FILES.items()}),
    "zip": zipped({f"good/{name}": data for name, data in FILES.items()}),
}


def given(way: str, data: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Hand bytes over as a file, a named pipe or standard input, and return the HOST to name."""
    path = folder / "host"
    if way == "path":
        path.write_bytes(data)
    elif way == "named pipe":
        os.mkfifo(path)
        threading.Thread(target=path.write_bytes, args=(data,), daemon=True).start()
    else:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))
        return "-"
    return str(path)


@pytest.mark.parametrize("way", ["path", "named pipe", "standard input"])
@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_host_is_read_whole(
    kind: str, pack: Pack, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = load(given(way, pack(KINDS[kind]), tmp_path, monkeypatch))
    assert len(host.dump) == 28
    assert host.dump == parse(LSPCI)
    if kind != "text":
        whole = load(GOOD)
        assert (host.cmdline, host.groups, host.kernel) == (whole.cmdline, whole.groups, whole.kernel)
        assert host.log is not None
    assert host.notes == ()


def bash(command: str) -> subprocess.CompletedProcess[str]:
    tool = f"{shlex.quote(sys.executable)} -m lspci_parse"
    return subprocess.run(
        ["/bin/bash", "-c", command.replace("lspci-parse", tool)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def large(tmp_path: Path) -> str:
    """A dump that is larger than a pipe holds (64 KiB on Linux)."""
    path = tmp_path / "large.txt"
    devices = LSPCI.rstrip(b"\n").split(b"\n\n")
    path.write_bytes(
        b"".join(b"%04x:%s\n\n" % (domain, device) for domain in range(12) for device in devices)
    )
    return shlex.quote(str(path))


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="needs bash for its process substitution")
def test_process_substitution(large: str) -> None:
    shown = bash(f"lspci-parse show <(cat {large})")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.rstrip().rpartition("\n")[2].startswith("336 devices")
    same = bash(f"lspci-parse diff <(cat {large}) <(cat {large})")
    assert (same.returncode, same.stderr) == (0, "")
    assert same.stdout.endswith("No findings.\n")
    assert bash(f"cat {large} | lspci-parse show /dev/stdin").stdout == shown.stdout


def test_a_file_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is replaced while it is read is one file or the other, never half of each."""
    path = tmp_path / "host.txt"
    path.write_bytes(LSPCI)
    opened = []
    plain = Path.open

    def count(self: Path, mode: str) -> IO[Any]:
        opened.append(self)
        return plain(self, mode)

    monkeypatch.setattr(Path, "open", count)
    load(path)
    assert opened == [path]


OTHERS = {
    "a 7z archive": b"7z\xbc\xaf\x27\x1c\x00\x04",
    "a RAR archive": b"Rar!\x1a\x07\x00",
    "a cpio archive": b"070701" + b"0" * 104,
    "an ar archive or a Debian package": b"!<arch>\ndebian-binary   ",
    "a PDF document": b"%PDF-1.7\n",
    "data that lz4 packed": b"\x04\x22\x4d\x18",
    "a picture (PNG)": b"\x89PNG\r\n\x1a\n",
}


@pytest.mark.parametrize("what", OTHERS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_other_containers_are_refused_and_not_half_read(what: str, pack: Pack, tmp_path: Path) -> None:
    path = tmp_path / "lspci.txt"
    path.write_bytes(pack(OTHERS[what] + b"\n" + LSPCI))
    with pytest.raises(LspciError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: this is {what}; expected text such as the output of 'lspci -vvv'"


def test_an_old_tar_archive_without_a_mark(tmp_path: Path) -> None:
    data = bytearray(KINDS["tar"])
    header = bytearray(data[:512])
    header[257:265] = bytes(8)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    path = tmp_path / "old.tar"
    path.write_bytes(bytes(header) + bytes(data[512:]))
    assert len(load(path).dump) == 28


def test_which_of_several_outputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = CORPUS.joinpath("incident", "bad", "lspci.txt").read_bytes()
    path = tmp_path / "both.txt"
    path.write_bytes(b"$ lspci -vvv\n" + LSPCI + b"\n$ lspci -vvv\n" + bad)
    assert load(f"{path}#1").dump == parse(LSPCI)
    assert load(f"{path}#2").dump == load(path).dump == parse(bad)
    assert main(["diff", f"{path}#1", f"{path}#2", "--only", "acs-lost", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["summary"]["critical"] == 1
    assert main(["show", f"{path}#3"]) == 2
    assert capsys.readouterr().err == (
        f"lspci-parse: {path}: there is no output 3 in it; expected a number from 1 to 2\n"
    )
    path.rename(tmp_path / "both.txt#2")
    assert load(f"{path}#2").dump == parse(bad), "a file of that name comes first"


def test_a_saved_tree_is_a_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--json", str(GOOD)]) == 0
    path = tmp_path / "baseline.json"
    path.write_text(capsys.readouterr().out, "utf-8")
    assert load(path).dump == parse(LSPCI)
    assert main(["diff", str(path), str(GOOD / "lspci.txt")]) == 0
    path.write_text(json.dumps(to_json(parse(LSPCI)))[:-20], "utf-8")
    assert main(["show", str(path)]) == 2
    path.write_text('{"schema": "lspci-parse.diff/1"}', "utf-8")
    assert main(["show", str(path)]) == 2
    assert capsys.readouterr().err.endswith("schema is 'lspci-parse.diff/1'; expected 'lspci-parse.dump/1'\n")


# ------------------------------------------------------------------------------------------------- folders


def test_a_subfolder_that_may_not_be_entered_costs_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lspci.txt").write_bytes(LSPCI)
    (tmp_path / "sos_commands" / "kernel").mkdir(parents=True)
    plain = Path.iterdir

    def refuse(self: Path) -> object:
        if self.name == "kernel":
            raise PermissionError(13, "Permission denied")
        return plain(self)

    monkeypatch.setattr(Path, "iterdir", refuse)
    host = load(tmp_path)
    assert len(host.dump) == 28
    assert host.notes == (f"{tmp_path / 'sos_commands' / 'kernel'} was left out: permission denied",)


def test_links_out_of_a_folder_and_pipes_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "host"
    folder.mkdir()
    (folder / "lspci.txt").write_bytes(LSPCI)
    (tmp_path / "secret").write_text("Linux version 6.1.0\n")
    (folder / "dmesg.txt").symlink_to(tmp_path / "secret")
    (folder / "dmesg.2").symlink_to("dmesg.2")
    os.mkfifo(folder / "cmdline")
    (folder / "kern.log").symlink_to("lspci.txt")
    host = load(folder)
    assert host.log is None
    assert host.notes == (
        f"{folder / 'cmdline'} was left out: it is a pipe or a device, not a file",
        f"{folder / 'dmesg.2'} was left out: it is a link that leads out of the folder",
        f"{folder / 'dmesg.txt'} was left out: it is a link that leads out of the folder",
    ) or host.notes[1].endswith("too many levels of symbolic links")


# ------------------------------------------------------------------------------------------------- budgets


def header(name: str, size: bytes, kind: bytes = b"0") -> bytes:
    info = tarfile.TarInfo(name)
    info.type = kind
    raw = bytearray(info.tobuf(tarfile.GNU_FORMAT)[:512])
    raw[124:136] = size
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw)
    return bytes(raw)


def pax(records: dict[str, str], kind: bytes = tarfile.XGLTYPE) -> bytes:
    info = tarfile.TarInfo("x")
    data = info._create_pax_generic_header(records, kind, "utf-8")  # type: ignore[attr-defined]  # noqa: SLF001 - it writes what archives hold
    return bytes(data)


def sparse() -> bytes:
    """Return an old GNU sparse file whose list of holes goes on and on."""
    raw = bytearray(header("lspci", b"%011o\0" % 1024, b"S"))
    raw[482] = 1
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw)
    hole = b"%011o\0%011o\0" % (1, 1)
    return bytes(raw) + (hole * 21 + b"\1" + bytes(7)) * 80_000


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a member of 2^87 bytes": (
        lambda: gzip.compress(header("big", b"\x80" + (1 << 87).to_bytes(11, "big")) + bytes(1024)),
        "the archive is damaged",
    ),
    "a member of less than no bytes": (
        lambda: header("big", b"\xff" * 11 + b"\x00") + bytes(1024),
        "the archive is damaged",
    ),
    "global headers": (
        lambda: gzip.compress(
            b"".join(pax({f"k{part}.{number}": "" for number in range(3000)}) for part in range(500))
        ),
        "the archive is damaged",
    ),
    "many dumps": (
        lambda: gzip.compress(tar({f"lspci{number}": bytes(16 << 20) for number in range(40)})),
        "unpacks to more than",
    ),
    "packed dumps": (
        lambda: tar({f"lspci{number}.xz": lzma.compress(bytes(16 << 20)) for number in range(40)}),
        "this is binary data",
    ),
    "a sparse file": (lambda: gzip.compress(sparse()), "the archive is damaged"),
    "a zip of zeros": (lambda: zipped({"lspci.txt": bytes(200 << 20)}), "unpacks to more than"),
    "zeros": (lambda: lzma.compress(bytes(300 << 20)), "unpacks to more than"),
    "crumbs": (
        lambda: gzip.compress(b"00:00.0 Host bridge: a\n" + b"\tx\n" * (5 << 20)),
        "lines of 3 bytes each",
    ),
    "crumbs outside": (
        lambda: gzip.compress(b"00:00.0 Host bridge: a\n\n" + b"x\n" * (5 << 20)),
        "lines of 2 bytes each",
    ),
    "packed again and again": (
        lambda: gzip.compress(gzip.compress(gzip.compress(gzip.compress(gzip.compress(LSPCI))))),
        "compressed again and again",
    ),
}
LIMITED = """
import resource, sys
from lspci_parse.cli import main
resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
code = main(["show", sys.argv[1]])
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
sys.exit(code)
"""


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_file_costs_neither_memory_nor_time(bomb: str, tmp_path: Path) -> None:
    make, message = BOMBS[bomb]
    path = tmp_path / "host.bin"
    path.write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr[-2000:]
    assert done.stderr.startswith(f"lspci-parse: {path}")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert int(done.stdout) < 400 << 10


def test_global_headers_that_are_few_are_read(tmp_path: Path) -> None:
    """git archive writes one."""
    path = tmp_path / "host.tar"
    path.write_bytes(pax({"comment": "0" * 40}) + tar({"lspci.txt": LSPCI}))
    assert len(load(path).dump) == 28


def test_sparse_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "host.tar"
    whole = tar({"lspci.txt": LSPCI})
    path.write_bytes(header("dmesg", b"%011o\0" % 512, b"S") + bytes(512) + whole)
    host = load(path)
    assert len(host.dump) == 28
    assert host.notes == (f"{path}:dmesg was left out: it is a link or a device, not a file",)
