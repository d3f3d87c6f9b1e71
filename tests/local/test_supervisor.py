"""The supervisor with the real embedded broker, in a data folder whose name holds a space and a quote."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from app.core.errors import Unavailable
from app.local.broker import answers
from app.local.child import ChildSpec
from app.local.supervisor import Supervisor, _Post, waves

PROGRAM = Path(__file__).with_name("small_stack.py")
PATIENCE = 30.0


class Stack:
    def __init__(self, data: Path) -> None:
        self.process = subprocess.Popen([sys.executable, str(PROGRAM), str(data)], stdout=subprocess.PIPE, text=True)
        self.ready = self.next("ready")

    def next(self, kind: str) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event: dict[str, Any] = json.loads(line)
            if event["kind"] == kind:
                return event
        self.process.communicate()
        raise AssertionError(f"the stack ended without {kind!r}: {self.process.returncode}")

    def said(self, part: str) -> str:
        while part not in (line := self.next("said")["line"]):
            pass
        return line

    @property
    def pids(self) -> list[int]:
        return [self.ready["broker"], self.ready["parent"], self.ready["inner"]]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_child_that_does_not_wait_is_started_with_the_one_before_it() -> None:
    posts = [_Post(ChildSpec(name, (), waits=waits), None) for name, waits in (("broker", True), ("web", True), ("worker", False))]  # type: ignore[arg-type]
    assert [[post.spec.name for post in wave] for wave in waves(posts)] == [["broker"], ["web", "worker"]]


def test_a_child_that_never_comes_up_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    said: list[str] = []
    notes: list[tuple[int, bool]] = []
    spec = ChildSpec("web", (sys.executable, "-c", "print('no such module'); raise SystemExit(3)"), ready=lambda: False)
    supervisor = Supervisor([spec], [["web"]], tmp_path, said.append, lambda group, started: notes.append((group, started)))
    with pytest.raises(Unavailable, match=r"web does not start: no such module. Its log: .*web.log"):
        supervisor.run(lambda: pytest.fail("it was never ready"))
    assert [line.split("; ")[0] for line in said] == ["web ended (exit code 3)"] * 3
    assert [started for _, started in notes] == [True, False] * 3


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / 'a folder\'s "name"'


@pytest.fixture
def stack(data: Path) -> Iterator[Stack]:
    stack = Stack(data)
    try:
        yield stack
    finally:
        if stack.process.poll() is None:
            stack.process.kill()
        stack.process.communicate()
        for pid in stack.pids:
            if not gone(pid):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_and_leaves_no_orphan(stack: Stack, number: signal.Signals) -> None:
    assert answers(stack.ready["url"])
    started = [child.pid for child in psutil.Process(stack.process.pid).children(recursive=True)]
    assert set(stack.pids) < set(started), "the undertaker is a child too"
    stack.process.send_signal(number)
    stack.next("stopped")
    assert stack.process.wait(PATIENCE) == 0
    assert all(gone(pid) for pid in started)


def test_the_child_is_asked_to_end_before_it_is_killed(stack: Stack, data: Path) -> None:
    stack.process.terminate()
    assert stack.said("ending") == "parent  | WARNING ending"
    stack.process.wait(PATIENCE)
    assert (data / "logs" / "parent.log").read_text() == "up\nWARNING ending\n"


def test_no_orphan_when_the_supervisor_is_killed(stack: Stack) -> None:
    undertakers = [child.pid for child in psutil.Process(stack.process.pid).children() if child.pid not in stack.pids]
    assert len(undertakers) == 1
    stack.process.kill()
    until(lambda: all(gone(pid) for pid in [*stack.pids, *undertakers]))


def test_no_child_survives_when_supervisor_and_undertaker_are_killed(stack: Stack) -> None:
    (undertaker,) = [child for child in psutil.Process(stack.process.pid).children() if child.pid not in stack.pids]
    undertaker.kill()
    until(lambda: gone(undertaker.pid))
    stack.process.kill()
    until(lambda: gone(stack.ready["broker"]) and gone(stack.ready["parent"]))


def test_a_killed_child_is_restarted_and_its_own_child_is_not_left(stack: Stack) -> None:
    os.kill(stack.ready["parent"], signal.SIGKILL)
    assert stack.said("parent ended").startswith("parent ended (killed by signal 9); starting it again in 0.5 s")
    until(lambda: gone(stack.ready["inner"]))
    until(lambda: any("time.sleep(1000)" in " ".join(child.cmdline()) for child in psutil.Process(stack.process.pid).children()))


def test_a_killed_broker_comes_back_at_the_same_address_with_its_data(stack: Stack) -> None:
    with redis.Redis.from_url(stack.ready["url"]) as client:
        client.lpush("stylize", "a wake-up")
        assert client.waitaof(1, 0, 5000)[0] == 1, "on disk"
    os.kill(stack.ready["broker"], signal.SIGKILL)
    stack.said("broker ended")
    until(lambda: answers(stack.ready["url"]))
    with redis.Redis.from_url(stack.ready["url"]) as client:
        assert client.lrange("stylize", 0, -1) == [b"a wake-up"]
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_the_broker_keeps_its_data_over_a_restart_of_everything(stack: Stack, data: Path) -> None:
    with redis.Redis.from_url(stack.ready["url"]) as client:
        client.set("kept", "yes")
    stack.process.terminate()
    stack.process.wait(PATIENCE)
    again = Stack(data)
    try:
        with redis.Redis.from_url(again.ready["url"]) as client:
            assert client.get("kept") == b"yes"
    finally:
        again.process.terminate()
        again.process.communicate()


def test_the_broker_asks_for_its_password_and_listens_on_this_machine_only(stack: Stack) -> None:
    host_and_port = stack.ready["url"].rpartition("@")[2]
    with redis.Redis.from_url(f"redis://{host_and_port}") as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    addresses = {
        connection.laddr.ip
        for connection in psutil.Process(stack.ready["broker"]).net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


def test_a_second_run_in_the_same_folder_is_refused(stack: Stack, data: Path) -> None:
    second = subprocess.run([sys.executable, str(PROGRAM), str(data)], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert second.returncode == 1
    last = second.stderr.splitlines()[-1]
    assert f"already runs in the data folder {data} (process {stack.process.pid}, address)" in last


def test_a_run_right_after_a_kill_waits_for_the_undertaker(stack: Stack, data: Path) -> None:
    stack.process.kill()
    again = Stack(data)
    assert all(gone(pid) for pid in stack.pids)
    again.process.terminate()
    again.process.communicate()
