"""Documents as pages: tables, links between them, and no HTML of their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.core.errors import NotFound
from app.web import documents
from tests.web.conftest import Studio

TEXT = """# A card

See [the detector](detector.md), [far](https://example.org/detector.md) and <b>this</b>.

| target | found |
|---|---|
| 0.95 | 0.97 |
"""


def test_markdown_becomes_a_page_of_its_own() -> None:
    made = documents.from_markdown(TEXT)
    assert made.title == "A card"
    assert re.findall(r'href="([^"]*)"', made.body) == ["/docs/detector", "https://example.org/detector.md"]
    assert "&lt;b&gt;this&lt;/b&gt;" in made.body
    assert re.search(r'tabindex="0"><table>.*<td>0\.97</td>.*</table></div>', made.body, re.DOTALL)


@pytest.mark.parametrize("name", ["nothing", "../README", "architecture"])
def test_only_what_is_meant_for_visitors_is_shown(name: str) -> None:
    assert not documents.exists(name)
    with pytest.raises(NotFound, match="no such document"):
        documents.read(name)


def test_a_document_that_is_there_is_served(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model-card.md").write_text(TEXT)
    monkeypatch.setattr(documents, "FOLDER", tmp_path)
    documents.read.cache_clear()
    try:
        answer = studio.client.get("/docs/model-card")
        assert answer.status_code == 200
        assert "<title>A card · Pentimento</title>" in answer.text
        assert studio.client.get("/docs/detector").status_code == 404
    finally:
        documents.read.cache_clear()
