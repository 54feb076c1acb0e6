"""Single values of this laptop: where the feed was left, drafts, tokens, settings."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection


def meta(connection: Connection, name: str) -> str | None:
    """Return one of the store's own values."""
    found = connection.exec_driver_sql("SELECT value FROM meta WHERE name = ?", (name,))
    value: str | None = found.scalar_one_or_none()
    return value


def put_meta(connection: Connection, values: Mapping[str, str]) -> None:
    """Keep some of them."""
    connection.exec_driver_sql(
        "INSERT INTO meta (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        list(values.items()),
    )


def value(connection: Connection, name: str) -> bytes | None:
    """Return a value that was kept under a name, or None."""
    found = connection.exec_driver_sql("SELECT value FROM local_values WHERE name = ?", (name,))
    content: bytes | None = found.scalar_one_or_none()
    return content


def set_value(connection: Connection, name: str, content: bytes | None) -> None:
    """Keep a value under a name; None forgets it."""
    if content is None:
        connection.exec_driver_sql("DELETE FROM local_values WHERE name = ?", (name,))
        return
    connection.exec_driver_sql(
        "INSERT INTO local_values (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, content),
    )
