"""Several who do the same at once: PostgreSQL lets their transactions overlap."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from sqlalchemy import select

from physioflow_server.database.guard import RetryingGuard, database_circuit
from physioflow_server.database.tables import sessions
from physioflow_server.services.quarantine import Quarantine
from physioflow_server.services.refusals import Refused
from physioflow_server.services.sign_in import SignIn
from physioflow_server.services.token_store import TokenStore
from physioflow_sync.core.protocol import SignedIn, SignInRequest, Tokens
from tests.world.databases import Databases, in_postgres
from tests.world.postgres_process import PostgresProcess
from tests.world.small_clinic import PASSWORD, Clinic, new_id, person, put

T = TypeVar("T")

AT_ONCE = 6
ROUNDS = 4


@pytest.fixture
def databases(postgres: PostgresProcess, migrated: str) -> Iterator[Databases]:
    guard = RetryingGuard(database_circuit())
    opened = in_postgres(postgres, postgres.new_database(migrated), guard=guard)
    yield opened
    opened.close()


def at_once(work: Callable[[int], T]) -> list[T | Refused]:
    """Let several do it as nearly at the same moment as threads can."""
    together = threading.Barrier(AT_ONCE)

    def one(number: int) -> T | Refused:
        together.wait(10)
        try:
            return work(number)
        except Refused as refusal:
            return refusal

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(one, range(AT_ONCE)))


def request(device_id: str) -> SignInRequest:
    return SignInRequest(
        clinic="Riverside",
        username="an",
        password=PASSWORD,
        device_id=device_id,
        device_name="Room 2",
    )


def test_first_sign_ins_of_one_laptop_are_all_let_in_or_told_to_wait(clinic: Clinic) -> None:
    sign_in = SignIn(database=clinic.database, clock=clinic.clock)
    for number in range(ROUNDS):
        answers = at_once(lambda _, n=number: sign_in.sign_in(request(f"new-{n}")))  # type: ignore[misc]
        assert any(isinstance(answer, SignedIn) for answer in answers)
        for answer in answers:
            # Six tries at once are counted as six: some may hear of the lock-out.
            assert isinstance(answer, SignedIn) or answer.status == 429
        clinic.clock.advance(hours=25)


def test_of_two_refreshes_at_once_the_later_generation_wins(clinic: Clinic) -> None:
    sign_in = SignIn(database=clinic.database, clock=clinic.clock)
    store = TokenStore(database=clinic.database, clock=clinic.clock)
    for number in range(ROUNDS):
        first = sign_in.sign_in(request(f"room-{number}")).tokens
        second = store.refresh(first.refresh_token)
        tokens = [first, second] * (AT_ONCE // 2)
        answers = at_once(lambda n, t=tokens: store.refresh(t[n].refresh_token))  # type: ignore[misc]
        # Once the second was let in, the first is a copy for good: what it does meanwhile must
        # not set the session back to where it is the one whose answer was lost.
        assert all(isinstance(answer, Tokens) or answer.status == 401 for answer in answers)
        if any(isinstance(answer, Tokens) for answer in answers[1::2]):
            with clinic.owner.reading() as connection:
                here = sessions.c.device_id == f"room-{number}"
                generation = select(sessions.c.generation).where(here)
                assert connection.execute(generation).scalar() == 2
        with pytest.raises(Refused) as refused:
            store.refresh(first.refresh_token)
        assert refused.value.status == 401
        clinic.clock.advance(hours=25)


def test_work_that_is_handed_in_twice_at_once_is_kept_once(clinic: Clinic) -> None:
    quarantine = Quarantine(database=clinic.database, clock=clinic.clock)
    for _ in range(ROUNDS):
        operation = put(new_id(), person("Mai"))
        answers = at_once(lambda _, o=operation: quarantine.hand_in([o], identity=clinic.user))  # type: ignore[misc]
        assert answers == [[operation.op_id]] * AT_ONCE
    (counted,) = quarantine.counts(clinic.id)
    assert counted.operations == ROUNDS
