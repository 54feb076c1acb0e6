"""From a stored record with an open conflict to what the conflict window shows."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QDate, QLocale

from physioflow_client.viewmodels.conflict_snapshot import ConflictSide, ConflictSnapshot
from physioflow_client.viewmodels.field_words import date_in_words, field_label, value_words
from physioflow_client.viewmodels.language import said
from physioflow_client.viewmodels.moments import age_words, moment_words
from physioflow_client.viewmodels.presenting import measure_instrument
from physioflow_clinical.regions import REGION_BY_ID, Side, place_words
from physioflow_sync.core.changes import Fields, fields_of
from physioflow_sync.core.collections import Collection
from physioflow_sync.core.local_record import LocalRecord, OpenConflict

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
    """Return what the window shows of a record whose conflict is open.

    Args:
        person: the patient; for a record of `patients` None, since the record says it.
        now: with the zone that times are shown in.
    """
    conflict = record.conflict
    assert conflict is not None, "no conflict is open"
    theirs = conflict.theirs
    base, mine = (
        _fields(collection, body, conflict.schema) for body in (conflict.base_body, conflict.mine)
    )
    their_fields = _fields(collection, theirs.body, theirs.schema)
    shown = mine or their_fields or {}
    if person is None:
        number = ((record.server and record.server.assigned) or {}).get("record_number", "")
        person = Person(shown, number)
    mine_at, theirs_at = _zoned(conflict.mine_at), _zoned(theirs.recorded_at)
    mine_is_newer = bool(mine_at and theirs_at and mine_at > theirs_at)
    return ConflictSnapshot(
        key=record.key,
        person=_name(person.fields),
        record=_record_words(collection.name, shown),
        subtitle=_subtitle(collection.name, shown, person, now),
        short=_short_words(collection.name, shown),
        age=_age(conflict, now),
        base=ConflictSide(fields=base),
        mine=_side(mine, me, mine_at, now=now, is_newer=mine_is_newer),
        theirs=_side(
            their_fields,
            Author(theirs.author, theirs.device),
            theirs_at,
            now=now,
            is_newer=bool(mine_at and theirs_at and not mine_is_newer),
        ),
        theirs_version=theirs.version,
    )


def _side(
    fields: Fields | None, author: Author, at: datetime | None, *, now: datetime, is_newer: bool
) -> ConflictSide:
    when, written = "", ""
    if at is not None:
        local = at.astimezone(now.tzinfo)
        when, written = moment_words(at, now=now), f"{date_in_words(local.date())} {local:%H:%M}"
    return ConflictSide(
        fields=fields,
        who=author.name,
        device=author.device,
        when=when,
        written=written,
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


def _subtitle(collection: str, fields: Fields, person: Person, now: datetime) -> str:
    parts = [_age_of(person.fields, now), person.number]
    if collection != "patients":
        parts.append(_place(fields))
    words = translate("Conflict", "Both of you changed this record while apart.")
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


def _age(conflict: OpenConflict, now: datetime) -> str:
    later = _zoned(conflict.theirs.recorded_at) or _zoned(conflict.mine_at)
    return "" if later is None else age_words((now - later).total_seconds())


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
