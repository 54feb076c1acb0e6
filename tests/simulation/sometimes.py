"""States that a story comes to now and then, each by a name.

A simulation that never gets into a corner has not looked into it: one that the seeds of
`make test` never reach is a failure.
"""

from __future__ import annotations

from typing import Final

STATES: Final = (
    "blocked child",
    "bucket repaired",
    "buried record edited",
    "conflict at pull",
    "conflict at push",
    "conflict decided elsewhere",
    "conflict decided on two devices at once",
    "conflict during a resync",
    "conflict ended by a decision elsewhere",
    "automatic merge",
    "batch halved",
    "database locked",
    "death between page and cursor",
    "death between send and settle",
    "death while settling",
    "death while starting",
    "discarded with dependants",
    "disk full",
    "duplicate answered",
    "edit folded into an open conflict",
    "file refused a sync",
    "form refused, record moved",
    "handed in",
    "late request after a restore",
    "lost answer, then duplicate",
    "offered after a restore",
    "offered by two laptops",
    "parked",
    "poisoned operation stands aside",
    "pulled behind a sealed entry",
    "record given another parent",
    "rejected, asked again",
    "rejected, then repaired",
    "restore during a push",
    "resync interrupted by a death",
    "resync, cursor_expired",
    "resync, epoch_changed",
    "resync, scope_changed",
    "revoked, everything handed in",
    "schema upgraded with a sealed entry",
    "scope dropped with unsent work",
    "sealed and a later edit",
    "server died in a push",
    "skewed protocol refused",
    "undo done",
    "user switched with unsent work",
)
