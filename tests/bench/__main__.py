"""Measure how fast and how large: ``python -m tests.bench [DUMP]``.

Everything is measured side by side in one run and given as a ratio to a baseline of the same run, for machines
differ and are noisy. Times are the best of several runs. Baselines: one regular expression for each line of the
same text, and ``python -c "import lark"``. py-lspci is measured, too, where it is installed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.paths import CORPUS, ROOT, SHARED

LARGE = SHARED / "real" / "leptonai__gpud" / "pkg__pci__testdata__lspci-vvv.txt"
BYTECODE = tempfile.mkdtemp(prefix="bench-")
LINE = re.compile(r"(\t*)([^:\n]*)(?::\s*)?(.*)")

PARSE = """
import json, resource, sys, time
from pathlib import Path
from lspci_parse._grammar import parser
from lspci_parse.parser import parse
text = Path(sys.argv[1]).read_bytes()
parser("lspci")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
dump = parse(text)
cold = time.perf_counter() - start
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
parse(text)
warm = time.perf_counter() - start
other = text.replace(b"Region 0: Memory at ", b"Region 0: Memory at 1")
start = time.perf_counter()
parse(other)
second = time.perf_counter() - start
print(json.dumps({"cold": cold, "warm": warm, "second": second, "peak": after, "rise": after - before}))
"""

JUDGE = """
import json, sys, time
from pathlib import Path
import lspci_parse
from lspci_parse.findings import diff
from lspci_parse.grouping import groups
from lspci_parse.policies import check
from lspci_parse.evidence import Host
text = Path(sys.argv[1]).read_text(errors="surrogateescape")
a = lspci_parse.parse(text)
b = lspci_parse.parse(text.replace("Speed 16GT/s, Width x16", "Speed 8GT/s, Width x8").replace("Access Control", "Excess Control", 1))
times = {}
for name, job in (("diff", lambda: diff(a, b)), ("groups", lambda: groups(a)), ("check", lambda: check(Host("a", a), "vfio"))):
    start = time.perf_counter(); job(); times[name] = time.perf_counter() - start
print(json.dumps(times))
"""


def best(job: Callable[[], object], runs: int = 5) -> float:
    """Return the shortest time of several runs, in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return min(times)


def python(*argv: str) -> str:
    """Run Python in a process of its own, which keeps what it compiles as an installed package would."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env.setdefault("PYTHONPYCACHEPREFIX", BYTECODE)
    result = subprocess.run(
        [sys.executable, *argv], capture_output=True, check=False, cwd=ROOT, env=env, text=True
    )
    if result.stderr:  # a diff that finds something exits with 1 and says nothing there
        raise RuntimeError(result.stderr)
    return result.stdout


def fresh(code: str, path: Path, runs: int = 3) -> dict[str, float]:
    """Run ``code`` in fresh processes; return the least of each figure."""
    results: list[dict[str, float]] = [json.loads(python("-c", code, str(path))) for _ in range(runs)]
    return {name: min(result[name] for result in results) for name in results[0]}


def row(name: str, value: float, base: float, unit: str = "ms") -> None:
    """Print a figure and its ratio to a baseline."""
    print(f"{name:58} {value * (1000 if unit == 'ms' else 1):10.1f} {unit}   {value / base:8.2f}")


def parsing(path: Path) -> float:
    """Measure reading a large dump; return the time of a cold parse."""
    text = path.read_text("utf-8", "surrogateescape")
    lines = text.split("\n")
    baseline = best(lambda: [LINE.match(line) for line in text.split("\n")])
    found = fresh(PARSE, path)
    print(f"\n{path.name}: {len(text) / 1000:.0f} KB, {len(lines)} lines, {len(set(lines))} distinct")
    print(f"{'reading it':58} {'':13}   to baseline")
    row("one regular expression for each line (baseline)", baseline, baseline)
    row("cold: first text after the grammar is loaded", found["cold"], baseline)
    row("second host of the model: other addresses", found["second"], baseline)
    row("warm: the same text again", found["warm"], baseline)
    for name, job in others(text).items():
        row(name, best(job, 3), baseline)
    print(f"{'peak memory of a process that reads it':58} {found['peak'] / 1024:10.1f} MB")
    print(f"{'of that, added by reading':58} {found['rise'] / 1024:10.1f} MB")
    return found["cold"]


def others(text: str) -> dict[str, Callable[[], object]]:
    """Return the other parsers that are installed; jc is none of them, for it reads ``lspci -mmv`` alone."""
    jobs: dict[str, Callable[[], object]] = {}
    if importlib.util.find_spec("pylspci") and importlib.util.find_spec("pylspci.pci_parser"):
        module: Any = importlib.import_module("pylspci.pci_parser")
        whole = re.sub(r"(?m)^(?=[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] )", "0000:", text)
        jobs["py-lspci: strings"] = lambda: module.PCIParser(
            [device.split("\n") for device in whole.strip().split("\n\n")]
        )
    return jobs


def judging(path: Path, cold: float) -> None:
    """Measure what is done with two trees, against reading one of them."""
    print(f"\n{'two such hosts':58} {'':13}   to a cold parse")
    for name, value in fresh(JUDGE, path).items():
        row(name, value, cold)


def commands() -> None:
    """Measure whole commands against importing Lark."""
    good, bad = (str(CORPUS / "incident" / side / "lspci.txt") for side in ("good", "bad"))
    with tempfile.TemporaryDirectory() as folder:
        pair = [
            str(twice(Path(path), Path(folder) / f"{number}.txt")) for number, path in enumerate((good, bad))
        ]
        lark = best(lambda: python("-c", "import lark"))
        print(f"\n{'commands':58} {'':13}   to import lark")
        row('python -c "import lark" (baseline)', lark, lark)
        row("lspci-parse --help", best(lambda: python("-m", "lspci_parse", "--help")), lark)
        row(
            "lspci-parse diff of two hosts of about 50 devices",
            best(lambda: python("-m", "lspci_parse", "diff", *pair)),
            lark,
        )
        row("lspci-parse show", best(lambda: python("-m", "lspci_parse", "show", pair[0])), lark)


def twice(path: Path, target: Path) -> Path:
    """Write a dump with a second domain that holds the same devices again."""
    text = path.read_text("utf-8", "surrogateescape")
    slot = re.compile(r"^([0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) ", re.MULTILINE)
    target.write_text(slot.sub(r"0000:\1 ", text) + slot.sub(r"0001:\1 ", text), "utf-8", "surrogateescape")
    return target


def growth(path: Path) -> None:
    """Show how cost grows: with length where all is new, and with what is new in a fleet of equal hosts."""
    from lspci_parse import caches, parser  # noqa: PLC0415 - the caches are emptied between figures

    text = path.read_text("utf-8", "surrogateescape")

    def renamed(number: int) -> str:
        return re.sub(
            r"\b([0-9a-f]{6})([0-9a-f]{2})\b",
            lambda m: f"{int(m[1], 16) ^ number * 0x1357 & 0xFFFFFF:06x}{m[2]}",
            text,
        )

    print(f"\n{'growth':58} {'all new':>10}      fleet of equal hosts")
    unit = 0.0
    for count in (1, 2, 4, 8, 16):
        times = []
        for texts in ([renamed(number) for number in range(count)], [text] * count):
            caches.clear()
            start = time.perf_counter()
            for one in texts:
                parser.parse(one)
            times.append(time.perf_counter() - start)
        unit = unit or times[0]
        print(f"{f'{count} hosts':58} {times[0] / unit:10.2f}      {times[1] / unit:10.2f}")


def main() -> None:
    """Measure everything."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else LARGE
    with tempfile.TemporaryDirectory() as folder:
        if not path.exists():
            path = twice(CORPUS / "incident" / "good" / "lspci.txt", Path(folder) / "corpus.txt")
        cold = parsing(path)
        judging(path, cold)
        commands()
        growth(path)
    shutil.rmtree(BYTECODE)


main()
