"""Saving an edit of a record that may have changed while the form was open.

A sync may bring somebody else's version while a person types.  Saving the form then would
overwrite what that person has never seen: the store refuses it, and the person is told.
"""

from __future__ import annotations

from collections.abc import Callable

from physioflow_client.background.records import Records
from physioflow_sync.core.changes import Key, body_of, fields_of
from physioflow_sync.core.errors import RecordMoved, SyncError
from physioflow_sync.core.local_record import LocalRecord
from physioflow_sync.ports import Edit


def save_over(
    records: Records,
    key: Key,
    *,
    seen: bytes,
    body: bytes,
    then: Callable[[], None],
    moved: Callable[[LocalRecord], None],
    failed: Callable[[SyncError], None],
) -> None:
    """Save `body` if the record still says what the person saw; otherwise call `moved`."""

    def refused(error: SyncError) -> None:
        if isinstance(error, RecordMoved):
            records.load(key, moved)
        else:
            failed(error)

    edit = Edit(key=key, body=carry_unknown(seen, body), seen=seen)
    records.save([edit], then=then, failed=refused)


def carry_unknown(seen: bytes, body: bytes) -> bytes:
    """Return `body` with the fields that a newer app has written and this one does not know."""
    before, after = fields_of(seen) or {}, fields_of(body) or {}
    return body if before.keys() <= after.keys() else body_of({**before, **after})
