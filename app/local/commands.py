"""The web server and the worker as single processes: what `serve`, containers and service managers start."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence

from app.core import logging
from app.core.config import Settings
from app.core.errors import InputError
from app.infra.database import migrate
from app.infra.secret import load_secret
from app.jobs.models import TASKS

# Open event streams would otherwise hold a stopping server for ever.
_GRACE_SECONDS = 3


def run_web(settings: Settings, fd: int | None) -> None:
    """Serve until SIGTERM or Ctrl-C, on the open socket ``fd`` if there is one."""
    import uvicorn

    from app.local.connections import bounded, make_room
    from app.local.incoming import spool_in

    # Said here in a line; the server would end with a traceback.
    load_secret(settings)
    make_room(settings.max_connections)
    logging.set_up(form=settings.log_format)
    spool_in(settings)
    config = uvicorn.Config(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        http=bounded(settings),
        limit_concurrency=settings.max_connections,
        # Believed proxies are a setting of ours.
        proxy_headers=False,
        log_config=None,
        # It would write down addresses and what a query names.
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=15,
    )
    uvicorn.Server(config).run(sockets=None if fd is None else [socket.socket(fileno=fd)])


def queues_of(text: str | None) -> list[str]:
    """Return the queues named in ``text`` with commas between, all of them for None.

    Raises:
        InputError: one of them is none.
    """
    if text is None:
        return list(TASKS)
    named = [name.strip() for name in text.split(",") if name.strip()]
    if not named or not set(named) <= TASKS.keys():
        raise InputError(f"Queues are {', '.join(TASKS)}: name one, or several with commas between. Received: {text!r}")
    return named


def worker_command(concurrency: int, queues: Sequence[str]) -> list[str]:
    """Return Celery's command line. The name holds the process id, so that one machine can run several."""
    options = ["--queues", ",".join(queues), "--loglevel", "INFO", "--concurrency", str(concurrency)]
    options += ["--hostname", f"worker-{os.getpid()}@%h"]
    return [sys.executable, "-m", "celery", "-A", "workers.celery_app:app", "worker", *options, "--without-gossip", "--without-mingle"]


def run_worker(settings: Settings, concurrency: int, queues: Sequence[str]) -> None:
    """Become a Celery worker of ``queues``. SIGTERM makes it put its job down at the next iteration, and then end.

    That is Celery's warm shutdown. Its soft one (``REMAP_SIGTERM=SIGQUIT``) sleeps for its whole
    timeout before it tells anybody, so jobs would hear of it too late.

    The web server may start at the same moment, or later: whoever comes first brings the tables up to date.
    """
    migrate(settings)
    os.environ.pop("REMAP_SIGTERM", None)
    command = worker_command(concurrency, queues)
    os.execv(command[0], command)  # noqa: S606 - nothing of this process is needed any more
