"""The laptop's store: one SQLite file, encrypted by SQLCipher."""

from physioflow_sync.adapters.sqlite.search import search_query
from physioflow_sync.adapters.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "search_query"]
