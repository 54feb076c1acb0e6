"""One operation looked at alone."""

from __future__ import annotations

import msgspec
import pytest

from physioflow_server.auth.permissions import Role
from physioflow_server.services.identity import Identity
from physioflow_server.services.preparing import MAX_BODY_DEPTH, Prepared, Unfit, prepare
from physioflow_sync.core.conflict_body import ConflictBody
from physioflow_sync.core.protocol import MAX_BODY_BYTES, Operation, OperationKind
from tests.world.small_clinic import DOMAIN, Person, delete, new_id, person, put


def identity(role: Role = Role.THERAPIST) -> Identity:
    return Identity(
        clinic_id="c",
        user_id="u",
        user_name="An",
        role=role,
        device_id="d",
        device_name="Room 1",
        session_id="s",
    )


def prepared(operation: Operation, *, role: Role = Role.THERAPIST) -> Prepared | Unfit:
    return prepare(operation, domain=DOMAIN, identity=identity(role))


def fields(item: Prepared | Unfit) -> list[str]:
    assert isinstance(item, Unfit)
    return [error.field for error in item.rejection.errors]


def raw(operation: Operation, body: bytes) -> Operation:
    return msgspec.structs.replace(operation, body=msgspec.Raw(body))


def test_a_sound_body_is_stored_byte_for_byte_with_fields_it_does_not_know() -> None:
    body = b'{"later": [1, {"x": null}],  "name":"Mai"}'
    item = prepared(raw(put(new_id(), {}), body))
    assert isinstance(item, Prepared)
    assert item.body == body.decode()
    assert item.decoded == Person(name="Mai")


def test_an_older_body_is_brought_to_the_present_schema() -> None:
    item = prepared(put(new_id(), {"full_name": "Mai", "later": 1}, schema=1))
    assert isinstance(item, Prepared)
    assert item.body is not None
    assert msgspec.json.decode(item.body) == {"name": "Mai", "later": 1}


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ({"op_id": "7"}, "op_id"),
        ({"record_id": "A1920000-0000-7000-8000-000000000000"}, "record_id"),
        ({"base_version": -1}, "base_version"),
        ({"base_version": 2**40}, "base_version"),
        ({"schema": 3}, "schema"),
        ({"recorded_at": "yesterday"}, "recorded_at"),
        ({"kind": OperationKind.DELETE}, ""),
        ({"body": msgspec.Raw()}, ""),
        ({"body": msgspec.Raw(b"[]")}, ""),
        ({"body": msgspec.Raw(b'{"name": "\xff"}')}, ""),
        ({"body": msgspec.Raw(b'{"name": 3}')}, "name"),
        ({"body": msgspec.Raw(b'{"born": 1980}')}, "name"),
        ({"body": msgspec.Raw(b'{"name": ""}')}, "name"),
        ({"schema": 1}, ""),
        ({"collection": "pets"}, "collection"),
    ],
)
def test_an_unfit_operation_names_its_field(broken: dict[str, object], field: str) -> None:
    operation = msgspec.structs.replace(put(new_id(), person("Mai")), **broken)
    assert fields(prepared(operation)) == [field]


def test_a_body_larger_than_the_bound_is_refused() -> None:
    assert fields(prepared(put(new_id(), person("x" * MAX_BODY_BYTES)))) == [""]


def test_depth_counts_nesting_and_not_brackets() -> None:
    wide: dict[str, object] = {**person("]}" * 50 + '[\\"['), "later": [[] for _ in range(200)]}
    assert isinstance(prepared(put(new_id(), wide)), Prepared)
    deep = b"[" * MAX_BODY_DEPTH + b"]" * MAX_BODY_DEPTH
    operation = raw(put(new_id(), {}), b'{"name": "Mai", "later": ' + deep + b"}")
    assert fields(prepared(operation)) == [""]


def test_what_the_table_does_not_allow_is_forbidden() -> None:
    assert isinstance(prepared(put(new_id(), person("Mai")), role=Role.FRONT_DESK), Prepared)
    for operation in (
        put(new_id(), person("Mai"), base=1),
        put(new_id(), {"person": new_id(), "year": 2000}, collection="visits"),
    ):
        item = prepared(operation, role=Role.FRONT_DESK)
        assert isinstance(item, Unfit)
        assert item.rejection.code == "forbidden"


def test_a_record_that_is_never_deleted_is_not_deleted() -> None:
    item = prepared(delete(new_id(), base=1, collection="people"))
    assert isinstance(item, Unfit)
    assert item.rejection.code == "forbidden"


def test_the_payload_is_told_apart_by_everything_but_the_time_it_was_recorded() -> None:
    operation = put(new_id(), person("Mai"))
    same = msgspec.structs.replace(operation, recorded_at="", op_id=new_id())
    assert prepared(same).payload_hash == prepared(operation).payload_hash
    for change in (
        {"record_id": new_id()},
        {"base_version": 1},
        {"schema": 1},
        {"body": msgspec.Raw(b'{"name":"Mai2"}')},
        {"kind": OperationKind.DELETE},
    ):
        other = msgspec.structs.replace(operation, **change)
        assert prepared(other).payload_hash != prepared(operation).payload_hash


def conflict(**bodies: bytes) -> Operation:
    told = ConflictBody(
        record_id=new_id(),
        base_version=1,
        mine_at="",
        schema=1,
        theirs_version=2,
        **{name: msgspec.Raw(body) for name, body in bodies.items()},
    )
    return put(new_id(), told, collection="people.conflicts")


def test_a_conflict_that_travels_holds_whole_bodies_each_as_large_and_deep_as_alone() -> None:
    large = msgspec.json.encode(person("x" * (MAX_BODY_BYTES - 100)))
    levels = MAX_BODY_DEPTH - 1
    deep = b'{"name": "Mai", "later": ' + b"[" * levels + b"]" * levels + b"}"
    assert isinstance(prepared(raw(put(new_id(), {}), deep)), Prepared)
    for bodies in ({"base": large, "mine": large, "theirs": large}, {"mine": deep}, {}):
        assert isinstance(prepared(conflict(**bodies)), Prepared)
    assert fields(prepared(conflict(mine=b'{"x": ' + deep + b"}"))) == [""]
    too_large = conflict(mine=large, theirs=large * 4)
    assert fields(prepared(too_large)) == [""]
    assert fields(prepared(put(new_id(), {"base_version": 1}, collection="people.conflicts"))) == [
        "record_id"
    ]


def test_a_conflict_is_told_of_by_whoever_may_write_the_record() -> None:
    for role, kind in ((Role.FRONT_DESK, Prepared), (Role.ASSISTANT, Unfit)):
        assert isinstance(prepared(conflict(), role=role), kind)
        gone = delete(new_id(), base=1, collection="people.conflicts")
        assert isinstance(prepared(gone, role=role), kind)
