"""Rates: counted over all processes, by nobody's name, and still there when the broker is not."""

from __future__ import annotations

import time

import pytest
import redis

from app.core.errors import TooMany
from app.infra.rates import WINDOW_SECONDS, Rates, network_of

SECRET = "5f1c9a0be47d23806b1fd5ea92c47013"  # noqa: S105 - a test's
MINUTE = 29_000_000 * WINDOW_SECONDS


class Clock:
    def __init__(self) -> None:
        self.now = float(MINUTE)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def take(rates: Rates, who: str = "someone", most: int = 2) -> bool:
    try:
        rates.take("uploads", who, most, "Too many.")
    except TooMany:
        return False
    return True


def test_a_third_is_too_many_until_the_next_minute(redis_client: redis.Redis, clock: Clock) -> None:
    rates = Rates(redis_client, SECRET, clock)
    assert [take(rates) for _ in range(4)] == [True, True, False, False]
    assert take(rates, "another")
    clock.now += 47.5
    with pytest.raises(TooMany, match=r"^Too many\. Try again in 13 s\.$") as caught:
        rates.take("uploads", "someone", 2, "Too many.")
    assert caught.value.retry_after == 13
    rates.take("logins", "someone", 2, "Too many.")
    clock.now += 12.5
    assert take(rates)


def test_processes_count_together(redis_client: redis.Redis, clock: Clock) -> None:
    one, other = Rates(redis_client, SECRET, clock), Rates(redis_client, SECRET, clock)
    assert [take(rates) for rates in (one, other, one, other)] == [True, True, False, False]


def test_nobody_is_named_and_all_of_it_is_forgotten(redis_client: redis.Redis, clock: Clock) -> None:
    assert take(Rates(redis_client, SECRET, clock), "203.0.113.7")
    (key,) = redis_client.keys("*")
    assert b"203" not in key.split(b":")[3] and len(key.split(b":")[3]) == 32
    assert 0 < redis_client.ttl(key) <= 2 * WINDOW_SECONDS
    assert take(Rates(redis_client, SECRET[::-1], clock), "203.0.113.7")
    assert len(redis_client.keys("*")) == 2, "without the secret nobody can look for an address"


def test_without_a_broker_each_process_counts_alone_and_waits_once(clock: Clock) -> None:
    away = redis.Redis.from_url("redis://192.0.2.1:1/0", socket_connect_timeout=0.3)
    rates = Rates(away, SECRET, clock)
    began = time.monotonic()
    assert [take(rates) for _ in range(5)] == [True, True, False, False, False]
    assert time.monotonic() - began < 2
    clock.now += WINDOW_SECONDS
    assert take(rates)
    assert len(rates._here) == 1, "nothing is kept of the minute before"
    away.close()


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_household_is_one_address(address: str, counted: str) -> None:
    assert network_of(address) == counted
