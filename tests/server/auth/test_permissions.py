from __future__ import annotations

from dataclasses import replace

import pytest

from physioflow_clinical.collections import PATIENTS, REGISTRY
from physioflow_server.auth.permissions import (
    PERMISSIONS,
    Action,
    Role,
    allows,
    scope_hash,
    scope_of,
)
from physioflow_sync.core.collections import Collection, Registry

PETS = Registry((replace(PATIENTS, name="pets"),))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("collection", [*PETS.values(), *REGISTRY.values()], ids=lambda c: c.name)
def test_what_the_table_does_not_name_is_denied(
    role: Role, action: Action, collection: Collection
) -> None:
    permissions = PERMISSIONS if collection.name in PETS else {}
    assert not allows(permissions, role, collection, action)


def test_the_front_desk_sees_no_scores_and_no_conflicts_over_them() -> None:
    assert scope_of(PERMISSIONS, Role.FRONT_DESK, REGISTRY.values()) == (
        *("episodes", "episodes.conflicts"),
        *("patients", "patients.conflicts"),
    )
    for name in ("outcome_measures", "outcome_measures.conflicts"):
        for action in Action:
            assert not allows(PERMISSIONS, Role.FRONT_DESK, REGISTRY[name], action)


@pytest.mark.parametrize(
    ("over", "granted"),
    [
        (frozenset[Action](), frozenset[Action]()),
        (frozenset({Action.READ}), frozenset({Action.READ})),
        (frozenset({Action.READ, Action.DELETE}), frozenset({Action.READ})),
        (frozenset({Action.READ, Action.CREATE}), frozenset(Action)),
        (frozenset({Action.READ, Action.UPDATE}), frozenset(Action)),
    ],
)
def test_conflicts_are_read_by_whoever_reads_and_told_and_closed_by_whoever_writes(
    over: frozenset[Action], granted: frozenset[Action]
) -> None:
    permissions = {Role.ASSISTANT: {"patients": over}}
    conflicts = REGISTRY["patients.conflicts"]
    assert {
        action for action in Action if allows(permissions, Role.ASSISTANT, conflicts, action)
    } == granted


def test_whoever_may_write_a_collection_may_read_it() -> None:
    for role in Role:
        for name, actions in PERMISSIONS[role].items():
            assert Action.READ in actions, (role, name)


def test_every_named_collection_exists() -> None:
    assert {name for table in PERMISSIONS.values() for name in table} <= set(REGISTRY)


def test_scopes_that_differ_have_different_hashes() -> None:
    scopes = [scope_of(PERMISSIONS, role, REGISTRY.values()) for role in Role]
    assert len({scope_hash(scope) for scope in scopes}) == len(set(scopes)) == 2
