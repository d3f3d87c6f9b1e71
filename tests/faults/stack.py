"""A program: the one-command stack with stand-in workers, as ``pentimento serve`` puts it together.

Run as ``python -m tests.faults.stack``; says in JSON, one line each, what happens. Settings come from the
environment, and ``FAULTS_CONCURRENCY``: how many jobs its painting worker takes at once.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from dataclasses import replace
from functools import partial

from app.core.config import Settings
from app.local import instance
from app.local.backoff import Backoff
from app.local.child import ChildSpec
from app.local.commands import worker_command
from app.local.stack import STOPPING, WORKERS, signals_to, specs, undertaker
from app.local.supervisor import Supervisor

_WAIT_SECONDS = 0.1


_speaking = threading.Lock()


def say(kind: str, **facts: object) -> None:
    # Threads that read the children's logs speak, too.
    with _speaking:
        print(json.dumps({"kind": kind, **facts}), flush=True)


def stand_in(spec: ChildSpec, concurrency: int) -> ChildSpec:
    """Return the child with a stand-in in its place; the broker stays what it is."""
    if spec.name == "web":
        return replace(spec, argv=(sys.executable, "-m", "tests.faults.web_app", str(spec.pass_fds[0])), ready_seconds=240)
    if spec.name not in WORKERS:
        return spec
    command = worker_command(concurrency if spec.name == "worker" else 1, [WORKERS[spec.name]])
    command[command.index("workers.celery_app:app")] = "tests.faults.worker_app:app"
    command[command.index("--hostname") + 1] = f"{spec.name}@%h"
    # All at once: there is nothing to load that would keep the processor busy.
    return replace(spec, argv=tuple(command), env={**spec.env, "FAULTS_ROLE": spec.name}, waits=False)


def main() -> None:
    settings = Settings()
    settings.data.mkdir(parents=True, exist_ok=True)
    with instance.listen(settings.host, settings.port) as listener:
        address = instance.address_of(listener)
        lock = instance.lock_data_folder(settings.data, address)
        concurrency = int(os.environ.get("FAULTS_CONCURRENCY", "2"))
        children = [stand_in(spec, concurrency) for spec in specs(settings, listener) if spec.name != "lab"]
        names = {child.name for child in children}
        stopping = [[name for name in group if name in names] for group in STOPPING]
        with undertaker(lock) as note:

            def told(group: int, has_started: bool) -> None:
                note(group, has_started)
                if has_started:
                    name = next(name for name, pid in supervisor.pids().items() if pid == group)
                    say("started", name=name, pid=group)

            supervisor = Supervisor(children, stopping, settings.data / "logs", _line, told, partial(Backoff, longest=_WAIT_SECONDS))
            with signals_to(supervisor, _line):
                supervisor.run(lambda: say("ready", address=address))
        os.close(lock)
    say("stopped")


def _line(line: str) -> None:
    say("said", line=line)


if __name__ == "__main__":
    main()
