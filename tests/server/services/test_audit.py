"""Whatever is changed behind the server's back is found; what it wrote itself never is."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from physioflow_server.database.migrate import migrate
from physioflow_server.database.tables import clinics, epochs, history, records
from physioflow_server.services.audit import MAX_FINDINGS, FindingKind
from physioflow_server.services.audit_reading import Audit, ClinicReport, Verification
from physioflow_server.services.heads import Head
from physioflow_server.services.timeline import Timelines
from physioflow_server.services.tombstones import Tombstones
from tests.world.databases import Databases, in_file
from tests.world.honest_work import HonestWork
from tests.world.small_clinic import Clinic, SetClock, delete, new_id, person, put
from tests.world.tampering import (
    CLEVER,
    CLUMSY,
    Hand,
    NotThisTime,
    Tamper,
    edit_history,
    rewrite,
    rewrite_a_version,
    versions,
)

TAMPERS = 1_000
CLEVER_ONES = 300
HONEST_HISTORIES = 200
WORK = 100
"""Steps; they make some 200 versions."""
TRIES = 50

NewClinic = Callable[[str], Clinic]


def verified(
    connection: Connection,
    clinic_id: str,
    heads: Iterable[Head] = (),
    *,
    records_a_pass: int = 1_000,
) -> ClinicReport:
    verification = Verification(clinic_id, heads=heads, records_a_pass=records_a_pass)
    verification.run(connection)
    return verification.report()


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[Databases]:
    """SQLite: a thousand tampers are too many for two databases; see the last tests."""
    opened = in_file(tmp_path / "server.sqlite3")
    migrate(opened.server)
    yield opened
    opened.close()


@pytest.fixture
def elsewhere(new_clinic: NewClinic) -> Clinic:
    return new_clinic("Elsewhere")


@pytest.fixture
def honest(
    new_clinic: NewClinic, elsewhere: Clinic, clock: SetClock, databases: Databases
) -> Iterator[HonestWork]:
    """A clinic whose backup was restored in the midst of its work; some heads were lost."""
    clinic = new_clinic("Riverside")
    work = HonestWork(clinic, random.Random(7))
    work.work(WORK // 2)
    restore = databases.copy()
    state = work.books()
    work.work(WORK // 10, epochs=False)
    copy = restore()
    database = copy.server
    restored = replace(clinic, database=database, owner=copy.owner)
    Timelines(database=database, clock=clock).begin_epoch(clinic.id)
    work.go_on(restored, state)
    work.work(WORK // 2)
    newest = restored.feed.newest_seq(clinic.id)
    assert Tombstones(database=database).bury(clinic.id, below=newest - 5)
    work.work(3, epochs=False)
    yield work
    copy.close()


def tampers(
    work: HonestWork, elsewhere: Clinic, chosen: tuple[Tamper, ...], count: int
) -> Iterator[tuple[Tamper, Connection]]:
    """Yield so many tampered databases, each as if it were the only one."""
    clinic = work.clinic
    with clinic.owner.writing() as connection:
        for number in range(count):
            tamper = chosen[number % len(chosen)]
            dice = random.Random(number)
            for _ in range(TRIES):
                savepoint = connection.begin_nested()
                hand = Hand(
                    connection=connection, clinic_id=clinic.id, elsewhere=elsewhere.id, dice=dice
                )
                try:
                    tamper(hand)
                except (NotThisTime, IntegrityError):
                    savepoint.rollback()
                    continue
                yield tamper, connection
                savepoint.rollback()
                break
            else:
                raise AssertionError(f"{tamper.__name__} never found anything to change")
        assert verified(connection, clinic.id, work.heads).is_whole


def test_a_clinics_whole_life_leaves_nothing_to_find(honest: HonestWork) -> None:
    with honest.clinic.owner.reading() as connection:
        report = verified(connection, honest.clinic.id, honest.heads)
    assert report.counts == {}
    assert report.versions == report.seq > 150
    assert report.erased and report.unproven and report.restores and report.lost_heads
    assert report.confirmed_heads + len(report.lost_heads) == len(honest.heads)


def found_of(
    work: HonestWork, elsewhere: Clinic, chosen: tuple[Tamper, ...], count: int
) -> Counter[str]:
    """Return how many tampers were found, by their names."""
    found: Counter[str] = Counter()
    for tamper, connection in tampers(work, elsewhere, chosen, count):
        report = verified(connection, work.clinic.id)
        assert not report.is_whole, tamper.__name__
        found[tamper.__name__] += 1
    return found


def test_every_kind_of_tamper_is_found(honest: HonestWork, elsewhere: Clinic) -> None:
    found = found_of(honest, elsewhere, CLUMSY, len(CLUMSY))
    assert set(found) == {tamper.__name__ for tamper in CLUMSY}


@pytest.mark.slow
def test_a_thousand_tampers_are_all_found(honest: HonestWork, elsewhere: Clinic) -> None:
    found = found_of(honest, elsewhere, CLUMSY, TAMPERS - CLEVER_ONES)
    clever = clever_found(honest, elsewhere, CLEVER_ONES)
    assert found.total() + clever.total() == TAMPERS
    print(f"\n{TAMPERS} tampers, all found:")
    for name, count in sorted((found + clever).items()):
        print(f"{count:>6}  {name.replace('_', ' ')}")


def clever_found(work: HonestWork, elsewhere: Clinic, count: int) -> Counter[str]:
    """Return how many tampers were found by a known head, and by nothing else."""
    newest = work.heads[-1]
    found: Counter[str] = Counter()
    for tamper, connection in tampers(work, elsewhere, CLEVER, count):
        alone = verified(connection, work.clinic.id)
        assert alone.is_whole, (tamper.__name__, alone.findings)
        report = verified(connection, work.clinic.id, [newest])
        kinds = {FindingKind.HEAD_CUT_OFF, FindingKind.HEAD_REWRITTEN}
        assert report.counts.keys() <= kinds and not report.is_whole, tamper.__name__
        found[tamper.__name__] += 1
    return found


def test_who_sets_everything_back_to_match_is_found_by_a_known_head(
    honest: HonestWork, elsewhere: Clinic
) -> None:
    clever_found(honest, elsewhere, 3 * len(CLEVER))


def test_a_head_from_before_the_rewriting_still_holds(
    honest: HonestWork, elsewhere: Clinic
) -> None:
    """Which is why a head is worth as much as it is new."""
    for _, connection in tampers(honest, elsewhere, (rewrite_a_version,), 3):
        report = verified(connection, honest.clinic.id, honest.heads)
        assert report.counts.keys() == {FindingKind.HEAD_REWRITTEN}
        assert report.confirmed_heads > 0


def leave_a_gap(hand: Hand) -> None:
    rows = versions(hand)
    del rows[1]
    rewrite(hand, rows, renumber=False)


def skip_a_version(hand: Hand) -> None:
    rows = versions(hand)
    rows[-1]["version"] += 1
    rewrite(hand, rows)


def change_the_order(hand: Hand) -> None:
    rows = versions(hand)
    rows[0], rows[2] = rows[2], rows[0]
    rewrite(hand, rows)


def change_an_author_where_the_body_was_erased(hand: Hand) -> None:
    hand.connection.execute(
        update(history)
        .where(history.c.clinic_id == hand.clinic_id, history.c.seq == 3)
        .values(body=None)
    )
    hand.connection.execute(
        update(records)
        .where(records.c.clinic_id == hand.clinic_id, records.c.seq == 3)
        .values(author="Mallory")
    )


@pytest.mark.parametrize(
    ("tamper", "kind"),
    [
        (leave_a_gap, FindingKind.SEQ_MISSING),
        (skip_a_version, FindingKind.VERSION_OUT_OF_STEP),
        (change_the_order, FindingKind.VERSION_OUT_OF_STEP),
        (change_an_author_where_the_body_was_erased, FindingKind.RECORD_CHANGED),
        (lambda hand: hand.set_clinic(seq=4), FindingKind.HEAD_DIFFERS),
        (lambda hand: hand.set_clinic(chain_hash=bytes(32)), FindingKind.HEAD_DIFFERS),
        (lambda hand: hand.set_clinic(epoch="another"), FindingKind.EPOCHS_BROKEN),
        *(
            (lambda hand, forked_at=forked_at: fork_at(hand, forked_at), FindingKind.EPOCHS_BROKEN)
            for forked_at in (4, -1, "x")
        ),
    ],
)
def test_each_rule_finds_who_keeps_all_the_others(
    clinic: Clinic, elsewhere: Clinic, tamper: Tamper, kind: FindingKind
) -> None:
    first, second = new_id(), new_id()
    clinic.push(put(first, person("Mai")))
    clinic.push(put(second, person("Lan")))
    clinic.push(put(first, person("Mai 2"), base=1))
    with clinic.owner.writing() as connection:
        assert verified(connection, clinic.id).is_whole
        tamper(
            Hand(
                connection=connection,
                clinic_id=clinic.id,
                elsewhere=elsewhere.id,
                dice=random.Random(1),
            )
        )
        assert verified(connection, clinic.id).counts.keys() == {kind}


def fork_at(hand: Hand, forked_at: object) -> None:
    (first,) = hand.rows(epochs)
    hand.add(epochs, first, number=2, epoch="second", forked_at=forked_at)
    hand.set_clinic(epoch="second")


def honest_histories(new_clinic: NewClinic, count: int) -> None:
    for number in range(count):
        dice = random.Random(number)
        work = HonestWork(new_clinic(f"Clinic {number}"), dice)
        work.work(dice.randint(0, 30))
        database = work.clinic.database
        report = Audit(database=database).verify(work.clinic.id, heads=work.heads)
        assert report.counts == {}, number
        assert report.confirmed_heads == len(work.heads)
        assert report.lost_heads == ()


def test_an_honest_history_is_whole(new_clinic: NewClinic) -> None:
    honest_histories(new_clinic, 5)


@pytest.mark.slow
def test_two_hundred_honest_histories_are_whole(new_clinic: NewClinic) -> None:
    honest_histories(new_clinic, HONEST_HISTORIES)


def test_a_clinic_without_any_record_is_whole(clinic: Clinic) -> None:
    report = Audit(database=clinic.database).verify(clinic.id)
    assert (report.is_whole, report.versions, report.records) == (True, 0, 0)


def test_records_are_compared_in_several_passes_alike(
    honest: HonestWork, elsewhere: Clinic
) -> None:
    for _, connection in tampers(honest, elsewhere, CLUMSY, len(CLUMSY)):
        one = verified(connection, honest.clinic.id)
        many = verified(connection, honest.clinic.id, records_a_pass=40)
        assert one.counts == many.counts


def test_progress_grows_to_its_end(honest: HonestWork) -> None:
    told: list[tuple[int, int]] = []
    Audit(database=honest.clinic.database).verify(
        honest.clinic.id, progress=lambda done, of: told.append((done, of))
    )
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1] == told[0][1] > 0


def test_an_erased_body_is_counted_and_is_no_finding(clinic: Clinic) -> None:
    id_ = new_id()
    clinic.push(put(id_, person("Mai")), put(new_id(), person("Lan")))
    clinic.push(put(id_, person("Mai 2"), base=1))
    for seq in (1, 3):
        with clinic.owner.writing() as connection:
            connection.execute(update(history).where(history.c.seq == seq).values(body=None))
    report = Audit(database=clinic.database).verify(clinic.id)
    assert (report.is_whole, report.erased) == (True, 2)


def test_a_text_that_is_no_text_is_a_finding_and_no_crash(clinic: Clinic) -> None:
    clinic.push(put(new_id(), person("Mai")), put(new_id(), person("Lan")))
    with clinic.owner.writing() as connection:
        connection.exec_driver_sql("UPDATE history SET author = CAST(x'ff41' AS TEXT)")
    report = Audit(database=clinic.database).verify(clinic.id)
    assert report.counts == {FindingKind.UNREADABLE: 1}


def test_findings_are_bounded_and_all_are_counted(clinic: Clinic) -> None:
    clinic.push(*(put(new_id(), person("Mai")) for _ in range(MAX_FINDINGS + 20)))
    with clinic.owner.writing() as connection:
        connection.execute(update(records).values(author="Mallory"))
    report = Audit(database=clinic.database).verify(clinic.id)
    assert len(report.findings) == MAX_FINDINGS
    assert report.counts == {FindingKind.RECORD_CHANGED: MAX_FINDINGS + 20}


def test_a_finding_never_shows_what_stands_in_the_rows(clinic: Clinic) -> None:
    canary = "Nguyen Thi Canary"
    visit = new_id()
    clinic.push(put(new_id(), person(canary)))
    clinic.push(put(visit, {"person": _person_id(clinic), "year": 2020}, collection="visits"))
    clinic.push(delete(visit, base=1))
    for column in ("collection", "record_id", "author", "body", "version", "seq"):
        with clinic.owner.writing() as connection:
            savepoint = connection.begin_nested()
            connection.exec_driver_sql(f"UPDATE history SET {column} = ? WHERE seq = 2", (canary,))
            report = verified(connection, clinic.id)
            savepoint.rollback()
        assert not report.is_whole, column
        assert canary not in repr(report), column


def _person_id(clinic: Clinic) -> str:
    return clinic.everything()[0].id


def test_a_finding_says_which_version_it_was(clinic: Clinic) -> None:
    ids = [new_id() for _ in range(3)]
    clinic.push(*(put(id_, person("Mai")) for id_ in ids))
    with clinic.owner.writing() as connection:
        connection.execute(
            update(history).where(history.c.seq == 2).values(body='{"name":"Mallory"}')
        )
    kinds = [
        (finding.kind, finding.seq, finding.collection, finding.record_id)
        for finding in Audit(database=clinic.database).verify(clinic.id).findings
    ]
    assert kinds == [
        (FindingKind.BODY_CHANGED, 2, "people", ids[1]),
        (FindingKind.RECORD_CHANGED, 2, "people", ids[1]),
    ]


def test_one_clinics_tampering_is_no_others(new_clinic: NewClinic) -> None:
    ours, theirs = new_clinic("Ours"), new_clinic("Theirs")
    for clinic in (ours, theirs):
        clinic.push(put(new_id(), person("Mai")), put(new_id(), person("Lan")))
    with ours.database.writing() as connection:
        edit_history(
            Hand(
                connection=connection,
                clinic_id=ours.id,
                elsewhere=theirs.id,
                dice=random.Random(1),
            )
        )
        assert not verified(connection, ours.id).is_whole
        assert verified(connection, theirs.id).is_whole
        assert connection.execute(select(clinics.c.id)).all()
