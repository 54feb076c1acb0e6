"""What the server holds and what is left with it, over HTTP: taken only where it fits."""

from collections.abc import Sequence

import httpx
import msgspec
import pytest

from physioflow_sync.adapters.http import MAX_BUCKET_PAGES
from physioflow_sync.core.changes import Key
from physioflow_sync.core.digest import BUCKETS, bucket_of
from physioflow_sync.core.errors import FailureKind
from physioflow_sync.core.protocol import (
    BUCKET_PATH,
    QUARANTINE_PATH,
    Bucket,
    Digest,
    HandedIn,
    HandInRequest,
    PushRequest,
    WireRecord,
)
from physioflow_sync.testing.laws_of_asking import keys_of_one_bucket
from physioflow_sync.testing.operations import failure_of, operation
from physioflow_sync.testing.steps import OTHER_TASK, TASK, wire
from physioflow_sync.testing.tasks import task
from tests.world.scripted_network import JSON, REFUSED, Laptop, problem, tokens

BUCKET = bucket_of(TASK.id)
WORK = HandInRequest(ops=[operation(1, TASK, task()), operation(2, OTHER_TASK, task())])
NAMES = [op.op_id for op in WORK.ops]


def answer(told: msgspec.Struct) -> httpx.Response:
    return httpx.Response(200, headers=JSON, content=msgspec.json.encode(told))


def page(
    records: Sequence[WireRecord], *, cursor: str = "c", has_more: bool = False
) -> httpx.Response:
    return answer(Bucket(cursor=cursor, records=list(records), has_more=has_more))


def with_ticket(*script: httpx.Response | Exception) -> Laptop:
    laptop = Laptop(*script)
    laptop.keeper.kept = msgspec.structs.replace(tokens(), hand_in_ticket="ticket")
    return laptop


def bearers(laptop: Laptop) -> list[str]:
    return [request.headers["authorization"] for request in laptop.network.requests]


def test_a_digest_of_another_size_is_none() -> None:
    good = Digest(cursor="c", collections={"tasks": [2**64 - 1] * BUCKETS})
    assert Laptop(answer(good)).transport.digest() == good
    bad = Digest(cursor="c", collections={"tasks": [0] * BUCKETS, "letters": [1]})
    assert failure_of(Laptop(answer(bad)).transport.digest).kind is FailureKind.SERVER_ERROR


def test_a_bucket_is_asked_for_page_by_page() -> None:
    records = [wire(key, task(), version=1) for key in keys_of_one_bucket(3)]
    laptop = Laptop(page(records[:2], has_more=True), page(records[2:]))
    assert laptop.transport.bucket("tasks", BUCKET) == Bucket(cursor="c", records=records)
    first, second = laptop.network.requests
    assert first.url.path == BUCKET_PATH
    assert dict(first.url.params) == {"collection": "tasks", "bucket": str(BUCKET)}
    assert second.url.params["after"] == records[1].id


def test_a_clinic_that_moves_on_between_two_pages_is_seen_by_the_cursor() -> None:
    first, second, third = (wire(key, task(), version=1) for key in keys_of_one_bucket(3))
    laptop = Laptop(
        page([first], has_more=True), page([second], cursor="later", has_more=True), page([third])
    )
    found = laptop.transport.bucket("tasks", BUCKET)
    assert (found.cursor, found.has_more) == ("later", True)
    assert laptop.asked == 2


@pytest.mark.parametrize(
    "bad",
    [
        page([], has_more=True),
        page([wire(TASK, task(), version=1)] * 2, has_more=True),
        page([wire(Key("letters", TASK.id), task(), version=1)]),
        page([wire(OTHER_TASK, task(), version=1)]),
    ],
    ids=["an empty page", "the same page", "another collection", "another bucket"],
)
def test_a_bucket_that_leads_nowhere_or_elsewhere_is_the_servers_fault(
    bad: httpx.Response,
) -> None:
    assert bucket_of(OTHER_TASK.id) != BUCKET
    laptop = Laptop(page([wire(TASK, task(), version=1)], has_more=True), bad, bad)
    failure = failure_of(lambda: laptop.transport.bucket("tasks", BUCKET))
    assert failure.kind is FailureKind.SERVER_ERROR
    assert laptop.asked == 2


def test_a_bucket_has_an_end() -> None:
    keys = keys_of_one_bucket(MAX_BUCKET_PAGES + 1)
    laptop = Laptop(*(page([wire(key, task(), version=1)], has_more=True) for key in keys))
    failure = failure_of(lambda: laptop.transport.bucket("tasks", BUCKET))
    assert failure.kind is FailureKind.SERVER_ERROR
    assert laptop.asked == MAX_BUCKET_PAGES


def test_work_is_handed_in_with_the_ticket_and_tried_again() -> None:
    laptop = with_ticket(REFUSED, answer(HandedIn(op_ids=NAMES)))
    laptop.transport.hand_in(WORK)
    assert laptop.network.requests[1].url.path == QUARANTINE_PATH
    assert msgspec.json.decode(laptop.network.requests[1].content, type=HandInRequest) == WORK
    assert bearers(laptop) == ["Bearer ticket"] * 2


def test_without_a_ticket_the_access_token_opens_the_door() -> None:
    laptop = Laptop(problem(401, "unauthorized"), answer(tokens(2)), answer(HandedIn(op_ids=NAMES)))
    laptop.transport.hand_in(WORK)
    assert laptop.network.requests[-1].headers["authorization"] == "Bearer access-2"


def test_a_ticket_that_is_refused_renews_nothing() -> None:
    laptop = with_ticket(problem(401, "unauthorized"))
    failure = failure_of(lambda: laptop.transport.hand_in(WORK))
    assert (failure.kind, laptop.asked) == (FailureKind.SIGNED_OUT, 1)


def test_with_nothing_to_show_nobody_is_asked() -> None:
    laptop = Laptop()
    laptop.keeper.kept = None
    failure = failure_of(lambda: laptop.transport.hand_in(WORK))
    assert (failure.kind, laptop.asked) == (FailureKind.SIGNED_OUT, 0)


@pytest.mark.parametrize(
    "short",
    [
        answer(HandedIn(op_ids=NAMES[:1])),
        answer(HandedIn(op_ids=[])),
        httpx.Response(204),
        httpx.Response(200, headers=JSON),
    ],
    ids=["one is missing", "none", "no content", "nothing"],
)
def test_work_is_in_the_clinics_hands_only_where_the_answer_names_it(
    short: httpx.Response,
) -> None:
    failure = failure_of(lambda: with_ticket(short).transport.hand_in(WORK))
    assert failure.kind is FailureKind.SERVER_ERROR


def test_a_withdrawn_laptop_without_a_ticket_is_not_told_again_that_it_is() -> None:
    laptop = Laptop(problem(403, "device_revoked"))
    failure = failure_of(lambda: laptop.transport.hand_in(WORK))
    assert (failure.kind, failure.code) == (FailureKind.FORBIDDEN, "device_revoked")


def test_a_push_that_is_answered_by_nothing_is_not_taken_for_a_refusal() -> None:
    # The trap: a 204 read as JSON. Whether it was written is unknown, and so it is sent again.
    push = PushRequest(protocol=2, ops=WORK.ops)
    failure = failure_of(lambda: Laptop(httpx.Response(204)).transport.push(push))
    assert failure.kind is FailureKind.SERVER_ERROR
