"""Documents of the project that the page links to, as HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from app.core.errors import NotFound

FOLDER = Path(__file__).resolve().parents[2] / "docs"
# By the name in the address; what is not named here is for readers of the source.
NAMES = ("model-card", "detector", "hypothesis", "lab")
_NEIGHBOUR = re.compile(rf"(?:\./)?({'|'.join(NAMES)})\.md")


@dataclass(frozen=True)
class Document:
    title: str
    body: Markup


def exists(name: str) -> bool:
    return name in NAMES and (FOLDER / f"{name}.md").is_file()


@lru_cache(maxsize=len(NAMES))
def read(name: str) -> Document:
    """Return a document by its name.

    Raises:
        NotFound: there is none of that name.
    """
    if not exists(name):
        raise NotFound("There is no such document.")
    return from_markdown((FOLDER / f"{name}.md").read_text())


def from_markdown(text: str) -> Document:
    """Return Markdown as a document: HTML in it stays text, and links to neighbours lead to their pages."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    title = next((after.content for token, after in pairwise(tokens) if token.type == "heading_open"), "")
    _lead_to_pages(tokens)
    html = markdown.renderer.render(tokens, markdown.options, {})
    # A table can be wider than a telephone: it scrolls by itself, with the keyboard too.
    html = html.replace("<table>", '<div class="table" role="region" aria-label="Table" tabindex="0"><table>').replace(
        "</table>", "</table></div>"
    )
    return Document(title, Markup(html))  # noqa: S704 - the renderer escapes, and HTML in the source is off


def _lead_to_pages(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.type == "link_open":
            found = _NEIGHBOUR.fullmatch(str(token.attrs.get("href", "")))
            if found:
                token.attrs["href"] = f"/docs/{found[1]}"
        _lead_to_pages(token.children or ())
