"""The web server and the worker as single processes: what `serve`, containers and service managers start."""

from __future__ import annotations

import os
import socket
import sys

from app.core import logging
from app.core.config import Settings
from app.infra.database import migrate

# Open event streams would otherwise hold a stopping server for ever.
_GRACE_SECONDS = 3


def run_web(settings: Settings, fd: int | None) -> None:
    """Serve until SIGTERM or Ctrl-C, on the open socket ``fd`` if there is one."""
    import uvicorn

    logging.set_up()
    config = uvicorn.Config(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=15,
    )
    uvicorn.Server(config).run(sockets=None if fd is None else [socket.socket(fileno=fd)])


def worker_command(concurrency: int) -> list[str]:
    """Return Celery's command line. The name holds the process id, so that one machine can run several."""
    options = ["--loglevel", "INFO", "--concurrency", str(concurrency), "--hostname", f"worker-{os.getpid()}@%h"]
    return [sys.executable, "-m", "celery", "-A", "workers.celery_app:app", "worker", *options, "--without-gossip", "--without-mingle"]


def run_worker(settings: Settings, concurrency: int) -> None:
    """Become a Celery worker. SIGTERM makes it put its job down at the next iteration, and then end.

    That is Celery's warm shutdown. Its soft one (``REMAP_SIGTERM=SIGQUIT``) sleeps for its whole
    timeout before it tells anybody, so jobs would hear of it too late.

    The web server may start at the same moment, or later: whoever comes first brings the tables up to date.
    """
    migrate(settings)
    os.environ.pop("REMAP_SIGTERM", None)
    command = worker_command(concurrency)
    os.execv(command[0], command)  # noqa: S606 - nothing of this process is needed any more
