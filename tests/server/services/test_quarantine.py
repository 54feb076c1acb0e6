"""Work that is handed in: kept as it came, once, within bounds, looked into by nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from sqlalchemy import select

from physioflow_server.database.tables import quarantine
from physioflow_server.services import quarantine as quarantine_module
from physioflow_server.services.quarantine import Quarantine, Quarantined
from physioflow_server.services.refusals import Refused
from physioflow_sync.core.protocol import Operation
from tests.world.small_clinic import Clinic, delete, new_id, person, put


@pytest.fixture
def kept(clinic: Clinic) -> Quarantine:
    return Quarantine(database=clinic.database, clock=clinic.clock)


def stored(clinic: Clinic) -> list[Operation]:
    with clinic.owner.reading() as connection:
        texts = connection.execute(
            select(quarantine.c.operation).order_by(quarantine.c.op_id)
        ).scalars()
        return [msgspec.json.decode(text, type=Operation) for text in texts]


def test_each_operation_is_kept_as_it_came_and_no_record_changes(
    clinic: Clinic, kept: Quarantine
) -> None:
    operations = [
        put(new_id(), person("Mai"), base=7),
        put(new_id(), {"nobody": ["knows", 1.50]}, collection="of_a_later_release"),
        delete(new_id(), base=2),
    ]
    assert kept.hand_in(operations, identity=clinic.user) == [op.op_id for op in operations]
    assert [msgspec.json.encode(op) for op in stored(clinic)] == [
        msgspec.json.encode(op) for op in operations
    ]
    assert clinic.everything() == []


def test_what_is_sent_again_is_kept_once_as_it_was_sent_last(
    clinic: Clinic, kept: Quarantine
) -> None:
    op_id, id_ = new_id(), new_id()
    for name in ("Mai", "Mai 2", "Mai 2"):
        operation = put(id_, person(name), op_id=op_id)
        assert kept.hand_in([operation, operation], identity=clinic.user) == [op_id]
    (found,) = stored(clinic)
    assert bytes(found.body) == msgspec.json.encode(person("Mai 2"))


def test_one_laptop_never_writes_over_what_another_handed_in(
    clinic: Clinic, kept: Quarantine
) -> None:
    op_id, other = new_id(), replace(clinic.user, device_id="room-2")
    with clinic.owner.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO devices SELECT clinic_id, 'room-2', 'Room 2', '', '', NULL FROM devices"
        )
    for user, name in ((clinic.user, "Mai"), (other, "Lan")):
        kept.hand_in([put(new_id(), person(name), op_id=op_id)], identity=user)
    assert len(stored(clinic)) == 2
    assert kept.counts(clinic.id) == [
        Quarantined(
            device_id=device_id,
            device_name=device_name,
            collection="people",
            operations=1,
            last_received_at="2026-03-01T09:00:00.000+00:00",
        )
        for device_id, device_name in (("room-1", "Room 1"), ("room-2", "Room 2"))
    ]


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ({"op_id": "7"}, "ops[1].op_id"),
        ({"record_id": "Mai Tran"}, "ops[1].record_id"),
        ({"collection": ""}, "ops[1].collection"),
        ({"collection": "people; --"}, "ops[1].collection"),
        ({"body": msgspec.Raw(b'{"name": "\xff"}')}, "ops[1].body"),
    ],
)
def test_an_operation_that_names_no_record_is_named_and_nothing_is_kept(
    clinic: Clinic, kept: Quarantine, broken: dict[str, object], field: str
) -> None:
    sound = put(new_id(), person("Mai"))
    unfit = msgspec.structs.replace(put(new_id(), person("Lan")), **broken)
    with pytest.raises(Refused) as refused:
        kept.hand_in([sound, unfit], identity=clinic.user)
    assert refused.value.status == 400
    assert [error.field for error in refused.value.errors] == [field]
    assert stored(clinic) == []


@pytest.mark.parametrize(
    ("bound", "value"), [("MAX_OPERATIONS_A_DEVICE", 2), ("MAX_BYTES_A_DEVICE", 600)]
)
def test_what_is_kept_of_one_laptop_is_bounded_and_what_was_kept_stays(
    clinic: Clinic,
    kept: Quarantine,
    monkeypatch: pytest.MonkeyPatch,
    bound: str,
    value: int,
) -> None:
    monkeypatch.setattr(quarantine_module, bound, value)
    first, second, third = (put(new_id(), person("Mai")) for _ in range(3))
    kept.hand_in([first, second], identity=clinic.user)
    kept.hand_in([first, second], identity=clinic.user)
    with pytest.raises(Refused) as refused:
        kept.hand_in([second, third], identity=clinic.user)
    assert (refused.value.status, refused.value.retry_after_s) == (503, 3600)
    assert [op.op_id for op in stored(clinic)] == [first.op_id, second.op_id]


def test_nothing_is_handed_in_by_nothing(clinic: Clinic, kept: Quarantine) -> None:
    assert kept.hand_in([], identity=clinic.user) == []
    assert kept.counts(clinic.id) == []


def test_each_clinic_counts_its_own(new_clinic: Callable[[str], Clinic]) -> None:
    ours, theirs = new_clinic("Ours"), new_clinic("Theirs")
    there = Quarantine(database=ours.database, clock=ours.clock)
    there.hand_in([put(new_id(), person("Mai"))], identity=ours.user)
    assert there.counts(theirs.id) == []
    assert [counted.operations for counted in there.counts(ours.id)] == [1]
