"""The full-text index over the search fields of all collections.

`record_search(text)` holds one row a searchable record, its rowid that of `records`; it
keeps the words, not the text.  Case and diacritics do not matter: `nguyen duc` finds
Nguyễn Đức.
"""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.sqlite.statements import run
from physioflow_sync.core.collections import Collection, Registry

MAX_SEARCH_WORDS: Final = 10
"""Of what a person typed; more words narrow nothing down."""

CREATE_INDEX: Final = """
    CREATE VIRTUAL TABLE record_search USING fts5(
        text, content = '', contentless_delete = 1,
        tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
    )
"""

_WORDS = re.compile(r"\w+")


def search_query(typed: str) -> str:
    """Return what a person typed as a query for `record_search MATCH ?`.

    Every word must occur, as the beginning of a word.  Empty where nothing was typed
    that could be searched for.
    """
    words = _WORDS.findall(typed.replace("đ", "d").replace("Đ", "D"))[:MAX_SEARCH_WORDS]
    return " ".join(f'"{word}" *' for word in words)


class SearchIndex:
    """Keeps `record_search` in step; every statement is over a set of records."""

    def __init__(self, registry: Registry) -> None:
        searchable = [collection for collection in registry.values() if collection.search_fields]
        self.collections: Final = frozenset(collection.name for collection in searchable)
        self._text = _text_expression(searchable)

    def covers(self, collection: str) -> bool:
        return collection in self.collections

    def remove(self, connection: DBAPIConnection, keys: str) -> None:
        """Take records out, before their rows change.

        Args:
            keys: JSON list of [collection, id].
        """
        run(connection, _REMOVE, (keys,))

    def add(self, connection: DBAPIConnection, keys: str) -> None:
        """Put records in that are not in it."""
        run(
            connection,
            "INSERT INTO record_search (rowid, text)"  # noqa: S608 - registry
            f" SELECT r.rowid, {self._text} FROM json_each(?) AS k CROSS JOIN records AS r"
            " ON r.id = k.value ->> 1 AND r.collection = k.value ->> 0"
            " WHERE r.body IS NOT NULL",
            (keys,),
        )

    def rebuild(self, connection: DBAPIConnection) -> None:
        """Make the index anew from the records."""
        run(connection, "DROP TABLE IF EXISTS record_search")
        run(connection, CREATE_INDEX)
        if self.collections:
            names = ", ".join(_text(name) for name in sorted(self.collections))
            run(
                connection,
                "INSERT INTO record_search (rowid, text)"  # noqa: S608 - registry
                f" SELECT r.rowid, {self._text} FROM records AS r"
                f" WHERE r.body IS NOT NULL AND r.collection IN ({names})",
            )


_REMOVE = """
    DELETE FROM record_search WHERE rowid IN (
        SELECT r.rowid FROM json_each(?) AS k CROSS JOIN records AS r
        ON r.id = k.value ->> 1 AND r.collection = k.value ->> 0
    )
"""


def _text_expression(searchable: list[Collection]) -> str:
    """Return SQL for the words of `r`, by its collection."""
    cases = " ".join(
        f"WHEN {_text(collection.name)} THEN concat_ws(' ', {_fields(collection)})"
        for collection in searchable
    )
    words = f"CASE r.collection {cases} END" if cases else "''"
    # The tokenizer takes đ for a letter of its own, a Vietnamese keyboard often has none.
    return f"replace(replace({words}, 'đ', 'd'), 'Đ', 'D')"


def _fields(collection: Collection) -> str:
    return ", ".join(json_field(name, "r.body") for name in collection.search_fields)


def json_field(name: str, body: str = "body") -> str:
    """Return SQL for one top-level field of a body."""
    return f"json_extract({body}, {_text(f'$.{name}')})"


def _text(value: str) -> str:
    """Return a name from the registry as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"
