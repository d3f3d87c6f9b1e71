"""Events in order, resumable by id."""

from __future__ import annotations

import asyncio

import redis
import redis.asyncio

from app.infra.streams import START, EventReader, EventWriter


def test_events_are_read_in_order_and_after_an_id(redis_client: redis.Redis, valkey_url: str) -> None:
    writer = EventWriter(redis_client)
    for payload in ("one", "two", "three"):
        writer.publish("job", payload)

    async def read() -> None:
        async with redis.asyncio.Redis.from_url(valkey_url) as client:
            reader = EventReader(client)
            entries = [entry async for entry in reader.after("job", START, wait_ms=10)]
            assert [payload for _, payload in entries] == ["one", "two", "three"]
            assert await reader.last_id("job") == entries[-1][0]
            rest = [payload async for _, payload in reader.after("job", entries[0][0], wait_ms=10)]
            assert rest == ["two", "three"]
            assert [entry async for entry in reader.after("job", entries[-1][0], wait_ms=10)] == []
            assert await reader.last_id("another") == START

    asyncio.run(read())


def test_a_stream_expires_sooner_after_its_end_and_can_be_forgotten(redis_client: redis.Redis) -> None:
    writer = EventWriter(redis_client)
    writer.publish("job", "one")
    assert 600 < redis_client.ttl("pentimento:events:job") <= 24 * 3600
    writer.publish("job", "two", last=True)
    assert 0 < redis_client.ttl("pentimento:events:job") <= 600
    writer.forget("job")
    assert redis_client.exists("pentimento:events:job") == 0
