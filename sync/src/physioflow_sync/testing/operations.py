"""The requests of which transport tests are made, each in a word."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import TransportFailure
from physioflow_sync.core.protocol import (
    MAX_CHANGES_A_PAGE,
    PROTOCOL_VERSION,
    ChangesPage,
    Operation,
    OperationKind,
    PushRequest,
    PushResponse,
    Result,
    raw_body,
)
from physioflow_sync.ports import Transport
from physioflow_sync.testing.memory_clinic import Who
from physioflow_sync.testing.memory_server import MemoryServer


def operation(
    number: int,
    key: Key,
    body: bytes | None,
    *,
    base_version: int = 0,
    op_id: str = "",
    offered: bool = False,
) -> Operation:
    """Return an operation under an op_id that is made of a number, where none is given."""
    return Operation(
        op_id=op_id or f"01930000-0000-7000-9000-{number:012}",
        collection=key.collection,
        record_id=key.id,
        kind=OperationKind.DELETE if body is None else OperationKind.PUT,
        base_version=base_version,
        recorded_at="2026-11-24T10:00:00+07:00",
        body=raw_body(body),
        offered=offered,
    )


def push(
    transport: Transport,
    *operations: Operation,
    epoch: str | None = None,
    cursor: str | None = None,
    witness: str | None = None,
    protocol: int = PROTOCOL_VERSION,
) -> PushResponse:
    """Send operations."""
    return transport.push(
        PushRequest(
            protocol=protocol,
            ops=list(operations),
            epoch=epoch,
            cursor=cursor,
            witness=witness,
        )
    )


def push_one(transport: Transport, operation: Operation) -> Result:
    """Send one operation and return what it is answered."""
    (answer,) = push(transport, operation).results
    return answer


def colleague_pushes(
    server: MemoryServer, *operations: Operation, author: str = "Bao", device: str = "Room 3"
) -> list[Result]:
    """Another person's operations reach the server from another laptop."""
    request = PushRequest(protocol=PROTOCOL_VERSION, ops=list(operations))
    return server.push(request, who=Who(author=author, device=device)).results


def whole_feed(transport: Transport) -> ChangesPage:
    """Return the feed from its beginning to its end, on one page."""
    page = transport.changes(cursor=None, limit=MAX_CHANGES_A_PAGE)
    assert not page.has_more
    return page


def failure_of(ask: Callable[[], object]) -> TransportFailure:
    """Return how a request fails, which it must."""
    with pytest.raises(TransportFailure) as caught:
        ask()
    return caught.value
