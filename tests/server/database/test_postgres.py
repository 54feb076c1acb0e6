"""PostgreSQL: what each connection is told, and the second wall around each clinic."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec
import pytest
from litestar.testing import TestClient
from litestar.types import ASGIApp
from sqlalchemy import Engine, Row, event, select, text
from sqlalchemy.exc import MultipleResultsFound

from physioflow_server.auth.permissions import Role
from physioflow_server.database.database import Database
from physioflow_server.database.postgres import OwnsTooMuch, open_postgres, refuse_owner
from physioflow_server.database.tables import metadata, records
from physioflow_server.services.digests import Digests
from physioflow_sync.core.protocol import SignedIn
from tests.server.database.test_tenants import NOBODYS, TENANTS, use_everything
from tests.world.databases import Databases, in_postgres
from tests.world.postgres_process import OWNER, SUPERUSER, PostgresProcess
from tests.world.small_clinic import DOMAIN, Clinic, new_id, person, put

CANARY = "Canary of another clinic"
_FILTER = re.compile(r"(?:\w+\.)?clinic_id = (%s(?:::\w+)?)")
_JOIN = re.compile(r"\w+\.clinic_id = \w+\.clinic_id")
_SELF = re.compile(r"clinics\.id = (%s(?:::\w+)?)")


@pytest.fixture
def databases(postgres: PostgresProcess, migrated: str) -> Iterator[Databases]:
    opened = in_postgres(postgres, postgres.new_database(migrated))
    yield opened
    opened.close()


def setting(database: Database, name: str) -> object:
    return database.read(lambda connection: connection.execute(text(f"SHOW {name}")).scalar())


def test_no_statement_waits_for_ever(database: Database) -> None:
    assert setting(database, "statement_timeout") == "10s"
    assert setting(database, "lock_timeout") == "5s"
    assert setting(database, "idle_in_transaction_session_timeout") == "10s"


def test_readers_see_one_moment_and_writers_what_was_committed_last(database: Database) -> None:
    assert setting(database, "transaction_isolation") == "repeatable read"
    assert setting(database, "transaction_read_only") == "on"
    with database.writing() as connection:
        assert connection.execute(text("SHOW transaction_isolation")).scalar() == "read committed"


@pytest.mark.parametrize("user", [OWNER, SUPERUSER])
def test_who_would_see_past_the_wall_does_not_serve(
    postgres: PostgresProcess, migrated: str, user: str
) -> None:
    database = open_postgres(postgres.url(postgres.new_database(migrated), user))
    with pytest.raises(OwnsTooMuch, match=user):
        refuse_owner(database)
    database.close()


def test_the_servers_own_role_owns_nothing(database: Database) -> None:
    refuse_owner(database)


def test_a_transaction_sees_the_clinic_that_it_entered_and_no_other(
    clinic: Clinic, new_clinic: Callable[[str], Clinic]
) -> None:
    other = new_clinic("Lakeside")
    other.push(put(new_id(), person(CANARY)))
    clinic.push(put(new_id(), person("Mai")))
    everything = select(records.c.clinic_id)

    def seen(clinic_id: str | None) -> list[Row[tuple[str]]]:
        return list(
            clinic.database.read(
                lambda connection: connection.execute(everything).all(), clinic_id=clinic_id
            )
        )

    assert seen(None) == []
    assert seen("nobody's") == []
    assert seen(clinic.id) == [(clinic.id,)]
    # The setting ended with its transaction: the same connection shows nothing again.
    assert seen(None) == []


def test_the_server_may_add_to_the_history_and_not_change_it(clinic: Clinic) -> None:
    clinic.push(put(new_id(), person("Mai")))
    for statement in ("UPDATE history SET author = 'Somebody'", "DELETE FROM history"):
        with (
            pytest.raises(Exception, match="permission denied"),
            clinic.database.writing(clinic.id) as connection,
        ):
            connection.execute(text(statement))


@pytest.fixture
def unfiltered() -> Iterator[list[str]]:
    """Let every statement forget to say whose rows it means."""
    changed: list[str] = []

    def forget(
        _c: object, _cursor: object, statement: str, parameters: object, *_: object
    ) -> tuple[str, object]:
        bare = _FILTER.sub(r"(\1 IS NOT NULL)", statement)
        bare = _SELF.sub(r"(\1 IS NOT NULL)", _JOIN.sub("true", bare))
        if bare != statement:
            changed.append(bare)
        return bare, parameters

    event.listen(Engine, "before_cursor_execute", forget, retval=True)
    yield changed
    event.remove(Engine, "before_cursor_execute", forget)


def contents(owner: Database, clinic_id: str) -> dict[str, list[tuple[object, ...]]]:
    with owner.reading() as connection:
        return {
            table.name: sorted(
                (tuple(row) for row in connection.execute(select(table)) if clinic_id in row),
                key=repr,
            )
            for table in metadata.sorted_tables
            if table.name not in NOBODYS
        }


def test_where_every_filter_is_forgotten_nothing_of_another_clinic_is_seen_or_changed(
    http: TestClient[ASGIApp],
    sign_in: Callable[..., dict[str, object]],
    clinic: Clinic,
    new_clinic: Callable[[str], Clinic],
    owner: Database,
    request: pytest.FixtureRequest,
) -> None:
    other = new_clinic("Lakeside")
    other.push(*(put(new_id(), person(CANARY)) for _ in range(3)))
    other.another_user(Role.CLINIC_ADMIN)
    before = contents(owner, other.id)
    assert before["records"]
    tokens = msgspec.convert(sign_in(), SignedIn).tokens
    heard: list[bytes] = []
    http.event_hooks["response"] = [lambda answer: heard.append(answer.read())]

    forgotten: list[str] = request.getfixturevalue("unfiltered")
    use_everything(http, tokens, clinic)

    words = {word for statement in forgotten for word in re.findall(r"\w+", statement)}
    assert words >= TENANTS
    assert heard
    assert not any(CANARY.encode() in answer for answer in heard)
    assert contents(owner, other.id) == before


def test_without_the_wall_the_same_would_be_seen(
    clinic: Clinic,
    new_clinic: Callable[[str], Clinic],
    owner: Database,
    request: pytest.FixtureRequest,
) -> None:
    new_clinic("Lakeside").push(put(new_id(), person(CANARY)))
    clinic.push(put(new_id(), person("Mai")))
    request.getfixturevalue("unfiltered")
    walled = Digests(database=clinic.database, domain=DOMAIN).digest(identity=clinic.user)
    assert set(walled.collections) == {"people"}
    with pytest.raises(MultipleResultsFound):
        Digests(database=owner, domain=DOMAIN).digest(identity=clinic.user)
