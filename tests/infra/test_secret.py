"""The secret: made once, private, and never less than whole."""

from __future__ import annotations

import secrets
import stat
import threading

import pytest
from pydantic import SecretStr

from app.core.config import Settings
from app.core.errors import InputError, PentimentoError
from app.infra.secret import is_guessable, load_secret

GOOD = "5f1c9a0be47d23806b1fd5ea92c47013"


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
    given = settings.model_copy(update={"secret": SecretStr(GOOD)})
    assert load_secret(given) == GOOD
    assert not settings.data.exists()


@pytest.mark.parametrize(
    "known",
    [
        "s" * 40,
        "changeme" * 4,
        "changeme-changeme-changeme-12345",
        "Please-Change-This-Before-Production!",
        "your_secret_key_of_at_least_32_characters",
        "5f1c9a0be47d2380" * 2,
        "0123456789abcdefghijklmnopqrstuv",
        "abcabcabcabcabcabcabcabcabcabcabcab",
    ],
)
def test_a_known_one_is_refused_in_words_without_being_shown(settings: Settings, known: str) -> None:
    given = settings.model_copy(update={"secret": SecretStr(known)})
    with pytest.raises(InputError, match=r"PENTIMENTO_SECRET is one that anybody would try.*token_hex") as caught:
        load_secret(given)
    assert known not in caught.value.message


def test_random_ones_are_not_refused() -> None:
    made = [secrets.token_hex(16) for _ in range(2000)] + [secrets.token_urlsafe(24) for _ in range(2000)]
    assert [one for one in made if is_guessable(one)] == []
