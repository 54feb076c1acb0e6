"""Who listens: the newest alone, from any thread, until it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from functools import partial
from typing import TypeVar

import pytest

from physioflow_server.routes.events import following
from physioflow_server.services import events as events_module
from physioflow_server.services.events import EventsInMemory, Listener
from physioflow_server.services.refusals import Refused

T = TypeVar("T")
LONG_S = 30.0
AT_ONCE_S = 0.01


def run(story: Callable[[EventsInMemory], Coroutine[object, object, T]]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(LONG_S):
            return await story(EventsInMemory())

    return asyncio.run(bounded())


def from_a_thread(act: Callable[[], None]) -> None:
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


async def yes() -> bool:
    return True


def test_a_write_is_heard_in_its_own_clinic() -> None:
    async def story(events: EventsInMemory) -> None:
        with events.listen("here") as here, events.listen("there") as there:
            from_a_thread(lambda: events.publish("here", 7))
            assert await here.newest(within_s=LONG_S) == 7
            assert await there.newest(within_s=AT_ONCE_S) is None
            assert not there.has_ended

    run(story)


def test_a_slow_listener_holds_the_newest_alone() -> None:
    async def story(events: EventsInMemory) -> None:
        with events.listen("here") as listener:
            for seq in (1, 3, 2):
                from_a_thread(partial(events.publish, "here", seq))
            assert await listener.newest(within_s=LONG_S) == 3
            assert await listener.newest(within_s=AT_ONCE_S) is None
            from_a_thread(lambda: events.publish("here", 4))
            assert await listener.newest(within_s=LONG_S) == 4

    run(story)


def test_every_write_of_many_threads_is_heard_of_in_the_end() -> None:
    writers, writes = 4, 200

    async def story(events: EventsInMemory) -> None:
        counter, lock = [0], threading.Lock()

        def write() -> None:
            for _ in range(writes):
                with lock:
                    counter[0] += 1
                    seq = counter[0]
                events.publish("here", seq)

        with events.listen("here") as listener:
            threads = [threading.Thread(target=write) for _ in range(writers)]
            for thread in threads:
                thread.start()
            newest = 0
            while newest < writers * writes:
                newest = await listener.newest(within_s=LONG_S) or newest
            for thread in threads:
                thread.join()

    run(story)


def test_who_stops_listening_is_forgotten() -> None:
    async def story(events: EventsInMemory) -> None:
        with events.listen("here"):
            pass
        events.publish("here", 1)
        assert events._listeners == {}

    run(story)


@pytest.mark.parametrize(
    ("bound", "clinics"),
    [("MAX_LISTENERS", ("here", "there")), ("MAX_LISTENERS_A_CLINIC", ("here", "here"))],
)
def test_listeners_are_bounded(
    monkeypatch: pytest.MonkeyPatch, bound: str, clinics: tuple[str, str]
) -> None:
    monkeypatch.setattr(events_module, bound, 2)

    async def story(events: EventsInMemory) -> None:
        one, other = clinics
        with events.listen(one), events.listen(other):
            with pytest.raises(Refused) as refused, events.listen("here"):
                pass
            assert refused.value.status == 503
        with events.listen("here"):
            pass

    run(story)


def test_a_server_that_stops_ends_every_listener_and_those_to_come() -> None:
    async def story(events: EventsInMemory) -> None:
        with events.listen("here") as listener:
            waiting = asyncio.create_task(listener.newest(within_s=LONG_S))
            events.publish("here", 1)
            events.end()
            await waiting
            assert listener.has_ended
        with events.listen("here") as late:
            assert await late.newest(within_s=LONG_S) is None
            assert late.has_ended

    run(story)


def test_a_write_after_the_loop_has_gone_is_none_the_worse_for_it() -> None:
    events = EventsInMemory()

    async def abandoned() -> Listener:
        return events.listen("here").__enter__()

    listener = asyncio.run(abandoned())
    events.publish("here", 1)
    assert not listener.has_ended


async def parts_of(stream: AsyncIterator[bytes], count: int) -> list[bytes]:
    return [await anext(stream) for _ in range(count)]


def test_an_event_is_one_data_line_and_silence_is_filled_with_comments() -> None:
    async def story(events: EventsInMemory) -> None:
        with events.listen("here") as listener:
            stream = following(listener, yes, heartbeat_s=AT_ONCE_S)
            assert await parts_of(stream, 2) == [b": still here\n\n"] * 2
        with events.listen("here") as listener:
            stream = following(listener, yes)
            events.publish("here", 8)
            assert await parts_of(stream, 1) == [b'data: {"seq":8}\n\n']

    run(story)


def test_heartbeats_come_however_busy_the_clinic_is() -> None:
    async def story(events: EventsInMemory) -> None:
        with events.listen("here") as listener:
            seq, heartbeats = 1, 0
            events.publish("here", seq)
            async for part in following(listener, yes, heartbeat_s=AT_ONCE_S):
                seq += 1
                events.publish("here", seq)
                heartbeats += part.startswith(b":")
                if heartbeats == 2:
                    return

    run(story)


@pytest.mark.parametrize("ends", ["server", "token"])
def test_a_stream_ends_with_the_server_and_with_the_token(ends: str) -> None:
    async def story(events: EventsInMemory) -> None:
        asked: list[bool] = []

        async def good_twice() -> bool:
            asked.append(len(asked) < 2)
            return asked[-1]

        is_signed_in: Callable[[], Awaitable[bool]] = yes if ends == "server" else good_twice
        with events.listen("here") as listener:
            stream = following(listener, is_signed_in, heartbeat_s=AT_ONCE_S)
            await parts_of(stream, 2)
            if ends == "server":
                events.end()
            assert [part async for part in stream] == []

    run(story)
