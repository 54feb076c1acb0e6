"""A clinic in this process: real SQLite, a domain of two collections, a clock that is set."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import insert

from physioflow_server.auth.permissions import Action, Role
from physioflow_server.database.database import Database
from physioflow_server.database.tables import users
from physioflow_server.services.domain import Domain
from physioflow_server.services.feed import Feed
from physioflow_server.services.identity import Identity
from physioflow_server.services.write_path import WritePath
from physioflow_sync.core.collections import Collection, Registry
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.protocol import NO_BODY, Operation, OperationKind, Result, WireRecord

PASSWORD = "correct horse battery staple"
ALL = frozenset(Action)

_ids = itertools.count(1)


def new_id() -> str:
    """Return a UUID that no other call returned."""
    return f"01920000-0000-7000-8000-{next(_ids):012x}"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    born: int = 1980


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    person: str
    year: int


def _named(body: msgspec.Struct) -> Iterable[FieldError]:
    assert isinstance(body, Person)
    if not body.name:
        yield FieldError(field="name", reason="is empty")


def _after_birth(visit: msgspec.Struct, person: msgspec.Struct) -> Iterable[FieldError]:
    assert isinstance(visit, Visit)
    assert isinstance(person, Person)
    if visit.year < person.born:
        yield FieldError(field="year", reason="is before the birth")


def _renamed(fields: dict[str, object]) -> dict[str, object]:
    fields["name"] = fields.pop("full_name")
    return fields


PEOPLE = Collection(
    name="people",
    body_type=Person,
    validate=_named,
    may_delete=False,
    number_format="P-{:03d}",
    schema_version=2,
    upcasters={1: _renamed},
)
VISITS = Collection(name="visits", body_type=Visit, parents={"person": "people"})
DOMAIN = Domain(
    registry=Registry((PEOPLE, VISITS)),
    permissions={
        Role.CLINIC_ADMIN: {"people": ALL, "visits": ALL},
        Role.THERAPIST: {"people": ALL, "visits": ALL},
        Role.FRONT_DESK: {"people": frozenset({Action.READ, Action.CREATE})},
    },
    parent_checks={("visits", "people"): _after_birth},
)


@dataclass(slots=True)
class SetClock:
    """A clock that stands until it is moved."""

    now: datetime = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


def put(
    record_id: str,
    body: object,
    *,
    base: int = 0,
    collection: str = "people",
    op_id: str | None = None,
    schema: int | None = None,
) -> Operation:
    """Return an operation that puts a record."""
    newest = {"people": 2}.get(collection, 1)
    return Operation(
        op_id=op_id or new_id(),
        collection=collection,
        record_id=record_id,
        kind=OperationKind.PUT,
        base_version=base,
        schema=schema or newest,
        recorded_at="2026-03-01T10:00:00+01:00",
        body=msgspec.Raw(msgspec.json.encode(body)),
    )


def delete(record_id: str, *, base: int, collection: str = "visits") -> Operation:
    """Return an operation that deletes a record."""
    return Operation(
        op_id=new_id(),
        collection=collection,
        record_id=record_id,
        kind=OperationKind.DELETE,
        base_version=base,
        schema={"people": 2}.get(collection, 1),
        body=NO_BODY,
    )


def person(name: str, born: int = 1980) -> dict[str, object]:
    return {"name": name, "born": born}


@dataclass(kw_only=True)
class Clinic:
    """One clinic's services over a database, and one of its users.

    Attributes:
        owner: the same database for whoever may see and change all of it.
    """

    database: Database
    owner: Database
    clock: SetClock
    id: str
    user: Identity
    write_path: WritePath = field(init=False)
    feed: Feed = field(init=False)

    def __post_init__(self) -> None:
        self.write_path = WritePath(database=self.database, domain=DOMAIN, clock=self.clock)
        self.feed = Feed(database=self.database, domain=DOMAIN, clock=self.clock)

    def push(self, *operations: Operation, user: Identity | None = None) -> list[Result]:
        outcome = self.write_path.push(operations, epoch=None, identity=user or self.user)
        return outcome.results

    def everything(self, *, user: Identity | None = None, limit: int = 1_000) -> list[WireRecord]:
        """Follow the feed from its beginning to its end."""
        found: list[WireRecord] = []
        cursor = ""
        while True:
            page = self.feed.page(cursor, limit=limit, identity=user or self.user)
            found += page.changes
            cursor = page.next_cursor
            if not page.has_more:
                return found

    def another_user(self, role: Role = Role.THERAPIST) -> Identity:
        user_id = new_id()
        with self.database.writing(self.id) as connection:
            connection.execute(
                insert(users).values(
                    clinic_id=self.id,
                    id=user_id,
                    username=f"user {user_id}",
                    name="Another",
                    role=role.value,
                    password_hash="none",
                    created_at="",
                )
            )
        return Identity(
            clinic_id=self.id,
            user_id=user_id,
            user_name="Another",
            role=role,
            device_id=self.user.device_id,
            device_name="Room 3",
            session_id=new_id(),
        )
