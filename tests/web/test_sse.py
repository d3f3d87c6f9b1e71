"""Following a job: rows written and events published by the test, read through a real server."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import redis.asyncio

from app.imaging.receipt import Change
from app.infra.streams import EventReader
from app.jobs import repository
from app.jobs.job_events import JobEvent, Painting, snapshot
from app.jobs.models import STYLIZE, Job, State
from app.web import sse
from tests.web.conftest import Studio


@dataclass
class Message:
    id: str | None
    event: str | None
    data: str

    @property
    def job(self) -> JobEvent:
        return JobEvent.model_validate_json(self.data)


def messages(text: str) -> list[Message]:
    found = []
    for block in text.split("\n\n"):
        lines = [line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":")]
        fields = {name: value for name, value in lines if name != "data"}
        if lines:
            found.append(Message(fields.get("id"), fields.get("event"), "\n".join(value for name, value in lines if name == "data")))
    return found


def claim(studio: Studio) -> Job:
    with studio.runtime.clients.database.write() as session:
        job = repository.claim(session, STYLIZE, 30)
    assert job is not None
    return job


def publish(studio: Studio, job: Job, percent: float, state: State = State.RUNNING, **changes: object) -> None:
    job.progress = Painting(stage="refine", percent=percent).model_dump(mode="json")
    event = snapshot(job).model_copy(update={"state": state, **changes})
    studio.events.publish(job.id, event.model_dump_json())


def end(studio: Studio, job: Job, state: State = State.DONE, say: bool = True) -> None:
    with studio.runtime.clients.database.write() as session:
        assert repository.write_claimed(session, job.id, job.attempt, state=state, lease_until=None, finished_at=repository.now(session))
    if say:
        publish(studio, job, 100 if state == State.DONE else 60, state)


def read(studio: Studio, job_id: str, **headers: str) -> list[Message]:
    answer = studio.client.get(f"/api/jobs/{job_id}/events", headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    return messages(answer.text)


@contextmanager
def telling(studio: Studio, tell: Callable[[], object]) -> Iterator[None]:
    """Call ``tell`` once a reader waits for news, however slow the machine is."""

    def told() -> None:
        deadline = time.monotonic() + 30
        while not any(one["cmd"] == "xread" and "b" in one["flags"] for one in studio.services.client.client_list()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        tell()

    teller = threading.Thread(target=told)
    teller.start()
    yield
    teller.join()


def test_the_first_event_is_the_row_and_the_last_is_the_end(studio: Studio) -> None:
    job_id = studio.submit()
    job = claim(studio)
    with telling(studio, lambda: (publish(studio, job, 40), publish(studio, job, 70), end(studio, job))):
        heard = read(studio, job_id)
    assert [(one.job.state, one.job.percent) for one in heard] == [("running", 0), ("running", 40), ("running", 70), ("done", 100)]
    assert all(one.id for one in heard)


def test_an_ended_job_says_so_and_closes_at_once(studio: Studio) -> None:
    job_id = studio.finished()
    began = time.monotonic()
    heard = read(studio, job_id)
    assert [one.job.state for one in heard] == ["done"]
    assert heard[0].job.result == f"/api/jobs/{job_id}/result"
    assert time.monotonic() - began < 1


def test_last_event_id_goes_on_after_it(studio: Studio) -> None:
    job_id = studio.submit()
    job = claim(studio)
    for percent in (10, 20, 30):
        publish(studio, job, percent)
    end(studio, job)
    entries = studio.services.client.xrange(f"pentimento:events:{job_id}")
    second = entries[-3][0].decode()
    heard = read(studio, job_id, last_event_id=second)
    assert [one.job.percent for one in heard] == [30, 100]
    assert heard[-1].id == entries[-1][0].decode()
    resumed_at_the_end = read(studio, job_id, last_event_id=heard[-1].id or "")
    assert [one.job.state for one in resumed_at_the_end] == ["done"]


@pytest.mark.parametrize("unknown", ["1-1", "nonsense", "99999999999999-0"])
def test_an_id_the_stream_does_not_have_begins_with_the_row(studio: Studio, unknown: str) -> None:
    job_id = studio.submit()
    job = claim(studio)
    publish(studio, job, 10)
    end(studio, job)
    assert [one.job.state for one in read(studio, job_id, last_event_id=unknown)] == ["done"]


def test_a_lost_last_event_still_ends_the_stream(studio: Studio) -> None:
    job_id = studio.submit()
    job = claim(studio)
    with telling(studio, lambda: (publish(studio, job, 50), end(studio, job, State.FAILED, say=False))):
        heard = read(studio, job_id)
    assert [(one.job.state, one.job.percent) for one in heard][-2:] == [("running", 50), ("failed", 50)]


def test_percent_never_falls_within_an_attempt(studio: Studio) -> None:
    job_id = studio.submit()
    job = claim(studio)
    told = lambda: (  # noqa: E731
        publish(studio, job, 50),
        publish(studio, job, 20),  # late
        publish(studio, job, 20, stopping=True),  # late, but says something new
        publish(studio, job, 60),
        end(studio, job),
    )
    with telling(studio, told):
        heard = read(studio, job_id)
    assert [(one.job.percent, one.job.stopping) for one in heard] == [(0, False), (50, False), (50, True), (60, False), (100, False)]


def test_a_new_attempt_begins_again(studio: Studio) -> None:
    job_id = studio.submit()
    first = claim(studio)

    def tell() -> None:
        publish(studio, first, 50)
        with studio.runtime.clients.database.write() as session:
            assert repository.write_claimed(session, job_id, first.attempt, state=State.QUEUED, lease_until=None)
        second = claim(studio)
        publish(studio, second, 5)
        end(studio, second)

    with telling(studio, tell):
        heard = read(studio, job_id)
    assert [one.job.percent for one in heard] == [0, 50, 5, 100]


def test_a_worker_that_falls_silent_is_told_without_a_change_of_picture(studio: Studio) -> None:
    job_id = studio.submit()
    job = claim(studio)

    def tell() -> None:
        publish(studio, job, 50)
        with studio.runtime.clients.database.write() as session:
            unheard_for_25_seconds = repository.now(session) + studio.settings.lease_seconds - 25
            assert repository.write_claimed(session, job_id, job.attempt, lease_until=unheard_for_25_seconds)
        time.sleep(3.5)
        publish(studio, job, 60)
        end(studio, job)

    with telling(studio, tell):
        heard = read(studio, job_id)
    assert [(one.job.percent, one.job.silent) for one in heard] == [(0, False), (50, False), (50, True), (60, False), (100, False)]
    assert heard[2].job.remaining is None


def test_the_place_in_the_queue_is_told_as_it_changes(studio: Studio) -> None:
    ahead = studio.submit()
    job_id = studio.submit()

    def tell() -> None:
        studio.client.post(f"/api/jobs/{ahead}/cancel")
        time.sleep(3.5)
        studio.client.post(f"/api/jobs/{job_id}/cancel")

    with telling(studio, tell):
        heard = read(studio, job_id)
    assert [(one.job.state, one.job.queue_position) for one in heard] == [("queued", 2), ("queued", 1), ("cancelled", None)]


def test_a_deleted_job_ends_for_those_who_watch(studio: Studio) -> None:
    job_id = studio.submit()
    claim(studio)
    with telling(studio, lambda: studio.client.delete(f"/api/jobs/{job_id}")):
        assert read(studio, job_id)[-1].job.state == "cancelled"


def test_without_the_broker_the_row_is_followed(studio: Studio) -> None:
    away = redis.asyncio.Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=1)
    object.__setattr__(studio.services, "reader", EventReader(away))
    job_id = studio.submit()
    job = claim(studio)
    teller = threading.Timer(1.0, lambda: end(studio, job))
    teller.start()
    heard = read(studio, job_id)
    teller.join()
    assert [one.job.state for one in heard] == ["running", "done"]


def test_the_page_s_stream_sends_parts_and_then_its_end(studio: Studio) -> None:
    job_id = studio.submit()
    job = claim(studio)

    def tell() -> None:
        publish(studio, job, 30)
        publish(studio, job, 40, preview=f"/api/jobs/{job_id}/pictures/preview-1-0001.jpg")
        publish(studio, job, 50, preview=f"/api/jobs/{job_id}/pictures/preview-1-0002.jpg")
        end(studio, job, State.CANCELLED)

    with telling(studio, tell):
        heard = messages(studio.client.get(f"/jobs/{job_id}/stream").text + "event: ended\ndata: \n\n")
    assert [one.event for one in heard[:-1]] == ["job", "figures", "curves", "job", "figures", "curves", "picture", "job", "ended"]
    assert 'id="stop"' in heard[0].data
    assert 'data-percent="30"' in heard[1].data
    assert "preview-1-0002.jpg" in heard[6].data
    assert "Cancelled" in heard[7].data


def test_what_was_changed_after_the_page_came_is_in_what_is_drawn_again(studio: Studio) -> None:
    job_id = studio.submit()

    def tell() -> None:
        assert studio.client.patch(f"/api/jobs/{job_id}", json={"strength": 2}).status_code == 200
        job = claim(studio)
        publish(studio, job, 10)
        change = Change(iteration=1, name="strength", before=2.0, after=4.0)
        assert studio.client.patch(f"/api/jobs/{job_id}", json={"strength": 4}).status_code == 200
        job.progress = Painting(stage="refine", percent=20, iteration=1, changes=[change]).model_dump(mode="json")
        studio.events.publish(job.id, snapshot(job).model_dump_json())
        end(studio, job)

    with telling(studio, tell):
        heard = messages(studio.client.get(f"/jobs/{job_id}/stream").text)
    drawn = [re.findall(r'name="strength" [^>]* value="([^"]*)"', one.data) for one in heard if one.event == "job"]
    assert [found for found in drawn if found][:3] == [["0"], ["1"], ["2"]]


def test_a_silent_stream_gives_signs_of_life(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE_SECONDS", 0.5)
    job_id = studio.submit()
    job = claim(studio)
    threading.Timer(2.5, lambda: end(studio, job)).start()
    text = studio.client.get(f"/api/jobs/{job_id}/events").text
    assert text.count(sse.KEEP_ALIVE) >= 1


def test_streams_end_when_the_server_does(studio: Studio) -> None:
    job_id = studio.submit()
    claim(studio)
    loop = studio.client.portal
    assert loop is not None
    threading.Timer(1.0, lambda: loop.call(studio.services.closing.set)).start()
    began = time.monotonic()
    heard = read(studio, job_id)
    assert [one.job.state for one in heard] == ["running"]
    assert time.monotonic() - began < 5


def test_no_database_connection_is_held_by_open_streams(studio: Studio) -> None:
    """More streams than the database has connections, all of them told of the end."""
    job_id = studio.submit()
    job = claim(studio)
    reader = studio.services.reader
    row = lambda: studio.services.jobs.event(job.owner, job_id)  # noqa: E731

    async def watch() -> list[str]:
        sights = sse.Follower(job_id, JobEvent, row, reader, asyncio.Event()).follow()
        return [str(sight.event.state) async for sight in sights if sight.event is not None]

    async def all_watch() -> list[list[str]]:
        watchers = [asyncio.create_task(watch()) for _ in range(40)]
        await asyncio.sleep(1)
        pool = studio.services.database.engine.pool
        assert pool.checkedout() == 0  # type: ignore[attr-defined]
        await asyncio.to_thread(end, studio, job)
        return await asyncio.wait_for(asyncio.gather(*watchers), 20)

    assert studio.client.portal is not None
    assert studio.client.portal.call(all_watch) == [["running", "done"]] * 40


def test_data_of_several_lines_stays_one_event() -> None:
    assert sse.message("a\nb", event="job", entry_id="1-0") == "event: job\nid: 1-0\ndata: a\ndata: b\n\n"
    assert json.loads(sse.message("{}").removeprefix("data: ")) == {}
    assert sse.message("", event="ended") == "event: ended\ndata: \n\n"
