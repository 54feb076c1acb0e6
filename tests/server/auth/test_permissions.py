from __future__ import annotations

import pytest

from physioflow_clinical.collections import REGISTRY
from physioflow_server.auth.permissions import (
    PERMISSIONS,
    Action,
    Role,
    allows,
    scope_hash,
    scope_of,
)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_what_the_table_does_not_name_is_denied(role: Role, action: Action) -> None:
    assert not allows(PERMISSIONS, role, "pets", action)
    assert not allows({}, role, "patients", action)


def test_the_front_desk_sees_no_scores() -> None:
    assert scope_of(PERMISSIONS, Role.FRONT_DESK, REGISTRY) == ("episodes", "patients")
    for action in Action:
        assert not allows(PERMISSIONS, Role.FRONT_DESK, "outcome_measures", action)


def test_whoever_may_write_a_collection_may_read_it() -> None:
    for role in Role:
        for name, actions in PERMISSIONS[role].items():
            assert Action.READ in actions, (role, name)


def test_every_named_collection_exists() -> None:
    assert {name for table in PERMISSIONS.values() for name in table} <= set(REGISTRY)


def test_scopes_that_differ_have_different_hashes() -> None:
    scopes = [scope_of(PERMISSIONS, role, REGISTRY) for role in Role]
    assert len({scope_hash(scope) for scope in scopes}) == len(set(scopes)) == 2
