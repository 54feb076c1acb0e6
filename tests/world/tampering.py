"""What somebody with the database in hand may do to a clinic's history, by dice.

Each tamper changes something, or raises `NotThisTime` where the dice found nothing to
change.  The `CLEVER` leave a database that is whole in itself: only who knows a head of
the history from elsewhere can tell.
"""

from __future__ import annotations

import base64
import binascii
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, insert, select, update

from physioflow_server.database.record_rows import VersionFacts
from physioflow_server.database.tables import buried, clinics, epochs, history, records
from physioflow_server.services.history import GENESIS, body_hash, next_link, payload_hash
from physioflow_sync.core.protocol import Operation, OperationKind
from tests.world.small_clinic import new_id

AnyRow = Row[Any]
Tamper = Callable[["Hand"], None]
TOMBSTONE = bytes(32)


class NotThisTime(Exception):
    """There is nothing of the kind to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Where the tampering is done; `elsewhere` is another clinic, which has no history."""

    connection: Connection
    clinic_id: str
    elsewhere: str
    dice: random.Random

    def rows(self, table: Table) -> Sequence[AnyRow]:
        query = select(table).where(table.c.clinic_id == self.clinic_id)
        found = self.connection.execute(query).all()
        if not found:
            raise NotThisTime
        return found

    def some_rows(self, table: Table, count: int) -> Sequence[AnyRow]:
        found = self.rows(table)
        if len(found) < count:
            raise NotThisTime
        return self.dice.sample(found, count)

    def set(self, table: Table, row: AnyRow, **values: object) -> None:
        self.connection.execute(update(table).where(_is(table, row)).values(**values))

    def remove(self, table: Table, row: AnyRow) -> None:
        self.connection.execute(delete(table).where(_is(table, row)))

    def add(self, table: Table, row: AnyRow, **values: object) -> None:
        self.connection.execute(insert(table).values(**{**row._mapping, **values}))

    def clinic(self) -> AnyRow:
        return self.connection.execute(select(clinics).where(clinics.c.id == self.clinic_id)).one()

    def set_clinic(self, **values: object) -> None:
        self.connection.execute(
            update(clinics).where(clinics.c.id == self.clinic_id).values(**values)
        )


def _is(table: Table, row: AnyRow) -> ColumnElement[bool]:
    return and_(*(column == row._mapping[column.name] for column in table.primary_key))


def another(value: object, dice: random.Random) -> object:
    """Return another value, which a column of that type takes."""
    match value:
        case bytes():
            place = dice.randrange(len(value))
            flipped = value[place] ^ 1 << dice.randrange(8)
            return value[:place] + bytes([flipped]) + value[place + 1 :]
        case int():
            return value + dice.choice((-3, -1, 1, 2, 1_000))
        case str():
            return dice.choice((value + " ", value[1:] + "x", "Mallory", _as_blob(value)))
        case None:
            return '{"name":"Mallory"}'
        case _:
            raise AssertionError(value)


def _as_blob(text: str) -> object:
    """Return bytes that become this very text where bytes are written into JSON."""
    try:
        return base64.b64decode(text, validate=True) or text + "x"
    except (binascii.Error, ValueError):
        return text.encode()


def edit_history(hand: Hand) -> None:
    column = hand.dice.choice([column.name for column in history.columns])
    (row,) = hand.some_rows(history, 1)
    value = hand.elsewhere if column == "clinic_id" else another(row._mapping[column], hand.dice)
    if column == "payload_hash" and row.schema > 1 and row.body_hash != TOMBSTONE:
        raise NotThisTime  # known limit: what was sent in an older schema is not kept
    hand.set(history, row, **{column: value})


def edit_record(hand: Hand) -> None:
    column = hand.dice.choice([column.name for column in records.columns])
    (row,) = hand.some_rows(records, 1)
    value = hand.elsewhere if column == "clinic_id" else another(row._mapping[column], hand.dice)
    hand.set(records, row, **{column: value})


def empty_a_record(hand: Hand) -> None:
    (row,) = hand.some_rows(records, 1)
    kept = [other.body for other in hand.rows(history) if other.seq == row.seq]
    if row.body is None or kept == [None]:
        raise NotThisTime
    hand.set(records, row, body=None)


def hide_an_edit_behind_an_erasure(hand: Hand) -> None:
    (row,) = hand.some_rows(records, 1)
    if row.body is None:
        raise NotThisTime
    hand.set(records, row, body='{"name":"Mallory"}')
    hand.connection.execute(
        update(history)
        .where(history.c.clinic_id == hand.clinic_id, history.c.seq == row.seq)
        .values(body=None)
    )


def turn_an_erasure_into_a_deletion(hand: Hand) -> None:
    (row,) = hand.some_rows(history, 1)
    if row.body_hash == TOMBSTONE:
        raise NotThisTime
    hand.set(history, row, body=None, body_hash=TOMBSTONE)


def edit_buried(hand: Hand) -> None:
    column = hand.dice.choice([column.name for column in buried.columns])
    (row,) = hand.some_rows(buried, 1)
    value = hand.elsewhere if column == "clinic_id" else another(row._mapping[column], hand.dice)
    hand.set(buried, row, **{column: value})


def delete_versions(hand: Hand) -> None:
    for row in hand.some_rows(history, hand.dice.randint(1, 3)):
        hand.remove(history, row)


def delete_the_last_version(hand: Hand) -> None:
    hand.remove(history, max(hand.rows(history), key=lambda row: row.seq))


def delete_a_record(hand: Hand) -> None:
    hand.remove(records, *hand.some_rows(records, 1))


def delete_a_buried_record(hand: Hand) -> None:
    hand.remove(buried, *hand.some_rows(buried, 1))


def insert_a_version(hand: Hand) -> None:
    """Append one, or put one before the first; its own link is right."""
    (row,) = hand.some_rows(history, 1)
    clinic = hand.clinic()
    seq = hand.dice.choice((clinic.seq + 1, clinic.seq + 2, 0, -1))
    facts = _facts(row, seq=seq)
    link = next_link(clinic.chain_hash, row.body_hash, facts)
    hand.add(history, row, seq=seq, op_id=facts.op_id, chain_hash=link)


def insert_a_record(hand: Hand) -> None:
    (row,) = hand.some_rows(records, 1)
    hand.add(records, row, id=new_id(), seq=hand.clinic().seq + hand.dice.randint(1, 9))


def bury_a_record_twice(hand: Hand) -> None:
    (row,) = hand.some_rows(records, 1)
    hand.connection.execute(
        insert(buried).values(
            clinic_id=row.clinic_id,
            collection=row.collection,
            id=hand.dice.choice((row.id, new_id())),
            version=row.version,
            seq=row.seq,
        )
    )


def swap_versions(hand: Hand) -> None:
    """Let two versions, or three, change places; or only what they say, or their links."""
    columns = hand.dice.choice(
        (("seq",), ("body", "body_hash"), ("chain_hash",), ("author", "body"), ("version",))
    )
    rows = hand.some_rows(history, hand.dice.randint(2, 3))
    values = [{name: row._mapping[name] for name in columns} for row in rows]
    turned = values[1:] + values[:1]
    if turned == values:
        raise NotThisTime
    if columns == ("seq",):
        aside = [-1_000 - n for n in range(len(rows))]
        for row, seq in zip(rows, aside, strict=True):
            hand.set(history, row, seq=seq)
        for seq, value in zip(aside, turned, strict=True):
            hand.connection.execute(
                update(history)
                .where(history.c.clinic_id == hand.clinic_id, history.c.seq == seq)
                .values(**value)
            )
        return
    for row, value in zip(rows, turned, strict=True):
        hand.set(history, row, **value)


def swap_records(hand: Hand) -> None:
    first, second = hand.some_rows(records, 2)
    column = hand.dice.choice(("body", "author", "assigned", "version"))
    if first._mapping[column] == second._mapping[column]:
        raise NotThisTime
    hand.set(records, first, **{column: second._mapping[column]})
    hand.set(records, second, **{column: first._mapping[column]})


def bring_an_old_version_back(hand: Hand) -> None:
    (row,) = hand.some_rows(records, 1)
    older = [
        version
        for version in hand.rows(history)
        if (version.collection, version.record_id) == (row.collection, row.id)
        and version.seq < row.seq
    ]
    if not older:
        raise NotThisTime
    taken = ("version", "seq", "schema", "body", "author", "device", "recorded_at", "assigned")
    old = hand.dice.choice(older)
    hand.set(records, row, **{name: old._mapping[name] for name in taken})


def edit_the_clinic(hand: Hand) -> None:
    column = hand.dice.choice(("seq", "chain_hash", "epoch"))
    hand.set_clinic(**{column: another(hand.clinic()._mapping[column], hand.dice)})


def lower_the_horizon(hand: Hand) -> None:
    hand.rows(buried)
    hand.set_clinic(horizon=0)


def edit_an_epoch(hand: Hand) -> None:
    rows = hand.rows(epochs)
    row = hand.dice.choice(rows)
    if row.number == len(rows):
        hand.set(epochs, row, epoch=new_id())
    else:
        hand.set(epochs, row, **hand.dice.choice(({"number": 99}, {"forked_at": 10**6})))


def delete_an_epoch(hand: Hand) -> None:
    hand.remove(epochs, *hand.some_rows(epochs, 1))


def cut_off_the_tail(hand: Hand) -> None:
    """Take the history's end away, and set everything back to match."""
    rows = sorted(hand.rows(history), key=lambda row: row.seq)
    forked_at = max(row.forked_at for row in hand.rows(epochs))
    kept = hand.dice.randrange(forked_at, len(rows))
    rewrite(hand, [dict(row._mapping) for row in rows[:kept]])


def rewrite_a_version(hand: Hand) -> None:
    """Edit a version, and compute every later link and the head anew."""
    rows = versions(hand)
    row = hand.dice.choice(rows)
    column = hand.dice.choice(("body", "author", "recorded_at", "written_at", "user_id", "op_id"))
    if column == "body" and row["body"] is None:
        raise NotThisTime
    row[column] = new_id() if column == "op_id" else f"{row[column]} "
    rewrite(hand, rows)


def take_a_record_out(hand: Hand) -> None:
    """Remove a record with all its versions, and number the others anew."""
    rows = versions(hand)
    gone = hand.dice.choice(rows)["record_id"]
    rewrite(hand, [row for row in rows if row["record_id"] != gone])


def versions(hand: Hand) -> list[dict[str, Any]]:
    """Return the history by seq."""
    return [dict(row._mapping) for row in sorted(hand.rows(history), key=lambda row: row.seq)]


def rewrite(hand: Hand, rows: list[dict[str, Any]], *, renumber: bool = True) -> None:
    """Make these versions the clinic's whole history, right in every column of every table."""
    link = GENESIS
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for seq, row in enumerate(rows, start=1):
        row["seq"] = seq if renumber else row["seq"]
        if row["body"] is not None:
            row["body_hash"] = body_hash(row["body"].encode())
        row["payload_hash"] = _payload_hash(row)
        link = next_link(link, row["body_hash"], _facts_of(row))
        row["chain_hash"] = link
        newest[row["collection"], row["record_id"]] = row
    last = rows[-1]["seq"] if rows else 0
    horizon = min(hand.clinic().horizon, last + 1)
    for table in (history, records, buried):
        hand.connection.execute(delete(table).where(table.c.clinic_id == hand.clinic_id))
    if rows:
        hand.connection.execute(insert(history), rows)
    for row in newest.values():
        is_buried = row["body_hash"] == TOMBSTONE and row["seq"] < horizon
        table = buried if is_buried else records
        names = [column.name for column in table.columns if column.name != "id"]
        values = {name: row[name] for name in names} | {"id": row["record_id"]}
        hand.connection.execute(insert(table).values(**values))
    hand.set_clinic(seq=last, chain_hash=link, horizon=horizon)
    hand.connection.execute(
        update(epochs)
        .where(epochs.c.clinic_id == hand.clinic_id, epochs.c.forked_at > last)
        .values(forked_at=last)
    )


def _facts(row: AnyRow, *, seq: int) -> VersionFacts:
    return _facts_of({**row._mapping, "seq": seq, "op_id": new_id()})


def _facts_of(row: dict[str, Any]) -> VersionFacts:
    names = set(VersionFacts.__struct_fields__) - {"deleted"}
    return VersionFacts(
        deleted=row["body_hash"] == TOMBSTONE, **{name: row[name] for name in names}
    )


def _payload_hash(row: dict[str, Any]) -> bytes:
    operation = Operation(
        op_id=row["op_id"],
        collection=row["collection"],
        record_id=row["record_id"],
        kind=OperationKind.DELETE if row["body_hash"] == TOMBSTONE else OperationKind.PUT,
        base_version=row["version"] - 1,
        schema=row["schema"],
    )
    return payload_hash(operation, row["body_hash"])


CLUMSY: tuple[Tamper, ...] = (
    # Some twice: they have many columns.
    *(edit_history, edit_history, edit_history, edit_record, edit_record, edit_buried),
    *(empty_a_record, hide_an_edit_behind_an_erasure, turn_an_erasure_into_a_deletion),
    *(delete_versions, delete_the_last_version, delete_a_record, delete_a_buried_record),
    *(insert_a_version, insert_a_record, bury_a_record_twice),
    *(swap_versions, swap_versions, swap_records, bring_an_old_version_back),
    *(edit_the_clinic, lower_the_horizon, edit_an_epoch, delete_an_epoch),
)
CLEVER: tuple[Tamper, ...] = (cut_off_the_tail, rewrite_a_version, take_a_record_out)
