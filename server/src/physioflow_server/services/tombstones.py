"""Collect old tombstones: the feed need not carry for ever what nobody has any longer.

A laptop that was away for longer finds its cursor below the horizon and syncs anew.
"""

from __future__ import annotations

from sqlalchemy import Connection

from physioflow_server.database import buried_rows, record_rows
from physioflow_server.database.database import Database


class Tombstones:
    """Moves tombstones out of a clinic's feed."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def bury(self, clinic_id: str, below: int) -> int:
        """Collect every tombstone whose seq is below; return how many there were.

        The clinic's horizon becomes `below`, but never falls, and never lies beyond the
        next seq to be given.
        """

        def work(connection: Connection) -> int:
            clinic = record_rows.lock_clinic(connection, clinic_id)
            horizon = min(below, clinic.seq + 1)
            if horizon <= clinic.horizon:
                return 0
            return buried_rows.bury(connection, clinic_id, below=horizon)

        return self._database.write(work, clinic_id=clinic_id)
