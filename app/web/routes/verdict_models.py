"""What the JSON API answers about verdicts, with examples."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.core.verdicts import Band, Evidence, Judgement, Neighbour, Novelty, Verdict
from app.jobs import pictures
from app.jobs.models import Job, State
from app.jobs.verdict_events import VerdictEvent, snapshot
from app.web.routes.api_models import InputPicture

_ID = "5b1d9e7c3a2f4860b1c9d7e5f3a2b4c6"
_DETECTOR = "4c0f6b1d8e2a7395c1b4d8f0e6a29375b8d1c4f7e0a3926585b1d4c7f0e3a629"


class VerdictLinks(BaseModel):
    self: str = Field(description="The verdict, as JSON.")
    events: str = Field(description="Server-sent events until it is given.")
    report: str = Field(description="What was said, alone, to be kept.")
    page: str = Field(description="Its page, for people.")


def links(row: Job) -> VerdictLinks:
    api = f"/api/verdicts/{row.id}"
    page = f"/verdicts/{row.id}" if row.parent is None else f"/jobs/{row.parent}"
    return VerdictLinks(self=api, events=f"{api}/events", report=f"{api}/report", page=page)


_LINKS = links(Job(id=_ID, parent=None))
_EXAMPLE = Judgement(
    probability=0.9677,
    logit=3.4,
    decision="stylised",
    band=Band(low=0.3, threshold=0.5, high=0.7),
    evidence=Evidence(rows=2, columns=2, cells=(1.5, 2.25, -0.25, 1.1), bias=-1.2, note="Each cell is a quarter of the picture."),
    neighbours=(Neighbour(name="00051-adain", label="stylised", kind="adain", distance=0.31),),
    novelty=Novelty(unlike=False, distance=0.31, limit=0.9),
    detector=_DETECTOR,
)
_VERDICT = Verdict(judgements={"picture": _EXAMPLE}, facts={"version": "0.1.0", "elapsed": 0.8})


class VerdictAccepted(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"id": _ID, "state": "queued", "links": _LINKS.model_dump()}})

    id: str
    state: State
    links: VerdictLinks


def accepted(row: Job) -> VerdictAccepted:
    return VerdictAccepted(id=row.id, state=State(row.state), links=links(row))


class VerdictDetail(VerdictEvent):
    """A verdict: its newest event, what it is about, and what was said once it has ended."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "stage": "judge",
                "percent": 100.0,
                "elapsed": 0.8,
                "remaining": 0.0,
                "id": _ID,
                "kind": "verdict",
                "state": "done",
                "queue_position": None,
                "attempt": 1,
                "silent": False,
                "stopping": False,
                "pausing": False,
                "error": None,
                "job": None,
                "picture": {
                    "name": "harbour.jpg",
                    "width": 1600,
                    "height": 1200,
                    "sha256": "9f2c4e8b1a7d3f60529e8c1b4a7d6f03e5b8c2a1d4f7e6093b5a8c1d2e4f7a60",
                    "picture": f"/api/verdicts/{_ID}/pictures/picture.png",
                    "thumbnail": f"/api/verdicts/{_ID}/pictures/picture-small.jpg",
                },
                "verdict": _VERDICT.model_dump(mode="json"),
                "created_at": 1767225600.0,
                "finished_at": 1767225601.0,
                "links": _LINKS.model_dump(),
            }
        }
    )

    picture: InputPicture | None = Field(None, description="The picture that was given alone; null for a job's verdict.")
    verdict: Verdict | None = Field(None, description="What was said; null until it is done.")
    created_at: float = Field(description="Seconds since 1970.")
    finished_at: float | None = Field(None, description="Seconds since 1970; null while it goes on.")
    links: VerdictLinks


def detail(row: Job, event: VerdictEvent | None = None) -> VerdictDetail:
    given: dict[str, Any] | None = row.inputs.get(pictures.ALONE)
    if given is not None:
        stored = {"picture": pictures.input_name(pictures.ALONE), "thumbnail": pictures.thumbnail_name(pictures.ALONE)}
        given = {**given, **{kind: pictures.url(row, name) for kind, name in stored.items()}}
    return VerdictDetail.model_validate(
        {
            **(event or snapshot(row)).model_dump(),
            "picture": given,
            "verdict": row.report,
            "created_at": row.created_at,
            "finished_at": row.finished_at,
            "links": links(row),
        }
    )


class VerdictList(BaseModel):
    verdicts: list[VerdictDetail] = Field(description="On pictures given alone, newest first.")
    older: str | None = Field(None, description="Address of the verdicts before these; null at the end.")
