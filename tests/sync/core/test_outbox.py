"""Which operations go into the next batch, and in which order."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from physioflow_sync.core.changes import Key
from physioflow_sync.core.outbox import Candidate, Entry, next_batch, operation_of
from physioflow_sync.core.protocol import Operation, OperationKind, body_bytes, raw_body

PARENT = Key("lists", "l1")


def candidate(op_id: str, *parents: Key, key: Key | None = None, size: int = 10) -> Candidate:
    return Candidate(op_id=op_id, key=key or Key("tasks", op_id), parents=parents, body_bytes=size)


def batch(
    *candidates: Candidate, waiting: frozenset[Key] = frozenset(), limit: int = 500
) -> list[str]:
    return list(next_batch(candidates, not_on_server=waiting, limit=limit, max_bytes=1_000))


def test_a_batch_keeps_the_order_in_which_edits_were_made() -> None:
    assert batch(candidate("a"), candidate("b"), candidate("c"), limit=2) == ["a", "b"]


def test_a_child_follows_its_parent_in_the_same_batch() -> None:
    waiting = frozenset({PARENT})
    parent = candidate("p", key=PARENT)
    assert batch(parent, candidate("c", PARENT), waiting=waiting) == ["p", "c"]


def test_a_child_is_held_while_its_parent_cannot_go_and_all_others_flow() -> None:
    waiting = frozenset({PARENT})
    assert batch(candidate("c", PARENT), candidate("x"), waiting=waiting) == ["x"]


def test_a_batch_is_bounded_by_bytes_but_never_empty_for_that() -> None:
    assert batch(candidate("a", size=5_000), candidate("b")) == ["a"]
    assert batch(candidate("a", size=600), candidate("b", size=600)) == ["a"]
    assert batch(candidate("a", size=600), candidate("b", size=400)) == ["a", "b"]
    assert batch(candidate("a", size=600), candidate("b", size=401)) == ["a"]


def test_what_is_held_takes_no_room_in_a_batch() -> None:
    held = candidate("c", PARENT, size=900)
    waiting = frozenset({PARENT})
    assert batch(held, candidate("x", size=900), waiting=waiting) == ["x"]


def test_a_batch_ends_where_an_edit_does_not_fit_so_that_no_later_one_passes_it() -> None:
    sizes = (candidate("a", size=600), candidate("b", size=600), candidate("c", size=10))
    assert batch(*sizes) == ["a"]


@settings(max_examples=60)
@given(st.lists(st.booleans(), max_size=30), st.integers(min_value=1, max_value=10))
def test_no_batch_outgrows_its_limit_or_sends_a_child_before_its_parent(
    children: list[bool], limit: int
) -> None:
    candidates = [
        candidate(str(n), *([PARENT] if child else [])) for n, child in enumerate(children)
    ]
    chosen = batch(*candidates, waiting=frozenset({PARENT}), limit=limit)
    assert len(chosen) <= limit
    assert not any(children[int(op_id)] for op_id in chosen)


ENTRY = Entry(
    op_id="o",
    base_version=2,
    base_body=b'{"a":0}',
    body=b'{"a":1}',
    schema=3,
    recorded_at="2026-11-25T08:00:00Z",
    offered=True,
)


def test_an_entry_travels_with_all_that_the_server_judges_it_by() -> None:
    assert operation_of(PARENT, ENTRY) == Operation(
        op_id="o",
        collection="lists",
        record_id="l1",
        kind=OperationKind.PUT,
        base_version=2,
        schema=3,
        recorded_at="2026-11-25T08:00:00Z",
        body=raw_body(b'{"a":1}'),
        offered=True,
    )


def test_an_edit_offers_nothing_unless_it_says_so() -> None:
    edit = Entry(op_id="o", base_version=0, base_body=None, body=b"{}", schema=1, recorded_at="t")
    assert not operation_of(PARENT, edit).offered


def test_an_entry_without_a_body_travels_as_a_delete() -> None:
    delete = operation_of(PARENT, replace(ENTRY, body=None))
    assert (delete.kind, body_bytes(delete.body)) == (OperationKind.DELETE, None)


def test_only_an_entry_on_no_version_creates() -> None:
    assert replace(ENTRY, base_version=0).creates
    assert not replace(ENTRY, base_version=1).creates
