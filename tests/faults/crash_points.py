"""Places at which a process kills itself when that is asked for.

A point is armed by a file of its name in ``FAULTS_DIR``. Whoever removes the file dies, so that each
arming costs one process. Names begin with the process they are for: ``worker``, ``judge`` or ``web``.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from sqlalchemy.orm import Session

from app.imaging.normalise import Decoded
from app.infra import files
from app.infra.blobs import Blobs
from app.jobs import pictures, repository
from app.jobs.kind_service import KindService
from app.jobs.models import TERMINAL, Job

_WRITTEN = ("checkpoint", "result")
WORKER_POINTS = (
    "after-claim",
    *(f"{point}-{what}" for what in _WRITTEN for point in ("mid-write", "before-rename", "after-rename")),
    "before-commit",
    "after-commit",
    "before-ack",
)
WEB_POINTS = ("mid-write-content", "after-inputs", "after-row", "before-answer")


class Points:
    """The points of one process; ``role`` is its name."""

    def __init__(self, folder: Path, role: str) -> None:
        self._folder = folder
        self._role = role

    def take(self, point: str) -> bool:
        """Tell whether the point was armed; it is not any more."""
        try:
            file_of(self._folder, self._role, point).unlink()
        except FileNotFoundError:
            return False
        return True

    def reached(self, point: str) -> None:
        if self.take(point):
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def file_of(folder: Path, role: str, point: str) -> Path:
    """Return the file that arms a point, and is gone once that has been reached."""
    return folder / f"{role}.{point}"


def arm(folder: Path, role: str, point: str) -> None:
    file_of(folder, role, point).touch()


def install(points: Points) -> None:
    """Put the points of files into this process."""
    write_from, publish = files.write_from, files.publish

    def write(path: Path, source: IO[bytes], *, private: bool = True) -> None:
        cut = points.take(f"mid-write-{_kind(path)}")
        write_from(path, _Cut(source) if cut else source, private=private)  # type: ignore[arg-type]

    def rename(temporary: Path, path: Path) -> None:
        points.reached(f"before-rename-{_kind(path)}")
        publish(temporary, path)
        points.reached(f"after-rename-{_kind(path)}")

    files.write_from, files.publish = write, rename


def install_in_worker(points: Points) -> None:
    # Only here: the web process needs nothing of workers.
    from workers.runtime.life import _Attempt

    install(points)
    carry_out, publish, write_claimed = _Attempt.carry_out, _Attempt._publish, repository.write_claimed

    def carried_out(self: _Attempt[Any, Any, Any], work: Any) -> None:
        points.reached("after-claim")
        carry_out(self, work)

    def published(self: _Attempt[Any, Any, Any], row: Job) -> None:
        if row.terminal:
            points.reached("after-commit")
        publish(self, row)

    def written(session: Session, job_id: str, attempt: int, **values: Any) -> Job | None:
        row = write_claimed(session, job_id, attempt, **values)
        if values.get("state") in TERMINAL:
            points.reached("before-commit")
        return row

    _Attempt.carry_out, _Attempt._publish = carried_out, published  # type: ignore[method-assign]
    repository.write_claimed = written


def before_ack(points: Points, run: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return what a child does when it is woken, with a point between the work and its acknowledgement."""

    def runs(child: Any) -> bool:
        done = run(child)
        if done:
            points.reached("before-ack")
        return done

    return runs


def install_in_web(points: Points) -> None:
    install(points)
    stored, wake = pictures.stored, KindService._wake

    @contextmanager
    def storing(blobs: Blobs, job_id: str, given: Mapping[str, Decoded]) -> Iterator[None]:
        with stored(blobs, job_id, given):
            points.reached("after-inputs")
            yield
        points.reached("after-row")

    def woken(self: KindService[Any], job: Job) -> None:
        wake(self, job)
        points.reached("before-answer")

    pictures.stored = storing
    KindService._wake = woken  # type: ignore[method-assign]


class _Cut:
    """A file of which half is read; then its reader dies."""

    def __init__(self, source: IO[bytes]) -> None:
        data = source.read()
        self._half: bytes | None = data[: len(data) // 2]

    def read(self, _size: int = -1) -> bytes:
        half, self._half = self._half, None
        if half is None:
            die()
        return half or b""


def _kind(path: Path) -> str:
    """Return what a stored file is: ``result`` for ``result-1.png``, ``content`` for ``content.png``."""
    return path.stem.partition("-")[0]
