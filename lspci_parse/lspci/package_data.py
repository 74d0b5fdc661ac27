"""The package's own files: from a folder, a wheel or a zip archive.

``importlib.resources`` finds the same files and takes as long to import as half of what a command runs.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any


def package_data(name: str) -> bytes:
    """Return the bytes of a file of the package (PEP 302, ``get_data``).

    Args:
        name: its path inside the package, with ``/``.

    Raises:
        OSError: there is no such file.
    """
    package: Any = import_module("lspci_parse")
    data: bytes = package.__spec__.loader.get_data(os.path.join(package.__path__[0], *name.split("/")))  # noqa: PTH118 - a loader's path need not be one of the file system
    return data
