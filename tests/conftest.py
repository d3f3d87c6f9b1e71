"""What several rooms' tests share: settings of a throw-away data folder, a real broker, a real database."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from app.core.config import Settings
from app.infra.database import Database, migrate
from app.local import broker as embedded
from app.local import launch
from workers.nets.weights import prepare

# A developer's own settings must not decide a test; where weights are kept is no matter of tests.
for name in [name for name in os.environ if name.startswith("PENTIMENTO_") and name not in ("PENTIMENTO_CACHE", "PENTIMENTO_ARTEFACTS")]:
    del os.environ[name]

pytest_plugins = ["tests.browser", "tests.job_fixtures", "tests.servers"]


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running Valkey server, in a folder whose name has a space."""
    server = embedded.set_up(tmp_path_factory.mktemp("broker in a folder"))
    spec = embedded.spec(server)
    # Through the launcher, so that a test run that is killed leaves no server behind.
    launched = (sys.executable, "-S", "-E", str(Path(launch.__file__)), str(os.getpid()), *spec.argv)
    process = subprocess.Popen(launched, cwd=spec.cwd, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not embedded.answers(server.url):
        assert time.monotonic() < deadline, "the embedded broker did not start"
        time.sleep(0.05)
    yield server.url
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture
def redis_client(valkey_url: str) -> Iterator[redis.Redis]:
    """A client of the broker, emptied before each test."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
        yield client


@pytest.fixture
def settings(tmp_path: Path, valkey_url: str, database_url: str | None) -> Settings:
    return Settings(data_dir=tmp_path / "data folder", redis_url=valkey_url, database_url=database_url, min_free_mb=0)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    migrate(settings)
    database = Database(settings.sql_url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def weights_cache() -> Settings:
    """Settings whose cache holds every network: the user's own, filled at the first test run."""
    settings = Settings()
    prepare(settings)
    return settings
