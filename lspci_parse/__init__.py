"""Turn ``lspci -vvv`` into a typed tree, compare two machines and say what matters."""

from lspci_parse.errors import LspciError
from lspci_parse.model import Address, Capability, Device, Dump, Register
from lspci_parse.parser import parse

__all__ = ["Address", "Capability", "Device", "Dump", "LspciError", "Register", "parse"]
