"""Evidence with stand-ins for what is private: serial numbers, addresses, names, secrets of the command line."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from typing import TYPE_CHECKING, Final

from lspci_parse.evidence.cmdline import TOUCHES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lspci_parse.evidence.file_names import Role

_MAC: Final = re.compile(
    r"(?i)(?<![\w:.-])[0-9a-f]{2}([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}(?:(?:\1[0-9a-f]{2}){2})?(?![\w:-])"
)
_NAMED_MAC: Final = re.compile(r"(?<=\b(?:en|wl|ww)x)[0-9a-f]{12}\b")
_UUID: Final = re.compile(r"(?i)(?<![\w-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w-])")
_IP: Final = re.compile(
    r"(?i)(?<![\w.:-])(?:\d{1,3}(?:\.\d{1,3}){3}|(?=[0-9a-f]{0,4}:[0-9a-f]{0,4}:)[0-9a-f:]{3,39})(?![\w:-]|\.\d)"
)
_VERSION_BEFORE: Final = re.compile(
    r"(?i)\b(?:version|ver|firmware|fw|rev|nvm|api|bios|driver)\W{0,3}v?$"
).search
_MAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w.-]{1,255}")
# Serial numbers, vendor's and system's own fields of VPD; part numbers and engineering levels are no secrets.
_VPD: Final = re.compile(r"(?m)^([ \t]*\[(?:SN|V[0-9A-Z]|Y[0-9A-Z]|MN)\][^:\n]{0,80}: ?)([^\n]+)")
_LABELLED: Final = re.compile(
    r"(\b(?:serial ?(?:number|no\.?)?|s/n|wwid|wwn|(?:node |port |sys ?image )?guid|uuid|asset ?tag|service ?tag"
    r"|(?:product|board|chassis)_(?:serial|uuid|asset_tag))[ \t]?[:=#][ \t]{0,8})([^\s,;][^\n,;]{0,200})",
    re.IGNORECASE,
)
_HOST: Final = re.compile(
    r"(?m)^(?:\w{3} [ \d]\d [\d:.]{8,15}|\d{4}-\d\d-\d\d[T ][\d:.,]{8,15}(?:Z|[+-]\d\d:?\d\d)?)"
    r" ([^\s:]+) kernel(?:\[\d+\])?:"
)
_UNAME: Final = re.compile(r"(?m)^Linux (\S+) \d")
_CMDLINE: Final = re.compile(r"((?:Kernel command|Command) line: ?)([^\n]*)")
_EXTENDED_ROW: Final = re.compile(r"(?m)^[1-9a-f][0-9a-f]{2}:(?: [0-9a-f]{2}){1,16}[ \t]*\n?")
_WORD: Final = re.compile(r'(?:[^\s"]|"[^"]*(?:"|$))+')
_PLAIN: Final = frozenset(
    {"BOOT_IMAGE", "console", "crashkernel", "default_hugepagesz", "hugepages", "hugepagesz", "init", "initrd",
     "isolcpus", "loglevel", "mitigations", "nohz_full", "rcu_nocbs", "root", "rootflags", "rootfstype", "selinux"}
)  # fmt: skip
"""Parameters whose values are no secrets, beside those that touch PCI; UUIDs in them are replaced anyway."""
_COMMON: Final = frozenset(
    {"localhost", "kernel", "linux", "host", "none", "(none)", "debian", "ubuntu", "fedora"}
)
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"


class Redactor:
    """Replaces what is private; the same text by the same stand-in in all that one redactor (or one key) sees.

    Stand-ins have the form and length of what they stand for, so that a redacted pair compares as the pair does.
    They are made with HMAC-SHA256: who has not the key cannot try all serial numbers.

    Attributes:
        replaced: stand-ins by what they stand for.
    """

    def __init__(self, key: bytes, names: Iterable[str] = ()) -> None:
        self._key = key
        self.replaced: dict[str, str] = {}
        self._names = {name for name in names if len(name) > 2 and name.lower() not in _COMMON}

    def text(self, text: str, role: Role) -> str:
        """Return a file's text with stand-ins.

        The rows of the hex dump from 100 on, where the serial number is, are left out.
        """
        text = _EXTENDED_ROW.sub("", text) if role == "dump" else self._of_system(text, role)
        text = _VPD.sub(lambda found: found[1] + self._word(found[2]), text)
        text = _LABELLED.sub(self._labelled, text)
        text = _UUID.sub(lambda found: self._hex(found[0]), text)
        text = _MAC.sub(lambda found: self._hex(found[0]), text)
        text = _NAMED_MAC.sub(lambda found: self._hex(found[0]), text)
        return text if role == "dump" else _IP.sub(self._ip, text)

    def _of_system(self, text: str, role: Role) -> str:
        if role == "cmdline":
            text = self._cmdline(text)
        text = _CMDLINE.sub(lambda found: found[1] + self._cmdline(found[2]), text)
        text = _MAIL.sub(lambda found: f"{self._word(found[0].replace('@', '.'))}", text)
        for name in sorted(self._names, key=len, reverse=True):
            text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", lambda found: self._word(found[0]), text)
        return text

    def _cmdline(self, text: str) -> str:
        init = False

        def word(found: re.Match[str]) -> str:
            nonlocal init
            name, equals, value = found[0].partition("=")
            init = init or name == "--"
            if init:
                return found[0] if name == "--" else self._word(found[0])
            plain = name in _PLAIN or name.replace("-", "_") in TOUCHES
            return found[0] if plain or not equals else f"{name}={self._word(value)}"

        return _WORD.sub(word, text)

    def _labelled(self, found: re.Match[str]) -> str:
        value = found[2].rstrip()
        if len(value) < 3 or _MAC.fullmatch(value) or _UUID.fullmatch(value):
            return found[0]
        return found[1] + self._word(value) + found[2][len(value) :]

    def _ip(self, found: re.Match[str]) -> str:
        try:
            address = ipaddress.ip_address(found[0])
        except ValueError:
            return found[0]
        if (
            address.is_loopback
            or address.is_unspecified
            or _VERSION_BEFORE(found.string[: found.start()][-24:])
        ):
            return found[0]
        digest = self._digest(found[0])
        stand_in = (
            f"10.{digest[0]}.{digest[1]}.{digest[2]}" if address.version == 4 else f"fd00::{digest[:2].hex()}"
        )
        return self.replaced.setdefault(found[0], stand_in)

    def _hex(self, secret: str) -> str:
        """Replace hexadecimal digits; a number of zeros or of ones alone is none, and stays."""
        digits = re.sub(r"[:-]", "", secret.lower())
        if len(set(digits)) == 1:
            return secret
        new = iter(hashlib.shake_256(self._digest(digits)).hexdigest(len(digits)))
        return self.replaced.setdefault(
            secret, "".join(next(new) if char.isalnum() else char for char in secret)
        )

    def _word(self, secret: str) -> str:
        """Replace letters and digits by capital letters, and leave the rest as it is."""
        if not any(char.isalnum() for char in secret):
            return secret
        new = hashlib.shake_256(self._digest(secret)).digest(len(secret))
        return self.replaced.setdefault(
            secret,
            "".join(
                _LETTERS[byte % 24] if char.isalnum() else char
                for char, byte in zip(secret, new, strict=True)
            ),
        )

    def _digest(self, secret: str) -> bytes:
        return hmac.digest(self._key, secret.encode("utf-8", "surrogateescape"), "sha256")


def host_names(texts: Iterable[str]) -> frozenset[str]:
    """Return the names that a machine calls itself: in ``uname -a`` and in front of its log's lines."""
    names = {name for text in texts for name in (*_HOST.findall(text), *_UNAME.findall(text))}
    return frozenset(part for name in names for part in (name, name.partition(".")[0]))
