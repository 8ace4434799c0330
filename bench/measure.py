"""What every benchmark shares: sizes, the yardstick, the machine, percentiles, and where answers are kept."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

OUT = Path(os.environ.get("TALLYSTICK_BENCH_OUT") or Path(__file__).parent / "out")
REFERENCE_US = 2.05
"""Microseconds for SHA-256 of 512 bytes from Python on the reference machine, when it is quiet."""
SAMPLE_EVERY_S = 0.5
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PACKAGES = ("cryptography", "duckdb", "litestar", "msgspec", "numpy", "pyarrow", "uvicorn")


def yardstick_us(rounds: int = 100_000) -> float:
    """Return microseconds for one SHA-256 of 512 bytes, the best of five rounds."""
    message = bytes(512)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(rounds // 5):
            hashlib.sha256(message).digest()
        best = min(best, (time.perf_counter() - start) / (rounds // 5))
    return best * 1e6


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, cores, memory, disk, versions."""
    cpu = next(_values("/proc/cpuinfo", "model name"), platform.processor())
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "sha_extensions": "sha_ni" in next(_values("/proc/cpuinfo", "flags"), ""),
        "memory_gb": round(int(next(_values("/proc/meminfo", "MemTotal"), "0 kB").split()[0]) / 1e6, 1),
        "disk_free_gb": round(shutil.disk_usage(Path.cwd()).free / 1e9),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
    }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of `values` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def summary_ms(seconds: Sequence[float]) -> dict[str, float]:
    """Return median, 95th and 99th percentile in milliseconds."""
    return {
        name: round(percentile(seconds, share) * 1000, 2)
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    }


def directory_bytes(*paths: Path) -> int:
    """Return the bytes that files under `paths` occupy, by their length."""
    return sum(file.stat().st_size for path in paths for file in path.rglob("*") if file.is_file())


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            found += [int(child) for child in _read(task).split()]
    return found


def cpu_s(pids: Iterable[int]) -> float:
    """Return the processor seconds that processes which still run have used so far."""
    used = 0
    for pid in pids:
        fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12]) if fields else 0
    return used / TICKS_A_SECOND


def memory_mb(pids: Iterable[int]) -> float:
    """Return what processes hold now; a page that several share is counted once (proportional set size)."""
    kilobytes = 0
    for pid in pids:
        kilobytes += int(next(_values(f"/proc/{pid}/smaps_rollup", "Pss"), "0 kB").split()[0])
    return kilobytes / 1000


@contextmanager
def memory_peak_mb(pids: Callable[[], Iterable[int]]) -> Iterator[list[float]]:
    """Yield a list with one number: the highest sum of what the processes held at one time, looked at twice a second."""
    peak, ended = [0.0], threading.Event()

    def look() -> None:
        while not ended.wait(SAMPLE_EVERY_S):
            peak[0] = max(peak[0], round(memory_mb(pids()), 1))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        peak[0] = max(peak[0], round(memory_mb(pids()), 1))
        ended.set()
        thread.join()


def sizes(question: str | None, **numbers: int) -> argparse.Namespace:
    """Return the sizes given on the command line, `--events 1000` for `events`; a `data` directory may be given too."""
    parser = argparse.ArgumentParser(description=question, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default:,}")
    parser.add_argument("--data", type=Path, help="a ledger's directory to use, and to keep, where one is read")
    return parser.parse_args()


def figure(name: str, **values: Any) -> dict[str, Any]:
    """Return one figure, with the yardstick as it was when the figure was taken."""
    return {"figure": name, **values, "yardstick_us": round(yardstick_us(), 2)}


def keep(name: str, question: str | None, figures: list[dict[str, Any]]) -> None:
    """Print the answer of a benchmark as JSON and keep it for the report."""
    answer = {
        "benchmark": name,
        "question": (question or "").split("\n", maxsplit=1)[0],
        "command": " ".join(["python", "-m", f"bench.{name}", *_without_paths(sys.argv[1:])]),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": machine(),
        "figures": figures,
    }
    text = json.dumps(answer, indent=1, ensure_ascii=False)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")


def _values(path: str, name: str) -> Iterator[str]:
    for line in _read(Path(path)).splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            yield value.strip()


def _without_paths(words: Sequence[str]) -> Iterator[str]:
    """Yield the options without the folder that one of them names: it says nothing elsewhere."""
    for before, word in zip(("", *words), words, strict=False):
        yield "DIR" if before == "--data" else word


def _read(path: Path) -> str:
    """Return a file of the kernel's, or nothing when its process is gone."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _commit() -> str:
    words = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.run(words, check=False, capture_output=True, text=True, cwd=Path(__file__).parent).stdout.strip()
