"""The Celery worker: built here, its parent free of networks and connections.

TensorFlow is not fork-safe, so everything that holds a network, a socket or a GPU is built in
the child, after the fork.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from celery import Celery, signals

from app.core.config import get_settings
from app.core.errors import PentimentoError
from app.core.logging import set_up
from app.infra.broker import celery_config
from app.jobs.models import EXPERIMENT, STYLIZE, TASKS, VERDICT
from workers import gpus
from workers.child import Child
from workers.tasks import experiment, stylize, verdict

log = logging.getLogger(__name__)

CHILD_START_SECONDS = 180.0

app = Celery("pentimento")
app.conf.update(celery_config(get_settings()))
app.conf.update(
    task_default_queue=STYLIZE,
    worker_pool="prefork",
    worker_concurrency=1,
    # TensorFlow keeps some memory for every shape of picture it has met.
    worker_max_memory_per_child=get_settings().worker_memory_mb * 1000 or None,
    worker_proc_alive_timeout=CHILD_START_SECONDS,
    worker_cancel_long_running_tasks_on_connection_loss=False,
)

# Made before the fork, so that parent and children share it; without a lock, which a child that is killed could keep.
_told_to_end = multiprocessing.get_context("fork").RawValue("b", 0)
# Set in each child, after the fork.
_child: Child | None = None


# What a child does when it is woken, by queue.
RUNS: dict[str, Callable[[Child], bool]] = {
    STYLIZE: lambda child: stylize.run(child.runtime, child.engine),
    VERDICT: lambda child: verdict.run(child.runtime, child.judge),
    EXPERIMENT: lambda child: experiment.run(child.runtime, child.describer, child.engine),
}


def _register(kind: str) -> None:
    @app.task(name=TASKS[kind])  # type: ignore[untyped-decorator]
    def wake_up(hint: str) -> bool:
        """Work on whichever job the rows say is next; ``hint`` names the one that caused the message."""
        if _child is None:
            raise RuntimeError(f"This process was not started as a worker's child. Received: {hint!r}")
        return RUNS[kind](_child)


for kind in RUNS:
    _register(kind)


@signals.worker_shutting_down.connect
def _tell_children(**_: Any) -> None:
    _told_to_end.value = 1


def _shutting_down() -> bool:
    return bool(_told_to_end.value)


@signals.setup_logging.connect
def _set_up_logging(loglevel: int | str = logging.INFO, **_: Any) -> None:
    set_up(loglevel, get_settings().log_format)


@signals.worker_process_init.connect
def _start_child(**_: Any) -> None:
    from billiard import current_process

    global _child
    os.environ.update(gpus.environment(get_settings().first_gpu + current_process().index, os.environ))
    loaded = threading.Event()
    threading.Thread(target=_leave_if_told, args=(loaded,), name="leave", daemon=True).start()
    try:
        _child = Child.start(get_settings(), queues_taken(), _shutting_down)
    except Exception as error:
        # Celery would only log this and keep a worker that can do nothing: end all of it instead,
        # so that whoever supervises it sees and says so.
        log.critical("this worker cannot start: %s", error, exc_info=not isinstance(error, PentimentoError))
        os.kill(os.getppid(), signal.SIGTERM)
    finally:
        loaded.set()


def _leave_if_told(loaded: threading.Event) -> None:
    """End a child that is still loading when its worker shuts down: it has nothing to put down, and loading takes long."""
    while not loaded.wait(0.2):
        if _shutting_down():
            os._exit(0)


@signals.worker_process_shutdown.connect
def _end_child(**_: Any) -> None:
    if _child is not None:
        _child.close()


def queues_taken() -> list[str]:
    """Return the queues chosen on the command line, which the parent has read before the fork."""
    return [queue for queue in TASKS if queue in app.amqp.queues.consume_from]
