"""What the JSON API answers, with examples from a real run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.core.specs import StyleParams
from app.jobs import pictures
from app.jobs.job_events import JobEvent, picture_url, snapshot
from app.jobs.models import Job, State

_ID = "0f3a6f0b8f6d4a1c9c1a5e2d7b4c8e90"


class Links(BaseModel):
    self: str = Field(description="The job, as JSON.")
    events: str = Field(description="Server-sent events until the job ends.")
    stop: str = Field(description="POST: end now and keep the best picture.")
    cancel: str = Field(description="POST: end now, as cancelled.")
    pause: str = Field(description="POST: put it down after this step; no worker is held meanwhile.")
    resume: str = Field(description="POST: go on with a paused job.")
    more: str = Field(description="POST: a new job that goes on from the result.")
    larger: str = Field(description="POST: a new job that paints the result at twice its size.")
    result: str = Field(description="The finished picture.")
    receipt: str = Field(description="How the picture was made.")
    verdict: str = Field(description="Original or stylised, with evidence: on both inputs, the result and the frames.")
    page: str = Field(description="The job's page, for people.")


def links(job_id: str) -> Links:
    api = f"/api/jobs/{job_id}"
    return Links(
        self=api,
        events=f"{api}/events",
        stop=f"{api}/stop",
        cancel=f"{api}/cancel",
        pause=f"{api}/pause",
        resume=f"{api}/resume",
        more=f"{api}/more",
        larger=f"{api}/larger",
        result=f"{api}/result",
        receipt=f"{api}/receipt",
        verdict=f"{api}/verdict",
        page=f"/jobs/{job_id}",
    )


class Accepted(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"id": _ID, "state": "queued", "links": links(_ID).model_dump()}})

    id: str
    state: State
    links: Links


def accepted(job: Job) -> Accepted:
    return Accepted(id=job.id, state=State(job.state), links=links(job.id))


class InputPicture(BaseModel):
    name: str = Field(description="File name, or title of the sample.")
    width: int
    height: int
    sha256: str = Field(description="Of the stored pixels as PNG.")
    picture: str
    thumbnail: str


class GivenPicture(InputPicture):
    weight: float | None = Field(None, description="Of a painting among several.")


class FramePicture(BaseModel):
    iteration: int
    picture: str


class JobDetail(JobEvent):
    """A job: its newest event, and what it was given."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **JobEvent.model_config["json_schema_extra"]["example"],  # type: ignore[index, dict-item]
                "preset": "default",
                "params": StyleParams().model_dump(mode="json"),
                "inputs": {
                    "content": {
                        "name": "harbour.jpg",
                        "width": 1600,
                        "height": 1200,
                        "sha256": "9f2c4e8b1a7d3f60529e8c1b4a7d6f03e5b8c2a1d4f7e6093b5a8c1d2e4f7a60",
                        "picture": picture_url(_ID, "content.png"),
                        "thumbnail": picture_url(_ID, "content-small.jpg"),
                        "weight": None,
                    },
                    "style": {
                        "name": "waves.jpg",
                        "width": 1024,
                        "height": 768,
                        "sha256": "1b7e5d3c9a8f6042e1d7c5b3a9f8e6047d2c1b5a3e9f8d6042c7b1a5d3e9f8c6",
                        "picture": picture_url(_ID, "style.png"),
                        "thumbnail": picture_url(_ID, "style-small.jpg"),
                        "weight": None,
                    },
                },
                "frames": [],
                "continued_in": [],
                "created_at": 1767225600.0,
                "finished_at": None,
                "links": links(_ID).model_dump(),
            }
        }
    )

    preset: str
    params: StyleParams
    inputs: dict[str, GivenPicture]
    frames: list[FramePicture] = Field(
        default_factory=list, description="Pictures kept of the run once it has ended, at most 24, evenly spread."
    )
    created_at: float = Field(description="Seconds since 1970.")
    finished_at: float | None = Field(None, description="Seconds since 1970; null while it goes on.")
    continued_in: list[str] = Field(default_factory=list, description="Jobs that began from this one's result, oldest first.")
    links: Links


def detail(job: Job, event: JobEvent | None = None, continued_in: Sequence[str] = ()) -> JobDetail:
    inputs: dict[str, Any] = {
        role: {
            **job.inputs[role],
            "picture": picture_url(job.id, pictures.input_name(role)),
            "thumbnail": picture_url(job.id, pictures.thumbnail_name(role)),
        }
        for role in pictures.given(job)
    }
    return JobDetail.model_validate(
        {
            **(event or snapshot(job)).model_dump(),
            "preset": job.preset,
            "params": job.params,
            "inputs": inputs,
            "frames": [{"iteration": one["iteration"], "picture": picture_url(job.id, one["name"])} for one in job.frames or []],
            "created_at": job.created_at,
            "finished_at": job.finished_at,
            "continued_in": list(continued_in),
            "links": links(job.id),
        }
    )


class JobList(BaseModel):
    jobs: list[JobDetail] = Field(description="Newest first.")
    older: str | None = Field(None, description="Address of the jobs before these; null at the end.")
