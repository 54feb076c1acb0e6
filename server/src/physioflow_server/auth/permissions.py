"""Who may do what: one table, default deny.

A role that may not read a collection does not get it in the feed either.  Open conflicts
over a collection's records stand in no table: they follow from it.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from physioflow_sync.core.collections import Collection


class Role(enum.StrEnum):
    CLINIC_ADMIN = "clinic_admin"
    THERAPIST = "therapist"
    ASSISTANT = "assistant"
    FRONT_DESK = "front_desk"


class Action(enum.StrEnum):
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


_NONE: Final = frozenset[Action]()
_READ: Final = frozenset({Action.READ})
_RECORD: Final = frozenset({Action.READ, Action.CREATE, Action.UPDATE})
_ALL: Final = frozenset(Action)
_WRITE: Final = frozenset({Action.CREATE, Action.UPDATE})

Permissions = Mapping[Role, Mapping[str, frozenset[Action]]]

PERMISSIONS: Final[Permissions] = {
    Role.CLINIC_ADMIN: {"patients": _ALL, "episodes": _ALL, "outcome_measures": _ALL},
    Role.THERAPIST: {"patients": _ALL, "episodes": _ALL, "outcome_measures": _ALL},
    Role.ASSISTANT: {"patients": _RECORD, "episodes": _RECORD, "outcome_measures": _RECORD},
    # The front desk books and bills: it sees no scores.
    Role.FRONT_DESK: {"patients": _RECORD, "episodes": _READ},
}


def allows(permissions: Permissions, role: Role, collection: Collection, action: Action) -> bool:
    """Tell whether the table gives the role this action; what it does not name is denied.

    A conflict is open to whoever sees the record, and is told of and decided, which closes
    it, by whoever may write such records.
    """
    table = permissions.get(role, {})
    if collection.conflicts_of is None:
        return action in table.get(collection.name, _NONE)
    over = table.get(collection.conflicts_of, _NONE)
    return Action.READ in over if action is Action.READ else not _WRITE.isdisjoint(over)


def scope_of(
    permissions: Permissions, role: Role, collections: Iterable[Collection]
) -> tuple[str, ...]:
    """Return the names of the collections that this role's feed holds, sorted."""
    return tuple(
        sorted(
            collection.name
            for collection in collections
            if allows(permissions, role, collection, Action.READ)
        )
    )


def scope_hash(scope: Iterable[str]) -> bytes:
    """Return eight bytes that differ where the scope does."""
    return hashlib.sha256("\n".join(scope).encode()).digest()[:8]
