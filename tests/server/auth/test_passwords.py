from __future__ import annotations

from physioflow_server.auth.passwords import (
    NO_SUCH_USER,
    hash_password,
    needs_new_hash,
    password_matches,
)


def parameters(password_hash: str) -> list[str]:
    return password_hash.split("$")[:4]


def test_a_password_matches_its_own_hash_only() -> None:
    made = hash_password("correct horse battery")
    assert password_matches("correct horse battery", made)
    assert not password_matches("correct horse battery ", made)


def test_the_same_password_has_another_hash_each_time() -> None:
    assert hash_password("correct horse battery") != hash_password("correct horse battery")


def test_a_user_who_does_not_exist_costs_the_work_of_one_who_does() -> None:
    assert parameters(NO_SUCH_USER) == parameters(hash_password("correct horse battery"))
    assert "m=65536,t=3,p=4" in NO_SUCH_USER
    assert not password_matches("", NO_SUCH_USER)


def test_a_weaker_hash_is_made_anew() -> None:
    assert not needs_new_hash(hash_password("correct horse battery"))
    assert needs_new_hash(NO_SUCH_USER.replace("m=65536", "m=8192"))
