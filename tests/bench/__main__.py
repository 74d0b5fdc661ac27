"""Measure how fast and how large: ``python -m tests.bench [DUMP] [--devices N]``.

Everything is measured side by side in one run and given as a ratio to a baseline of the same run, for machines
differ and are noisy. Times are the best of several runs. Baselines: one regular expression for each line of the
same text, and ``python -c "import lark"``. py-lspci is measured, too, where it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.paths import CORPUS, ROOT, SHARED

LARGE = SHARED / "real" / "leptonai__gpud" / "pkg__pci__testdata__lspci-vvv.txt"
BYTECODE = tempfile.mkdtemp(prefix="bench-")
LINE = r"(\t*)([^:\n]*)(?::\s*)?(.*)"

PEAK = """
import resource
def peak():
    \"\"\"Return the peak memory of this program in KiB: ru_maxrss also counts that of the process that started it.\"\"\"
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
"""

PARSE = """
import json, re, sys, time
from pathlib import Path
from lspci_parse._grammar import parser
from lspci_parse.parser import parse
text = Path(sys.argv[1]).read_text("utf-8", "surrogateescape")
LINE = re.compile(sys.argv[2])
def timed(job):
    start = time.perf_counter(); job(); return time.perf_counter() - start
parser("lspci")
before = peak()
times = {"cold": timed(lambda: parse(text))}
after = peak()
addresses = re.sub(r"Memory at ([0-9a-f]+)", lambda m: f"Memory at {int(m[1], 16) ^ 0x100000:x}", text)
buses = re.sub(r"(?m)^((?:[0-9a-f]{4}:)?)([0-9a-f]{2}):", lambda m: f"{m[1]}{int(m[2], 16) + 1 & 255:02x}:", text)
times |= {
    "warm": timed(lambda: parse(text)),
    "addresses": timed(lambda: parse(addresses)),
    "buses": timed(lambda: parse(buses)),
    "baseline": min(timed(lambda: [LINE.match(line) for line in text.split("\\n")]) for _ in range(5)),
}
print(json.dumps({**times, "peak": after, "rise": after - before}))
"""

JUDGE = """
import json, re, sys, time
from pathlib import Path
import lspci_parse
from lspci_parse.evidence import Host
from lspci_parse.findings import diff
from lspci_parse.grouping import groups
from lspci_parse.policies import check
text = Path(sys.argv[1]).read_text("utf-8", "surrogateescape")
other = text.replace("Speed 16GT/s, Width x16", "Speed 8GT/s, Width x8").replace("Access Control", "Excess Control", 1)
if sys.argv[2] == "addresses":
    other = re.sub(r"Memory at ([0-9a-f]+)", lambda m: f"Memory at {int(m[1], 16) ^ 0x100000:x}", other)
    other = re.sub(r"IRQ (\\d+)", lambda m: f"IRQ {int(m[1]) + 1}", other)
hosts, times = [], {}
def timed(name, job):
    start = time.perf_counter(); job(); times[name] = time.perf_counter() - start
timed("parse", lambda: hosts.extend(map(lspci_parse.parse, (text, other))))
timed("diff", lambda: diff(*hosts))
timed("groups", lambda: [groups(host) for host in hosts])
timed("check", lambda: [check(Host("host", host), "vfio") for host in hosts])
print(json.dumps(times))
"""

STREAM = """
import io, json, re, sys, time
from pathlib import Path
from lspci_parse import iter_devices
devices = [part.partition(" ")[2] for part in Path(sys.argv[1]).read_text(errors="replace").split("\\n\\n") if part]
number = re.compile(r"\\b[0-9a-f]{8}\\b")
class Devices(io.RawIOBase):
    made, rest = 0, b""
    def readable(self):
        return True
    def readinto(self, buffer):
        while len(self.rest) < len(buffer) and self.made < int(sys.argv[2]):
            at, self.made = self.made, self.made + 1
            slot = f"{at >> 16:04x}:{at >> 8 & 255:02x}:{at >> 3 & 31:02x}.{at & 7}"
            title, _, rest = number.sub(f"{at:08x}", devices[at % len(devices)], 1).partition("\\n")
            self.rest += f"{slot} {title} {at:x}\\n{rest}\\n\\n".encode()
        size = min(len(buffer), len(self.rest))
        buffer[:size], self.rest = self.rest[:size], self.rest[size:]
        return size
source = Devices()
size = sum(len(part) for part in iter(lambda: source.read(1 << 17), b""))
start = time.perf_counter()
count = sum(1 for _ in iter_devices(io.BufferedReader(Devices())))
print(json.dumps({
    "seconds": time.perf_counter() - start, "mb": size / 1e6, "devices": count,
    "peak": peak(),
}))
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


def fresh(code: str, *argv: str, runs: int = 5) -> dict[str, float]:
    """Run ``code`` in fresh processes; return the least of each figure."""
    results: list[dict[str, float]] = [json.loads(python("-c", code, *argv)) for _ in range(runs)]
    return {name: min(result[name] for result in results) for name in results[0]}


def row(name: str, value: float, base: float, unit: str = "ms") -> None:
    """Print a figure and its ratio to a baseline."""
    print(f"{name:58} {value * (1000 if unit == 'ms' else 1):10.1f} {unit}   {value / base:8.2f}")


def parsing(path: Path) -> None:
    """Measure reading a large dump."""
    text = path.read_text("utf-8", "surrogateescape")
    lines = text.split("\n")
    found = fresh(PEAK + PARSE, str(path), LINE)
    baseline = found["baseline"]
    print(f"\n{path.name}: {len(text) / 1000:.0f} KB, {len(lines)} lines, {len(set(lines))} distinct")
    print(f"{'reading it':58} {'':13}   to baseline")
    row("one regular expression for each line (baseline)", baseline, baseline)
    row("cold: first text after the grammar is loaded", found["cold"], baseline)
    row("warm: the same text again", found["warm"], baseline)
    row("second host of the model: other memory addresses", found["addresses"], baseline)
    row("second host of the model: every bus renumbered", found["buses"], baseline)
    for name, job in others(text).items():
        row(name, best(job, 3), baseline)
    print(f"{'peak memory of a process that reads it':58} {found['peak'] / 1024:10.1f} MB")
    print(f"{'of that, added by reading':58} {found['rise'] / 1024:10.1f} MB")


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


def judging(path: Path) -> None:
    """Measure what is done with two trees, against reading both."""
    for kind, what in (("text", "little differs"), ("addresses", "addresses and interrupts differ, too")):
        found = fresh(JUDGE, str(path), kind)
        print(f"\n{f'two such hosts: {what}':58} {'':13}   to reading both cold")
        for name, value in found.items():
            row(name, value, found["parse"])


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
    from lspci_parse.parsing import caches, parser  # noqa: PLC0415 - the caches are emptied between figures

    text = path.read_text("utf-8", "surrogateescape")

    def renamed(number: int) -> str:
        return re.sub(
            r"\b([0-9a-f]{6})([0-9a-f]{2})\b",
            lambda m: f"{int(m[1], 16) ^ number * 0x1357 & 0xFFFFFF:06x}{m[2]}",
            text,
        )

    print(f"\n{'growth, in ms a host':44} {'other addresses':>17} {'fleet of equal hosts':>22}")
    parser.parse(text)
    for count in (1, 2, 4, 8, 16, 32):
        times = []
        for texts in ([renamed(number) for number in range(count)], [text] * count):
            caches.clear()
            start = time.perf_counter()
            for one in texts:
                parser.parse(one)
            times.append(1000 * (time.perf_counter() - start) / count)
        print(f"{f'{count} hosts':44} {times[0]:17.1f} {times[1]:22.1f}")


def streaming(path: Path, counts: Iterable[int]) -> None:
    """Show time and memory of a stream of devices, each of which is new."""
    print(f"\n{'iter_devices: devices that all differ':44} {'MB':>8} {'MB/s':>8} {'peak memory':>14}")
    for count in counts:
        found = fresh(PEAK + STREAM, str(path), str(count), runs=1)
        speed = found["mb"] / found["seconds"]
        print(f"{f'{count} devices':44} {found['mb']:8.0f} {speed:8.0f} {found['peak'] / 1024:11.0f} MB")


def main() -> None:
    """Measure everything."""
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    options.add_argument(
        "dump", nargs="?", type=Path, default=LARGE, help="a large dump (default: %(default)s)"
    )
    options.add_argument("--devices", type=int, help="how many devices to stream, instead of a few thousand")
    given = options.parse_args()
    path: Path = given.dump
    with tempfile.TemporaryDirectory() as folder:
        if not path.exists():
            path = twice(CORPUS / "incident" / "good" / "lspci.txt", Path(folder) / "corpus.txt")
        parsing(path)
        judging(path)
        commands()
        growth(path)
        streaming(path, [given.devices] if given.devices else (4000, 16000, 64000))
    shutil.rmtree(BYTECODE)


main()
