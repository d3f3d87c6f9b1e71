"""The JSON API of the Lab's datasets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import PurePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from app.lab import manifest
from app.lab.schemas import AT_REST, DatasetDetail, DatasetEvent, links
from app.web import sse, stored_file
from app.web.audience import FollowerDep
from app.web.deps import OwnerDep, ServicesDep, VisitorDep
from app.web.error_handlers import Problem
from app.web.received import DatasetFormDep
from app.web.routes.api_files import TYPES
from app.web.routes.api_jobs import ENDED
from app.web.routes.lab_models import DatasetAccepted, DatasetList
from app.web.routes.upload_schema import dataset_body
from app.web.watching import watch

ABSENT: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such dataset, or it is not yours."}}

router = APIRouter(prefix="/api/lab/datasets", tags=["datasets"])


@router.post(
    "",
    status_code=202,
    summary="Make a dataset",
    response_description="It is being taken in. A newcomer's answer sets the cookie by which it is theirs: send it with every later request.",
    responses={
        413: {"model": Problem, "description": "A file is too large, or a zip file unpacks to more than allowed."},
        422: {"model": Problem, "description": "A file or a parameter is wrong; `errors` names each field."},
        429: {"model": Problem, "description": "Your datasets hold as many pictures as allowed."},
    },
    openapi_extra={"requestBody": dataset_body()},
)
def create(response: Response, form: DatasetFormDep, visitor: VisitorDep, services: ServicesDep) -> DatasetAccepted:
    """Send contents and styles as files, as samples' names, as a zip file, or name finished jobs.

    Each content is stylised in each style by each preset. Files that cannot be read are left out, and the
    dataset names them with the reasons.
    """
    try:
        dataset = services.dataset_desk.submit(form, visitor.owner)
    finally:
        form.close()
    visitor.remember(response, services)
    answer = DatasetAccepted(id=dataset.id, state="unpacking", links=links(dataset.id))
    response.headers["Location"] = answer.links.self
    return answer


@router.get("", summary="List your datasets", response_description="Newest first; empty without the cookie.")
def list_datasets(
    visitor: VisitorDep,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 20,
    before: Annotated[float | None, Query(description="Only datasets made before this moment, in seconds since 1970.")] = None,
) -> DatasetList:
    found = services.datasets.newest(visitor.owner, limit + 1, before)
    older = f"/api/lab/datasets?limit={limit}&before={found[limit - 1].created_at!r}" if len(found) > limit else None
    return DatasetList(datasets=found[:limit], older=older)


@router.get("/{dataset_id}", summary="Look at a dataset", response_description="The dataset as it is now.", responses=ABSENT)
def read(dataset_id: str, owner: OwnerDep, services: ServicesDep) -> DatasetDetail:
    return services.datasets.detail(owner, dataset_id)


@router.get(
    "/{dataset_id}/events",
    summary="Watch a dataset",
    response_class=StreamingResponse,
    responses={
        **ABSENT,
        200: {
            "description": "Server-sent events. Each `data:` is a whole DatasetEvent; the last has the state ready, cancelled or failed.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
    },
)
async def events(dataset_id: str, owner: FollowerDep, services: ServicesDep) -> Response:
    await run_in_threadpool(services.datasets.get, owner, dataset_id)

    def at_rest(event: DatasetEvent) -> bool:
        return event.state in AT_REST

    async def messages() -> AsyncIterator[str]:
        async for event in watch(lambda: services.datasets.event(owner, dataset_id), at_rest, services.closing):
            yield sse.KEEP_ALIVE if event is None else sse.message(event.model_dump_json())

    return sse.stream(messages())


@router.post(
    "/{dataset_id}/cancel",
    status_code=202,
    summary="Cancel",
    response_description="Nothing more is begun; what is there stays.",
    responses={**ABSENT, **ENDED},
)
def cancel(dataset_id: str, owner: OwnerDep, services: ServicesDep) -> DatasetDetail:
    services.datasets.cancel(owner, dataset_id)
    return services.datasets.detail(owner, dataset_id)


@router.post(
    "/{dataset_id}/resume",
    status_code=202,
    summary="Resume",
    response_description="What was cancelled or failed waits again.",
    responses={**ABSENT, **ENDED},
)
def resume(dataset_id: str, owner: OwnerDep, services: ServicesDep) -> DatasetDetail:
    services.datasets.resume(owner, dataset_id)
    return services.datasets.detail(owner, dataset_id)


@router.delete("/{dataset_id}", summary="Delete a dataset", response_description="The dataset as it was.", responses=ABSENT)
def delete(dataset_id: str, owner: OwnerDep, services: ServicesDep) -> DatasetDetail:
    """Removes the dataset and its pictures; for some minutes `restore` brings them back. Reports of experiments on it stay."""
    before = services.datasets.detail(owner, dataset_id)
    services.datasets.delete(owner, dataset_id)
    return before


@router.post("/{dataset_id}/restore", summary="Bring a deleted dataset back", response_description="The dataset is back.", responses=ABSENT)
def restore(dataset_id: str, owner: OwnerDep, services: ServicesDep) -> DatasetDetail:
    """What deleting it cancelled waits for `resume`."""
    services.datasets.restore(owner, dataset_id)
    return services.datasets.detail(owner, dataset_id)


@router.get(
    "/{dataset_id}/manifest",
    summary="Read the manifest",
    response_class=StreamingResponse,
    responses={
        **ABSENT,
        200: {
            "description": "JSON lines: one ManifestLine a picture, with content, style, generator and every parameter.",
            "content": {"application/x-ndjson": {"schema": manifest.ManifestLine.model_json_schema()}},
        },
    },
)
def read_manifest(dataset_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    pictures = services.datasets.pictures(owner, dataset_id)
    headers = {"Content-Disposition": f'attachment; filename="pentimento-dataset-{dataset_id[:8]}.jsonl"'}
    return StreamingResponse(manifest.lines(pictures), media_type="application/x-ndjson", headers=headers)


@router.get(
    "/{dataset_id}/zip",
    summary="Download the pictures",
    response_class=StreamingResponse,
    responses={
        **ABSENT,
        200: {
            "description": "A zip file of all pictures that are there, with the manifest. Sent again, labelled folders make the same "
            "dataset; of a stylised one only contents and styles are taken, to be stylised anew.",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        },
    },
)
def download(dataset_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    pictures = services.datasets.pictures(owner, dataset_id)
    headers = {"Content-Disposition": f'attachment; filename="pentimento-dataset-{dataset_id[:8]}.zip"'}
    return StreamingResponse(manifest.zipped(pictures, services.blobs), media_type="application/zip", headers=headers)


@router.get(
    "/{dataset_id}/pictures/{number}",
    summary="Show a picture",
    response_class=Response,
    responses={
        **ABSENT,
        200: {
            "description": "The picture as PNG, or a small one as JPEG.",
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("image/png", "image/jpeg")},
        },
        304: {"description": "The picture is still the one whose `ETag` the request named in `If-None-Match`."},
    },
)
def picture(
    dataset_id: str,
    number: int,
    owner: OwnerDep,
    services: ServicesDep,
    size: Annotated[Literal["full", "small"], Query(description="`small` is a thumbnail.")] = "full",
    if_none_match: Annotated[str, Header(description="`ETag`s of what is there already.")] = "",
) -> Response:
    """A picture may be painted anew when the dataset is resumed, so it is asked for each time, and sent when it has changed."""
    key = services.datasets.picture_key(owner, dataset_id, number, small=size == "small")
    headers = {"Cache-Control": "private, no-cache"}
    return stored_file.answer(services.blobs.open(key), TYPES[PurePath(key).suffix], headers, etags=if_none_match)
