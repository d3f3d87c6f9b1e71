"""What the documents say of the code, compared with the code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from app.core.specs import PRESETS
from app.infra.presence import READY_SECONDS
from tests.test_architecture import ARROWS

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_SOURCES = (".py", ".md", ".html", ".js", ".css", ".toml", ".yml")


def tracked() -> set[str]:
    return set(subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines())


def missing(text: str, files: set[str]) -> list[str]:
    """Return what stands between backticks, looks like a path of the project, and is none.

    That is what begins with one of its folders, and a bare name of a source file.
    """
    folders = {str(folder) for file in files for folder in Path(file).parents}
    top = {folder for folder in folders if "/" not in folder and folder != "."}
    names = {Path(file).name for file in files}
    paths = [path for path in re.findall(r"`([\w./-]+)`", text) if not path.startswith("/")]
    inside = [path for path in paths if "/" in path and path.split("/")[0] in top]
    bare = [path for path in paths if "/" not in path and path.endswith(_SOURCES)]
    return [path for path in inside if path.rstrip("/") not in files | folders] + [path for path in bare if path not in names]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_named_in_a_document_exists(document: Path) -> None:
    assert missing(document.read_text(), tracked()) == []


def test_a_path_that_is_gone_is_seen() -> None:
    text = "`app/web/gone.py`, `gone.py`, `docs/`, `app/web`, `engine.py`, `logs/web.log`, `/healthz`, `workers.nets`, `application/json`"
    files = {"app/web/form.py", "docs/api.md", "workers/style/engine.py"}
    assert missing(text, files) == ["app/web/gone.py", "gone.py"]


def test_the_api_s_page_names_every_preset_in_order() -> None:
    listed = re.search(r"`preset` is ([^;]*);", (ROOT / "docs" / "api.md").read_text())
    assert listed
    assert re.findall(r"`(\w+)`", listed[1]) == list(PRESETS)
    assert [title.removesuffix(" on the page") for title in re.findall(r"\(([^)]*)\)", listed[1])] == [
        preset.title for preset in PRESETS.values()
    ]


def test_the_arrows_of_the_networks_are_stated_as_they_are_kept() -> None:
    stated = re.search(r"→ workers\.nets → \{([^}]*)\}", (ROOT / "docs" / "architecture.md").read_text())
    assert stated
    assert set(stated[1].split(", ")) == ARROWS["workers.nets"]


def test_the_sign_of_life_is_stated_as_it_is() -> None:
    assert READY_SECONDS == 12
    assert "within twelve seconds" in (ROOT / "docs" / "operations.md").read_text()
