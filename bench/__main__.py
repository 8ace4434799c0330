"""Runs every benchmark in turn, each in a process of its own, and writes `docs/performance.md`.

python -m bench                       sizes that fit in about 25 minutes on two quiet cores
python -m bench --events 1000000      another size for search, disk, memory and scaling
python -m bench --data DIR            keep the large ledger there, and use it again the next time
python -m bench --only search,disk    some of them; what was measured before stays on the page
python -m bench --quick               shows in some minutes that everything works; its figures are published nowhere
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from bench import report, server

FOLDER = Path(__file__).parent
EVENTS = 10_000_000


def main() -> None:
    """Run them, keep their answers, and write the page; status 1 when one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", default=",".join(report.ORDER))
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    names = [name for name in report.ORDER if name in given.only.split(",")]
    out = FOLDER / "out" / ("quick" if given.quick else "full")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with server.home(given.data) as home:
        sizes = _quick_sizes(home) if given.quick else _full_sizes(home, given.events)
        failed = [name for name in names if not _run(name, sizes[name], out)]
    if given.quick:
        page = out / "performance.md"
        page.write_text(report.make_page(report.load(out)), encoding="utf-8")
    else:
        report.RESULTS.mkdir(exist_ok=True)
        for answer in out.glob("*.json"):
            shutil.copy(answer, report.RESULTS)
        report.main()
        page = report.PAGE
    sys.stderr.write(f"{page} is written" + (f"; failed: {', '.join(failed)}\n" if failed else "\n"))
    sys.exit(1 if failed else 0)


def _full_sizes(home: Path, events: int) -> dict[str, list[str]]:
    large = ["--events", str(events), "--data", str(home)]
    sizes: dict[str, list[str]] = {name: [] for name in report.ORDER}
    return sizes | {
        "disk": large,
        "search": large,
        "scaling": large,
        "pages": large,
        "memory": ["--events", str(events)],
    }


def _quick_sizes(home: Path) -> dict[str, list[str]]:
    large = ["--events", "40000", "--data", str(home)]
    return {
        "ingest": ["--events", "20000", "--singles", "500"],
        "disk": large,
        "search": [*large, "--rounds", "8"],
        "verify": ["--events", "10000"],
        "restart": ["--events", "20000"],
        "memory": ["--events", "20000"],
        "scaling": [*large, "--searches", "10"],
        "seal": ["--events", "20480"],
        "pages": [*large, "--rounds", "10", "--readers", "20"],
        "policies": ["--policies", "100", "--rounds", "3", "--pushes", "3"],
        "streams": ["--events", "20000", "--backlog", "20000"],
        "sigma": ["--events", "5000", "--loaded", "300"],
        "detect": ["--events", "5000", "--rate", "1000", "--seconds", "3"],
        "retention": ["--events", "20000", "--personal", "4000"],
    }


def _run(name: str, sizes: list[str], out: Path) -> bool:
    """Run one benchmark; return whether it came to an answer."""
    start = time.perf_counter()
    words = [sys.executable, "-m", f"bench.{name}", *sizes]
    environment = os.environ | {"TALLYSTICK_BENCH_OUT": str(out)}
    done = subprocess.run(words, check=False, env=environment, stdout=subprocess.DEVNULL)
    sys.stderr.write(f"bench.{name}: status {done.returncode} after {time.perf_counter() - start:.0f} s\n")
    return done.returncode == 0


if __name__ == "__main__":
    main()
