"""Single values of this laptop: where the feed was left, drafts, tokens, settings."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.sqlite.statements import fetch, run, run_many


def meta(connection: DBAPIConnection, name: str) -> str | None:
    """Return one of the store's own values."""
    found = fetch(connection, "SELECT value FROM meta WHERE name = ?", (name,))
    return str(found[0][0]) if found else None


def put_meta(connection: DBAPIConnection, values: Mapping[str, str]) -> None:
    """Keep some of them."""
    run_many(
        connection,
        "INSERT INTO meta (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        list(values.items()),
    )


def forget_meta(connection: DBAPIConnection, *names: str) -> None:
    """Keep some of them no longer."""
    run_many(connection, "DELETE FROM meta WHERE name = ?", [(name,) for name in names])


def value(connection: DBAPIConnection, name: str) -> bytes | None:
    """Return a value that was kept under a name, or None."""
    found = fetch(connection, "SELECT value FROM local_values WHERE name = ?", (name,))
    return bytes(found[0][0]) if found else None


def set_value(connection: DBAPIConnection, name: str, content: bytes | None) -> None:
    """Keep a value under a name; None forgets it."""
    if content is None:
        run(connection, "DELETE FROM local_values WHERE name = ?", (name,))
        return
    run(
        connection,
        "INSERT INTO local_values (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, content),
    )
