"""Restores: what a laptop of an older timeline hears, on real files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec
import pytest
from sqlalchemy import select, update

from physioflow_server.auth.permissions import Role
from physioflow_server.database.record_rows import read_clinic
from physioflow_server.database.tables import epochs, history, records
from physioflow_server.services.cursor import cursor_text, parse_cursor
from physioflow_server.services.refusals import Refused
from physioflow_server.services.timeline import Timelines, common_seq
from physioflow_sync.core.protocol import Applied
from tests.world.databases import Databases
from tests.world.small_clinic import Clinic, new_id, person, put

Restore = Callable[[], Clinic]
Backup = Callable[[Clinic], Restore]


def write(clinic: Clinic, *, times: int = 1) -> None:
    for _ in range(times):
        (result,) = clinic.push(put(new_id(), person("Mai")))
        assert isinstance(result, Applied)


@pytest.fixture
def backup(clinic: Clinic, databases: Databases) -> Iterator[Backup]:
    """Make a backup; what is returned serves it, in place of what it was made of."""
    holding: dict[int, Databases] = {id(clinic.database): databases}

    def perform(of: Clinic) -> Restore:
        restore = holding[id(of.database)].copy()

        def restored() -> Clinic:
            copy = restore()
            holding[id(copy.server)] = copy
            return replace(of, database=copy.server, owner=copy.owner)

        return restored

    yield perform
    for held in holding.values():
        held.close()


def begin_epoch(clinic: Clinic) -> str:
    return Timelines(database=clinic.database, clock=clinic.clock).begin_epoch(clinic.id)


def where(clinic: Clinic) -> tuple[str, str]:
    """Return the epoch and cursor of a laptop that has pulled everything."""
    page = clinic.feed.page("", limit=1_000, identity=clinic.user)
    return page.epoch, page.next_cursor


def gone(perform: Callable[[], object]) -> int | None:
    with pytest.raises(Refused) as refused:
        perform()
    assert (refused.value.status, refused.value.code) == (410, "epoch_changed")
    return refused.value.common_seq


def common(clinic: Clinic, epoch: str, cursor: str) -> int | None:
    """Return what pull and push tell alike of where the timelines part; nothing is written."""
    operation = put(new_id(), person("Mai"))

    def push(epoch: str | None, cursor: str | None) -> int | None:
        return gone(
            lambda: clinic.write_path.push(
                [operation], epoch=epoch, cursor=cursor, identity=clinic.user
            )
        )

    pulled = gone(lambda: clinic.feed.page(cursor, limit=10, identity=clinic.user))
    assert push(epoch, cursor) == push(None, cursor) == pulled
    with clinic.owner.reading() as connection:
        written = select(records.c.id).where(records.c.id == operation.record_id)
        assert connection.execute(written).first() is None
    return pulled


def test_a_clinic_begins_with_its_first_epoch(clinic: Clinic) -> None:
    with clinic.owner.reading() as connection:
        lineage = connection.execute(select(epochs)).all()
        present = read_clinic(connection, clinic.id).epoch
    assert [(row.clinic_id, row.number, row.epoch, row.forked_at) for row in lineage] == [
        (clinic.id, 1, present, 0)
    ]


def test_after_a_restore_a_laptop_hears_up_to_where_the_timelines_agree(
    clinic: Clinic, backup: Backup
) -> None:
    write(clinic, times=3)
    restore = backup(clinic)
    early = where(clinic)
    write(clinic, times=2)
    late = where(clinic)
    restored = restore()
    epoch = begin_epoch(restored)
    assert epoch != early[0]
    write(restored, times=5)
    assert common(restored, *early) == 3
    assert common(restored, *late) == 3
    with restored.owner.reading() as connection:
        present = read_clinic(connection, restored.id)
        assert common_seq(connection, present, early[0]) == 3
        assert common_seq(connection, present, "never heard of") is None
        assert common_seq(connection, present, epoch) is None
    restored.feed.page(where(restored)[1], limit=10, identity=restored.user)


def test_after_two_restores_the_earlier_fork_counts_for_those_who_know_neither(
    clinic: Clinic, backup: Backup
) -> None:
    write(clinic, times=3)
    first = backup(clinic)()
    write(clinic, times=4)
    old = where(clinic)
    begin_epoch(first)
    write(first, times=2)
    middle = where(first)
    second = backup(first)()
    write(first, times=2)
    begin_epoch(second)
    begin_epoch(second)
    write(second)
    assert common(second, *old) == 3
    assert common(second, *middle) == 5


def test_a_timeline_that_the_backup_is_too_old_to_know_is_unknown(
    clinic: Clinic, backup: Backup
) -> None:
    write(clinic, times=3)
    restore = backup(clinic)
    begin_epoch(clinic)
    write(clinic)
    lost = where(clinic)
    restored = restore()
    begin_epoch(restored)
    assert common(restored, *lost) is None


def test_a_restore_of_which_nobody_told_the_server_is_found_out_by_the_chain(
    clinic: Clinic, backup: Backup
) -> None:
    write(clinic, times=3)
    restore = backup(clinic)
    write(clinic, times=2)
    laptop = where(clinic)
    restored = restore()
    assert common(restored, *laptop) is None, "a seq beyond the counter"
    write(restored, times=4)
    assert common(restored, *laptop) is None, "another past"
    begin_epoch(restored)
    assert common(restored, *laptop) is None, "another past, before the restore we know of"


def test_a_restore_in_the_midst_of_a_reading_is_found_out_by_what_was_passed_over(
    clinic: Clinic, backup: Backup
) -> None:
    first, second = new_id(), new_id()
    clinic.push(put(first, person("Mai")), put(second, person("Lan")))
    restore = backup(clinic)
    clinic.push(put(first, person("Mai 2"), base=1))
    page = clinic.feed.page("", limit=1, identity=clinic.user)
    assert [change.id for change in page.changes] == [second]
    restored = restore()
    # From there it would never hear of the first one, which is back where it was.
    assert common(restored, page.epoch, page.next_cursor) is None


def test_a_push_that_names_no_cursor_or_its_own_is_written(clinic: Clinic) -> None:
    write(clinic)
    epoch, cursor = where(clinic)
    for named in (None, "", cursor):
        outcome = clinic.write_path.push(
            [put(new_id(), person("Mai"))], epoch=epoch, cursor=named, identity=clinic.user
        )
        assert isinstance(outcome.results[0], Applied)


def test_the_horizon_does_not_matter_to_a_push(clinic: Clinic) -> None:
    write(clinic, times=3)
    first = clinic.feed.page("", limit=1, identity=clinic.user)
    with clinic.owner.writing() as connection:
        connection.exec_driver_sql("UPDATE clinics SET horizon = 3")
    outcome = clinic.write_path.push(
        [put(new_id(), person("Mai"))],
        epoch=None,
        cursor=first.next_cursor,
        identity=clinic.user,
    )
    assert isinstance(outcome.results[0], Applied)


@pytest.mark.parametrize("protocol", [1, 2])
def test_a_push_comes_from_where_its_own_role_reads(clinic: Clinic, protocol: int) -> None:
    write(clinic)
    page = clinic.feed.page("", limit=1, identity=clinic.user, protocol=protocol)
    operation = put(new_id(), person("Mai"))

    def push(role: Role) -> Applied:
        outcome = clinic.write_path.push(
            [operation],
            epoch=None,
            cursor=page.next_cursor,
            identity=replace(clinic.user, role=role),
        )
        (result,) = outcome.results
        assert isinstance(result, Applied)
        return result

    # Its feed would never tell of what it wrote, nor of its end.
    with pytest.raises(Refused) as refused:
        push(Role.FRONT_DESK)
    assert (refused.value.status, refused.value.code) == (410, "scope_changed")
    assert push(Role.THERAPIST).version == 1


def test_a_push_whose_past_the_server_does_not_have_is_refused(clinic: Clinic) -> None:
    write(clinic, times=2)
    page = clinic.feed.page("", limit=1, identity=clinic.user)
    with clinic.owner.writing() as connection:
        connection.execute(update(history).where(history.c.seq == 1).values(chain_hash=bytes(32)))
    assert common(clinic, page.epoch, page.next_cursor) is None


def test_a_push_with_a_cursor_that_no_server_gave_is_a_bad_request(clinic: Clinic) -> None:
    with pytest.raises(Refused) as refused:
        clinic.write_path.push([], epoch=None, cursor="x", identity=clinic.user)
    assert (refused.value.status, refused.value.errors[0].field) == (400, "cursor")


@pytest.mark.parametrize("epoch", ["\0", "x", "\udfff"])
def test_an_epoch_that_is_none_was_never_this_clinics(clinic: Clinic, epoch: str) -> None:
    write(clinic)
    pushed = gone(lambda: clinic.write_path.push([], epoch=epoch, identity=clinic.user))
    assert pushed is None


@pytest.mark.parametrize(("epoch", "head"), [("\0", 0), (None, 2**63), (None, -1), (None, 1)])
def test_a_forged_cursor_is_of_another_past(clinic: Clinic, epoch: str | None, head: int) -> None:
    write(clinic, times=3)
    page = clinic.feed.page("", limit=1, identity=clinic.user)
    cursor = parse_cursor(page.next_cursor)
    assert cursor is not None
    forged = msgspec.structs.replace(cursor, epoch=epoch or cursor.epoch, head=head or cursor.head)
    text = cursor_text(forged)
    assert gone(lambda: clinic.feed.page(text, limit=1, identity=clinic.user)) is None
