"""How commands speak to the person who started them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from app.core.config import Settings

console = Console(stderr=True, highlight=False)


def say(line: str) -> None:
    """Print one line. A terminal that has gone away is no reason to stop."""
    with suppress(OSError, ValueError):
        typer.echo(line)


def complain(line: str) -> None:
    with suppress(OSError, ValueError):
        typer.echo(line, err=True)


@contextmanager
def hushed() -> Iterator[None]:
    """Drop what compiled code writes to standard error: TensorFlow has notes that no variable turns off."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def transfer_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a callback ``(name, done, total)`` that draws one bar a name."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    tasks: dict[str, TaskID] = {}
    progress = Progress(*columns, console=console)

    def show(name: str, done: int, total: int) -> None:
        if name not in tasks:
            # Only now: a bar with nothing in it still leaves an empty line.
            progress.start()
            tasks[name] = progress.add_task(name, total=total)
        progress.update(tasks[name], completed=done, total=total)

    try:
        yield show
    finally:
        if tasks:
            progress.stop()


def prepare_weights(settings: Settings) -> None:
    """Fetch and convert what the cache lacks, with a progress bar."""
    from workers.nets.weights import prepare

    with transfer_bar() as show:
        prepare(settings, show)
