"""The arrows of docs/architecture.md, and what may not be in any file."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.version import VERSION

ROOT = Path(__file__).parents[1]

# A room, and the rooms that it may import from; the longest name that fits counts. Everyone may import its own room.
ARROWS: dict[str, set[str]] = {
    "app.core": set(),
    "app.infra": {"app.core"},
    "app.imaging": {"app.core"},
    "app.jobs": {"app.infra", "app.imaging", "app.core"},
    "app.lab": {"app.jobs", "app.infra", "app.imaging", "app.core"},
    "app.web": {"app.jobs", "app.lab", "app.infra", "app.imaging", "app.core"},
    "app.main": {"app.web", "app.jobs", "app.lab", "app.infra", "app.imaging", "app.core"},
    # Starts the rest as processes; imports of workers stand inside functions, see below.
    "app.local": {"app.jobs", "app.lab", "app.infra", "app.imaging", "app.core"},
    "app.cli": {"app.local", "app.core"},
    "workers.nets": {"app.imaging", "app.infra.artefacts", "app.infra.cache", "app.core"},
    "workers.style": {"workers.nets", "app.imaging", "app.core"},
    "workers.verdict": {"workers.nets", "app.imaging", "app.core"},
    "workers.contrast": {"workers.nets", "app.imaging", "app.core"},
    "workers.study": {"workers.contrast", "workers.verdict", "workers.style", "workers.nets", "app.imaging", "app.core"},
    "workers.runtime": {"app.jobs", "app.lab", "app.infra", "app.imaging", "app.core"},
    "workers.tasks": {"workers.runtime", "workers.study", "workers.style", "workers.nets", "app.jobs", "app.lab", "app.core"},
    "workers.child": {"workers.runtime", "workers.style", "workers.verdict", "workers.nets.precision", "app.jobs", "app.infra", "app.core"},
    "workers.gpus": set(),
    "workers.celery_app": {"workers.child", "workers.gpus", "workers.tasks", "app.jobs", "app.infra", "app.core"},
}
# May import workers and TensorFlow, but only inside a function.
EDGES = ("app.local", "app.cli")
HEAVY = ("tensorflow", "keras")


def modules() -> Iterator[tuple[str, Path]]:
    for package in ("app", "workers"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield each imported module, and whether it is imported inside a function. Imports for type checkers only do not count."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    inside = {id(inner) for node in ast.walk(tree) if isinstance(node, functions) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            # `from app.local import broker` imports a module, `from app.core.errors import NotFound` a name of one.
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                place = ROOT / whole.replace(".", "/")
                is_module = place.with_suffix(".py").is_file() or place.is_dir()
                yield (whole if is_module else str(node.module)), id(node) in inside


def room_of(module: str, rooms: set[str]) -> str | None:
    fitting = [room for room in rooms if module == room or module.startswith(f"{room}.")]
    return max(fitting, key=len, default=None)


def violations(module: str, found: Iterator[tuple[str, bool]]) -> Iterator[str]:
    room = room_of(module, set(ARROWS))
    if room is None:
        return
    allowed = ARROWS[room] | {room}
    for target, is_inside in found:
        top = target.split(".")[0]
        if room in EDGES and is_inside and (top in HEAVY or top == "workers" or target == "app.main"):
            continue
        # The top of the package holds nothing but the version.
        if target != "app" and top in ("app", "workers") and room_of(target, allowed) is None:
            yield f"{module} imports {target}"
        if top in HEAVY and not room.startswith(("workers.nets", "workers.style", "workers.contrast", "workers.verdict")):
            yield f"{module} imports {target}"


def test_every_module_has_a_room() -> None:
    packages = {"app", "app.main", "workers"}
    assert [name for name, _ in modules() if room_of(name, set(ARROWS)) is None and name not in packages] == []


def test_imports_follow_the_arrows() -> None:
    assert [line for name, path in modules() for line in violations(name, imports(path))] == []


@pytest.mark.parametrize(
    ("module", "target", "is_inside"),
    [
        ("app.core.ids", "app.infra.blobs", False),
        ("app.jobs.service", "app.web.form", True),
        ("app.web.sse", "workers.runtime", True),
        ("app.local.stack", "workers.nets.weights", False),
        ("app.imaging.decode", "tensorflow", True),
        ("workers.style.engine", "app.jobs.models", True),
        ("workers.celery_app", "tensorflow", True),
    ],
)
def test_a_wrong_import_is_seen(module: str, target: str, is_inside: bool) -> None:
    assert list(violations(module, iter([(target, is_inside)]))) == [f"{module} imports {target}"]


@pytest.mark.parametrize("module", ["app.main", "app.cli", "workers.celery_app"])
def test_starting_does_not_load_the_networks_library(module: str, tmp_path: Path) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    environment = {"PENTIMENTO_REDIS_URL": "redis://127.0.0.1:1/0", "PENTIMENTO_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def texts() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data:
            yield path, data.decode("utf-8", "replace")


def test_no_file_names_a_place_on_someones_machine() -> None:
    place = re.compile(r"(?<![\w.])/(?:home|Users|root|work)/\w+")
    assert [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path, text in texts()
        if path != Path(__file__)
        for found in [place.search(text)]
        if found
    ] == []


def test_lock_files_name_no_registry_and_every_package_has_a_hash() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        text = lock.read_text()
        assert "://" not in text
        assert not re.search(r"^\s*-(-index|-extra|-find|i |f )", text, re.MULTILINE)
        packages = re.findall(r"^[a-zA-Z0-9]\S*==\S+.*?(?=^[a-zA-Z0-9]|\Z)", text, re.MULTILINE | re.DOTALL)
        assert len(packages) > 50
        assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []


def test_the_version_is_the_same_in_both_places() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_source_files_stay_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in tracked()
        if path.suffix in (".py", ".js", ".css", ".html")
    }
    assert {path: lines for path, lines in lengths.items() if lines > 400 and not path.endswith(".css")} == {}


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_described_and_listed_in_the_documentation(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description
    assert f"| `PENTIMENTO_{name.upper()}` |" in (row := documented(name))
    assert row.rstrip().rstrip("|").rstrip().endswith(description)


def documented(name: str) -> str:
    rows = [
        line
        for line in (ROOT / "docs" / "operations.md").read_text().splitlines()
        if f"`PENTIMENTO_{name.upper()}`" in line and line.startswith("|")
    ]
    assert len(rows) == 1, f"PENTIMENTO_{name.upper()} has no row of its own in docs/operations.md"
    return rows[0]
