"""The one-command stack: broker, web and a worker for each queue, put together and supervised."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import redis
from redis.exceptions import RedisError

from app.core.config import Settings
from app.core.errors import Unavailable
from app.infra import presence
from app.infra.broker import SOFT_SHUTDOWN_SECONDS
from app.infra.database import migrate
from app.jobs.models import EXPERIMENT, STYLIZE, VERDICT
from app.local import broker, instance
from app.local.child import ChildSpec
from app.local.logs import Say
from app.local.supervisor import Note, Supervisor

_UNDERTAKER = Path(__file__).with_name("undertaker.py")
# A process a queue: a verdict waits for no picture, a picture for no experiment.
WORKERS = {"worker": STYLIZE, "judge": VERDICT, "lab": EXPERIMENT}
# Where there are several GPUs. Of two the judge has the painter's: its jobs are the shortest.
_GPU = {"worker": 0, "lab": 1, "judge": 2}
# Web first, so that nobody is told of a job that is about to be put down; the broker last.
STOPPING = (("web",), tuple(WORKERS), ("broker",))


def serve(settings: Settings, say: Say, prepare: Callable[[], None]) -> None:
    """Run everything until Ctrl-C, SIGTERM or SIGHUP.

    Args:
        prepare: fetches what the workers need; called once the data folder and the port are known to be ours.

    Raises:
        PentimentoError: something is missing; the message says what to do.
    """
    started = time.monotonic()
    data = settings.data
    instance.open_data_folder(data, settings.min_free_mb)
    with instance.listen(settings.host, settings.port) as listener:
        address = instance.address_of(listener)
        lock = instance.lock_data_folder(data, address)
        if settings.database_url is None:
            # Here rather than in each child, so that tables which this version cannot use are said once, in one line.
            migrate(settings)
        prepare()
        with undertaker(lock) as note:
            supervisor = Supervisor(specs(settings, listener), _present(settings, STOPPING), data / "logs", say, note)
            with signals_to(supervisor, say):
                supervisor.run(lambda: say(f"Pentimento is ready at {address} ({time.monotonic() - started:.1f} s). Ctrl-C stops it."))
        os.close(lock)
    say("Stopped.")


def _present(settings: Settings, groups: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    return [group for group in groups if "broker" not in group or settings.redis_url is None]


def specs(settings: Settings, listener: socket.socket) -> list[ChildSpec]:
    """Return the children in the order in which they start."""
    children = []
    url = settings.redis_url
    if url is None:
        embedded = broker.set_up(settings.data)
        children.append(broker.spec(embedded))
        url = embedded.url
    elif not broker.answers(url):
        raise Unavailable(
            "The broker named by PENTIMENTO_REDIS_URL does not answer. Start it, or unset the variable to use the embedded one."
        )
    # Children may start in another folder, and must not disagree with what was checked here.
    env = {"PENTIMENTO_REDIS_URL": url, "PENTIMENTO_DATA_DIR": str(settings.data), "PYTHONUNBUFFERED": "1"}
    host, port = instance.here(listener)
    began = time.time()
    children.append(
        ChildSpec(
            name="web",
            argv=(sys.executable, "-m", "app.cli", "web", "--fd", str(listener.fileno())),
            env=env,
            ready=lambda: responds(host, port, "/healthz"),
            pass_fds=(listener.fileno(),),
        )
    )
    gpus = gpus_of(settings.first_gpu)
    painting, *others = (_worker(name, {**env, "PENTIMENTO_FIRST_GPU": str(gpus[name])}) for name in WORKERS)
    # Its networks take longer to load than the web server takes to start, so that they start together.
    ready = lambda: worker_since(url, began, STYLIZE) and responds(host, port, "/readyz")  # noqa: E731
    children.append(replace(painting, ready=ready, ready_seconds=240, waits=False))
    # These load only now, so that the first picture has the processor to itself, and nobody waits for them.
    children.extend(others)
    return children


def gpus_of(first: int) -> dict[str, int]:
    """Return each worker's GPU, counted from ``first``; after the last one there is comes the first."""
    return {name: first + _GPU[name] for name in WORKERS}


def _worker(name: str, env: Mapping[str, str]) -> ChildSpec:
    argv = (sys.executable, "-m", "app.cli", "worker", "--queues", WORKERS[name])
    return ChildSpec(name=name, argv=argv, env=env, stop_seconds=SOFT_SHUTDOWN_SECONDS + 10)


def responds(host: str, port: int, path: str) -> bool:
    """Tell whether a GET is answered with 200. Never through a proxy, whatever the environment says."""
    connection = http.client.HTTPConnection(host, port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def worker_since(url: str, began: float, queue: str) -> bool:
    """Tell whether a worker of ``queue`` has announced itself after ``began``: the last run's word may still be in the broker."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as client:
            return any(worker.at >= began and queue in worker.queues for worker in presence.present(client))
    except RedisError:
        return False


@contextmanager
def undertaker(lock: int) -> Iterator[Note]:
    """Start the process that takes the children along if this one is killed, and yield how to tell it of them."""
    process = subprocess.Popen(
        [sys.executable, "-S", "-E", str(_UNDERTAKER)],
        stdin=subprocess.PIPE,
        text=True,
        bufsize=1,
        start_new_session=True,
        pass_fds=(lock,),
    )
    assert process.stdin is not None  # noqa: S101 - asked for above
    pipe = process.stdin

    def note(group: int, has_started: bool) -> None:
        try:
            pipe.write(f"{'+' if has_started else '-'}{group}\n")
        except OSError:
            # It was killed by someone: children still die with this process, where the kernel offers that.
            return

    try:
        yield note
    finally:
        with suppress(BrokenPipeError):
            pipe.close()
        process.wait()


@contextmanager
def signals_to(supervisor: Supervisor, say: Say) -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP stop ``supervisor``; a second one stops it without waiting."""
    asked = 0

    def stop(_number: int, _frame: object) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            say("Stopping ... (Ctrl-C again kills)")
        supervisor.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
