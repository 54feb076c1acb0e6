"""What the composition root tells the services about the records they keep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from physioflow_server.auth.permissions import Permissions, Role, scope_hash, scope_of
from physioflow_sync.core.collections import Registry
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.protocol import PROTOCOL_VERSION, PROTOCOLS_SERVED

CONFLICTS_TRAVEL_FROM: Final = 2
"""The protocol version from which laptops know the collections of open conflicts."""

ParentCheck = Callable[[msgspec.Struct, msgspec.Struct], Iterable[FieldError]]
"""(child, parent) → one `FieldError` a rule that the two break together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The collections, who may touch them, and the rules between child and parent.

    `parent_checks` is keyed by (child collection, parent collection).
    """

    registry: Registry
    permissions: Permissions
    parent_checks: Mapping[tuple[str, str], ParentCheck] = field(
        default_factory=dict[tuple[str, str], ParentCheck]
    )

    def scope(self, role: Role, *, protocol: int = PROTOCOL_VERSION) -> tuple[str, ...]:
        """Return the collections of this role's feed, sorted, as far as the laptop knows them."""
        known = (
            collection
            for collection in self.registry.values()
            if collection.conflicts_of is None or protocol >= CONFLICTS_TRAVEL_FROM
        )
        return scope_of(self.permissions, role, known)

    def scopes(self, role: Role) -> frozenset[bytes]:
        """Return `scope_hash` of each feed that this role may be reading, old laptop or new."""
        return frozenset(
            scope_hash(self.scope(role, protocol=protocol)) for protocol in PROTOCOLS_SERVED
        )
