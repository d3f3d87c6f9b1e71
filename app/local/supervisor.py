"""Starts children in order, keeps them running, and stops them all."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.core.errors import Unavailable
from app.local.backoff import Backoff
from app.local.child import Child, ChildSpec
from app.local.logs import ChildLog, Say

TICK_SECONDS = 0.05
_START_ATTEMPTS = 3

# Called with the id of a process group, and whether it has started (True) or ended.
Note = Callable[[int, bool], None]


@dataclass
class _Post:
    """One child's place: it outlives the processes that fill it."""

    spec: ChildSpec
    log: ChildLog
    backoff: Backoff = field(default_factory=Backoff)
    child: Child | None = None
    due: float = 0.0


class Supervisor:
    """Runs ``specs``. Stops them in the order ``stopping``: by name, those of one group together.

    ``backoff`` says how long each child that died is waited with. ``stop()`` may be called from a signal handler; calling it twice stops without waiting.
    """

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        stopping: Sequence[Sequence[str]],
        logs: Path,
        say: Say,
        note: Note,
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._posts = {spec.name: _Post(spec, ChildLog(spec.name, logs, spec.loud, say), backoff()) for spec in specs}
        self._stopping = [[self._posts[name] for name in group] for group in stopping]
        self._say, self._note = say, note
        self._stops = 0

    def stop(self) -> None:
        self._stops += 1

    def pids(self) -> dict[str, int]:
        return {name: post.child.pid for name, post in self._posts.items() if post.child}

    def run(self, on_ready: Callable[[], None]) -> None:
        """Work until ``stop()``.

        Raises:
            Unavailable: a child could not be brought up at all.
        """
        try:
            for wave in waves(list(self._posts.values())):
                for post in wave:
                    self._start(post)
                for post in wave:
                    self._bring_up(post)
            if not self._stops:
                on_ready()
            while not self._stops:
                self._tick()
                time.sleep(TICK_SECONDS)
        finally:
            self._stop_all()

    def _bring_up(self, post: _Post) -> None:
        deadline = time.monotonic() + post.spec.ready_seconds
        while not self._stops:
            self._tick()
            if post.child and post.spec.ready() and not post.child.has_ended():
                return
            if post.backoff.deaths >= _START_ATTEMPTS:
                raise Unavailable(f"{post.spec.name} does not start: {self._last_words(post)}")
            if time.monotonic() > deadline:
                raise Unavailable(f"{post.spec.name} was not ready after {post.spec.ready_seconds:.0f} s: {self._last_words(post)}")
            time.sleep(TICK_SECONDS)

    def _start(self, post: _Post) -> None:
        if self._stops:
            return
        post.child = Child(post.spec, post.log)
        self._note(post.child.pid, True)

    def _tick(self) -> None:
        now = time.monotonic()
        for post in self._posts.values():
            if post.child and post.child.has_ended():
                lived = now - post.child.started
                code = self._bury(post)
                wait = post.backoff.after(lived)
                post.due = now + wait
                self._say(f"{post.spec.name} ended ({in_words(code)}); starting it again in {wait:.1f} s. Its log: {post.log.path}")
            elif post.child is None and 0.0 < post.due <= now:
                self._start(post)

    def _bury(self, post: _Post) -> int:
        assert post.child is not None  # noqa: S101 - callers have looked
        pid, code = post.child.pid, post.child.bury()
        self._note(pid, False)
        post.child = None
        return code

    def _stop_all(self) -> None:
        for group in self._stopping:
            asked = time.monotonic()
            for post in group:
                if post.child:
                    post.child.terminate()
            for post in group:
                self._see_off(post, asked + post.spec.stop_seconds)

    def _see_off(self, post: _Post, deadline: float) -> None:
        if post.child is None:
            return
        while not post.child.has_ended() and self._stops < 2 and time.monotonic() < deadline:
            time.sleep(TICK_SECONDS)
        if not post.child.has_ended():
            self._say(f"{post.spec.name} did not stop in time and was killed.")
        self._bury(post)

    def _last_words(self, post: _Post) -> str:
        return f"{post.log.last[-1] if post.log.last else 'it said nothing'}. Its log: {post.log.path}"


def waves(posts: list[_Post]) -> list[list[_Post]]:
    """Group what is started together: a post that does not wait joins the one before it."""
    grouped: list[list[_Post]] = []
    for post in posts:
        if post.spec.waits or not grouped:
            grouped.append([])
        grouped[-1].append(post)
    return grouped


def in_words(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
