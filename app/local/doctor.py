"""Looks at this machine: what is there, what is missing, what to do about it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.table import Table

from app.core.config import Settings
from app.local import browser
from app.local.stack import gpus_of
from app.local.terminal import hushed

if TYPE_CHECKING:
    from sqlalchemy import URL

State = Literal["ok", "warn", "fail"]

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
# What the first start fetches and converts, and room to work in.
_CACHE_MB = 600.0
INSTRUCTION_SETS = {"AVX2": "avx2", "AVX512": "avx512f", "AVX512-BF16": "avx512_bf16", "AMX": "amx_bf16"}


@dataclass(frozen=True)
class Finding:
    """One line of the table. ``to_do`` is empty where nothing is to be done."""

    name: str
    state: State
    found: str
    to_do: str = ""


def examine(settings: Settings) -> list[Finding]:
    with hushed():
        loaded = list(devices(settings))
    return [
        python(sys.version_info[:3]),
        weights(settings),
        *loaded,
        processor(cpu_flags(Path("/proc/cpuinfo"))),
        broker(settings),
        workers(settings),
        database(settings),
        disk("data folder", settings.data, settings.min_free_mb),
        disk("cache folder", settings.cache, _CACHE_MB),
        chromium(),
    ]


def show(findings: list[Finding], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2) + "\n")
        return
    table = Table("", "", "found", "what to do", box=None, pad_edge=False)
    for finding in findings:
        colour = _COLOURS[finding.state]
        table.add_row(f"[{colour}]{finding.state}[/]", finding.name, finding.found, finding.to_do)
    Console(highlight=False).print(table)


def python(version: tuple[int, int, int]) -> Finding:
    text = ".".join(map(str, version))
    if (3, 11) <= version[:2] <= (3, 13):
        return Finding("Python", "ok", f"{text} on {platform.machine()}")
    return Finding("Python", "fail", text, "Use Python 3.11, 3.12 or 3.13: make run PYTHON=/path/to/python3.12")


def weights(settings: Settings) -> Finding:
    from workers.nets.weights import digests, missing

    lacking = missing(settings)
    if lacking:
        return Finding("weights", "fail", f"missing or damaged: {', '.join(lacking)}", "Run `pentimento fetch`.")
    return Finding("weights", "ok", f"{', '.join(sorted(digests(settings)))}: complete, hashes as pinned, in {settings.cache}")


def devices(settings: Settings) -> Iterator[Finding]:
    """Say what the networks would run on, and in which precision, as an engine would choose."""
    import tensorflow as tf

    from workers.nets.precision import choose, compiles, kind

    gpus = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in tf.config.list_physical_devices("GPU")]
    if gpus:
        yield Finding("device", "ok", f"TensorFlow {tf.__version__} with {', '.join(gpus)}")
        yield Finding("processes", "ok", shares(len(gpus), settings.first_gpu))
        grows = os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
        yield Finding(
            "GPU memory",
            "ok" if grows else "warn",
            "taken as needed" if grows else "taken whole by each process",
            "" if grows else "Unset TF_FORCE_GPU_ALLOW_GROWTH, or give each worker a GPU of its own.",
        )
    elif tf.test.is_built_with_cuda() and shutil.which("nvidia-smi"):
        yield Finding(
            "device",
            "warn",
            "an NVIDIA driver, but TensorFlow sees no GPU",
            "Update the driver, or install for the CPU: make run EXTRA=cpu",
        )
    elif shutil.which("nvidia-smi"):
        yield Finding("device", "warn", f"TensorFlow {tf.__version__} on the CPU; a GPU is there", "Install for it: make run EXTRA=gpu")
    else:
        yield Finding("device", "ok", f"TensorFlow {tf.__version__} on the CPU")
    yield Finding("precision", "ok", f"{choose(settings.precision)} (PENTIMENTO_PRECISION={settings.precision}), {kind()}")
    yield Finding("XLA", "ok", f"{'on' if compiles(settings.xla) else 'off'} (PENTIMENTO_XLA={settings.xla})")


def shares(gpus: int, first: int) -> str:
    """Return which GPU each worker of `pentimento serve` has."""
    return "one GPU each: " + ", ".join(f"{name} {number % gpus}" for name, number in gpus_of(first).items())


def cpu_flags(cpuinfo: Path) -> frozenset[str]:
    """Return the processor's flags as Linux lists them; none where there is no such list."""
    if not cpuinfo.is_file():
        return frozenset()
    lines = cpuinfo.read_text().splitlines()
    return frozenset(next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), []))


def processor(flags: frozenset[str]) -> Finding:
    have = [name for name, flag in INSTRUCTION_SETS.items() if flag in flags]
    if "AVX2" not in have:
        return Finding("instructions", "warn", ", ".join(have) or "none known", "Expect long runs: without AVX2 TensorFlow is slow.")
    return Finding("instructions", "ok", ", ".join(have))


def broker(settings: Settings) -> Finding:
    from app.local.broker import answers, url_of_running

    if settings.redis_url is None:
        running = url_of_running(settings.data)
        return Finding("broker", "ok", "embedded Valkey, running" if running else "embedded Valkey, starts with `pentimento serve`")
    if answers(settings.redis_url):
        return Finding("broker", "ok", "the server named by PENTIMENTO_REDIS_URL answers")
    return Finding(
        "broker",
        "fail",
        "the server named by PENTIMENTO_REDIS_URL does not answer",
        "Start it, or unset the variable to use the embedded one.",
    )


def workers(settings: Settings) -> Finding:
    """Say which queues have a worker, where there is a broker to ask."""
    import redis
    from redis.exceptions import RedisError

    from app.infra import presence
    from app.jobs.models import TASKS
    from app.local.broker import url_of_running

    url = settings.redis_url or url_of_running(settings.data)
    if url is None:
        return Finding("workers", "ok", "start with `pentimento serve`")
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as client:
            served = {queue for worker in presence.present(client) for queue in worker.queues}
    except RedisError:
        return Finding("workers", "warn", "unknown, the broker does not answer")
    lacking = [queue for queue in TASKS if queue not in served]
    if lacking:
        return Finding("workers", "warn", f"none for {', '.join(lacking)}", f"Start one: pentimento worker --queues {','.join(lacking)}")
    return Finding("workers", "ok", f"there for {', '.join(TASKS)}")


def database(settings: Settings) -> Finding:
    from sqlalchemy import make_url, text
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    from app.infra.database import Database

    to_do = "Check PENTIMENTO_DATABASE_URL and that the server runs."
    try:
        url = make_url(settings.sql_url)
    except (ArgumentError, ValueError):
        # What is wrong with it may be in its password.
        return Finding("database", "fail", "PENTIMENTO_DATABASE_URL is no address of a database", to_do)
    shown = _without_password(url, url.render_as_string(hide_password=True))
    try:
        # Looking must not make an empty database.
        if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
            return Finding("database", "ok", f"{shown}, made at the first start")
        store = Database(settings.sql_url)
        try:
            # Past the sentence that visitors are told: an operator wants the driver's own words.
            with store.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        finally:
            store.close()
    except (SQLAlchemyError, ImportError) as error:
        said = " ".join(str(getattr(error, "orig", error)).split())
        return Finding("database", "fail", _without_password(url, said), to_do)
    return Finding("database", "ok", shown)


def _without_password(url: URL, said: str) -> str:
    for password in (url.password, url.query.get("password")):
        if password:
            said = said.replace(str(password), "***")
    return said


def disk(name: str, folder: Path, needed_mb: float) -> Finding:
    """Say how much room the disk has that holds ``folder``, or would hold it."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free / 1e6
    found = f"{free:,.0f} MB free in {folder}"
    if free < needed_mb:
        variable = "PENTIMENTO_DATA_DIR" if name.startswith("data") else "PENTIMENTO_CACHE"
        return Finding(name, "fail", found, f"{needed_mb:.0f} MB are needed: free some space, or name another folder with {variable}.")
    return Finding(name, "ok", found)


def chromium() -> Finding:
    path = browser.find()
    if path is None:
        return Finding("Chromium", "warn", "not found; only the browser tests need it", "sudo apt-get install chromium")
    return Finding("Chromium", "ok", path)
