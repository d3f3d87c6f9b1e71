"""The secret: made once, private, and never less than whole."""

from __future__ import annotations

import stat
import threading

import pytest
from pydantic import SecretStr

from app.core.config import Settings
from app.core.errors import PentimentoError
from app.infra.secret import load_secret


def test_it_is_made_once_and_only_its_owner_may_read_it(settings: Settings) -> None:
    secret = load_secret(settings)
    assert len(secret) == 64
    assert load_secret(settings) == secret
    assert stat.S_IMODE((settings.data / "secret").stat().st_mode) == 0o600
    assert [path.name for path in settings.data.iterdir()] == ["secret"]


def test_processes_that_start_at_once_agree(settings: Settings) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(load_secret(settings))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


@pytest.mark.parametrize("left", ["", "a" * 31])
def test_a_damaged_one_lets_nobody_in(settings: Settings, left: str) -> None:
    settings.data.mkdir(parents=True)
    (settings.data / "secret").write_text(left)
    with pytest.raises(PentimentoError, match="damaged"):
        load_secret(settings)


def test_a_given_one_is_used(settings: Settings) -> None:
    given = settings.model_copy(update={"secret": SecretStr("s" * 40)})
    assert load_secret(given) == "s" * 40
    assert not settings.data.exists()
