"""Tables leave their cells alone."""

import subprocess
import sys

from lspci_parse.render.text.table import table
from tests.paths import ROOT


def test_ids_stay_ids_and_trees_stay_trees() -> None:
    """tabulate takes 1e31 for a number, 0010 for 10, and strips leading blanks unless it is told not to."""
    assert table([["1e31", "0010"], ["  └─ x", "1"]]).splitlines() == ["1e31    0010", "  └─ x  1"]


def test_names_that_hang_tabulate_are_harmless() -> None:
    """With ESC in a cell tabulate's pattern for terminal links doubles its steps at every few characters."""
    name = "\x1b]8;;" + "\x1b]8;;\x1b\\" * 40 + "x\n::error::y"
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (20, 20))\n"
        "from lspci_parse.render.text.table import table\n"
        f"print(len(table([[{name!r}, 'b']] * 3, [{name!r}, 'c']).splitlines()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, b"4", b"")
