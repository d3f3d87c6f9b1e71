"""The pictures of a job, and the receipt of how the finished one was made."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from app.core.errors import NotFound
from app.core.finish import Finish
from app.imaging.receipt import Receipt
from app.jobs.finishing import FILES, Format, usual
from app.jobs.models import Job
from app.web import stored_file
from app.web.deps import OwnerDep, ServicesDep
from app.web.error_handlers import Problem
from app.web.routes.api_jobs import ENDED, PROBLEMS

router = APIRouter(prefix="/api/jobs/{job_id}", tags=["pictures"])

TYPES = {".png": "image/png", ".jpg": "image/jpeg"}
_NAME = re.compile(r"(content|style|protect|preview|result)[a-z0-9-]{0,40}\.(png|jpg)")
# Names of stored pictures are never used twice, and only their owner may see them.
CACHED = "private, max-age=86400, immutable"


def _help(name: str) -> str:
    return f"{Finish.model_fields[name].description} As the job's parameters say, unless given."


KindDep = Annotated[
    Format, Query(alias="format", description="`png` and `jpeg` have 8 bits a channel, `png16` and `tiff` 16; all but JPEG keep alpha.")
]
_PICTURE: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    **ENDED,
    503: {"model": Problem, "description": "Too many pictures are being finished; try again after `Retry-After` seconds."},
    200: {
        "description": "The picture, with its receipt inside.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in dict(FILES.values()).values()},
    },
}


@router.head("/result", include_in_schema=False)
@router.get("/result", summary="Download the picture", response_class=Response, responses=_PICTURE)
def result(request: Request, job_id: str, owner: OwnerDep, services: ServicesDep, kind: KindDep = "png") -> Response:
    if request.method == "HEAD":
        return _without_body(_attachment(services.jobs.painted(owner, job_id), b"", kind))
    return _attachment(*services.jobs.result(owner, job_id, kind), kind)


@router.head("/finished", include_in_schema=False)
@router.get("/finished", summary="Finish the picture", response_class=Response, responses=_PICTURE)
def finished(
    request: Request,
    job_id: str,
    owner: OwnerDep,
    services: ServicesDep,
    strength: Annotated[float | None, Query(ge=0, le=1, description=_help("strength"))] = None,
    colours: Annotated[Literal["painting", "photograph"] | None, Query(description=_help("colours"))] = None,
    kind: KindDep = "png",
    side: Annotated[int | None, Query(ge=16, le=2048, description="Longer side of a JPEG to look at, in place of a file.")] = None,
) -> Response:
    """The finished picture with another strength or other colours, at once: nothing is painted again, and nothing is changed."""
    job = services.jobs.painted(owner, job_id)
    asked = {name: value for name, value in (("strength", strength), ("colours", colours)) if value is not None}
    finish = Finish.model_validate({**usual(job).model_dump(), **asked})
    if request.method == "HEAD":
        return _without_body(_attachment(job, b"", kind) if side is None else _look(b""))
    if side is not None:
        return _look(services.jobs.look(owner, job_id, side, finish))
    return _attachment(*services.jobs.result(owner, job_id, kind, finish), kind)


@router.head("/receipt", include_in_schema=False)
@router.get("/receipt", summary="Read the receipt", response_description="How the picture was made.", responses={**PROBLEMS, **ENDED})
def receipt(job_id: str, owner: OwnerDep, services: ServicesDep) -> Receipt:
    """Everything needed to paint the same picture again: parameters, seed, inputs, weights, versions; and the verdict, once there is one."""
    return services.jobs.receipt(owner, job_id)


@router.head("/pictures/{name}", include_in_schema=False)
@router.get(
    "/pictures/{name}",
    summary="Show a picture",
    response_class=Response,
    responses={
        **PROBLEMS,
        200: {
            "description": "An input, a thumbnail, a preview or the result's pixels.",
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in TYPES.values()},
        },
    },
)
def picture(job_id: str, name: str, owner: OwnerDep, services: ServicesDep) -> Response:
    if not _NAME.fullmatch(name):
        raise NotFound("There is no picture of that name.")
    opened = services.blobs.open(services.jobs.picture_key(owner, job_id, name))
    return stored_file.answer(opened, TYPES[PurePath(name).suffix], {"Cache-Control": CACHED})


def _look(picture: bytes) -> Response:
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=600"})


def _without_body(response: Response) -> Response:
    """Return the answer to HEAD: how long the picture would be is not known before it is made."""
    del response.headers["Content-Length"]
    return response


def _attachment(job: Job, picture: bytes, kind: Format) -> Response:
    suffix, media_type = FILES[kind]
    headers = {"Content-Disposition": f'attachment; filename="{_file_name(job)}.{suffix}"'}
    return Response(picture, media_type=media_type, headers=headers)


def _file_name(job: Job) -> str:
    """Return a file name of plain letters, whatever the inputs were called."""
    words = [
        re.sub(r"[^A-Za-z0-9]+", "-", PurePath(str(job.inputs[role]["name"])).stem).strip("-").lower()[:40] for role in ("content", "style")
    ]
    return "-".join(["pentimento", *filter(None, words)])
