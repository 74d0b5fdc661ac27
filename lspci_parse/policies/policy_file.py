"""Policy files: facts that a host must show, as TOML.

    [[require]]
    path = "00:1c.5/acs/ACSCtl/SrcValid"     # a device and a fact, as `show --flat` prints them
    equals = true
    reason = "this port carries the NIC that guests own"

    [[require]]
    device = ["port:Root Port", "class:0604"] # or: every device that matches all of these
    path = "exp/DevCtl/MaxPayload"
    min = 256
    severity = "info"
    remedy = "raise the payload size in BIOS setup"
    risk = "old cards may not take it"

Selectors are ``address:``, ``class:`` (id or name), ``port:`` (Express type), ``kind:`` (has the capability),
``ids:`` (``8086:a1*``), ``driver:`` and ``name:``; ``*`` and ``?`` stand for any characters. The demand is one of
``equals``, ``differs``, ``one-of`` (a list), ``matches`` (a pattern with ``*`` and ``?``), ``min``, ``max`` (both may
be given) and ``present`` (true or false).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lspci_parse.errors import LspciError
from lspci_parse.findings.model import SEVERITIES, Severity
from lspci_parse.linux.acs import unreadable
from lspci_parse.lspci.pci_ids import class_id, identify
from lspci_parse.model.address import Address
from lspci_parse.model.display import short
from lspci_parse.policies.model import Breach, Remedy

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from lspci_parse.model.device import Device
    from lspci_parse.model.dump import Dump

MISSING: Final = object()
"""The value of a fact that is not there."""


def _same(value: Any, wanted: Any) -> bool:
    # In Python true equals 1; a flag is no number.
    if isinstance(value, bool) is not isinstance(wanted, bool):
        return False
    if isinstance(value, tuple) and isinstance(wanted, list):
        return list(value) == wanted
    return bool(value == wanted)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return str(value)


_TESTS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "equals": _same,
    "differs": lambda value, wanted: not _same(value, wanted),
    "one-of": lambda value, wanted: any(_same(value, item) for item in wanted),
    "matches": lambda value, wanted: fnmatchcase(_text(value), wanted),
    "min": lambda value, wanted: _is_number(value) and value >= wanted,
    "max": lambda value, wanted: _is_number(value) and value <= wanted,
    "present": lambda value, wanted: (value is not MISSING) == wanted,
}
_WANTED: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "one-of": (lambda wanted: isinstance(wanted, list), "a list"),
    "matches": (lambda wanted: isinstance(wanted, str), "a string"),
    "min": (_is_number, "a number"),
    "max": (_is_number, "a number"),
    "present": (lambda wanted: isinstance(wanted, bool), "true or false"),
}
_OTHER: Final = ("path", "device", "reason", "severity", "remedy", "risk")
_SELECTORS: Final[dict[str, Callable[[Device], list[str]]]] = {
    "address": lambda device: [str(device.address), device.address.slot],
    "class": lambda device: [class_id(device), (device.class_.name or "").lower()],
    "port": lambda device: [device.port_type or ""],
    "kind": lambda device: [capability.kind for capability in device.capabilities],
    "ids": lambda device: [f"{vendor}:{identify(device).device}" for vendor in identify(device).vendors],
    "driver": lambda device: [device.driver or ""],
    "name": lambda device: [device.name],
}
_ATTRIBUTES: Final = (
    "driver",
    "modules",
    "iommu_group",
    "numa_node",
    "physical_slot",
    "label",
    "revision",
    "name",
)


class Requirement(NamedTuple):
    """One ``[[require]]`` table of a policy file.

    Attributes:
        path: the fact below a device: ``acs/ACSCtl/SrcValid``.
        address: the device, or ``None`` where selectors choose.
        selectors: pairs of a selector's name and pattern; all must match. Without any, every device is meant.
        tests: pairs of a demand's name and value; all must hold.
        reason: why.
        severity: how bad a breach is.
        remedy: what to do about it, and what that may cost.
    """

    path: str
    address: Address | None
    selectors: tuple[tuple[str, str], ...]
    tests: tuple[tuple[str, Any], ...]
    reason: str
    severity: Severity
    remedy: Remedy | None

    def breaches(self, dump: Dump) -> Iterator[Breach]:
        """Yield where a dump does not show what is required."""
        if self.address is not None and self.address not in dump:
            if self.tests != (("present", False),):
                title = f"{short(self.address)} is not there, {self.path} is required of it"
                yield self._breach(self.address, self.severity, title)
            return
        for device in dump if self.address is None else (dump[self.address],):
            if all(_selected(device, *selector) for selector in self.selectors):
                yield from self._held_against(device)

    def _held_against(self, device: Device) -> Iterator[Breach]:
        where = f"{short(device.address)}/{self.path}"
        reason, value = unreadable(device), look_up(device, self.path)
        if value is MISSING and reason is not None:
            yield self._breach(device.address, self.severity, f"{where} is not known: {reason}")._replace(
                known=False
            )
            return
        for name, wanted in self.tests:
            # What is not there breaks every demand but that it be missing, or differ.
            missing = value is MISSING and name not in ("present", "differs")
            if missing or not _TESTS[name](value, wanted):
                found = "not there" if value is MISSING else _text(value)
                title = f"{where} is {found}, required: {name.replace('-', ' ')} {_text(wanted)}"
                yield self._breach(device.address, self.severity, title)

    def _breach(self, address: Address, severity: Severity, title: str) -> Breach:
        return Breach(
            address, severity, title, self.reason, (address,), (self.remedy,) if self.remedy else ()
        )


def look_up(device: Device, path: str) -> Any:
    """Return the fact at a path below a device (``acs/ACSCtl/SrcValid``, ``driver``), or ``MISSING``."""
    if path in _ATTRIBUTES:
        value = getattr(device, path)
        return MISSING if value is None else value
    top, _, rest = path.partition("/")
    capability = dict(device.capability_paths()).get(top)
    if capability is not None:
        return capability if not rest else _inside(capability, rest)
    return _inside(device.registers, path)


def _inside(fields: Any, path: str) -> Any:
    """Follow a path; names may hold a slash themselves (``Control/I/O``)."""
    if not isinstance(fields, Mapping):
        return MISSING
    if path in fields:
        return fields[path]
    for slash in re.finditer("/", path):
        if path[: slash.start()] in fields:
            found = _inside(fields[path[: slash.start()]], path[slash.end() :])
            if found is not MISSING:
                return found
    return MISSING


def _selected(device: Device, selector: str, pattern: str) -> bool:
    if selector == "class":
        pattern = pattern.lower()
    return any(fnmatchcase(text, pattern) for text in _SELECTORS[selector](device))


def read(path: str | os.PathLike[str]) -> tuple[Requirement, ...]:
    """Read a policy file.

    Raises:
        LspciError: the file cannot be read, is no TOML, or demands something that is not known; with the line
            where that is known.
    """
    name = str(path)
    try:
        text = Path(path).read_bytes().decode()
    except OSError as error:
        raise LspciError(
            f"cannot read the policy: {error.strerror}; expected vfio, p2p or a TOML file", name
        ) from None
    except UnicodeDecodeError as error:
        raise LspciError(
            f"the policy is not UTF-8 at byte {error.start}; expected a TOML file", name
        ) from None
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _not_toml(str(error), name, text) from None
    lines = [
        number
        for number, line in enumerate(text.split("\n"), 1)
        if re.match(r"\s*\[\[\s*require\s*\]\]", line)
    ]
    tables = document.pop("require", None)
    if document or not isinstance(tables, list) or not tables:
        strange = ", ".join(sorted(document)) or "nothing"
        raise LspciError(f"found {strange}; expected one or more [[require]] tables and nothing else", name)
    requirements = []
    for number, table in enumerate(tables):
        try:
            requirements.append(_requirement(table))
        except LspciError as error:
            raise LspciError(error.message, name, lines[number] if number < len(lines) else None) from None
    return tuple(requirements)


def _not_toml(message: str, name: str, text: str) -> LspciError:
    match = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message, re.DOTALL)
    if match is None or match[2] is None:
        return LspciError(f"not TOML: {match[1] if match else message}", name)
    line, column = int(match[2]), int(match[3])
    return LspciError(f"not TOML: {match[1]}", name, line, column, text.split("\n")[line - 1][:200])


def _requirement(table: Any) -> Requirement:
    """Read one table.

    Raises:
        LspciError: a key is missing, unknown, or has a value of another type.
    """
    if not isinstance(table, dict):
        raise LspciError(f"found {table!r}; expected a [[require]] table")
    unknown = sorted(set(table) - {*_OTHER, *_TESTS})
    if unknown:
        raise LspciError(f"unknown key {unknown[0]!r}; expected one of {', '.join((*_OTHER, *_TESTS))}")
    tests = tuple((name, value) for name, value in table.items() if name in _TESTS)
    if not tests:
        raise LspciError(f"nothing is demanded; expected one of {', '.join(_TESTS)}")
    for name, value in tests:
        fits, words = _WANTED.get(name, (None, ""))
        if fits is not None and not fits(value):
            raise LspciError(f"{name} = {value!r}; expected {words}")
    severity = table.get("severity", "warning")
    if severity not in SEVERITIES:
        raise LspciError(f"severity = {severity!r}; expected one of {', '.join(SEVERITIES)}")
    texts = {key: table.get(key, "") for key in ("reason", "remedy", "risk", "path")}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise LspciError(f"{key} = {value!r}; expected a string")
    address, path = _address(texts["path"])
    remedy = Remedy(texts["remedy"], texts["risk"]) if texts["remedy"] else None
    selectors = _selectors(table.get("device", []))
    return Requirement(
        path, address, selectors, tests, texts["reason"] or "required by the policy", severity, remedy
    )


def _address(path: str) -> tuple[Address | None, str]:
    """Split a path into device and fact."""
    top, _, rest = path.partition("/")
    try:
        address = Address.parse(top)
    except ValueError:
        address, rest = None, path
    if not rest:
        raise LspciError(f"path = {path!r}; expected a fact such as '00:1c.5/acs/ACSCtl/SrcValid'")
    return address, rest


def _selectors(value: Any) -> tuple[tuple[str, str], ...]:
    items = [value] if isinstance(value, str) else value
    found = []
    for item in items if isinstance(items, list) else [items]:
        name, colon, pattern = item.partition(":") if isinstance(item, str) else ("", "", "")
        if not colon or name not in _SELECTORS:
            raise LspciError(
                f"device = {item!r}; expected a selector such as 'class:0604' ({', '.join(_SELECTORS)})"
            )
        found.append((name, pattern))
    return tuple(found)
