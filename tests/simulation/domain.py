"""The records of the simulated clinic: small, and with every rule that a merge can meet.

Every value that a person types is a token that nobody ever typed before, so that the
oracle can tell by looking at a body who wrote what is in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from physioflow_server.auth.permissions import Action, Permissions, Role
from physioflow_server.services.domain import Domain
from physioflow_sync.core.collections import (
    Collection,
    GroupRule,
    MergeGroup,
    MergePolicy,
    Registry,
)
from physioflow_sync.core.errors import FieldError


class Client(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    note: str = ""
    phone: str = ""


class Visit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`start` and `end` mean something only together; `tags` is a list that both may add to."""

    title: str
    note: str = ""
    start: str = ""
    end: str = ""
    tags: tuple[str, ...] = ()
    client: str | None = None


class NewVisit(Visit, frozen=True, kw_only=True, omit_defaults=True):
    """The second schema: `raised` counts how often a body was brought to it."""

    raised: int = 0


class Score(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    text: str
    extra: str = ""
    visit: str | None = None


FORBIDDEN_WORD: Final = "tok-never"
"""A name that the server's newer rules refuse, and the laptop's older ones let through."""


def _strict(client: msgspec.Struct) -> Iterable[FieldError]:
    assert isinstance(client, Client)
    if client.phone.startswith(FORBIDDEN_WORD):
        yield FieldError(field="phone", reason="is no telephone number")


def _lenient(_: msgspec.Struct) -> Iterable[FieldError]:
    return ()


def _raised(fields: dict[str, object]) -> dict[str, object]:
    times = fields.get("raised", 0)
    assert isinstance(times, int)
    return {**fields, "raised": times + 1}


def _registry(*, new: bool, strict: bool) -> Registry:
    clients = Collection(
        name="clients",
        body_type=Client,
        merge_policy=MergePolicy.DISJOINT,
        indexes=("name",),
        search_fields=("name", "note"),
        may_delete=False,
        number_format="C-{:03d}",
        validate=_strict if strict else _lenient,
    )
    visits = Collection(
        name="visits",
        body_type=NewVisit if new else Visit,
        merge_policy=MergePolicy.DISJOINT,
        merge_groups=(
            MergeGroup(name="span", fields=("start", "end")),
            MergeGroup(name="tags", fields=("tags",), rule=GroupRule.UNION),
        ),
        parents={"client": "clients"},
        indexes=("client",),
        schema_version=2 if new else 1,
        upcasters={1: _raised} if new else {},
    )
    scores = Collection(name="scores", body_type=Score, parents={"visit": "visits"})
    return Registry((clients, visits, scores))


REGISTRIES: Final = {1: _registry(new=False, strict=False), 2: _registry(new=True, strict=False)}
"""By schema version: what an older and a newer laptop know."""
SCHEMA_1: Final = 1
SCHEMA_2: Final = 2

FIELDS: Final = {
    "clients": ("name", "note", "phone"),
    "visits": ("title", "note", "start", "end", "tags"),
    "scores": ("text", "extra"),
}
"""What people type, the required field first."""
PARENT: Final = {"visits": ("client", "clients"), "scores": ("visit", "visits")}
TOGETHER: Final = {"visits": ("start", "end")}
"""Fields that one person must have written together."""
ASKED_ABOUT: Final = frozenset({"scores"})
"""Collections of which a body is one person's, whole."""
MAY_DELETE: Final = frozenset({"visits", "scores"})
SCOPED: Final = "scores"
"""What the front desk does not see."""

_ALL: Final = frozenset(Action)
PERMISSIONS: Final[Permissions] = {
    Role.THERAPIST: dict.fromkeys(FIELDS, _ALL),
    Role.FRONT_DESK: {"clients": _ALL, "visits": _ALL},
}


def server_domain(schema: int) -> Domain:
    """Return the server's domain at a schema version; its rules are stricter than a laptop's."""
    return Domain(registry=_registry(new=schema == SCHEMA_2, strict=True), permissions=PERMISSIONS)


def scope_of(role: Role) -> frozenset[str]:
    """Return the collections that a role sees, by name, those of conflicts included."""
    seen = PERMISSIONS[role]
    return frozenset(seen) | {f"{name}.conflicts" for name in seen}
