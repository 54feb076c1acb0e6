"""Both stores, each in a place of its own for a test, and time that can be let pass in them."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol, cast

import pytest

from physioflow_server.cache.memory import MemoryStore
from physioflow_server.cache.ports import Store, Ticket
from physioflow_server.cache.redis import RedisStore
from tests.world.cached_clinic import SetMonotonic
from tests.world.redis_process import RedisProcess


class Place(Protocol):
    """Makes a store, and lets time pass in it."""

    def new_store(self) -> Store: ...

    def pass_time(self, seconds: float) -> None: ...

    def aged(self, ticket: Ticket, seconds: float) -> Ticket:
        """Return the ticket as it is after the time was let pass."""
        ...


class InMemory:
    def __init__(self) -> None:
        self._clock = SetMonotonic()

    def new_store(self) -> Store:
        return MemoryStore(monotonic=self._clock)

    def pass_time(self, seconds: float) -> None:
        self._clock.now_s += seconds

    def aged(self, ticket: Ticket, seconds: float) -> Ticket:
        return ticket


class InRedis:
    """Redis's own clock goes on; what has a life in it gets so much less of it instead."""

    def __init__(self, process: RedisProcess) -> None:
        self._process = process
        self._namespace = ""
        self._made: list[Store] = []

    def new_store(self) -> Store:
        self._namespace = f"test-{uuid.uuid4().hex}"
        self._made.append(RedisStore(self._process.url, namespace=self._namespace))
        return self._made[-1]

    def pass_time(self, seconds: float) -> None:
        for key in cast("list[bytes]", self._process.ask("KEYS", f"{self._namespace}:*")):
            left_ms = cast("int", self._process.ask("PTTL", key.decode()))
            if left_ms >= 0:
                # A life of nothing, or less, ends at once.
                self._process.ask("PEXPIRE", key.decode(), left_ms - int(seconds * 1_000))

    def aged(self, ticket: Ticket, seconds: float) -> Ticket:
        return replace(ticket, asked_at_ms=ticket.asked_at_ms - int(seconds * 1_000))

    def close(self) -> None:
        for store in self._made:
            store.close()


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisProcess]:
    """A Redis that no test kills."""
    with RedisProcess() as process:
        yield process


@pytest.fixture
def own_redis() -> Iterator[RedisProcess]:
    """A Redis that the test may kill."""
    with RedisProcess() as process:
        yield process


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "memory":
        yield InMemory()
        return
    process = cast("RedisProcess", request.getfixturevalue("shared_redis"))
    in_redis = InRedis(process)
    yield in_redis
    in_redis.close()


@pytest.fixture
def store(place: Place) -> Store:
    return place.new_store()


@pytest.fixture
def monotonic() -> SetMonotonic:
    return SetMonotonic()
