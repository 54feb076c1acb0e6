"""Which operations go into the next batch, and in which order."""

from hypothesis import given
from hypothesis import strategies as st

from physioflow_sync.core.changes import Key
from physioflow_sync.core.outbox import Candidate, Entry, next_batch, operation_of
from physioflow_sync.core.protocol import OperationKind, body_bytes

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


def test_an_entry_travels_as_put_or_delete() -> None:
    entry = Entry(
        op_id="o", base_version=2, base_body=b"{}", body=b'{"a":1}', schema=1, recorded_at="t"
    )
    put = operation_of(PARENT, entry)
    assert (put.kind, put.base_version, body_bytes(put.body)) == (OperationKind.PUT, 2, b'{"a":1}')
    gone = Entry(op_id="o", base_version=2, base_body=b"{}", body=None, schema=1, recorded_at="t")
    delete = operation_of(PARENT, gone)
    assert (delete.kind, body_bytes(delete.body)) == (OperationKind.DELETE, None)
    assert not gone.creates
