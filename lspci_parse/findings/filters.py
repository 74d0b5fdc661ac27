"""What to leave out of a comparison: a report in, a smaller report out, and a count of what was hidden."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lspci_parse.errors import LspciError
from lspci_parse.model.display import short

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from datetime import date

    from lspci_parse.comparison.difference import Change
    from lspci_parse.findings.model import Finding
    from lspci_parse.findings.report import Comparison
    from lspci_parse.model.address import Address


class Ignore(NamedTuple):
    """A difference that is known and accepted.

    Attributes:
        pattern: a rule (``link-degraded``), a device (``00:1c.5``, ``0000:00:1c.*``), a path (``exp/LnkSta/*``)
            or a device and a path (``00:1c.5/acs``); ``*`` and ``?`` stand for any characters.
        reason: why it is accepted.
        until: the last day on which it counts.
    """

    pattern: str
    reason: str = ""
    until: date | None = None

    def covers(self, item: Finding | Change) -> bool:
        """Whether the pattern names a finding or a change."""
        return any(fnmatchcase(name, self.pattern) for name in _names(item))

    def expired(self, today: date | None = None) -> bool:
        """Whether its last day is over."""
        if self.until is None:
            return False
        from datetime import date  # noqa: PLC0415 - 1 ms that few ignores need

        return (today or date.today()) > self.until  # noqa: DTZ011 - a day on the wall, wherever that is


def _names(item: Finding | Change) -> Iterator[str]:
    """Yield everything that a pattern may call a finding or a change."""
    rule = getattr(item, "rule", None)
    if rule is not None:
        yield rule
    paths = dict.fromkeys(filter(None, (item.path, *getattr(item, "facts", ()))))
    yield from paths
    for address in dict.fromkeys(_addresses(item)):
        for name in dict.fromkeys((short(address), str(address))):
            yield name
            yield from (f"{name}/{path}" for path in paths)


def _addresses(item: Finding | Change) -> Iterator[Address]:
    yield from (address for address in (item.a, item.b) if address is not None)


def only(comparison: Comparison, rules: Collection[str]) -> Comparison:
    """Keep the findings of ``rules``."""
    return _without(comparison, lambda finding: None if finding.rule in rules else "--only")


def about(comparison: Comparison, a: Collection[Address], b: Collection[Address]) -> Comparison:
    """Keep what is about some devices of host A, or of host B, and what is about the hosts as a whole."""

    def concerned(item: Finding | Change) -> bool:
        nothing = item.a is None and item.b is None
        return (
            nothing
            or item.a in a
            or item.b in b
            or any(device in b for device in getattr(item, "devices", ()))
        )

    kept = tuple(change for change in comparison.changes if concerned(change))
    return _without(comparison, lambda finding: None if concerned(finding) else "-s and -d")._replace(
        changes=kept
    )


def ignore(comparison: Comparison, ignores: Iterable[Ignore], *, today: date | None = None) -> Comparison:
    """Take out what is accepted; an ignore that has expired takes nothing out."""
    active = [item for item in ignores if not item.expired(today)]
    if not active:
        return comparison

    def why(finding: Finding) -> str | None:
        item = next((item for item in active if item.covers(finding)), None)
        return None if item is None else f"--ignore {item.pattern}"

    changes = tuple(
        change for change in comparison.changes if not any(item.covers(change) for item in active)
    )
    return _without(comparison, why)._replace(changes=changes)


def _without(comparison: Comparison, why: Callable[[Finding], str | None]) -> Comparison:
    """Take out the findings that ``why`` gives a reason to hide, and number the links of the rest again."""
    hidden = Counter(comparison.hidden)
    kept: dict[int, int] = {}
    for index, finding in enumerate(comparison.findings):
        reason = why(finding)
        if reason is None:
            kept[index] = len(kept)
        else:
            hidden[reason] += 1
    findings = tuple(
        comparison.findings[index]._replace(
            because=tuple(kept[link] for link in comparison.findings[index].because if link in kept),
            leads_to=tuple(kept[link] for link in comparison.findings[index].leads_to if link in kept),
            likely=tuple(kept[link] for link in comparison.findings[index].likely if link in kept),
        )
        for index in kept
    )
    return comparison._replace(findings=findings, hidden=dict(hidden))


def read_ignores(path: str | Path) -> list[Ignore]:
    """Read a file of ignores.

    It is TOML, one table for each: ``[[ignore]]`` with ``pattern``, ``reason`` and, if it shall end, a date
    ``until``.

    Raises:
        LspciError: the file cannot be read, is no TOML, or an ignore lacks its pattern or its reason.
    """
    import tomllib  # noqa: PLC0415 - 3 ms that only such a file needs

    try:
        text = Path(path).read_text("utf-8")
        tables: Any = tomllib.loads(text).get("ignore", [])
    except OSError as error:
        raise LspciError(f"{error.strerror}; expected a file of ignores", str(path)) from error
    except (ValueError, RecursionError) as error:
        raise LspciError(f"this is no TOML: {error}", str(path)) from error
    if not isinstance(tables, list):
        raise LspciError("expected tables [[ignore]]", str(path))
    return [_ignore(table, str(path)) for table in tables]


def _ignore(table: Any, source: str) -> Ignore:
    if not isinstance(table, dict):
        raise LspciError("expected tables [[ignore]]", source)
    for name in ("pattern", "reason"):
        if not isinstance(table.get(name), str) or not table[name]:
            raise LspciError(f'an ignore has no {name}; expected {name} = "..."', source)
    from datetime import date, datetime  # noqa: PLC0415 - only a file of ignores needs it

    until = table.get("until")
    if until is not None and (not isinstance(until, date) or isinstance(until, datetime)):
        raise LspciError(f"until is {str(until)!r}; expected a date such as 2030-12-31", source)
    strange = sorted(table.keys() - {"pattern", "reason", "until"})
    if strange:
        raise LspciError(f"an ignore has {strange[0]!r}; expected pattern, reason and until", source)
    return Ignore(table["pattern"], table["reason"], until)
