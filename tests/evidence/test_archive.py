from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from lspci_parse.errors import LspciError
from lspci_parse.evidence import archive
from lspci_parse.evidence.archive import Contents, read_tar
from lspci_parse.evidence.budget import Budget
from lspci_parse.evidence.load import load
from lspci_parse.parsing.not_a_dump import container
from tests.paths import CORPUS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

LSPCI = b"00:00.0 Host bridge: Example Corporation Device\n\tControl: I/O+ Mem+ BusMaster+\n"

Content = tuple[tarfile.TarInfo, bytes]


def member(name: str, data: bytes = b"x", kind: bytes = tarfile.REGTYPE, link: str = "") -> Content:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(data)
    return info, data


def tar(*members: Content, fmt: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=fmt) as file:
        for info, data in members:
            file.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def read_archive(data: Iterable[bytes], name: str, wanted: Callable[[str], bool]) -> Contents:
    return read_tar(data, name, wanted, Budget())


def names(data: bytes) -> list[str]:
    return [found.name for found in read_archive([data], "a.tar", lambda _: True).members]


@pytest.mark.parametrize("fmt", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_wanted_members_are_read(fmt: int) -> None:
    data = tar(member("./top/a", b"1" * 700), member("top/b"), fmt=fmt)
    assert container(data) == "a tar archive"
    pieces = [data[at : at + 100] for at in range(0, len(data), 100)]
    found = read_archive(pieces, "a.tar", lambda name: name.endswith("a"))
    assert found.members == (("top/a", b"1" * 700),)
    assert found.links == found.large == ()


def test_long_names() -> None:
    long = "top/" + "n" * 200
    assert names(tar(member(long))) == [long]
    assert names(tar(member(long), fmt=tarfile.PAX_FORMAT)) == [long]


@pytest.mark.parametrize("name", ["../lspci", "top/../../lspci", "/etc/lspci", "top/.."])
def test_names_that_lead_outside_are_refused(name: str) -> None:
    with pytest.raises(
        LspciError, match=r"a\.tar: a member is named '.*'; expected names inside the archive"
    ):
        names(tar(member("top/lspci"), member(name)))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_left_out(kind: bytes) -> None:
    found = read_archive([tar(member("lspci", b"", kind, "/etc/passwd"))], "a.tar", lambda _: True)
    assert found.members == ()
    assert found.links == ("lspci",)


def test_large_members_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBER", 1000)
    found = read_archive([tar(member("big", b"x" * 1001), member("small", b"y"))], "a.tar", lambda _: True)
    assert found.members == (("small", b"y"),)
    assert found.large == ("big",)


def test_members_that_are_too_much_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lspci_parse.evidence.budget.MAX_HELD", 1500)
    with pytest.raises(LspciError, match=r"^2: more than 1,500 bytes of text for one host"):
        names(tar(*(member(str(n), b"x" * 600) for n in range(4))))


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_name_that_would_fill_the_memory(kind: bytes) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = kind, 1 << 32
    with pytest.raises(LspciError, match="a name is too long"):
        names(info.tobuf(tarfile.GNU_FORMAT) + bytes(10240))


def test_headers_without_end() -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 4
    data = (info.tobuf(tarfile.GNU_FORMAT) + b"abc".ljust(512, b"\0")) * 5000
    with pytest.raises(LspciError, match="the archive is damaged"):
        names(data)


def test_damaged_archives_raise_one_error() -> None:
    whole = tar(*(member(f"top/{n}", bytes(range(200))) for n in range(8)), fmt=tarfile.PAX_FORMAT)
    chance = random.Random(1)  # noqa: S311 - which bytes are damaged need not be secret
    for _ in range(300):
        data = bytearray(whole[: chance.randrange(len(whole))])
        for _ in range(chance.randrange(1, 40)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            names(bytes(data))
        except LspciError as error:
            assert error.source == "a.tar"  # noqa: PT017 - most damage is noticed, not all


# ---------------------------------------------------------------------------------------------- as a host


def sosreport() -> bytes:
    folder = CORPUS / "hosts" / "sosreport"
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    inside = [
        member(f"sosreport-h/{path.relative_to(folder).as_posix()}", path.read_bytes()) for path in files
    ]
    link = member("sosreport-h/lspci", b"", tarfile.SYMTYPE, "sos_commands/pci/lspci_-nnvv")
    return tar(link, member("sosreport-h/etc/lspci.conf"), *inside)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_a_sosreport_is_read_from_its_archive(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "sosreport.tar.any"
    path.write_bytes(pack(sosreport()))
    host, folder = load(path), load(CORPUS / "hosts" / "sosreport")
    assert host.dump == folder.dump
    assert host.cmdline == folder.cmdline
    assert host.log is not None
    assert folder.log is not None
    assert host.log.facts == folder.log.facts
    assert host.files["dump"] == f"{path}:sosreport-h/sos_commands/pci/lspci_-nnvv"
    assert host.notes == ()


def test_an_archive_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(sosreport()))))
    assert load("-").files["dump"] == "-:sosreport-h/sos_commands/pci/lspci_-nnvv"


def test_notes_of_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBER", 1000)
    path = tmp_path / "a.tar"
    link = member("top/cmdline", b"", tarfile.SYMTYPE, "/proc/cmdline")
    path.write_bytes(tar(link, member("top/lspci", LSPCI), member("top/dmesg", b"x" * 1001)))
    assert load(path).notes == (
        f"{path}:top/dmesg was left out: it is too large",
        f"{path}:top/cmdline was left out: it is a link or a device, not a file",
    )


def test_an_archive_that_unpacks_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lspci_parse.evidence.budget.MAX_UNPACKED", 1 << 20)
    path = tmp_path / "bomb.tar.xz"
    path.write_bytes(lzma.compress(tar(member("top/lspci", LSPCI), member("top/zeros", bytes(1 << 22)))))
    with pytest.raises(LspciError, match=r"unpacks to more than [\d,]+ bytes from [\d,]+"):
        load(path)


def test_an_archive_without_a_dump(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar(member("top/readme")))
    with pytest.raises(LspciError, match=r"no lspci output in it; expected a file named sos_commands/pci"):
        load(path)


def test_a_cut_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(sosreport())[:-2000])
    with pytest.raises(LspciError):
        load(path)
