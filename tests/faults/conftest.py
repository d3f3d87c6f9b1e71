"""One installation for the tests that leave it well; what each of them sent is theirs to check."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.driver import Driver
from tests.faults.installation import Installation

SEED = 20_261_128


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("faults") / "data folder") as installation:
        yield installation


@pytest.fixture
def driver(stack: Installation, request: pytest.FixtureRequest) -> Iterator[Driver]:
    """A driver of its own for each test, which begins and ends with nothing to do."""
    seed = SEED + sum(request.node.name.encode())
    print(f"seed {seed}")
    stack.settle()
    yield Driver(stack, seed)
    stack.settle()
