"""Verdicts as jobs: they follow a finished picture, are made from what is stored, and end like any other job."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np
import pytest
import redis

from app.core.progress import OnProgress, StopRequested
from app.core.verdicts import Verdict
from app.imaging import encode
from app.imaging.normalise import Decoded
from app.infra.blobs import Blobs
from app.infra.clients import Clients
from app.infra.database import Database
from app.jobs import pictures, repository
from app.jobs.models import VERDICT, Job, State
from app.jobs.service import JobService
from app.jobs.sweeper import Sweeper
from app.jobs.verdict_service import VerdictService, verdict_in
from app.lab.models import Detector
from tests.verdict_double import BAND, DETECTOR, Brightness
from tests.workers.test_life import OWNER, events_of, grey, paints, record, row
from workers.runtime.judging import Case, Judging
from workers.runtime.life import Runtime
from workers.runtime.stylizing import Outcome, Sitting, Stylizing
from workers.tasks import verdict

DATABASES = ("sqlite", "postgresql")

AddJob = Callable[..., Job]


@pytest.fixture
def runtime(clients: Clients) -> Runtime:
    return Runtime(dataclasses.replace(clients, settings=clients.settings.model_copy(update={"preview_seconds": 0.0})))


def brightens(sitting: Sitting, on_progress: OnProgress) -> Outcome:
    """Ten iterations from dark to bright: the run becomes stylised where the double says so."""
    for n in range(1, 11):
        on_progress(dataclasses.replace(record(n), preview=grey(25 * n)))
    return Outcome(grey(250), {"iterations": 10})


def judged(runtime: Runtime) -> bool:
    return verdict.run(runtime, Brightness)


def verdict_row(database: Database, job: Job) -> Job | None:
    with database.read() as session:
        return repository.verdict_of(session, job.id)


def test_each_of_several_paintings_is_judged(
    runtime: Runtime, database: Database, blobs: Blobs, add_job: AddJob, verdicts: VerdictService
) -> None:
    facts = {"name": "one.png", "width": 60, "height": 40, "sha256": "0" * 64}
    job = add_job(inputs=dict.fromkeys(("content", "style", "style2", "style3", "style2-mask", "protect"), facts))
    for role, value in (("style2", 120), ("style3", 200), ("style2-mask", 255), ("protect", 0)):
        blobs.put(pictures.key(job.id, pictures.input_name(role)), encode.png(grey(value)))
    runtime.run_one(Stylizing, brightens)
    assert judged(runtime)
    said = verdict_in(verdicts.of_job(OWNER, job.id))
    assert list(said.judgements) == ["content", "style", "style2", "style3", "result"]
    assert [said.judgements[role].logit for role in ("style2", "style3")] == pytest.approx([120 / 32 - 4, 200 / 32 - 4])


def test_a_finished_picture_is_followed_by_its_verdict(
    runtime: Runtime, database: Database, blobs: Blobs, add_job: AddJob, verdicts: VerdictService, redis_client: redis.Redis
) -> None:
    job = add_job()
    runtime.run_one(Stylizing, brightens)
    waiting = verdict_row(database, job)
    assert waiting is not None
    assert (waiting.kind, waiting.state, waiting.owner, waiting.parent) == (VERDICT, State.QUEUED, OWNER, job.id)
    assert redis_client.llen(VERDICT) == 1, "its wake-up was sent"
    assert judged(runtime)
    done = verdicts.of_job(OWNER, job.id)
    said = verdict_in(done)
    assert (done.state, done.facts) == (State.DONE, said.facts)
    assert list(said.judgements) == ["content", "style", "result"]
    assert said.judgements["result"].logit == pytest.approx(250 / 32 - 4)
    content = encode.read_rgb(blobs.get(pictures.key(job.id, "content.png")))
    assert said.judgements["content"].evidence.logit == pytest.approx(content.mean() / 32 - 4)
    assert [frame.iteration for frame in said.frames] == list(range(1, 11))
    assert said.frames[-1].probability == said.judgements["result"].probability, "the run ends with the picture itself"
    # Stylised is what is brighter than 141 (logit 0.405): the sixth frame, grey 150, is the first.
    assert said.became == 6
    assert said.facts["detector"] == DETECTOR
    told = events_of(redis_client, done)
    assert [told[0]["state"], told[-1]["state"]] == ["running", "done"]
    assert told[-1] | {"elapsed": 0} == told[-1] | {"elapsed": 0, "kind": "verdict", "job": job.id, "percent": 100, "stage": "frames"}
    assert not judged(runtime), "nothing was left to claim"


def test_the_receipt_carries_the_verdict_from_then_on(runtime: Runtime, add_job: AddJob, service: JobService) -> None:
    facts = {
        "weights": {"vgg19": "a" * 64},
        "libraries": {},
        "precision": "float32",
        "device": "cpu",
        "iterations": 1,
        "planned": 1,
        "elapsed": 1.0,
    }
    picture = {"name": "one.png", "width": 60, "height": 40, "sha256": "e" * 64}
    job = add_job(inputs={"content": picture, "style": picture})
    runtime.run_one(Stylizing, lambda sitting, on_progress: Outcome(grey(250), facts))
    assert service.receipt(OWNER, job.id).verdict is None
    judged(runtime)
    stated = service.receipt(OWNER, job.id).verdict
    assert stated is not None
    assert (stated.detector, stated.scores["result"].decision, stated.became) == (DETECTOR, "stylised", None)


@pytest.mark.parametrize("columns", [{"parent": "e" * 32}, {"deleted_at": 1.0}])
def test_pictures_of_a_dataset_and_thrown_away_ones_get_none(
    runtime: Runtime, database: Database, add_job: AddJob, columns: dict[str, object]
) -> None:
    job = add_job(**columns)
    runtime.run_one(Stylizing, paints)
    assert row(database, job).state == State.DONE
    assert verdict_row(database, job) is None


def test_a_cancelled_job_with_a_picture_gets_its_verdict_and_one_without_does_not(
    runtime: Runtime, database: Database, add_job: AddJob, service: JobService
) -> None:
    with_picture, without = add_job(created_at=1.0), add_job(created_at=2.0)

    def cancelled(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        on_progress(record(1))
        service.cancel(OWNER, with_picture.id)
        time.sleep(0.25)
        with pytest.raises(StopRequested):
            on_progress(record(2))
        return Outcome(grey(20))

    runtime.run_one(Stylizing, cancelled)
    service.cancel(OWNER, without.id)
    assert row(database, with_picture).state == row(database, without).state == State.CANCELLED
    assert verdict_row(database, with_picture) is not None
    assert verdict_row(database, without) is None


def test_a_failed_job_gets_none(runtime: Runtime, database: Database, add_job: AddJob) -> None:
    job = add_job()

    def breaks(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        on_progress(record(1))
        raise ValueError

    runtime.run_one(Stylizing, breaks)
    assert row(database, job).state == State.FAILED
    assert verdict_row(database, job) is None


def test_a_lost_lease_leaves_no_verdict_behind(runtime: Runtime, database: Database, add_job: AddJob) -> None:
    job = add_job()

    def overtaken(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        with database.write() as session:
            session.get_one(Job, job.id).attempt = 2
        return Outcome(grey(1))

    runtime.run_one(Stylizing, overtaken)
    assert verdict_row(database, job) is None


def test_a_picture_given_alone_is_judged(runtime: Runtime, verdicts: VerdictService, database: Database, redis_client: redis.Redis) -> None:
    dark = Decoded(60, 40, encode.png(grey(0)), encode.jpeg(grey(0)))
    asked = verdicts.submit(OWNER, "night.png", dark)
    assert (asked.parent, asked.inputs["picture"]["name"]) == (None, "night.png")
    assert redis_client.llen(VERDICT) == 1
    assert judged(runtime)
    said = verdict_in(verdicts.get(OWNER, asked.id))
    assert list(said.judgements) == ["picture"]
    assert (said.judgements["picture"].decision, said.frames, said.became) == ("original", (), None)
    assert [one.id for one in verdicts.history(OWNER)] == [asked.id]


def test_a_verdict_can_be_cancelled_and_asked_for_again(
    runtime: Runtime, database: Database, add_job: AddJob, verdicts: VerdictService
) -> None:
    job = add_job()
    runtime.run_one(Stylizing, brightens)
    waiting = verdicts.of_job(OWNER, job.id)

    class Slow(Brightness):
        def judge(self, pixels: np.ndarray) -> object:
            verdicts.cancel(OWNER, waiting.id)
            time.sleep(0.25)
            return super().judge(pixels)

    verdict.run(runtime, Slow)
    assert (row(database, waiting).state, row(database, waiting).report) == (State.CANCELLED, None)
    assert verdicts.ask(OWNER, job.id).id == waiting.id
    assert judged(runtime)
    assert verdicts.ask(OWNER, job.id).state == State.DONE
    assert not judged(runtime), "a verdict that was given is not given again"


def test_a_stop_does_not_end_half_a_verdict(runtime: Runtime, verdicts: VerdictService, database: Database) -> None:
    asked = verdicts.submit(OWNER, "one.png", Decoded(60, 40, encode.png(grey(9)), b""))

    class Stopped(Brightness):
        def facts(self) -> dict[str, object]:
            verdicts.stop(OWNER, asked.id)
            return super().facts()

    verdict.run(runtime, Stopped)
    assert row(database, asked).state == State.DONE


def test_deleting_a_job_deletes_its_verdict_and_restoring_brings_both_back(
    runtime: Runtime, database: Database, add_job: AddJob, service: JobService
) -> None:
    judged_job, waiting_job = add_job(created_at=1.0), add_job(created_at=2.0)
    runtime.run_one(Stylizing, brightens)
    judged(runtime)
    runtime.run_one(Stylizing, brightens)
    for job in (judged_job, waiting_job):
        service.delete(OWNER, job.id)
        gone = verdict_row(database, job)
        assert gone is not None
        assert gone.deleted_at is not None
        assert gone.terminal
    assert not judged(runtime), "nobody wants it any more"
    for job in (judged_job, waiting_job):
        service.restore(OWNER, job.id)
    states = [back.state for job in (judged_job, waiting_job) if (back := verdict_row(database, job)) and back.deleted_at is None]
    assert states == [State.DONE, State.QUEUED]


def test_purging_a_job_takes_its_verdict_along(
    clients: Clients, runtime: Runtime, database: Database, add_job: AddJob, service: JobService
) -> None:
    job = add_job()
    runtime.run_one(Stylizing, brightens)
    service.delete(OWNER, job.id)
    Sweeper(dataclasses.replace(clients, settings=clients.settings.model_copy(update={"undo_seconds": 0.0}))).sweep()
    time.sleep(0.01)
    Sweeper(dataclasses.replace(clients, settings=clients.settings.model_copy(update={"undo_seconds": 0.0}))).sweep()
    assert verdict_row(database, job) is None
    with database.read() as session:
        assert session.get(Job, job.id) is None


def test_a_verdict_whose_picture_is_gone_fails_in_words(runtime: Runtime, database: Database, add_job: AddJob) -> None:
    lost = add_job(kind=VERDICT, parent="e" * 32)
    judged(runtime)
    assert (row(database, lost).state, row(database, lost).error) == (State.FAILED, "The picture that this verdict is about is gone.")


def test_a_verdict_does_not_use_up_the_places_of_jobs(clients: Clients, add_job: AddJob, database: Database) -> None:
    for n in range(3):
        add_job(kind=VERDICT, parent=f"{n:032}")
    with database.read() as session:
        assert repository.count_unfinished(session, "stylize", OWNER) == 0
    add_job(kind=VERDICT)
    add_job()
    with database.read() as session:
        assert [repository.count_unfinished(session, kind, OWNER) for kind in ("stylize", VERDICT)] == [1, 1]
        assert [len(repository.history(session, kind, OWNER, 9)) for kind in ("stylize", VERDICT)] == [1, 1]


def test_the_sweeper_settles_dead_verdicts_in_their_own_words(sweeper: Sweeper, database: Database, add_job: AddJob) -> None:
    dead = add_job(kind=VERDICT, state=State.RUNNING, attempt=3, crashes=2, lease_until=1.0)
    sweeper.sweep()
    assert row(database, dead).error == "The worker died 3 times while looking at this picture, so it was given up. Try a smaller one."


def test_progress_is_told_of_each_picture_and_never_falls() -> None:
    steps: list[tuple[str, float]] = []
    case = Case(
        (("content", lambda: grey(10)), ("style", lambda: grey(20)), ("result", lambda: grey(30))),
        tuple((frame, lambda: grey(200)) for frame in ()),
    )
    said = verdict.judge(Brightness, case, lambda step: steps.append((step.stage, round(step.fraction, 2))))
    assert steps == [("prepare", 0.0), ("judge", 0.0), ("judge", 0.33), ("judge", 0.67)]
    assert isinstance(said, Verdict)
    assert said.judgements["result"].band == BAND
    assert Judging.name == VERDICT


class Choosing(Brightness):
    """Says which detector it was given."""

    def __init__(self, given: bytes | None = None) -> None:
        self.given = given

    def using(self, data: bytes) -> Choosing:
        return Choosing(data)

    def facts(self) -> dict[str, object]:
        return {"detector": DETECTOR, "given": self.given.decode() if self.given else "shipped"}


def test_a_verdict_is_given_by_the_detector_that_its_owner_chose(runtime: Runtime, clients: Clients, verdicts: VerdictService) -> None:
    clients.blobs.put("detectors/mine.safetensors", b"mine")
    for owner, active in ((OWNER, True), ("b" * 32, False)):
        with clients.database.write() as session:
            session.add(
                Detector(
                    id=owner,
                    owner=owner,
                    name="Small",
                    experiment="c" * 32,
                    sha256="d" * 64,
                    key="detectors/mine.safetensors",
                    active=active,
                    created_at=repository.now(session),
                )
            )
    png = encode.png(grey(200))
    for owner, expected in ((OWNER, "mine"), ("b" * 32, "shipped"), ("e" * 32, "shipped")):
        asked = verdicts.submit(owner, "one.png", Decoded(60, 40, png, png))
        assert verdict.run(runtime, Choosing)
        assert verdict_in(verdicts.get(owner, asked.id)).facts["given"] == expected


def test_a_detector_that_is_deleted_as_a_verdict_begins_leaves_it_to_the_shipped_one(
    runtime: Runtime, clients: Clients, verdicts: VerdictService, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clients.database.write() as session:
        moment = repository.now(session)
        made_of, key = "c" * 32, "detectors/gone.safetensors"
        session.add(
            Detector(id="d" * 32, owner=OWNER, name="x", experiment=made_of, sha256="e" * 64, key=key, active=True, created_at=moment)
        )
    get = Blobs.get

    def get_after_delete(blobs: Blobs, name: str) -> bytes:
        if name == key:
            with clients.database.write() as session:
                session.delete(session.get(Detector, "d" * 32))
        return get(blobs, name)

    monkeypatch.setattr(Blobs, "get", get_after_delete)
    png = encode.png(grey(200))
    asked = verdicts.submit(OWNER, "one.png", Decoded(60, 40, png, png))
    assert verdict.run(runtime, Choosing)
    assert verdict_in(verdicts.get(OWNER, asked.id)).facts["given"] == "shipped"
