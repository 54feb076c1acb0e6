"""The pure decision: what becomes of each operation, given what the database said."""

from __future__ import annotations

import msgspec

from physioflow_server.auth.permissions import Role
from physioflow_server.services.decision import Decision, Known, Remembered, decide
from physioflow_server.services.identity import Identity
from physioflow_server.services.preparing import Prepared, Unfit, prepare
from physioflow_sync.core.changes import Key
from physioflow_sync.core.protocol import (
    NO_BODY,
    Applied,
    Blocked,
    ConflictFound,
    Duplicate,
    Operation,
    Rejected,
    WireRecord,
    body_bytes,
)
from physioflow_sync.core.resync import offered_op_id
from tests.world.small_clinic import DOMAIN, delete, new_id, person, put

THERAPIST = Identity(
    clinic_id="c",
    user_id="u",
    user_name="An",
    role=Role.THERAPIST,
    device_id="d",
    device_name="Room 1",
    session_id="s",
)


def prepared(*operations: Operation) -> list[Prepared | Unfit]:
    return [prepare(operation, domain=DOMAIN, identity=THERAPIST) for operation in operations]


def record(
    record_id: str, body: object, *, version: int, collection: str = "people"
) -> dict[Key, WireRecord]:
    raw = NO_BODY if body is None else msgspec.Raw(msgspec.json.encode(body))
    schema = {"people": 2}.get(collection, 1)
    held = WireRecord(
        collection=collection, id=record_id, version=version, seq=version, schema=schema, body=raw
    )
    return {Key(collection, record_id): held}


def decided(
    *operations: Operation,
    current: dict[Key, WireRecord] | None = None,
    remembered: dict[str, Remembered] | None = None,
) -> Decision:
    known = Known(
        epoch="e",
        user_id="u",
        seq=40,
        last_record_number=7,
        remembered=remembered or {},
        current=current or {},
        buried=frozenset(),
    )
    return decide(prepared(*operations), known=known, domain=DOMAIN)


def test_a_new_record_is_version_one_at_the_next_seq_with_the_next_number() -> None:
    one, two = put(new_id(), person("Mai")), put(new_id(), person("Lan"))
    decision = decided(one, two)
    assert decision.results == [
        Applied(op_id=one.op_id, version=1, seq=41, assigned={"record_number": "P-008"}),
        Applied(op_id=two.op_id, version=1, seq=42, assigned={"record_number": "P-009"}),
    ]
    assert (decision.seq, decision.last_record_number) == (42, 9)


def test_an_edit_of_the_current_version_is_written_as_the_next() -> None:
    id_ = new_id()
    edit = put(id_, person("Mai"), base=3)
    (result,) = decided(edit, current=record(id_, person("M"), version=3)).results
    assert result == Applied(op_id=edit.op_id, version=4, seq=41)


def test_a_stale_edit_is_a_conflict_that_shows_the_record_as_it_is() -> None:
    id_ = new_id()
    current = record(id_, person("Theirs"), version=5)
    edit = put(id_, person("Mine"), base=3)
    decision = decided(edit, current=current)
    assert decision.results == [
        ConflictFound(op_id=edit.op_id, current=current[Key("people", id_)], versions_since_base=2)
    ]
    assert decision.writes == []


def test_creating_a_record_that_exists_is_a_conflict() -> None:
    id_ = new_id()
    current = record(id_, person("Theirs"), version=1)
    (result,) = decided(put(id_, person("Mine")), current=current).results
    assert isinstance(result, ConflictFound)


def test_a_stale_edit_never_undoes_a_delete() -> None:
    id_, parent = new_id(), new_id()
    current = record(id_, None, version=2, collection="visits") | record(
        parent, person("Mai"), version=1
    )
    edit = put(id_, {"person": parent, "year": 2020}, base=1, collection="visits")
    (result,) = decided(edit, current=current).results
    assert isinstance(result, ConflictFound)
    assert result.current.body == NO_BODY


def test_an_edit_whose_base_is_the_tombstone_brings_the_record_back() -> None:
    id_, parent = new_id(), new_id()
    current = record(id_, None, version=2, collection="visits") | record(
        parent, person("Mai"), version=1
    )
    edit = put(id_, {"person": parent, "year": 2020}, base=2, collection="visits")
    (result,) = decided(edit, current=current).results
    assert result == Applied(op_id=edit.op_id, version=3, seq=41)


def test_an_edit_of_a_record_the_server_never_had_is_rejected() -> None:
    (result,) = decided(put(new_id(), person("Mai"), base=2)).results
    assert isinstance(result, Rejected)
    assert result.code == "not_found"


def remembered(
    operation: Operation, *, user_id: str = "u", payload_hash: bytes | None = None
) -> dict[str, Remembered]:
    """What history says of an operation that was written as version 1."""
    (item,) = prepared(operation)
    before = Remembered(
        key=Key(operation.collection, operation.record_id),
        user_id=user_id,
        payload_hash=item.payload_hash if payload_hash is None else payload_hash,
        body_hash=item.body_hash,
        version=1,
        seq=9,
        assigned={"n": "1"},
    )
    return {operation.op_id: before}


def test_a_remembered_operation_gets_its_stored_answer_even_if_it_would_now_be_refused() -> None:
    operation = put(new_id(), person(""))
    assert isinstance(prepared(operation)[0], Unfit)
    (result,) = decided(operation, remembered=remembered(operation)).results
    assert result == Duplicate(op_id=operation.op_id, version=1, seq=9, assigned={"n": "1"})


def test_a_remembered_operation_is_answered_to_its_own_user_only() -> None:
    operation = put(new_id(), person("Mai"))
    before = remembered(operation, user_id="someone else")
    (result,) = decided(operation, remembered=before).results
    assert isinstance(result, Rejected)
    assert result.code == "op_id_reused"


def test_an_operation_id_with_another_payload_is_rejected() -> None:
    operation = put(new_id(), person("Mai"))
    before = remembered(operation, payload_hash=bytes(32))
    (result,) = decided(operation, remembered=before).results
    assert isinstance(result, Rejected)
    assert result.errors[0].field == "op_id"


def offered(operation: Operation, *, epoch: str = "e") -> Operation:
    """Return the operation as a laptop offers it to a restored server."""
    key = Key(operation.collection, operation.record_id)
    op_id = offered_op_id(epoch, key, body_bytes(operation.body))
    return msgspec.structs.replace(operation, op_id=op_id, offered=True)


def test_what_one_laptop_has_offered_is_a_duplicate_whoever_offers_it_and_from_whatever_base() -> (
    None
):
    operation = offered(put(new_id(), person("Mai")))
    before = remembered(operation, user_id="someone else")
    again = msgspec.structs.replace(operation, base_version=4)
    for offer in (operation, again):
        (result,) = decided(offer, remembered=before).results
        assert result == Duplicate(op_id=offer.op_id, version=1, seq=9, assigned={"n": "1"})
    gone = offered(delete(new_id(), base=1))
    (result,) = decided(
        msgspec.structs.replace(gone, base_version=2),
        remembered=remembered(gone, user_id="someone else"),
    ).results
    assert isinstance(result, Duplicate)


def test_an_offer_that_its_op_id_does_not_speak_for_is_an_operation_like_any_other() -> None:
    operation = offered(put(new_id(), person("Mai")))
    written = remembered(operation, user_id="someone else")
    invented = msgspec.structs.replace(operation, op_id=new_id())
    elsewhere = msgspec.structs.replace(operation, record_id=new_id())
    changed = msgspec.structs.replace(operation, body=put(new_id(), person("Lan")).body)
    unmarked = msgspec.structs.replace(operation, offered=False)
    for offer in (invented, elsewhere, changed, unmarked):
        before = {offer.op_id: written[operation.op_id]}
        (result,) = decided(offer, remembered=before).results
        assert isinstance(result, Rejected)
        assert result.code == "op_id_reused"
    other_epoch = offered(put(new_id(), person("Mai")), epoch="another")
    (result,) = decided(
        other_epoch, remembered=remembered(other_epoch, user_id="someone else")
    ).results
    assert isinstance(result, Rejected)


def test_a_new_offer_is_written_or_a_conflict_as_any_operation_is() -> None:
    fresh, known = (offered(put(new_id(), person("Mai"))) for _ in range(2))
    current = record(known.record_id, person("Lan"), version=3)
    results = decided(fresh, known, current=current).results
    assert [type(result) for result in results] == [Applied, ConflictFound]


def test_a_child_may_follow_its_parent_in_one_batch() -> None:
    parent = new_id()
    results = decided(
        put(parent, person("Mai")),
        put(new_id(), {"person": parent, "year": 2020}, collection="visits"),
    ).results
    assert [type(result) for result in results] == [Applied, Applied]


def test_a_child_waits_for_a_parent_of_its_batch_that_was_not_written() -> None:
    parent = new_id()
    refused = put(parent, person(""))
    child = put(new_id(), {"person": parent, "year": 2020}, collection="visits")
    results = decided(refused, child).results
    assert isinstance(results[0], Rejected)
    assert results[1] == Blocked(op_id=child.op_id, by=refused.op_id)


def test_a_child_does_not_wait_for_a_conflict_of_a_parent_that_is_there() -> None:
    parent = new_id()
    stale = put(parent, person("Mine"), base=1)
    child = put(new_id(), {"person": parent, "year": 2020}, collection="visits")
    results = decided(stale, child, current=record(parent, person("Mai"), version=2)).results
    assert isinstance(results[0], ConflictFound)
    assert isinstance(results[1], Applied)


def test_a_child_without_a_parent_is_rejected_naming_the_field() -> None:
    child = put(new_id(), {"person": new_id(), "year": 2020}, collection="visits")
    (result,) = decided(child).results
    assert isinstance(result, Rejected)
    assert [error.field for error in result.errors] == ["person"]


def test_a_rule_between_child_and_parent_is_kept_for_both_a_stored_and_a_new_parent() -> None:
    stored, fresh = new_id(), new_id()
    results = decided(
        put(fresh, person("Lan", born=2000)),
        put(new_id(), {"person": fresh, "year": 1999}, collection="visits"),
        put(new_id(), {"person": stored, "year": 1979}, collection="visits"),
        current=record(stored, person("Mai", born=1980), version=1),
    ).results
    assert isinstance(results[0], Applied)
    for result in results[1:]:
        assert isinstance(result, Rejected)
        assert [error.field for error in result.errors] == ["year"]


def test_one_refused_operation_does_not_stop_the_others_nor_use_up_a_seq() -> None:
    results = decided(
        put(new_id(), person("")), put(new_id(), person("Mai")), delete(new_id(), base=1)
    ).results
    assert [type(result) for result in results] == [Rejected, Applied, Rejected]
    assert isinstance(results[1], Applied)
    assert results[1].seq == 41


def test_a_record_stands_once_in_a_batch() -> None:
    id_ = new_id()
    results = decided(put(id_, person("Mai")), put(id_, person("Lan"), base=1)).results
    assert isinstance(results[0], Applied)
    assert isinstance(results[1], Rejected)
