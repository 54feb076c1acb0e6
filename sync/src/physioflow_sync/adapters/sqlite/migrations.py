"""The file's tables, and the way from each version of them to the next.

`records` holds what a person sees of each record; `server_versions` the server's newest
version beside it, only where that differs in kind: while there is unsent work or an open
conflict.  Ids come first in every unique index: they are time-ordered, so that new
records of all collections touch the same few pages.  Bodies are JSON text, verbatim.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.sqlite.statements import fetch, run
from physioflow_sync.core.errors import StoreFailure, StoreFailureKind

_VERSION_1: Final = (
    """
    CREATE TABLE records (
        rowid INTEGER PRIMARY KEY,
        collection TEXT NOT NULL,
        id TEXT NOT NULL,
        version INTEGER NOT NULL,     -- the server's; 0: never seen there
        seq INTEGER NOT NULL,
        schema INTEGER NOT NULL,
        body TEXT,                    -- as shown; NULL: deleted
        state TEXT NOT NULL,          -- RecordState
        author TEXT NOT NULL,         -- '' where this laptop wrote it and the feed has not come by
        device TEXT NOT NULL,
        recorded_at TEXT NOT NULL,
        assigned TEXT,                -- JSON object
        UNIQUE (id, collection)
    )
    """,
    "CREATE INDEX records_waiting ON records (state) WHERE state <> 'on_server'",
    """
    CREATE TABLE server_versions (
        collection TEXT NOT NULL,
        id TEXT NOT NULL,
        version INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        schema INTEGER NOT NULL,
        body TEXT,
        author TEXT NOT NULL,
        device TEXT NOT NULL,
        recorded_at TEXT NOT NULL,
        assigned TEXT,
        UNIQUE (id, collection)
    )
    """,
    """
    CREATE TABLE outbox (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        op_id TEXT NOT NULL UNIQUE,
        collection TEXT NOT NULL,
        id TEXT NOT NULL,
        base_version INTEGER NOT NULL,
        base_body TEXT,
        body TEXT,
        schema INTEGER NOT NULL,
        recorded_at TEXT NOT NULL,
        state TEXT NOT NULL,          -- EntryState
        code TEXT NOT NULL,
        errors TEXT NOT NULL,         -- JSON list of FieldError
        parents TEXT NOT NULL         -- JSON list of [collection, id]
    )
    """,
    "CREATE INDEX outbox_by_record ON outbox (id, collection)",
    "CREATE INDEX outbox_sealed ON outbox (state) WHERE state = 'sealed'",
    """
    CREATE TABLE open_conflicts (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        collection TEXT NOT NULL,
        id TEXT NOT NULL,
        base_version INTEGER NOT NULL,
        base_body TEXT,
        mine TEXT,
        mine_at TEXT NOT NULL,
        schema INTEGER NOT NULL,
        theirs_version INTEGER NOT NULL,
        theirs_seq INTEGER NOT NULL,
        theirs_schema INTEGER NOT NULL,
        theirs_body TEXT,
        theirs_author TEXT NOT NULL,
        theirs_device TEXT NOT NULL,
        theirs_recorded_at TEXT NOT NULL,
        theirs_assigned TEXT,
        opened_at TEXT NOT NULL,
        UNIQUE (id, collection)
    )
    """,
    """
    CREATE TABLE merge_history (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        collection TEXT NOT NULL,
        id TEXT NOT NULL,
        kind TEXT NOT NULL,           -- merged, decided (by a person), agreed (of themselves)
        base TEXT,
        mine TEXT,
        theirs TEXT,
        result TEXT,
        theirs_version INTEGER NOT NULL,
        happened_at TEXT NOT NULL
    )
    """,
    "CREATE INDEX merge_history_by_record ON merge_history (id, collection)",
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE local_values (name TEXT PRIMARY KEY, value BLOB NOT NULL)",
)

_VERSION_2: Final = (
    # The resync in which the feed last brought the record; see `resyncing`.
    "ALTER TABLE records ADD COLUMN generation INTEGER NOT NULL DEFAULT 0",
    # Conflicts of other laptops; a partial index, so that no other record pays for it.
    """
    CREATE INDEX records_travelling ON records (collection, id)
    WHERE substr(collection, -10) = '.conflicts' AND body IS NOT NULL
    """,
    # JSON list of `Decided`.
    "ALTER TABLE outbox ADD COLUMN decides TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE outbox ADD COLUMN offered INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX outbox_deciding ON outbox (decides) WHERE decides <> '[]'",
    # The id of the record as which the conflict travels.
    "ALTER TABLE open_conflicts ADD COLUMN travels_as TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE open_conflicts ADD COLUMN decides TEXT NOT NULL DEFAULT '[]'",
    """
    UPDATE open_conflicts SET travels_as = lower(printf('%s-%s-4%s-8%s-%s', hex(randomblob(4)),
        hex(randomblob(2)), substr(hex(randomblob(2)), 2), substr(hex(randomblob(2)), 2),
        hex(randomblob(6))))
    """,
    "CREATE UNIQUE INDEX conflicts_travelling ON open_conflicts (travels_as)",
    "ALTER TABLE merge_history ADD COLUMN schema INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE merge_history ADD COLUMN undone INTEGER NOT NULL DEFAULT 0",
    # Work that this laptop's user may no longer send, for the clinic.
    """
    CREATE TABLE handing_in (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        op_id TEXT NOT NULL UNIQUE,
        operation TEXT,               -- JSON of protocol.Operation; NULL: the clinic has it
        operation_bytes INTEGER NOT NULL
    )
    """,
    "CREATE INDEX handing_in_left ON handing_in (place) WHERE operation IS NOT NULL",
)

MIGRATIONS: Final = (_VERSION_1, _VERSION_2)
"""`MIGRATIONS[n]` leads from version n to n + 1; a published one is never changed."""
SCHEMA_VERSION: Final = len(MIGRATIONS)
RESERVED_NAMES: Final = frozenset(
    {
        "records",
        "server_versions",
        "outbox",
        "open_conflicts",
        "merge_history",
        "handing_in",
        "meta",
        "local_values",
        "record_search",
    }
)
"""Names that no collection may have here, where each gets a view of its name."""


def migrate(connection: DBAPIConnection) -> None:
    """Bring the file to this version, within the caller's transaction.

    Raises:
        StoreFailure: TOO_NEW where a newer build has written the file.
    """
    ((present,),) = fetch(connection, "PRAGMA user_version")
    assert isinstance(present, int)
    if present > SCHEMA_VERSION:
        words = f"the file is of version {present}, this build knows {SCHEMA_VERSION}"
        raise StoreFailure(StoreFailureKind.TOO_NEW, words)
    for statements in MIGRATIONS[present:]:
        for statement in statements:
            run(connection, statement)
    if present != SCHEMA_VERSION:
        run(connection, f"PRAGMA user_version = {SCHEMA_VERSION}")
