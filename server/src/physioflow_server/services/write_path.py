"""The one way in which records change: optimistic locking, exactly once.

A batch is one transaction: lock the clinic's counter, check that the laptop's past is
ours, look the op_ids up in the history, read the records' current versions, decide in
memory, write records and history in bulk, advance the counter, commit.  Single-record
routes are batches of one.  After the commit, whoever listens hears the new seq.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from physioflow_server.database import buried_rows, record_rows
from physioflow_server.database.database import Database
from physioflow_server.services import history
from physioflow_server.services.clock import Clock, shown
from physioflow_server.services.decision import Decision, Known, Remembered, Write, decide
from physioflow_server.services.domain import Domain
from physioflow_server.services.events import SILENCE, Publisher
from physioflow_server.services.heads import UNOBSERVED, Head, HeadObserver
from physioflow_server.services.identity import Identity
from physioflow_server.services.preparing import Prepared, Unfit, is_uuid, prepare
from physioflow_server.services.timeline import (
    check_epoch,
    check_scope,
    checked_cursor,
    cursor_at,
)
from physioflow_sync.core.changes import Key
from physioflow_sync.core.protocol import Duplicate, Operation, Result, WireRecord

NO_SCOPE: Final = bytes(8)
"""A witness says what was written, not what was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One result an operation, in order, and the timeline they belong to.

    `witness`: the cursor of what the server holds after them.
    """

    results: list[Result]
    epoch: str
    witness: str


class WritePath:
    """Accepts operations for the clinic that the identity belongs to."""

    def __init__(
        self,
        *,
        database: Database,
        domain: Domain,
        clock: Clock,
        publisher: Publisher = SILENCE,
        heads: HeadObserver = UNOBSERVED,
    ) -> None:
        self._database = database
        self._domain = domain
        self._clock = clock
        self._publisher = publisher
        self._heads = heads

    def push(
        self,
        operations: Sequence[Operation],
        *,
        epoch: str | None,
        identity: Identity,
        cursor: str | None = None,
        witness: str | None = None,
    ) -> Outcome:
        """Write what can be written, durably, and say of each operation what became of it.

        Args:
            epoch: the timeline that the laptop believes in, or None where it knows none.
            cursor: where the laptop left the feed, which must be one that its role still
                reads: it could not be told of what it wrote beyond. Neither the horizon nor
                the protocol matters here.
            witness: a later place that this server must know.

        Raises:
            Refused: 410 `epoch_changed` or `scope_changed`, 400 for a cursor that is none;
                nothing was written.
            DatabaseUnavailable: nothing was written.
        """
        scopes = self._domain.scopes(identity.role)
        batch = [
            prepare(operation, domain=self._domain, identity=identity) for operation in operations
        ]

        def work(connection: Connection) -> tuple[Decision, Outcome, Head]:
            clinic = record_rows.lock_clinic(connection, identity.clinic_id)
            if witness:
                checked_cursor(connection, witness, clinic=clinic)
            if cursor:
                check_scope(checked_cursor(connection, cursor, clinic=clinic), scopes)
            if epoch is not None:
                check_epoch(connection, clinic, epoch)
            known, buried = self._known(connection, clinic, batch, identity)
            decision = decide(batch, known=known, domain=self._domain)
            link = clinic.chain_hash
            if decision.writes:
                link = self._store(
                    connection, decision, clinic=clinic, identity=identity, buried=buried
                )
            now = cursor_at(clinic, decision.seq, link, NO_SCOPE)
            head = Head(clinic_id=clinic.id, epoch=clinic.epoch, seq=decision.seq, chain_hash=link)
            outcome = Outcome(results=decision.results, epoch=clinic.epoch, witness=now)
            return decision, outcome, head

        decision, outcome, head = self._database.write(work, clinic_id=identity.clinic_id)
        # Of what was written before, and whose answer was lost, nobody may have heard.
        if decision.writes or any(isinstance(result, Duplicate) for result in outcome.results):
            self._publisher.publish(identity.clinic_id, decision.seq)
            self._heads.note(head)
        return outcome

    def _known(
        self,
        connection: Connection,
        clinic: record_rows.ClinicRow,
        batch: Sequence[Prepared | Unfit],
        identity: Identity,
    ) -> tuple[Known, Mapping[Key, WireRecord]]:
        """Return what is to be known to decide the batch, and its records that are buried."""
        current = record_rows.current_records(connection, clinic.id, _keys_needed(batch))
        buried = _buried(connection, clinic, batch, current)
        known = Known(
            epoch=clinic.epoch,
            user_id=identity.user_id,
            seq=clinic.seq,
            last_record_number=clinic.last_record_number,
            remembered=self._remembered(connection, clinic.id, batch),
            current=current | buried,
            buried=buried.keys(),
        )
        return known, buried

    def _remembered(
        self, connection: Connection, clinic_id: str, batch: Sequence[Prepared | Unfit]
    ) -> dict[str, Remembered]:
        # What is no id was never written, and may be no text of the database's either.
        op_ids = [item.operation.op_id for item in batch if is_uuid(item.operation.op_id)]
        return {
            row.op_id: Remembered(
                key=row.key,
                user_id=row.user_id,
                payload_hash=row.payload_hash,
                body_hash=row.body_hash,
                version=row.version,
                seq=row.seq,
                assigned=row.assigned,
            )
            for row in record_rows.remembered_operations(connection, clinic_id, op_ids)
        }

    def _store(
        self,
        connection: Connection,
        decision: Decision,
        *,
        clinic: record_rows.ClinicRow,
        identity: Identity,
        buried: Mapping[Key, WireRecord],
    ) -> bytes:
        """Write what was decided; return the history chain's hash after it."""
        written_at = shown(self._clock())
        link = clinic.chain_hash
        versions: list[record_rows.VersionRow] = []
        for write in decision.writes:
            row = _version_row(write, identity=identity, written_at=written_at, previous=link)
            link = row.chain_hash
            versions.append(row)
        record_rows.write_versions(connection, clinic.id, versions, absent=buried)
        if revived := [
            write.prepared.key for write in decision.writes if write.prepared.key in buried
        ]:
            buried_rows.revive(connection, clinic.id, revived)
        record_rows.advance_clinic(
            connection,
            clinic.id,
            seq=decision.seq,
            chain_hash=link,
            last_record_number=decision.last_record_number,
        )
        return link


def _keys_needed(batch: Sequence[Prepared | Unfit]) -> set[Key]:
    """The records that sound operations write, and those that they point into."""
    keys: set[Key] = set()
    for item in batch:
        if isinstance(item, Prepared):
            keys.add(item.key)
            keys.update(key for _, key in item.parents)
    return keys


def _buried(
    connection: Connection,
    clinic: record_rows.ClinicRow,
    batch: Sequence[Prepared | Unfit],
    current: Mapping[Key, WireRecord],
) -> dict[Key, WireRecord]:
    """Return those of the batch's records whose tombstone was collected."""
    if clinic.horizon == 0:
        return {}
    keys = {
        Key(item.operation.collection, item.operation.record_id)
        for item in batch
        if is_uuid(item.operation.record_id) and "\0" not in item.operation.collection
    }
    missing = keys - current.keys()
    return buried_rows.buried_records(connection, clinic.id, missing) if missing else {}


def _version_row(
    write: Write, *, identity: Identity, written_at: str, previous: bytes
) -> record_rows.VersionRow:
    prepared, operation = write.prepared, write.prepared.operation
    facts = record_rows.VersionFacts(
        seq=write.seq,
        op_id=operation.op_id,
        collection=operation.collection,
        record_id=operation.record_id,
        version=write.version,
        schema=prepared.collection.schema_version,
        deleted=prepared.body is None,
        user_id=identity.user_id,
        device_id=identity.device_id,
        author=identity.user_name,
        device=identity.device_name,
        recorded_at=operation.recorded_at,
        written_at=written_at,
        assigned=record_rows.assigned_text(write.assigned),
    )
    return record_rows.VersionRow(
        facts=facts,
        body=prepared.body,
        payload_hash=prepared.payload_hash,
        body_hash=prepared.body_hash,
        chain_hash=history.next_link(previous, prepared.body_hash, facts),
    )
