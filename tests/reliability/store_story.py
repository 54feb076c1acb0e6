"""What happens on one laptop, by dice: people save and decide, a server answers and sends."""

from __future__ import annotations

import random
from typing import Final

from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import holds_conflicts
from physioflow_sync.core.digest import bucket_of
from physioflow_sync.core.protocol import (
    Applied,
    Blocked,
    ConflictFound,
    Operation,
    Rejected,
    Result,
    WireRecord,
)
from physioflow_sync.core.resolution import Resolution
from physioflow_sync.core.resync import ResyncReason
from physioflow_sync.ports import Edit, Store
from physioflow_sync.testing.steps import NOW, pull, seal, wire
from physioflow_sync.testing.tasks import letter, project, task

RECORDS: Final = 24
MAX_TEXT: Final = 9_000
"""Longer than a page of the file by far."""
MAX_EDITS: Final = 4
MAX_PAGE: Final = 12
_KINDS: Final = ("projects", "tasks", "letters")


class Story:
    """One laptop's life from a seed; each act is one call of the store, or none."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._versions: dict[Key, int] = {}
        self._sealed: tuple[Operation, ...] = ()
        self._page = 0
        self._acts = (
            *(self._save,) * 4,
            *(self._seal, self._answer, self._pull) * 2,
            *(self._decide, self._discard, self._keep_value, self._note_synced),
            *(self._read_anew, self._hand_in, self._send_again, self._undo, self._mend),
        )

    def act(self, store: Store) -> str:
        """Do what comes next; return its name."""
        act = self._dice.choice(self._acts)
        act(store)
        return act.__name__.strip("_")

    def _save(self, store: Store) -> None:
        keys = {self._key() for _ in range(self._dice.randint(1, MAX_EDITS))}
        edits = [Edit(key=key, body=self._body_or_delete(key)) for key in sorted(keys)]
        store.save(edits, recorded_at=NOW)

    def _seal(self, store: Store) -> None:
        self._sealed = seal(store, limit=self._dice.randint(1, 8))

    def _answer(self, store: Store) -> None:
        sealed, self._sealed = self._sealed, ()
        if sealed:
            store.settle([self._result(operation) for operation in sealed], recorded_at=NOW)

    def _pull(self, store: Store) -> None:
        keys = {self._key() for _ in range(self._dice.randint(0, MAX_PAGE))}
        self._page += 1
        records = [self._newer(key) for key in sorted(keys)]
        pull(store, *records, cursor=f"epoch-1:{self._page}", has_more=self._dice.random() < 0.5)

    def _decide(self, store: Store) -> None:
        for record in store.conflicts()[:1]:
            conflict = record.conflict
            assert conflict is not None
            body = self._dice.choice((conflict.mine, conflict.theirs.body))
            decided = Resolution(key=record.key, theirs_version=conflict.theirs.version, body=body)
            if body is not None or record.key.collection != "projects":
                store.resolve(decided, recorded_at=NOW)

    def _discard(self, store: Store) -> None:
        key = self._key()
        if any(entry.code for entry in store.record(key).entries):
            store.discard(key)

    def _read_anew(self, store: Store) -> None:
        store.begin_resync(self._dice.choice(tuple(ResyncReason)), common_seq=10)

    def _hand_in(self, store: Store) -> None:
        batch = store.hand_in_batch(limit=3, max_bytes=MAX_TEXT)
        if batch:
            store.handed_in([operation.op_id for operation in batch])
        else:
            store.begin_hand_in()

    def _send_again(self, store: Store) -> None:
        store.rearm(self._key())

    def _undo(self, store: Store) -> None:
        for made in store.merges(limit=1):
            if not made.undone:
                store.undo_merge(made.id, recorded_at=NOW)

    def _mend(self, store: Store) -> None:
        key = self._key()
        store.repair(key.collection, bucket_of(key.id), [self._newer(key)])

    def _keep_value(self, store: Store) -> None:
        put = getattr(store, "set_value")  # noqa: B009 - the file's alone, not of the port
        put("draft", self._dice.randbytes(self._dice.randint(1, MAX_TEXT)))

    def _note_synced(self, store: Store) -> None:
        store.note_synced(NOW)

    def _key(self) -> Key:
        number = self._dice.randrange(RECORDS)
        kind = _KINDS[number % len(_KINDS)]
        return Key(kind, f"01930000-0000-7000-8000-{number:012}")

    def _text(self) -> str:
        return self._dice.randbytes(self._dice.randint(1, self._dice.choice((20, MAX_TEXT)))).hex()

    def _body(self, key: Key) -> bytes:
        match key.collection:
            case "projects":
                return project(self._text())
            case "tasks":
                return task(self._text())
            case _:
                return letter(self._text())

    def _body_or_delete(self, key: Key) -> bytes | None:
        may_delete = key.collection != "projects"
        return None if may_delete and self._dice.random() < 0.1 else self._body(key)

    def _newer(self, key: Key) -> WireRecord:
        version = self._versions[key] = self._versions.get(key, 0) + 1
        # What another laptop's conflict says is that laptop's to say.
        body = None if holds_conflicts(key.collection) else self._body_or_delete(key)
        return wire(key, body, version=version)

    def _result(self, operation: Operation) -> Result:
        key, op_id = Key(operation.collection, operation.record_id), operation.op_id
        match self._dice.randrange(6):
            case 0:
                return Rejected(op_id=op_id, code="validation_failed", errors=[])
            case 1:
                return Blocked(op_id=op_id, by=op_id)
            case 2:
                return ConflictFound(op_id=op_id, current=self._newer(key), versions_since_base=1)
            case _:
                version = max(self._versions.get(key, 0), operation.base_version) + 1
                self._versions[key] = version
                return Applied(op_id=op_id, version=version, seq=version * 10)
