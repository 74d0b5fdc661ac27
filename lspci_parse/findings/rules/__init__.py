"""The rules, by what they look at."""

from __future__ import annotations

from importlib import import_module

# The order of these modules is the order of findings of one severity: causes come before what they lead to.
MODULES = (
    "one_host",
    "machine",
    "comparability",
    "isolation",
    "presence",
    "links",
    "drivers",
    "capabilities",
    "state",
)

for _module in MODULES:
    import_module(f"{__name__}.{_module}")
