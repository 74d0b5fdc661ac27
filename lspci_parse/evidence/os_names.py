"""What the system calls the devices: the file that ``collect`` writes, and the XML of hwloc."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from lspci_parse.errors import LspciError
from lspci_parse.model.address import Address

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ROW: Final = re.compile(r"([0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7])((?: [^ ]+)*+) *")
_NAME: Final = re.compile(r"[a-z_]{1,32}/[\w.:@-]{1,128}", re.ASCII)
_FACTS: Final = ("reset_method", "boot_vga", "local_cpulist", "numa_node", "power_state")


class OsDevice(NamedTuple):
    """What sysfs tells of a function.

    Attributes:
        names: what the system calls it, by class: ``net/eth0``, ``infiniband/mlx5_0``.
        reset_method: the ways in which the kernel can reset it, the preferred first (``flr``, ``pm``, ``bus``).
        boot_vga: whether the firmware shows its screen on it; ``None`` for what is no VGA device.
        local_cpulist: the processors that are near, as ``0-15,32-47``.
        numa_node: the number of its NUMA node; -1 if the firmware names none.
        power_state: as the kernel knows it, ``D0`` or ``unknown``.

    Source: Linux ``Documentation/ABI/testing/sysfs-bus-pci``. What was not told is ``None``.
    """

    names: tuple[str, ...] = ()
    reset_method: tuple[str, ...] | None = None
    boot_vga: bool | None = None
    local_cpulist: str | None = None
    numa_node: int | None = None
    power_state: str | None = None

    @property
    def short(self) -> str:
        """The names without their classes, each once: ``eth0, mlx5_0``."""
        return ", ".join(dict.fromkeys(name.partition("/")[2] for name in self.names))


def parse_os_names(text: str, *, source: str | None = None) -> Mapping[Address, OsDevice]:
    """Read the file ``os_names.txt`` of ``collect``, or what ``lstopo --of xml`` writes.

    A row is an address, then names as ``net/eth0``, then facts as ``numa_node=0``; those unknown are passed over.

    Args:
        text: the file.
        source: the name that errors give the input.

    Raises:
        LspciError: it is neither.
    """
    if text.lstrip().startswith("<"):
        return _hwloc(text, source)
    found: dict[Address, OsDevice] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        row = _ROW.fullmatch(line)
        if row is None:
            raise LspciError(
                "no row of names; expected such as '0000:31:00.0 net/eth0 numa_node=0'",
                source,
                number,
                1,
                line[:100],
            )
        found[Address.parse(row[1])] = _device(row[2].split())
    return found


def _device(words: Iterable[str]) -> OsDevice:
    facts: dict[str, str] = {}
    names = []
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name in _FACTS:
            facts[name] = value[:1000]
        elif _NAME.fullmatch(word):
            names.append(word)
    methods, node, vga = facts.get("reset_method"), facts.get("numa_node", ""), facts.get("boot_vga")
    return OsDevice(
        tuple(names),
        tuple(methods.split(",")) if methods is not None else None,
        {"0": False, "1": True}.get(vga or ""),
        facts.get("local_cpulist"),
        int(node) if re.fullmatch(r"-?[0-9]{1,9}", node) else None,
        facts.get("power_state"),
    )


_TAGS: Final = re.compile(r"<(/?)object\b([^<>]*)>")
_ATTRIBUTES: Final = re.compile(r'\b(type|pci_busid|name|osdev_type)="([^"<>]*)"')
# Numbers of versions 1 and 2 of hwloc's format, and the words of version 3 (hwloc's include/hwloc.h, osdev types).
_OSDEV: Final = {"0": "block", "1": "drm", "2": "net", "3": "infiniband", "5": "accel"}


def _hwloc(text: str, source: str | None) -> Mapping[Address, OsDevice]:
    """Read hwloc's XML: operating system devices stand inside the PCI device that they are of.

    Its tags are told by their form: no parser of XML, so that no entity is ever expanded and no file fetched.
    """
    if "<topology" not in text:
        raise LspciError("no topology of hwloc; expected what 'lstopo --of xml' writes", source)
    found: dict[Address, OsDevice] = {}
    open_objects: list[Address | None] = []
    for closing, inside in _TAGS.findall(text):
        if closing:
            del open_objects[-1:]
            continue
        attributes = dict(_ATTRIBUTES.findall(inside))
        within = open_objects[-1] if open_objects else None
        if attributes.get("type") == "OSDev":
            name = f"{_OSDEV.get(attributes.get('osdev_type', ''), 'device')}/{attributes.get('name', '')}"
            if within is not None and _NAME.fullmatch(name):
                found[within] = OsDevice((*found.get(within, OsDevice()).names, name))
            own = within
        elif "pci_busid" in attributes:
            own = _address(attributes["pci_busid"])
        else:
            own = None
        if not inside.endswith("/"):
            open_objects.append(own)
    return found


def _address(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except LspciError:
        return None
