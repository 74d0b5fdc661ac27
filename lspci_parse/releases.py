"""Which lspci release can print what, and which releases could have printed a text."""

from __future__ import annotations

from typing import Final

from lspci_parse.model import Dump, Releases

SINCE: Final[dict[str, str]] = {
    "exp/LnkCap2": "3.7",
    "BridgeCtl/VGA16": "3.6",
}


def _key(release: str | None, default: tuple[int, ...]) -> tuple[int, ...]:
    return default if release is None else tuple(int(part) for part in release.split("."))


def printable(path: str | tuple[str, ...], releases: Releases) -> bool | None:
    """Whether a release of the range prints the register or field at ``path``; ``None``: some of them do."""
    text = path if isinstance(path, str) else "/".join(path)
    since = next((SINCE[part] for part in _prefixes(text) if part in SINCE), None)
    if since is None or _key(releases.min, (0,)) >= _key(since, ()):
        return True
    return False if _key(releases.max, (99,)) < _key(since, ()) else None


def _prefixes(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]


def releases(_dump: Dump | str) -> Releases:
    """Return the range of releases that could have printed ``dump``."""
    return Releases(None, None)
