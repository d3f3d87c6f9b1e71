"""What the page's form and buttons do. Each works without JavaScript, and answers htmx with a part."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from app.core.errors import PentimentoError
from app.jobs.job_events import JobEvent
from app.web import sse
from app.web.audience import FollowerDep
from app.web.deps import FromHtmx, OwnerDep, Services, ServicesDep, VisitorDep
from app.web.error_handlers import retry_headers
from app.web.job_view import JobView, view
from app.web.received import JobFormDep
from app.web.render import page, render
from app.web.routes.pages import job_shown, studio

router = APIRouter(prefix="/jobs", include_in_schema=False)


@router.post("")
def create(form: JobFormDep, visitor: VisitorDep, services: ServicesDep, htmx: FromHtmx) -> Response:
    try:
        job = services.reception.submit(form, visitor.owner, visitor.newcomer)
    except PentimentoError as error:
        state = services.reception.state(form, None if visitor.newcomer else visitor.owner, error)
        # htmx swaps only the messages, so that chosen files stay chosen.
        response = page("partials/_messages.html", error.status, form=state) if htmx else studio(services, state, status=error.status)
        response.headers.update(retry_headers(error))
        return response
    finally:
        form.close()
    answer: Response
    if htmx:
        answer = page("partials/_started.html", job=view(job, services.jobs.event(job.owner, job.id)))
        answer.headers["HX-Push-Url"] = f"/jobs/{job.id}"
        answer.headers["HX-Retarget"] = "#work"
        answer.headers["HX-Reswap"] = "outerHTML"
    else:
        answer = RedirectResponse(f"/jobs/{job.id}", 303)
    visitor.remember(answer, services)
    return answer


@router.get("/{job_id}/stream")
async def stream(job_id: str, owner: FollowerDep, services: ServicesDep) -> Response:
    job = await run_in_threadpool(services.jobs.get, owner, job_id)
    follower = sse.Follower(job_id, JobEvent, lambda: services.jobs.event(owner, job_id), services.reader, services.closing)
    return sse.stream(
        sse.as_parts(
            follower,
            view(job),
            whole=lambda shown: sse.message(render("partials/_job.html", job=shown), event="job"),
            moved=_moved,
            anew=lambda shown: job_shown(services, owner, job_id, shown.event),
        )
    )


def _moved(before: JobView, shown: JobView) -> Iterator[str]:
    yield sse.message(render("partials/_figures.html", job=shown), event="figures")
    yield sse.message(render("partials/_curves.html", job=shown), event="curves")
    if shown.picture != before.picture:
        yield sse.message(render("partials/_picture.html", job=shown), event="picture")


@router.post("/{job_id}/stop")
def stop(job_id: str, owner: OwnerDep, services: ServicesDep, htmx: FromHtmx) -> Response:
    services.jobs.stop(owner, job_id)
    return shown_part(services, owner, job_id, htmx)


@router.post("/{job_id}/cancel")
def cancel(job_id: str, owner: OwnerDep, services: ServicesDep, htmx: FromHtmx) -> Response:
    services.jobs.cancel(owner, job_id)
    return shown_part(services, owner, job_id, htmx)


@router.post("/{job_id}/delete")
def delete(job_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.jobs.delete(owner, job_id)
    return RedirectResponse(f"/history?deleted={job_id}", 303)


@router.post("/{job_id}/restore")
def restore(job_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    services.jobs.restore(owner, job_id)
    return RedirectResponse(f"/jobs/{job_id}", 303)


def shown_part(services: Services, owner: str, job_id: str, htmx: bool) -> HTMLResponse | RedirectResponse:
    if not htmx:
        return RedirectResponse(f"/jobs/{job_id}", 303)
    return page("partials/_job.html", job=job_shown(services, owner, job_id, services.jobs.event(owner, job_id)))
