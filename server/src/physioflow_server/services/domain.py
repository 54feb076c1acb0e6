"""What the composition root tells the services about the records they keep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from physioflow_server.auth.permissions import Permissions
from physioflow_sync.core.collections import Registry
from physioflow_sync.core.errors import FieldError

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
