"""The container files: as far as they can be judged without a container engine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from app.cli import app
from app.core.config import Settings
from app.core.memory import Canvas, need, plan
from app.core.specs import base_side
from app.local.stack import WORKERS
from app.web.outgoing import MOST_BYTES

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("pentimento:")]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
# Settings that are not the operator's to choose in a container, each with the reason.
NOT_PASSED = {
    "data_dir": "the volume data is mounted there",
    "cache": "the volume cache is mounted there",
    "artefacts": "a folder of the host, which no container sees",
    "host": "the container's own address; HOST says where it is published",
    "port": "the container's own port; PORT says where it is published",
}
# See create_app, and app.jobs.finishing.
_MOST_DECODERS, _MOST_HANDS = 4, 2
COMMANDS = typer.main.get_command(app)


def pentimento_lines() -> list[tuple[str, list[str]]]:
    lines = [(name, SERVICES[name]["command"]) for name in OURS]
    return lines + [(f"{name} health", SERVICES[name]["healthcheck"]["test"][4:]) for name in OURS]


def test_the_services_are_web_redis_a_worker_for_each_queue_and_one_for_gpus() -> None:
    assert set(SERVICES) == {"web", "worker", "judge", "lab", "worker-gpu", "redis"}
    taken = {name: SERVICES[name]["command"] for name in OURS if name != "web"}
    assert taken.pop("worker-gpu") == taken["worker"]
    assert taken == {name: ["worker", "--queues", queue] for name, queue in WORKERS.items()}
    assert {name for name, service in SERVICES.items() if "profiles" in service} == {"worker-gpu"}
    assert SERVICES["worker-gpu"]["build"]["args"] == {"EXTRA": "gpu"}
    (device,) = SERVICES["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]


@pytest.mark.parametrize(("name", "line"), pentimento_lines())
def test_each_command_line_is_one_that_pentimento_has(name: str, line: list[str]) -> None:
    command = COMMANDS.get_command(None, line[0])  # type: ignore[attr-defined]
    assert command is not None
    command.make_context(line[0], list(line[1:]))


@pytest.mark.parametrize("name", list(SERVICES))
def test_each_service_is_confined_limited_and_watched(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    # Without a size it might take all of the memory that the limit leaves.
    assert re.fullmatch(r"/tmp:size=\d+m", *service["tmpfs"])  # noqa: S108 - a folder of the container
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", list(SERVICES))
def test_each_service_depends_on_services_with_a_health_check_and_mounts_declared_volumes(name: str) -> None:
    for other, condition in SERVICES[name].get("depends_on", {}).items():
        assert condition == {"condition": "service_healthy"}
        assert "healthcheck" in SERVICES[other]
    assert {volume.split(":")[0] for volume in SERVICES[name]["volumes"]} <= set(COMPOSE["volumes"])


def test_the_web_server_s_memory_holds_what_it_may_do_at_once() -> None:
    """As it was measured: each decoder with 50 million pixels and alpha, each hand with a picture of 4096 pixels."""
    decoder, hand, itself = 0.8e9, 0.8e9, 0.4e9
    web = SERVICES["web"]
    spare = float(web["tmpfs"][0].partition("=")[2].removesuffix("m")) * 2**20
    needed = _MOST_DECODERS * decoder + _MOST_HANDS * hand + MOST_BYTES + itself + spare
    assert needed < float(web["mem_limit"].removesuffix("g")) * 2**30 < 1.2 * needed


@pytest.mark.parametrize(
    ("name", "size", "sides", "half"), [("worker", 2048, (2048, 2048), False), ("worker-gpu", 4096, (4096, 2731), True)]
)
def test_a_painter_s_memory_holds_the_size_that_the_documents_name(name: str, size: int, sides: tuple[int, int], half: bool) -> None:
    """With the usual margin and a painting as large as the picture, beside what a process keeps before it starts afresh."""
    height, width = (side + 64 for side in sides)
    canvas = Canvas(size, height, width, (size, size), base_side(size) ** 2)
    parent, kept = 0.2e9, Settings.model_fields["worker_memory_mb"].default * 1e6
    limit = float(SERVICES[name]["mem_limit"].removesuffix("g")) * 2**30
    planned = plan(canvas, half=half, free=int(limit - parent - kept))
    assert planned.tile >= 512 and planned.history >= 5
    assert parent + kept + planned.needed < limit < 1.4 * (parent + kept + need(canvas, 512, 5, half=half))


def test_redis_keeps_what_it_was_given_and_is_not_published() -> None:
    redis = SERVICES["redis"]
    line = " ".join(redis["command"])
    assert "--appendonly yes" in line
    assert "--maxmemory-policy noeviction" in line
    assert "ports" not in redis


def test_every_variable_is_a_setting_or_one_of_the_object_store_s() -> None:
    names = {name for service in SERVICES.values() for name in service.get("environment", {}) if not name.startswith("AWS_")}
    names |= set(re.findall(r"PENTIMENTO_\w+", DOCKERFILE))
    assert names
    assert {name.removeprefix("PENTIMENTO_").lower() for name in names} <= set(Settings.model_fields)


@pytest.mark.parametrize("name", OURS)
def test_every_setting_reaches_each_container_or_has_a_reason_not_to(name: str) -> None:
    given = SERVICES[name]["environment"]
    passed = {f"PENTIMENTO_{field.upper()}" for field in Settings.model_fields.keys() - NOT_PASSED.keys()}
    assert {variable for variable in given if variable.startswith("PENTIMENTO_")} == passed
    # Named without a value it is passed on where it is set, and is not there where it is not.
    with_value = {variable: value for variable, value in given.items() if value is not None}
    own = {"PENTIMENTO_WORKER_MEMORY_MB": "0"} if name == "worker-gpu" else {}
    assert with_value == {"PENTIMENTO_REDIS_URL": "${PENTIMENTO_REDIS_URL:-redis://redis:6379/0}", **own}
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"} <= given.keys()


def test_what_is_not_passed_on_is_a_setting_that_the_image_sets_or_leaves_out() -> None:
    set_by_image = {name.removeprefix("PENTIMENTO_").lower() for name in re.findall(r"(PENTIMENTO_\w+)=", DOCKERFILE)}
    assert NOT_PASSED.keys() - {"artefacts"} == set_by_image
    assert all(NOT_PASSED.values()) and NOT_PASSED.keys() <= Settings.model_fields.keys()


def test_the_image_names_no_registry_and_runs_without_root() -> None:
    assert "://" not in DOCKERFILE
    assert [line.split()[1].split("/")[0] for line in DOCKERFILE.splitlines() if line.startswith("FROM")] == ["python:${PYTHON}-slim"] * 2
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)
    assert "--require-hashes" in DOCKERFILE


def test_what_the_image_copies_exists_and_is_sent_to_the_builder() -> None:
    sources = [line.split()[1] for line in DOCKERFILE.splitlines() if line.startswith("COPY") and "--from" not in line]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert sources
    for source in sources:
        assert (ROOT / source).is_dir()
        assert f"!{source}" in ignored


def test_hadolint_finds_nothing() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint, "make test installs it"
    done = subprocess.run([hadolint, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
