"""What the screens read: one view a collection.

The view is named as the collection and has a row for each record that a person can see
(deleted ones are left out), with these columns:

    id           the record's id
    _rowid       `records.rowid`, as in `record_search`
    _version     the server's version; 0: never seen there
    _seq         where in the feed that version stands
    _state       the badge: a value of `RecordState`
    _author      display name of who wrote what is shown; '' where this laptop did and the
    _device      feed has not brought it back yet; likewise the laptop's name
    _recorded_at ISO 8601 time by that laptop's clock
    _number      the record number that the server assigned, or NULL
    _body        the whole body, JSON text
    and each declared field of the body by its name: text, number, 0 or 1 for a boolean,
    NULL where it is missing or null, JSON text where it is a list or an object.

A field of `Collection.indexes` is indexed by exactly the expression that the view shows,
so that `WHERE` and `ORDER BY` on the view's column use the index.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.sqlite import local_values
from physioflow_sync.adapters.sqlite.migrations import RESERVED_NAMES
from physioflow_sync.adapters.sqlite.search import CREATE_INDEX, SearchIndex, json_field
from physioflow_sync.adapters.sqlite.statements import fetch, run
from physioflow_sync.core.collections import Collection, Registry

NUMBER: Final = "record_number"
"""The name under which the server hands out a record's number."""

_SURFACE: Final = "read_surface"
_INDEXES: Final = "field_indexes"


def refresh_views(connection: DBAPIConnection, registry: Registry, search: SearchIndex) -> None:
    """Make the views and the search index fit the registry.

    Does nothing where they do already, so that opening a big file stays quick.
    """
    statements = list(_view_statements(registry))
    searched = [f"{c.name}: {c.search_fields}" for c in registry.values() if c.search_fields]
    wanted = "\n".join([*statements, CREATE_INDEX, *searched])
    if local_values.meta(connection, _SURFACE) == wanted:
        return
    _drop(connection, "type = 'view'")
    for statement in statements:
        run(connection, statement)
    search.rebuild(connection)
    local_values.put_meta(connection, {_SURFACE: wanted})


def has_field_indexes(connection: DBAPIConnection) -> bool:
    """Tell whether the first sync was over once, and with it the time without indexes."""
    return local_values.meta(connection, _INDEXES) is not None


def missing_field_indexes(connection: DBAPIConnection, registry: Registry) -> tuple[str, ...]:
    """Return the statements that make the registry's indexes, once those of another are gone.

    They are made after the first sync, all at once, in half the time that it takes to
    keep them up record by record; until then the views are right, and slower.
    """
    statements = tuple(_index_statements(registry))
    wanted = "\n".join(statements)
    if local_values.meta(connection, _INDEXES) == wanted:
        present = fetch(
            connection,
            "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'field:%'",
        )
        names = [_name(str(name)) for (name,) in present]
        return tuple(s for s in statements if not any(name in s for name in names))
    _drop(connection, "type = 'index' AND name LIKE 'field:%'")
    local_values.put_meta(connection, {_INDEXES: wanted})
    return statements


def _drop(connection: DBAPIConnection, which: str) -> None:
    found = fetch(
        connection,
        f"SELECT type, name FROM sqlite_master WHERE {which}",  # noqa: S608 - a constant
    )
    for kind, name in found:
        run(connection, f"DROP {kind} {_name(name)}")


def _index_statements(registry: Registry) -> Iterator[str]:
    for collection in registry.values():
        for field in collection.indexes:
            yield (
                f"CREATE INDEX {_name(f'field:{collection.name}.{field}')}"
                f" ON records ({_shown_field(collection, field)}) WHERE {_is_shown(collection)}"
            )


def _view_statements(registry: Registry) -> Iterator[str]:
    for collection in registry.values():
        assert collection.name not in RESERVED_NAMES, collection.name
        fields = "".join(
            f", {_shown_field(collection, field)} AS {_name(field)}"
            for field in collection.field_names
            if field != "id"
        )
        yield (
            f"CREATE VIEW {_name(collection.name)} AS SELECT id, rowid AS _rowid,"  # noqa: S608 - registry
            " version AS _version, seq AS _seq, state AS _state, author AS _author,"
            " device AS _device, recorded_at AS _recorded_at,"
            f" {json_field(NUMBER, 'assigned')} AS _number, body AS _body{fields}"
            f" FROM records WHERE {_is_shown(collection)}"
        )


def _shown_field(collection: Collection, field: str) -> str:
    value = json_field(field)
    # Only an index of text can be searched for the id of a row that a join has found.
    return f"CAST({value} AS TEXT)" if field in collection.parents else value


def _is_shown(collection: Collection) -> str:
    name = collection.name.replace("'", "''")
    return f"collection = '{name}' AND body IS NOT NULL"


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
