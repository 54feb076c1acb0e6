"""From a stored record with an open conflict to what the conflict window shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QDate, QLocale

from physioflow_client.queries.sync_centre import Elsewhere
from physioflow_client.viewmodels.conflict_snapshot import ConflictSide, ConflictSnapshot
from physioflow_client.viewmodels.field_words import date_in_words, field_label, value_words
from physioflow_client.viewmodels.language import said
from physioflow_client.viewmodels.moments import age_words, moment_words
from physioflow_client.viewmodels.presenting import measure_instrument
from physioflow_clinical.regions import REGION_BY_ID, Side, place_words
from physioflow_sync.core.changes import Fields, Version, fields_of
from physioflow_sync.core.collections import Collection
from physioflow_sync.core.local_record import LocalRecord

translate = QCoreApplication.translate


class Person(NamedTuple):
    """The patient that a record is about, as far as it is known.

    `number` is the record number ("PF-00017"), or "".
    """

    fields: Fields
    number: str = ""


class Author(NamedTuple):
    """Who works on this laptop, and what it is called."""

    name: str
    device: str


def conflict_snapshot(
    record: LocalRecord,
    collection: Collection,
    *,
    person: Person | None,
    me: Author,
    now: datetime,
) -> ConflictSnapshot:
    """Return what the window shows of a record whose conflict is open here.

    Args:
        person: the patient; for a record of `patients` None, since the record says it.
        now: with the zone that times are shown in.
    """
    conflict = record.conflict
    assert conflict is not None, "no conflict is open"
    mine = ConflictSide(
        fields=_fields(collection, conflict.mine, conflict.schema),
        who=me.name,
        device=me.device,
        whose=translate("Conflict", "yours"),
        is_me=True,
    )
    versions = _Versions(
        id=conflict.id,
        base=_fields(collection, conflict.base_body, conflict.schema),
        mine=mine,
        mine_at=conflict.mine_at,
        theirs=replace(
            _server_side(collection, conflict.theirs), whose=translate("Conflict", "theirs")
        ),
        theirs_at=conflict.theirs.recorded_at,
        theirs_version=conflict.theirs.version,
        theirs_body=conflict.theirs.body,
    )
    apart = translate("Conflict", "Both of you changed this record while apart.")
    return _snapshot(record, collection, versions, person=person, words=apart, now=now)


def elsewhere_snapshot(
    found: Elsewhere,
    collection: Collection,
    *,
    person: Person | None,
    me: Author,
    now: datetime,
) -> ConflictSnapshot:
    """Likewise of a conflict that another laptop met, beside what the server says now."""
    conflict, server = found.conflict, found.record.server
    mine = ConflictSide(
        fields=fields_of(conflict.mine), who=conflict.author, device=conflict.device
    )
    theirs = ConflictSide(fields=None) if server is None else _server_side(collection, server)
    mine, theirs = _called(mine, theirs, me)
    versions = _Versions(
        id=conflict.id,
        base=fields_of(conflict.base_body),
        mine=mine,
        mine_at=conflict.mine_at,
        theirs=theirs,
        theirs_at="" if server is None else server.recorded_at,
        theirs_version=0 if server is None else server.version,
        theirs_body=None if server is None else server.body,
    )
    met = translate("Conflict", "Met on another laptop, where it is open as well.")
    if conflict.device:
        met = translate("Conflict", "Met on the laptop “{device}”, where it is open as well.")
        met = met.format(device=conflict.device)
    snapshot = _snapshot(found.record, collection, versions, person=person, words=met, now=now)
    return replace(snapshot, is_elsewhere=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Versions:
    """The two versions of a record, and what both started from."""

    id: str
    base: Fields | None
    mine: ConflictSide
    mine_at: str
    theirs: ConflictSide
    theirs_at: str
    theirs_version: int
    theirs_body: bytes | None


def _snapshot(
    record: LocalRecord,
    collection: Collection,
    versions: _Versions,
    *,
    person: Person | None,
    words: str,
    now: datetime,
) -> ConflictSnapshot:
    shown = versions.mine.fields or versions.theirs.fields or versions.base or {}
    if person is None:
        number = ((record.server and record.server.assigned) or {}).get("record_number", "")
        person = Person(shown, number)
    mine_at, theirs_at = _zoned(versions.mine_at), _zoned(versions.theirs_at)
    mine_is_newer = bool(mine_at and theirs_at and mine_at > theirs_at)
    theirs_is_newer = bool(mine_at and theirs_at and not mine_is_newer)
    later = theirs_at or mine_at
    return ConflictSnapshot(
        id=versions.id,
        key=record.key,
        person=_name(person.fields),
        record=_record_words(collection.name, shown),
        subtitle=_subtitle(collection.name, shown, person, now, words),
        short=_short_words(collection.name, shown),
        age="" if later is None else age_words((now - later).total_seconds()),
        base=ConflictSide(fields=versions.base),
        mine=_dated(versions.mine, mine_at, now=now, is_newer=mine_is_newer),
        theirs=_dated(versions.theirs, theirs_at, now=now, is_newer=theirs_is_newer),
        theirs_version=versions.theirs_version,
        theirs_body=versions.theirs_body,
    )


def _server_side(collection: Collection, version: Version) -> ConflictSide:
    return ConflictSide(
        fields=_fields(collection, version.body, version.schema),
        who=version.author,
        device=version.device,
    )


def _called(
    mine: ConflictSide, theirs: ConflictSide, me: Author
) -> tuple[ConflictSide, ConflictSide]:
    """Say whose each version is, so that the two can be told apart."""
    laptops, servers = translate("Conflict", "the laptop's"), translate("Conflict", "the server's")
    if mine.who != theirs.who:
        return _of_person(mine, me, unknown=laptops), _of_person(theirs, me, unknown=servers)
    # One person's two versions: only the laptops tell them apart.
    return (
        replace(mine, whose=laptops, title=translate("Conflict", "On that laptop")),
        replace(theirs, whose=servers, title=translate("Conflict", "On the server")),
    )


def _of_person(side: ConflictSide, me: Author, *, unknown: str) -> ConflictSide:
    if side.who == me.name:
        return replace(side, whose=translate("Conflict", "yours"), is_me=True)
    named = translate("Conflict", "{who}'s").format(who=side.who)
    return replace(side, whose=named if side.who else unknown)


def _dated(
    side: ConflictSide, at: datetime | None, *, now: datetime, is_newer: bool
) -> ConflictSide:
    if at is None:
        return side
    local = at.astimezone(now.tzinfo)
    return replace(
        side,
        when=moment_words(at, now=now),
        written=f"{date_in_words(local.date())} {local:%H:%M}",
        is_newer=is_newer,
    )


def _fields(collection: Collection, body: bytes | None, schema: int) -> dict[str, object] | None:
    fields = fields_of(body)
    return None if fields is None else collection.upcast(fields, schema=schema)


def _name(patient: Fields) -> str:
    for name in ("preferred_name", "legal_name"):
        value = patient.get(name)
        if isinstance(value, str) and value:
            return value
    return ""


def _short_words(collection: str, fields: Fields) -> str:
    match collection:
        case "outcome_measures":
            instrument = measure_instrument(fields)
            if instrument is not None:
                return said(instrument.short_name)
            return translate("Conflict", "Outcome measure")
        case "episodes":
            return translate("Conflict", "Episode")
        case "patients":
            return translate("Conflict", "Personal details")
        case _:
            return field_label(collection)


def _record_words(collection: str, fields: Fields) -> str:
    short = _short_words(collection, fields)
    match collection:
        case "outcome_measures":
            measured = _moment(fields.get("measured_at"))
            if measured is not None:
                day = QDate(measured.year, measured.month, measured.day)
                return translate("Conflict", "{what} of {day}").format(
                    what=short, day=QLocale().toString(day, "d MMMM")
                )
        case "episodes":
            return f"{short}: {value_words('problem', fields.get('problem'))}"
        case _:
            pass
    return short


def _subtitle(collection: str, fields: Fields, person: Person, now: datetime, words: str) -> str:
    parts = [_age_of(person.fields, now), person.number]
    if collection != "patients":
        parts.append(_place(fields))
    identity = " · ".join(part for part in parts if part)
    return f"{identity}. {words}" if identity else words


def _place(fields: Fields) -> str:
    region, side = REGION_BY_ID.get(str(fields.get("region"))), fields.get("side")
    if region is None:
        return ""
    known = isinstance(side, str) and side in {each.value for each in Side}
    return said(place_words(region, Side(str(side)) if known else None))


def _age_of(patient: Fields, now: datetime) -> str:
    born = _moment(patient.get("date_of_birth"))
    if born is None:
        return ""
    return str(now.year - born.year - ((now.month, now.day) < (born.month, born.day)))


def _zoned(value: str) -> datetime | None:
    """Return a time that has its zone, or None: without one it cannot be compared."""
    moment = _moment(value)
    return moment if moment is not None and moment.tzinfo is not None else None


def _moment(value: object) -> datetime | None:
    """Return an ISO 8601 date or time, or None: times are for people, and may be odd."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
