"""What browsers report of our pages: counted, bounded, and logged of nobody."""

from __future__ import annotations

import logging

import pytest

from tests.web.conftest import Studio

REPORT = {
    "document-uri": "http://testserver/jobs/5f1c9a0be47d23806b1fd5ea92c47013?secret=1",
    "violated-directive": "script-src-elem 'self'",
    "effective-directive": "script-src-elem",
    "script-sample": "alert('harbour')",
}


def reported(studio: Studio) -> float:
    return sum(count.value for count in studio.services.tally.read() if count.name == "csp_reports")


def test_a_report_is_counted_and_says_nothing_of_anybody(studio: Studio, caplog: pytest.LogCaptureFixture) -> None:
    assert reported(studio) == 0
    with caplog.at_level(logging.WARNING, "app.web.routes.csp_reports"):
        answer = studio.client.post("/csp-reports", json={"csp-report": REPORT}, headers={"content-type": "application/csp-report"})
    assert (answer.status_code, reported(studio)) == (204, 1)
    assert [record.getMessage() for record in caplog.records] == [
        "a browser blocked something on a page: directive=script-src-elem page=/jobs"
    ]
    assert "pentimento_csp_reports_total 1.0" in studio.client.get("/metrics").text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"document-uri": "https://elsewhere.example/x"}, "page=elsewhere"),
        ({"document-uri": "http://testserver/5f1c9a0be47d23806b1fd5ea92c47013"}, "page=unknown"),
        ({"document-uri": "http://[broken"}, "page=unknown"),
        ({"effective-directive": "x\nforged line"}, "directive=unknown"),
        ({"effective-directive": None, "violated-directive": 7}, "directive=unknown"),
    ],
)
def test_what_anyone_may_send_forges_no_line(
    studio: Studio, caplog: pytest.LogCaptureFixture, changes: dict[str, object], said: str
) -> None:
    with caplog.at_level(logging.WARNING, "app.web.routes.csp_reports"):
        assert studio.client.post("/csp-reports", json={"csp-report": {**REPORT, **changes}}).status_code == 204
    (record,) = caplog.records
    assert said in record.getMessage() and "\n" not in record.getMessage()


@pytest.mark.parametrize(
    ("body", "status"), [(b"x" * 17_000, 413), (b"no json", 422), (b"[]", 422), (b'{"csp-report": 1}', 422), (b"[" * 9000, 422)]
)
def test_what_is_no_report_is_refused_and_not_counted(studio: Studio, body: bytes, status: int) -> None:
    assert studio.client.post("/csp-reports", content=body).status_code == status
    assert reported(studio) == 0


def test_a_flood_is_not_counted(studio: Studio) -> None:
    studio.services.rates._clock = lambda: 29_000_000 * 60.0
    answers = [studio.client.post("/csp-reports", json={"csp-report": REPORT}).status_code for _ in range(62)]
    assert answers == [204] * 60 + [429] * 2
    assert reported(studio) == 60
