"""A program for the supervisor's tests: the real broker, and a child that starts a child of its own.

Run as ``small_stack.py DATA_FOLDER``; says in JSON, one line each, what happens.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from app.local import broker, instance
from app.local.child import ChildSpec
from app.local.stack import signals_to, undertaker
from app.local.supervisor import Supervisor

# Ends on SIGTERM only after saying so, and leaves its own child to whoever cleans up.
PARENT = """
import signal, subprocess, sys, time, pathlib
inner = subprocess.Popen(["sleep", "1000"])
def end(*_):
    print("WARNING ending", flush=True)
    raise SystemExit(0)
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
told = pathlib.Path(sys.argv[1])
told.with_suffix(".new").write_text(str(inner.pid))
told.with_suffix(".new").rename(told)
time.sleep(1000)
"""


def say(kind: str, **facts: object) -> None:
    print(json.dumps({"kind": kind, **facts}), flush=True)


def main(data: Path) -> None:
    data.mkdir(parents=True, exist_ok=True)
    lock = instance.lock_data_folder(data, "address")
    embedded = broker.set_up(data)
    inner = data / "inner.pid"
    inner.unlink(missing_ok=True)
    children = [
        broker.spec(embedded),
        ChildSpec(name="parent", argv=(sys.executable, "-c", PARENT, str(inner)), ready=inner.exists, stop_seconds=5),
    ]
    with undertaker(lock) as note:
        supervisor = Supervisor(children, [["parent"], ["broker"]], data / "logs", lambda line: say("said", line=line), note)
        with signals_to(supervisor, lambda line: say("said", line=line)):
            supervisor.run(lambda: say("ready", url=embedded.url, inner=int(inner.read_text()), **supervisor.pids()))
    say("stopped")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
