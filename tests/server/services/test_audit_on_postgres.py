"""The audit reads PostgreSQL as it does SQLite, within row-level security."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import delete, update

from physioflow_server.database.tables import history, records
from physioflow_server.services.audit import FindingKind
from physioflow_server.services.audit_reading import Audit
from tests.world.databases import Databases, in_postgres
from tests.world.honest_work import HonestWork
from tests.world.postgres_process import PostgresProcess
from tests.world.small_clinic import Clinic


@pytest.fixture
def databases(postgres: PostgresProcess, migrated: str) -> Iterator[Databases]:
    opened = in_postgres(postgres, postgres.new_database(migrated))
    yield opened
    opened.close()


@pytest.fixture
def honest(new_clinic: Callable[[str], Clinic]) -> HonestWork:
    work = HonestWork(new_clinic("Riverside"), random.Random(7))
    work.work(30)
    return work


def test_an_honest_history_is_whole_and_its_heads_are_known(
    honest: HonestWork, new_clinic: Callable[[str], Clinic]
) -> None:
    other = new_clinic("Lakeside")
    audit = Audit(database=honest.clinic.database)
    assert audit.clinics() == [(honest.clinic.id, "Riverside"), (other.id, "Lakeside")]
    heads = audit.heads()
    assert [head.clinic_id for head in heads] == [honest.clinic.id, other.id]
    ours = audit.sort_heads([*honest.heads, *heads])
    assert not ours.strays
    report = audit.verify(honest.clinic.id, heads=ours.by_clinic[honest.clinic.id])
    assert report.counts == {}
    assert report.versions == report.seq > 0
    assert report.confirmed_heads == len(set(honest.heads) | {heads[0]})


def test_what_is_changed_behind_the_servers_back_is_found(honest: HonestWork) -> None:
    clinic = honest.clinic
    audit = Audit(database=clinic.database)
    with clinic.owner.writing() as connection:
        connection.execute(update(history).where(history.c.seq == 3).values(author="Mallory"))
    assert FindingKind.LINK_BROKEN in audit.verify(clinic.id).counts
    with clinic.owner.writing() as connection:
        connection.execute(
            delete(records).where(records.c.seq == clinic.feed.newest_seq(clinic.id))
        )
    assert len(audit.verify(clinic.id).counts) > 1
