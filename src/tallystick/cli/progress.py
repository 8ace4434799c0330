"""A progress bar on standard error: done, rate, remaining time; silent when nobody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tallystick.cli.console import err


@contextmanager
def progress(title: str, total: int | None, *, unit: str, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Yield a function that takes how much more is done; the bar stays with its last figures when the work ends."""
    columns = (
        TextColumn("{task.description:<11}"),
        BarColumn(bar_width=30),
        TextColumn(("{task.completed:,.0f} " + unit).strip()),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=err, disable=quiet or not err.is_terminal) as bar:
        task = bar.add_task(title, total=total, rate="")

        def advance(count: int) -> None:
            bar.advance(task, count)
            speed = bar.tasks[0].speed
            bar.update(task, rate=f"{speed:,.0f} {unit}".strip() + "/s" if speed else "")

        yield advance
