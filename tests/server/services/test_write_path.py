"""The write path on a real SQLite file."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec
import pytest
from sqlalchemy import select, update

from physioflow_server.auth.permissions import Role
from physioflow_server.database.record_rows import VersionFacts, read_clinic
from physioflow_server.database.tables import clinics, history, records
from physioflow_server.services.history import GENESIS, body_hash, next_link
from physioflow_server.services.refusals import Refused
from physioflow_server.services.tombstones import Tombstones
from physioflow_server.services.write_path import WritePath
from physioflow_sync.core.changes import Key
from physioflow_sync.core.protocol import (
    NO_BODY,
    Applied,
    ConflictFound,
    Duplicate,
    Rejected,
    body_bytes,
)
from physioflow_sync.core.resync import offered_op_id
from tests.world.small_clinic import DOMAIN, Clinic, delete, new_id, person, put

THREADS = 2
BATCHES_A_THREAD = 20
OPERATIONS_A_BATCH = 5


def counts(clinic: Clinic) -> tuple[int, int]:
    """Return how many records and how many versions are stored."""
    with clinic.owner.reading() as connection:
        return (
            len(connection.execute(select(records.c.id)).all()),
            len(connection.execute(select(history.c.seq)).all()),
        )


def test_an_operation_sent_again_after_a_lost_answer_has_no_second_effect(clinic: Clinic) -> None:
    operations = [put(new_id(), person(name)) for name in ("Mai", "Lan")]
    first = clinic.push(*operations)
    again = clinic.push(*operations)
    assert counts(clinic) == (2, 2)
    for before, after in zip(first, again, strict=True):
        assert isinstance(before, Applied)
        assert after == Duplicate(
            op_id=before.op_id, version=before.version, seq=before.seq, assigned=before.assigned
        )


def test_a_duplicate_is_answered_even_after_the_record_moved_on(clinic: Clinic) -> None:
    id_ = new_id()
    create = put(id_, person("Mai"))
    clinic.push(create)
    clinic.push(put(id_, person("Mai 2"), base=1))
    (again,) = clinic.push(create)
    assert isinstance(again, Duplicate)
    assert again.version == 1


def test_one_operation_id_with_another_payload_is_rejected_and_nothing_changes(
    clinic: Clinic,
) -> None:
    id_, op_id = new_id(), new_id()
    clinic.push(put(id_, person("Mai"), op_id=op_id))
    (result,) = clinic.push(put(id_, person("Lan"), op_id=op_id))
    assert isinstance(result, Rejected)
    assert result.code == "op_id_reused"
    assert counts(clinic) == (1, 1)


def test_many_laptops_that_offer_one_version_write_it_once(clinic: Clinic) -> None:
    with clinic.owner.reading() as connection:
        epoch = read_clinic(connection, clinic.id).epoch
    id_, body = new_id(), b'{ "name": "Mai" }'
    op_id = offered_op_id(epoch, Key("people", id_), body)
    offer = msgspec.structs.replace(put(id_, {}, op_id=op_id), body=msgspec.Raw(body), offered=True)
    (first,) = clinic.push(offer)
    assert isinstance(first, Applied)
    clinic.push(put(id_, person("Mai 2"), base=1))
    for user in (clinic.user, clinic.another_user(), clinic.another_user(Role.FRONT_DESK)):
        for base in (0, 1, 2):
            again = msgspec.structs.replace(offer, base_version=base, recorded_at="")
            assert clinic.push(again, user=user) == [
                Duplicate(op_id=op_id, version=1, seq=1, assigned=first.assigned)
            ]
    assert counts(clinic) == (1, 2)


def test_after_the_commit_and_only_then_the_new_seq_is_told(clinic: Clinic) -> None:
    told: list[tuple[str, int, int]] = []

    class Told:
        def publish(self, clinic_id: str, seq: int) -> None:
            told.append((clinic_id, seq, clinic.feed.newest_seq(clinic_id)))

    path = WritePath(database=clinic.database, domain=DOMAIN, clock=clinic.clock, publisher=Told())
    id_ = new_id()
    for operations in (
        [put(id_, person("Mai")), put(new_id(), person("Lan"))],
        [put(id_, person("stale"))],
        [],
        [put(id_, person("Mai 2"), base=1)],
    ):
        path.push(operations, epoch=None, identity=clinic.user)
    assert told == [(clinic.id, 2, 2), (clinic.id, 3, 3)]


def test_a_conflict_changes_nothing_and_shows_who_wrote_what(clinic: Clinic) -> None:
    id_ = new_id()
    clinic.push(put(id_, person("Mai")))
    clinic.push(put(id_, person("Theirs"), base=1), user=clinic.another_user())
    (result,) = clinic.push(put(id_, person("Mine"), base=1))
    assert isinstance(result, ConflictFound)
    assert result.versions_since_base == 1
    assert result.current.author == "Another"
    assert result.current.device == "Room 3"
    assert result.current.assigned == {"record_number": "P-001"}
    assert body_bytes(result.current.body) == msgspec.json.encode(person("Theirs"))
    assert counts(clinic) == (1, 2)


def test_a_record_keeps_the_number_it_was_given_through_every_version(clinic: Clinic) -> None:
    id_ = new_id()
    clinic.push(put(new_id(), person("Lan")), put(id_, person("Mai")))
    clinic.push(put(id_, person("Mai 2"), base=1))
    (lan, mai) = clinic.everything()
    assert lan.assigned == {"record_number": "P-001"}
    assert mai.assigned == {"record_number": "P-002"}


def test_a_delete_leaves_a_tombstone_that_the_feed_carries(clinic: Clinic) -> None:
    parent, id_ = new_id(), new_id()
    clinic.push(put(parent, person("Mai")))
    clinic.push(put(id_, {"person": parent, "year": 2020}, collection="visits"))
    clinic.push(delete(id_, base=1))
    assert [(record.id, record.version) for record in clinic.everything()] == [
        (parent, 1),
        (id_, 2),
    ]
    assert clinic.everything()[-1].body == NO_BODY


def test_a_stale_epoch_is_refused_before_anything_else(clinic: Clinic) -> None:
    with pytest.raises(Refused) as refused:
        clinic.write_path.push(
            [put(new_id(), person("Mai"))], epoch="another", identity=clinic.user
        )
    assert (refused.value.status, refused.value.code) == (410, "epoch_changed")
    assert counts(clinic) == (0, 0)


def test_commit_order_is_seq_order_when_threads_push_at_once(clinic: Clinic) -> None:
    """A reader that follows the cursor meanwhile sees every write, in order, once."""
    expected = THREADS * BATCHES_A_THREAD * OPERATIONS_A_BATCH
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(BATCHES_A_THREAD):
                batch = [put(new_id(), person("Mai")) for _ in range(OPERATIONS_A_BATCH)]
                assert all(isinstance(result, Applied) for result in clinic.push(*batch))
        except BaseException as error:
            failures.append(error)
            raise

    writers = [threading.Thread(target=write) for _ in range(THREADS)]
    for writer in writers:
        writer.start()
    seen: list[int] = []
    cursor = ""
    while True:
        running = any(writer.is_alive() for writer in writers)
        page = clinic.feed.page(cursor, limit=7, identity=clinic.user)
        seen += [record.seq for record in page.changes]
        cursor = page.next_cursor
        if not running and not page.has_more:
            break
    for writer in writers:
        writer.join()
    assert not failures
    assert seen == list(range(1, expected + 1))


def test_two_edits_of_one_version_at_once_leave_one_winner(clinic: Clinic) -> None:
    id_ = new_id()
    clinic.push(put(id_, person("Mai")))
    together = threading.Barrier(THREADS)
    results: list[object] = []

    def edit(name: str) -> None:
        together.wait()
        results.extend(clinic.push(put(id_, person(name), base=1)))

    editors = [threading.Thread(target=edit, args=(f"edit {n}",)) for n in range(THREADS)]
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join()
    assert sorted(type(result).__name__ for result in results) == ["Applied", "ConflictFound"]


def test_one_clinic_neither_sees_nor_touches_anothers_records(
    new_clinic: Callable[[str], Clinic],
) -> None:
    ours, theirs = new_clinic("Ours"), new_clinic("Theirs")
    id_ = new_id()
    ours.push(put(id_, person("Mai")))
    (stale,) = theirs.push(put(id_, person("Lan"), base=1))
    assert isinstance(stale, Rejected)
    assert stale.code == "not_found"
    (own,) = theirs.push(put(id_, person("Lan")))
    assert isinstance(own, Applied)
    assert (own.seq, own.assigned) == (1, {"record_number": "P-001"})
    assert [record.body for record in ours.everything()] == [
        msgspec.Raw(msgspec.json.encode(person("Mai")))
    ]
    (child,) = theirs.push(
        put(new_id(), {"person": id_, "year": 2020}, collection="visits"),
    )
    assert isinstance(child, Applied)


def test_the_history_is_one_chain_that_holds_when_a_body_is_erased(clinic: Clinic) -> None:
    id_ = new_id()
    clinic.push(put(id_, person("Mai")), put(new_id(), person("Lan")))
    clinic.push(put(id_, person("Mai 2"), base=1))
    with clinic.owner.writing() as connection:
        connection.execute(update(history).where(history.c.seq == 2).values(body=None))
    with clinic.owner.reading() as connection:
        versions = connection.execute(select(history).order_by(history.c.seq)).all()
        head = connection.execute(select(clinics.c.chain_hash)).scalar_one()
    link = GENESIS
    for row in versions:
        if row.body is not None:
            assert body_hash(row.body.encode()) == row.body_hash
        facts = VersionFacts(
            deleted=False,
            **{
                name: getattr(row, name)
                for name in VersionFacts.__struct_fields__
                if name != "deleted"
            },
        )
        link = next_link(link, row.body_hash, facts)
        assert link == row.chain_hash
    assert link == head
    assert len(versions) == 3


def test_more_parents_than_fit_in_one_statement_are_found(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("physioflow_server.database.record_rows.MAX_IDS_A_STATEMENT", 3)
    parents = [new_id() for _ in range(10)]
    clinic.push(*(put(parent, person("Mai")) for parent in parents))
    results = clinic.push(
        *(
            put(new_id(), {"person": parent, "year": 2020}, collection="visits")
            for parent in parents
        )
    )
    assert all(isinstance(result, Applied) for result in results)


def test_what_is_no_text_of_a_database_is_named_and_rejected(clinic: Clinic) -> None:
    """PostgreSQL's texts hold no NUL."""
    clinic.push(put(new_id(), person("Mai")))
    clinic.push(delete(clinic.everything()[0].id, base=1))
    Tombstones(database=clinic.database).bury(clinic.id, below=3)
    for operation in (
        put("a\0b", person("Mai")),
        put(new_id(), person("Mai"), op_id="a\0b"),
        put(new_id(), person("Mai"), collection="peo\0ple"),
    ):
        (result,) = clinic.push(operation)
        assert isinstance(result, Rejected)
