"""A TCP proxy between a real client and a real server, which does to both what networks do."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

CHUNK_BYTES: Final = 4_096
START_DEADLINE_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFault:
    """What happens to every connection while it stands; the default is a good line.

    Attributes:
        delay_s: before each chunk goes on, either way.
        bytes_per_s: of either way.
        cut_request_after, cut_answer_after: bytes of one connection after which both ends
            see it reset.
        end_answer_after: bytes of answers after which the client sees an orderly end.
        swallows: nothing goes on in either direction, and nobody is told.
        refuses: whoever connects, or says anything, is hung up on at once.
    """

    name: str = "none"
    delay_s: float = 0.0
    bytes_per_s: float | None = None
    cut_request_after: int | None = None
    cut_answer_after: int | None = None
    end_answer_after: int | None = None
    swallows: bool = False
    refuses: bool = False

    @property
    def lets_nothing_be_answered(self) -> bool:
        return self.swallows or self.refuses or self.cut_answer_after == 0


GOOD_LINE: Final = LineFault()


@dataclass(slots=True)
class _Line:
    """One connection through the proxy; counts what went each way."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    sent: dict[str, int] = field(default_factory=lambda: {"request": 0, "answer": 0})
    is_lost: bool = False

    def reset(self) -> None:
        for end in (self.client, self.server):
            end.transport.abort()


class FaultProxy:
    """Listens on a loopback port of its own and forwards to another; a context manager.

    Attributes:
        fault: holds for every connection from now on, also for those that stand.
        port: where it listens.
        connections: how many came.
    """

    def __init__(self, target_port: int) -> None:
        self.fault = GOOD_LINE
        self.port = 0
        self.connections = 0
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)
        self._listening: Future[None] = Future()
        self._stopping = asyncio.Event()
        self._lines: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._listening.result(START_DEADLINE_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set_result(None)
        await self._stopping.wait()
        server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._lines.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.fault.refuses:
            writer.transport.abort()
            return
        answers, requests = await asyncio.open_connection("127.0.0.1", self._target_port)
        line = _Line(client=writer, server=requests)
        try:
            await asyncio.gather(
                self._forward(reader, requests, line, "request"),
                self._forward(answers, writer, line, "answer"),
            )
        finally:
            line.reset()

    async def _forward(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, line: _Line, way: str
    ) -> None:
        while chunk := await source.read(CHUNK_BYTES):
            fault = self.fault
            if fault.refuses:
                line.reset()
                break
            # What a stream has lost cannot be missing from its middle: it stays lost.
            line.is_lost |= fault.swallows
            if line.is_lost:
                continue
            await asyncio.sleep(fault.delay_s + len(chunk) / (fault.bytes_per_s or float("inf")))
            end = fault.cut_request_after if way == "request" else fault.cut_answer_after
            ends_well = way == "answer" and fault.end_answer_after is not None
            limit = fault.end_answer_after if ends_well else end
            left = len(chunk) if limit is None else max(limit - line.sent[way], 0)
            sink.write(chunk[:left])
            line.sent[way] += len(chunk[:left])
            await sink.drain()
            if left >= len(chunk):
                continue
            if not ends_well:
                line.reset()
            break
        if sink.can_write_eof() and not sink.is_closing():
            sink.write_eof()
