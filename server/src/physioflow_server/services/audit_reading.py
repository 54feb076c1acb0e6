"""Verify one clinic's history: stream its rows past the checks, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from physioflow_server.database import audit_rows, record_rows
from physioflow_server.database.audit_rows import EpochRow, RowCounts
from physioflow_server.database.clinic_scope import enter_clinic
from physioflow_server.database.database import Database
from physioflow_server.database.lookups import clinic_ids
from physioflow_server.services.audit import (
    ChainCheck,
    Finding,
    FindingKind,
    NewestVersions,
    Tally,
    check_changed,
    check_lineage,
)
from physioflow_server.services.heads import Head, Sorted, judge, sort_heads

T = TypeVar("T")

MAX_RECORDS_A_PASS: Final = 200_000
"""Records whose newest version is held at once: some 60 MB. More take more passes."""

Progress = Callable[[int, int], None]
"""Told how many rows were read, and how many there are to read."""


def no_progress(_done: int, _of: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicReport:
    """What is known of one clinic's history.

    Attributes:
        versions: that the history holds.
        records: current ones, tombstones included, and those kept as deleted long ago.
        erased: versions whose body was erased by law.
        unproven: versions sent in an older schema, whose mark against repetition cannot be
            checked; everything else of them was.
        confirmed_heads: known heads that the history has.
        lost_heads: seqs of known heads that a restore gave up.
        restores: (forked_at, began_at) of each timeline but the first.
        findings: the first ones.
        counts: of all findings.
    """

    clinic_id: str
    seq: int
    versions: int
    records: int
    erased: int
    unproven: int
    confirmed_heads: int
    lost_heads: tuple[int, ...]
    restores: tuple[tuple[int, str], ...]
    findings: tuple[Finding, ...]
    counts: Mapping[FindingKind, int]

    @property
    def is_whole(self) -> bool:
        return not self.counts


class Audit:
    """Verifies the clinics of one database, each as a single state of it shows."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def clinics(self) -> list[tuple[str, str]]:
        """Return each clinic's id and name."""
        return self._of_each(
            lambda connection, clinic_id: (clinic_id, audit_rows.name(connection, clinic_id))
        )

    def heads(self) -> list[Head]:
        """Return the head of each clinic's history as it is now."""

        def head(connection: Connection, clinic_id: str) -> Head:
            row = record_rows.read_clinic(connection, clinic_id)
            return Head(clinic_id=row.id, epoch=row.epoch, seq=row.seq, chain_hash=row.chain_hash)

        return self._of_each(head)

    def sort_heads(self, heads: Iterable[Head], *, chosen: str | None = None) -> Sorted:
        """Give each head to the clinic whose it is; see `heads.sort_heads`."""

        def epochs(connection: Connection, clinic_id: str) -> tuple[str, list[str]]:
            lineage = audit_rows.lineage(connection, clinic_id)
            return clinic_id, [row.epoch for row in lineage]

        return sort_heads(heads, dict(self._of_each(epochs)), chosen=chosen)

    def _of_each(self, look: Callable[[Connection, str], T]) -> list[T]:
        """Return what is found of each clinic, in a transaction that has entered it."""

        def work(connection: Connection) -> list[T]:
            found: list[T] = []
            for clinic_id in clinic_ids(connection):
                enter_clinic(connection, clinic_id)
                found.append(look(connection, clinic_id))
            return found

        return self._database.read(work)

    def verify(
        self, clinic_id: str, *, heads: Iterable[Head] = (), progress: Progress = no_progress
    ) -> ClinicReport:
        """Verify the clinic's history, and that it has these heads of it.

        Raises:
            DatabaseUnavailable: the database could not be read; nothing was found out.
        """
        verification = Verification(clinic_id, heads=heads, progress=progress)
        try:
            with self._database.reading(clinic_id) as connection:
                verification.run(connection)
        except DBAPIError:
            # What is the environment's fault was translated: this is the database itself,
            # bytes that are no text or a broken page.
            verification.give_up()
        return verification.report()


class Verification:
    """One clinic's verification, within a transaction of the caller's."""

    def __init__(
        self,
        clinic_id: str,
        *,
        heads: Iterable[Head] = (),
        progress: Progress = no_progress,
        records_a_pass: int = MAX_RECORDS_A_PASS,
    ) -> None:
        self._clinic_id = clinic_id
        self._heads = heads
        self._progress = progress
        self._records_a_pass = records_a_pass
        self._tally = Tally()
        self._chain = ChainCheck(self._tally, {})
        self._counts = RowCounts(versions=0, records=0, buried=0)
        self._lineage: list[EpochRow] = []
        self._lost: tuple[Head, ...] = ()

    def run(self, connection: Connection) -> None:
        """Look at everything that the transaction sees of the clinic."""
        clinic = record_rows.read_clinic(connection, self._clinic_id)
        self._lineage = audit_rows.lineage(connection, self._clinic_id)
        check_lineage(self._lineage, clinic, self._tally)
        judged = judge(self._heads, self._lineage)
        self._lost = judged.lost
        for head in judged.unknown:
            self._tally.add(FindingKind.EPOCH_UNKNOWN, seq=head.seq)
        self._counts = audit_rows.row_counts(connection, self._clinic_id)
        reading = _Reading(
            connection, self._clinic_id, self._counts, self._records_a_pass, self._progress
        )
        self._chain = ChainCheck(self._tally, judged.binding)
        reading.check_chain(self._chain)
        self._chain.end(clinic)
        reading.check_newest(self._tally, horizon=clinic.horizon)
        for some in audit_rows.changed_records(connection, self._clinic_id):
            for changed in some:
                check_changed(changed, self._tally)

    def give_up(self) -> None:
        """The database cannot be read further."""
        self._tally.add(FindingKind.UNREADABLE, seq=self._chain.seq)

    def report(self) -> ClinicReport:
        """Return what is known by now."""
        return ClinicReport(
            clinic_id=self._clinic_id,
            seq=self._chain.seq,
            versions=self._chain.versions,
            records=self._counts.records + self._counts.buried,
            erased=self._chain.erased,
            unproven=self._chain.unproven,
            confirmed_heads=self._chain.confirmed,
            lost_heads=tuple(sorted(head.seq for head in self._lost)),
            restores=tuple(
                (row.forked_at, row.began_at)
                for row in self._lineage[1:]
                if isinstance(row.forked_at, int)
            ),
            findings=tuple(self._tally.findings),
            counts=dict(self._tally.counts),
        )


class _Reading:
    """Reads every row that the checks want, and says how far it has come."""

    def __init__(
        self,
        connection: Connection,
        clinic_id: str,
        counts: RowCounts,
        records_a_pass: int,
        progress: Progress,
    ) -> None:
        self._connection = connection
        self._clinic_id = clinic_id
        # There are no more records than versions, whatever `records` says.
        self._passes = max(1, -(-counts.versions // records_a_pass))
        current = counts.records + counts.buried
        self._rows = counts.versions + self._passes * (counts.versions + current)
        self._done = 0
        self._progress = progress

    def check_chain(self, chain: ChainCheck) -> None:
        for some in audit_rows.stored_versions(self._connection, self._clinic_id):
            for version in some:
                chain.take(version)
            self._advance(len(some))

    def check_newest(self, tally: Tally, *, horizon: int) -> None:
        """Compare history and current records, one share of the records a pass.

        Python's own hash is keyed anew for each process: nobody can choose ids that all
        fall into one share.
        """
        for share in range(self._passes):
            newest = NewestVersions(tally, horizon=horizon)
            for places in audit_rows.version_places(self._connection, self._clinic_id):
                for place in places:
                    if self._share(place.collection, place.record_id) == share:
                        newest.take(place)
                self._advance(len(places))
            self._settle(newest, share)
            newest.end()

    def _settle(self, newest: NewestVersions, share: int) -> None:
        for read, is_buried in (
            (audit_rows.record_places, False),
            (audit_rows.buried_places, True),
        ):
            for places in read(self._connection, self._clinic_id):
                for place in places:
                    if self._share(place.collection, place.record_id) == share:
                        newest.settle(place, is_buried=is_buried)
                self._advance(len(places))

    def _share(self, collection: object, record_id: object) -> int:
        return hash((collection, record_id)) % self._passes

    def _advance(self, rows: int) -> None:
        self._done += rows
        self._progress(self._done, self._rows)
