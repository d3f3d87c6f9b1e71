"""Verdicts as pages: a picture given alone is judged, shown, deleted, brought back; a job's verdict moves live."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from app.core.errors import PentimentoError
from app.jobs.models import Job
from app.jobs.verdict_events import VerdictEvent
from app.web import job_view, sse
from app.web.audience import FollowerDep
from app.web.deps import FromHtmx, OwnerDep, Services, ServicesDep, VisitorDep
from app.web.error_handlers import retry_headers
from app.web.picture_form import PictureForm
from app.web.received import VerdictFormDep
from app.web.render import page, render
from app.web.verdict_view import VerdictView, view

router = APIRouter(include_in_schema=False)

HISTORY_PAGE = 12


@router.head("/verdict")
@router.get("/verdict")
def ask(
    visitor: VisitorDep,
    services: ServicesDep,
    before: Annotated[float | None, Query()] = None,
    deleted: Annotated[str | None, Query()] = None,
) -> HTMLResponse:
    gone = services.verdicts.deleted(visitor.owner, deleted) if deleted else None
    response = _form(services, visitor.owner, PictureForm(), before=before, deleted=view(gone, gone) if gone else None)
    visitor.remember(response, services)
    return response


@router.post("/verdicts")
def create(form: VerdictFormDep, visitor: VisitorDep, services: ServicesDep, htmx: FromHtmx) -> Response:
    try:
        row = services.desk.submit(form, visitor.owner)
    except PentimentoError as error:
        state = services.desk.state(form, error)
        if htmx:
            refused = page("partials/_verdict_messages.html", error.status, form=state, swapped=True)
        else:
            refused = _form(services, visitor.owner, state, status=error.status)
        refused.headers.update(retry_headers(error))
        return refused
    finally:
        form.close()
    answer = Response(headers={"HX-Redirect": f"/verdicts/{row.id}"}) if htmx else RedirectResponse(f"/verdicts/{row.id}", 303)
    visitor.remember(answer, services)
    return answer


@router.head("/verdicts/{verdict_id}")
@router.get("/verdicts/{verdict_id}")
def show(verdict_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    row = services.verdicts.get(owner, verdict_id)
    if row.parent is not None:
        return RedirectResponse(f"/jobs/{row.parent}#verdict", 303)
    shown = view(row, row, services.verdicts.event(owner, verdict_id))
    known = _history(services, owner, None)
    others = [one for one in known.pop("verdicts") if one.id != verdict_id]
    return page("pages/verdict.html", verdict=shown, verdicts=others, **known)


@router.get("/verdicts/{verdict_id}/stream")
async def stream(verdict_id: str, owner: FollowerDep, services: ServicesDep) -> Response:
    shown = await run_in_threadpool(_shown, services, owner, verdict_id)
    follower = sse.Follower(verdict_id, VerdictEvent, lambda: services.verdicts.event(owner, verdict_id), services.reader, services.closing)
    return sse.stream(
        sse.as_parts(
            follower,
            shown,
            whole=lambda shown: sse.message(_whole(shown), event="verdict"),
            moved=lambda _, shown: [sse.message(render("partials/_verdict_progress.html", verdict=shown), event="progress")],
            anew=lambda shown: view(services.verdicts.get(owner, verdict_id), shown.about, shown.event),
        )
    )


def _whole(shown: VerdictView) -> str:
    body = render("partials/_verdict_body.html", verdict=shown)
    if shown.verdict is None or shown.alone:
        return body
    # The receipt beside it says it too.
    return body + render("partials/_receipt_facts.html", job=job_view.view(shown.about, verdict=shown), swapped=True)


def _shown(services: Services, owner: str, verdict_id: str) -> VerdictView:
    row = services.verdicts.get(owner, verdict_id)
    return view(row, _about(services, owner, row))


def _about(services: Services, owner: str, row: Job) -> Job:
    """Return the row whose pictures the verdict is about."""
    return services.jobs.get(owner, row.parent) if row.parent else row


@router.post("/jobs/{job_id}/verdict")
def ask_for_job(job_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.verdicts.ask(owner, job_id)
    return RedirectResponse(f"/jobs/{job_id}#verdict", 303)


@router.post("/verdicts/{verdict_id}/again")
def again(verdict_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.verdicts.again(owner, verdict_id)
    return RedirectResponse(f"/verdicts/{verdict_id}", 303)


@router.post("/verdicts/{verdict_id}/delete")
def delete(verdict_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.verdicts.delete(owner, verdict_id)
    return RedirectResponse(f"/verdict?deleted={verdict_id}", 303)


@router.post("/verdicts/{verdict_id}/restore")
def restore(verdict_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.verdicts.restore(owner, verdict_id)
    return RedirectResponse(f"/verdicts/{verdict_id}", 303)


def _form(
    services: Services, owner: str, form: PictureForm, before: float | None = None, deleted: VerdictView | None = None, status: int = 200
) -> HTMLResponse:
    known = {"samples": services.samples, "max_bytes": services.settings.max_upload_bytes}
    return page("pages/verdicts.html", status, form=form, deleted=deleted, **known, **_history(services, owner, before))


def _history(services: Services, owner: str, before: float | None) -> dict[str, Any]:
    """Return a page of the owner's verdicts on pictures given alone, as templates want it."""
    rows = services.verdicts.history(owner, HISTORY_PAGE + 1, before)
    older = rows[HISTORY_PAGE - 1].created_at if len(rows) > HISTORY_PAGE else None
    return {"verdicts": [view(row, row) for row in rows[:HISTORY_PAGE]], "older": older, "before": before}
