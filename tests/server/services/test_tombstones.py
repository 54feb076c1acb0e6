"""Collected tombstones: what is answered is what would be if they were still there."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from sqlalchemy import select

from physioflow_server.database import buried_rows
from physioflow_server.database.tables import buried, clinics
from physioflow_server.services.refusals import Refused
from physioflow_server.services.tombstones import Tombstones
from physioflow_sync.core.protocol import NO_BODY, Applied, ConflictFound, Operation, Result
from tests.world.small_clinic import Clinic, delete, new_id, person, put

VISIT = {"year": 2020}


@pytest.fixture
def tombstones(clinic: Clinic) -> Tombstones:
    return Tombstones(database=clinic.database)


def visit(clinic: Clinic) -> str:
    """A visit that was made at one seq and deleted at the next but one."""
    parent, id_ = new_id(), new_id()
    clinic.push(put(parent, person("Mai")))
    clinic.push(put(id_, {"person": parent, **VISIT}, collection="visits"))
    clinic.push(delete(id_, base=1))
    return id_


def horizon(clinic: Clinic) -> int:
    with clinic.owner.reading() as connection:
        found: int = connection.execute(
            select(clinics.c.horizon).where(clinics.c.id == clinic.id)
        ).scalar_one()
    return found


def buried_ids(clinic: Clinic) -> list[str]:
    with clinic.owner.reading() as connection:
        return list(
            connection.execute(select(buried.c.id).where(buried.c.clinic_id == clinic.id)).scalars()
        )


def test_only_tombstones_below_are_collected_and_leave_the_feed(
    clinic: Clinic, tombstones: Tombstones
) -> None:
    first, second = visit(clinic), visit(clinic)
    assert tombstones.bury(clinic.id, below=4) == 1
    assert [record.seq for record in clinic.everything()] == [1, 4, 6]
    assert buried_ids(clinic) == [first]
    assert tombstones.bury(clinic.id, below=7) == 1
    assert set(buried_ids(clinic)) == {first, second}


def test_the_horizon_never_falls_and_never_lies_beyond_the_next_seq(
    clinic: Clinic, tombstones: Tombstones
) -> None:
    visit(clinic)
    tombstones.bury(clinic.id, below=3)
    assert (tombstones.bury(clinic.id, below=2), horizon(clinic)) == (0, 3)
    assert (tombstones.bury(clinic.id, below=1_000), horizon(clinic)) == (1, 4)
    assert tombstones.bury(clinic.id, below=1_000) == 0


def test_another_clinics_tombstones_stay(new_clinic: Callable[[str], Clinic]) -> None:
    ours, theirs = new_clinic("Ours"), new_clinic("Theirs")
    for clinic in (ours, theirs):
        visit(clinic)
    Tombstones(database=ours.database).bury(ours.id, below=100)
    assert (horizon(theirs), buried_ids(theirs)) == (0, [])
    assert len(theirs.everything()) == 2


def test_every_write_is_answered_as_if_the_tombstone_were_there(
    clinic: Clinic, tombstones: Tombstones
) -> None:
    """Twins: one record's tombstone is collected, the other's is not."""
    gone, kept = visit(clinic), visit(clinic)
    tombstones.bury(clinic.id, below=4)
    parent = clinic.everything()[0].id
    body = {"person": parent, **VISIT}

    def answers(id_: str) -> list[Result]:
        operations: list[Operation] = [
            *(put(id_, body, base=base, collection="visits") for base in (0, 1, 3)),
            *(delete(id_, base=base) for base in (0, 1)),
        ]
        found = [clinic.push(operation)[0] for operation in operations]
        assert all(isinstance(result, ConflictFound) for result in found)
        return [
            msgspec.structs.replace(
                result,
                op_id="",
                current=msgspec.structs.replace(result.current, id="", seq=0),
            )
            for result in found
            if isinstance(result, ConflictFound)
        ]

    assert answers(gone) == answers(kept)
    (result,) = clinic.push(put(gone, body, collection="visits"))
    assert isinstance(result, ConflictFound)
    assert (result.current.version, result.current.seq) == (2, 3)
    assert result.current.body == NO_BODY
    assert result.current.author == "An Nguyen"


def test_a_write_on_the_right_base_revives_the_record_and_its_versions_go_on(
    clinic: Clinic, tombstones: Tombstones
) -> None:
    revived, deleted_again, untouched = visit(clinic), visit(clinic), visit(clinic)
    tombstones.bury(clinic.id, below=100)
    parent = clinic.everything()[0].id
    results = clinic.push(
        put(revived, {"person": parent, **VISIT}, base=2, collection="visits"),
        delete(deleted_again, base=2),
    )
    assert [(type(result), getattr(result, "version", 0)) for result in results] == [
        (Applied, 3),
        (Applied, 3),
    ]
    assert buried_ids(clinic) == [untouched]
    (next_,) = clinic.push(
        put(revived, {"person": parent, "year": 2021}, base=3, collection="visits")
    )
    assert isinstance(next_, Applied)
    assert next_.version == 4
    assert tombstones.bury(clinic.id, below=100) == 1
    assert set(buried_ids(clinic)) == {deleted_again, untouched}


def test_nobody_looks_for_collected_records_before_there_are_any(
    clinic: Clinic, tombstones: Tombstones, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []
    real = buried_rows.buried_records

    def counted(*arguments: object) -> object:
        looked.append(arguments)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(buried_rows, "buried_records", counted)
    id_ = visit(clinic)
    assert looked == []
    tombstones.bury(clinic.id, below=100)
    clinic.push(delete(id_, base=2))
    assert len(looked) == 1
    clinic.push(delete(id_, base=3))
    assert len(looked) == 1, "the record is there again"


def test_a_laptop_that_slept_through_it_must_sync_anew_and_can(
    clinic: Clinic, tombstones: Tombstones
) -> None:
    visit(clinic)
    sleeping = clinic.feed.page("", limit=2, identity=clinic.user).next_cursor
    awake = clinic.feed.page("", limit=10, identity=clinic.user).next_cursor
    for _ in range(2):
        visit(clinic)
    tombstones.bury(clinic.id, below=4)
    with pytest.raises(Refused) as refused:
        clinic.feed.page(sleeping, limit=2, identity=clinic.user)
    assert refused.value.code == "cursor_expired"
    with pytest.raises(Refused):
        clinic.feed.page(awake, limit=2, identity=clinic.user)
    # Its pages end below the horizon, and it is not sent back to the beginning for it.
    assert [record.seq for record in clinic.everything(limit=1)] == [1, 4, 6, 7, 9]


def test_tombstones_that_are_collected_while_a_laptop_reads_send_it_back(
    clinic: Clinic, tombstones: Tombstones
) -> None:
    for _ in range(3):
        visit(clinic)
    tombstones.bury(clinic.id, below=4)
    page = clinic.feed.page("", limit=1, identity=clinic.user)
    second = clinic.feed.page(page.next_cursor, limit=1, identity=clinic.user)
    tombstones.bury(clinic.id, below=7)
    with pytest.raises(Refused) as refused:
        clinic.feed.page(second.next_cursor, limit=1, identity=clinic.user)
    assert refused.value.code == "cursor_expired"
    assert [record.seq for record in clinic.everything(limit=1)] == [1, 4, 7, 9]


def test_at_the_horizon_itself_nobody_is_sent_back_twice(
    clinic: Clinic, tombstones: Tombstones
) -> None:
    visit(clinic)
    tombstones.bury(clinic.id, below=4)
    end = clinic.feed.page("", limit=10, identity=clinic.user)
    again = clinic.feed.page(end.next_cursor, limit=10, identity=clinic.user)
    assert again.next_cursor == end.next_cursor
