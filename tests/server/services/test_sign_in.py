"""Accounts, sign-in and tokens on a real SQLite file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
import pytest
from sqlalchemy import select, update

from physioflow_server.auth import passwords
from physioflow_server.auth.lock_out import FREE_TRIES
from physioflow_server.auth.passwords import NO_SUCH_USER
from physioflow_server.auth.permissions import Role
from physioflow_server.database.tables import tokens, users
from physioflow_server.services import sign_in as sign_in_module
from physioflow_server.services.accounts import AccountRefused, Accounts
from physioflow_server.services.devices import Devices
from physioflow_server.services.refusals import Refused
from physioflow_server.services.sign_in import SignIn
from physioflow_server.services.token_store import TokenStore
from physioflow_sync.core.protocol import SignInRequest
from tests.world.small_clinic import PASSWORD, Clinic

REQUEST = SignInRequest(
    clinic="Riverside",
    username="An",
    password=PASSWORD,
    device_id="laptop-7",
    device_name="Room 7",
)
WRONG = msgspec.structs.replace(REQUEST, password="wrong")


@pytest.fixture
def signing_in(clinic: Clinic) -> SignIn:
    return SignIn(database=clinic.database, clock=clinic.clock)


@pytest.fixture
def store(clinic: Clinic) -> TokenStore:
    return TokenStore(database=clinic.database, clock=clinic.clock)


@pytest.fixture
def revoke(clinic: Clinic) -> Callable[[], None]:
    """Withdraw the access of the laptop that signs in here."""
    there = Devices(database=clinic.database, clock=clinic.clock)
    return lambda: there.revoke(clinic.id, REQUEST.device_id)


def refusal(perform: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as refused:
        perform()
    return refused.value


def test_names_are_matched_whatever_their_case(signing_in: SignIn, clinic: Clinic) -> None:
    typed = msgspec.structs.replace(REQUEST, clinic=" RIVERSIDE ", username="AN")
    signed_in = signing_in.sign_in(typed)
    assert (signed_in.clinic_id, signed_in.user_id) == (clinic.id, clinic.user.user_id)
    assert (signed_in.user_name, signed_in.role) == ("An Nguyen", "therapist")


def test_the_token_says_who_is_asking_and_on_which_laptop(
    signing_in: SignIn, store: TokenStore, clinic: Clinic
) -> None:
    identity = store.identify(signing_in.sign_in(REQUEST).tokens.access_token)
    assert identity.clinic_id == clinic.id
    assert (identity.device_id, identity.device_name) == ("laptop-7", "Room 7")


def test_a_wrong_password_and_an_unknown_user_get_one_answer_after_the_same_work(
    signing_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    real = passwords.password_matches

    def counted(password: str, password_hash: str) -> bool:
        checked.append(password_hash)
        return real(password, password_hash)

    monkeypatch.setattr(sign_in_module, "password_matches", counted)
    answers = [
        refusal(partial(signing_in.sign_in, request))
        for request in (
            WRONG,
            msgspec.structs.replace(WRONG, username="nobody"),
            msgspec.structs.replace(WRONG, clinic="nowhere"),
        )
    ]
    assert len({(answer.status, answer.code, answer.title) for answer in answers}) == 1
    assert checked[1:] == [NO_SUCH_USER, NO_SUCH_USER]
    assert len(checked) == 3


@pytest.mark.parametrize("username", ["An", "nobody"])
def test_wrong_passwords_lock_an_account_for_growing_times_known_or_not(
    signing_in: SignIn, clinic: Clinic, username: str
) -> None:
    wrong = msgspec.structs.replace(WRONG, username=username)
    for _ in range(FREE_TRIES):
        assert refusal(lambda: signing_in.sign_in(wrong)).status == 401
    locked = refusal(lambda: signing_in.sign_in(wrong))
    assert (locked.status, locked.code, locked.retry_after_s) == (429, "rate_limit_exceeded", 30)
    clinic.clock.advance(seconds=31)
    assert refusal(lambda: signing_in.sign_in(wrong)).status == 401
    assert refusal(lambda: signing_in.sign_in(wrong)).retry_after_s == 60


def test_the_right_password_forgets_wrong_ones_but_does_not_open_a_locked_account(
    signing_in: SignIn, clinic: Clinic
) -> None:
    for _ in range(FREE_TRIES - 1):
        refusal(lambda: signing_in.sign_in(WRONG))
    signing_in.sign_in(REQUEST)
    for _ in range(FREE_TRIES):
        assert refusal(lambda: signing_in.sign_in(WRONG)).status == 401
    assert refusal(lambda: signing_in.sign_in(REQUEST)).status == 429
    clinic.clock.advance(seconds=31)
    signing_in.sign_in(REQUEST)


def test_an_access_token_lives_a_quarter_of_an_hour(
    signing_in: SignIn, store: TokenStore, clinic: Clinic
) -> None:
    pair = signing_in.sign_in(REQUEST).tokens
    clinic.clock.advance(minutes=14, seconds=59)
    store.identify(pair.access_token)
    clinic.clock.advance(seconds=1)
    assert refusal(lambda: store.identify(pair.access_token)).status == 401
    assert refusal(lambda: store.identify(pair.refresh_token)).status == 401
    store.identify(store.refresh(pair.refresh_token).access_token)


def test_a_refresh_token_whose_answer_was_lost_may_be_sent_again(
    signing_in: SignIn, store: TokenStore
) -> None:
    pair = signing_in.sign_in(REQUEST).tokens
    lost, arrived = store.refresh(pair.refresh_token), store.refresh(pair.refresh_token)
    # Which answer arrived, the server cannot know.
    store.identify(lost.access_token)
    store.identify(arrived.access_token)
    store.refresh(arrived.refresh_token)
    store.refresh(arrived.refresh_token)


def test_of_two_answers_to_one_refresh_only_the_one_used_first_is_good(
    signing_in: SignIn, store: TokenStore
) -> None:
    pair = signing_in.sign_in(REQUEST).tokens
    owner, thief = store.refresh(pair.refresh_token), store.refresh(pair.refresh_token)
    newest = store.refresh(owner.refresh_token)
    assert refusal(lambda: store.refresh(thief.refresh_token)).status == 401
    for token in (thief.access_token, newest.access_token):
        assert refusal(partial(store.identify, token)).status == 401


def test_a_refresh_token_used_after_its_successor_ends_the_session(
    signing_in: SignIn, store: TokenStore
) -> None:
    stolen = signing_in.sign_in(REQUEST).tokens
    second = store.refresh(stolen.refresh_token)
    third = store.refresh(second.refresh_token)
    assert refusal(lambda: store.refresh(stolen.refresh_token)).status == 401
    for token in (second.access_token, third.access_token):
        assert refusal(partial(store.identify, token)).status == 401
    assert refusal(lambda: store.refresh(third.refresh_token)).status == 401


def test_signing_out_ends_this_session_and_no_other(signing_in: SignIn, store: TokenStore) -> None:
    here, elsewhere = signing_in.sign_in(REQUEST).tokens, signing_in.sign_in(REQUEST).tokens
    store.sign_out(store.identify(here.access_token))
    assert refusal(lambda: store.identify(here.access_token)).status == 401
    assert refusal(lambda: store.refresh(here.refresh_token)).status == 401
    store.identify(elsewhere.access_token)


def test_a_revoked_device_is_told_so_and_cannot_sign_in_again(
    signing_in: SignIn, store: TokenStore, revoke: Callable[[], None]
) -> None:
    pair = signing_in.sign_in(REQUEST).tokens
    revoke()
    for attempt in (
        lambda: store.identify(pair.access_token),
        lambda: store.refresh(pair.refresh_token),
        lambda: signing_in.sign_in(REQUEST),
    ):
        refused = refusal(attempt)
        assert (refused.status, refused.code) == (403, "device_revoked")


def test_a_revoked_device_hears_it_however_late_and_only_by_a_token_that_is_known(
    signing_in: SignIn, store: TokenStore, clinic: Clinic, revoke: Callable[[], None]
) -> None:
    pair = signing_in.sign_in(REQUEST).tokens
    store.sign_out(store.identify(pair.access_token))
    clinic.clock.advance(days=400)
    assert refusal(lambda: store.identify(pair.access_token)).status == 401
    revoke()
    assert refusal(lambda: store.identify(pair.access_token)).code == "device_revoked"
    assert refusal(lambda: store.refresh(pair.refresh_token)).code == "device_revoked"
    for unknown in (pair.refresh_token, pair.hand_in_ticket, "nobody's", ""):
        assert refusal(partial(store.identify, unknown)).code == "unauthorized"


def test_a_ticket_opens_the_quarantine_alone_whatever_became_of_its_owner(
    signing_in: SignIn, store: TokenStore, clinic: Clinic, revoke: Callable[[], None]
) -> None:
    pair = signing_in.sign_in(REQUEST).tokens
    for use in (store.identify, store.refresh):
        assert refusal(partial(use, pair.hand_in_ticket)).status == 401
    store.sign_out(store.identify(pair.access_token))
    revoke()
    with clinic.owner.writing() as connection:
        connection.execute(update(users).values(disabled=True))
    identity = store.identify_for_hand_in(pair.hand_in_ticket)
    assert (identity.clinic_id, identity.device_id) == (clinic.id, "laptop-7")
    assert identity.user_id == clinic.user.user_id
    for other in (pair.access_token, pair.refresh_token, "nobody's"):
        assert refusal(partial(store.identify_for_hand_in, other)).status in {401, 403}


def test_an_access_token_opens_the_quarantine_as_long_as_it_opens_anything(
    signing_in: SignIn, store: TokenStore, clinic: Clinic
) -> None:
    pair = signing_in.sign_in(REQUEST).tokens
    assert store.identify_for_hand_in(pair.access_token) == store.identify(pair.access_token)
    clinic.clock.advance(minutes=16)
    assert refusal(lambda: store.identify_for_hand_in(pair.access_token)).status == 401


def test_a_ticket_lives_ninety_days_and_is_renewed_with_the_tokens(
    signing_in: SignIn, store: TokenStore, clinic: Clinic
) -> None:
    first = signing_in.sign_in(REQUEST).tokens
    clinic.clock.advance(days=29)
    second = store.refresh(first.refresh_token)
    clinic.clock.advance(days=60, hours=23)
    store.identify_for_hand_in(first.hand_in_ticket)
    clinic.clock.advance(hours=1)
    assert refusal(lambda: store.identify_for_hand_in(first.hand_in_ticket)).status == 401
    store.identify_for_hand_in(second.hand_in_ticket)


def test_tickets_do_not_pile_up_and_a_lost_answer_costs_none(
    signing_in: SignIn, store: TokenStore, clinic: Clinic
) -> None:
    held = signing_in.sign_in(REQUEST).tokens
    for _ in range(5):
        store.refresh(held.refresh_token)  # This answer is lost.
        clinic.clock.advance(minutes=10)
        arrived = store.refresh(held.refresh_token)
        store.identify_for_hand_in(held.hand_in_ticket)
        held = arrived
    with clinic.owner.reading() as connection:
        kept = connection.execute(select(tokens).where(tokens.c.kind == "ticket")).all()
    assert len(kept) == 4, "those of the last two generations, each twice"


def test_a_disabled_user_is_signed_out_at_once(
    signing_in: SignIn, store: TokenStore, clinic: Clinic
) -> None:
    pair = signing_in.sign_in(REQUEST).tokens
    with clinic.owner.writing() as connection:
        connection.execute(update(users).values(disabled=True))
    assert refusal(lambda: store.identify(pair.access_token)).status == 401
    assert refusal(lambda: signing_in.sign_in(REQUEST)).status == 401


def test_no_token_and_no_password_is_stored_as_it_is(signing_in: SignIn, clinic: Clinic) -> None:
    pair = signing_in.sign_in(REQUEST).tokens
    with clinic.owner.reading() as connection:
        stored = [
            repr(row)
            for table in (tokens, users)
            for row in connection.execute(select(table)).all()
        ]
    for secret in (pair.access_token, pair.refresh_token, pair.hand_in_ticket, PASSWORD):
        assert not any(secret in row for row in stored)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"device_id": ""}, "device_id"),
        ({"device_id": "x" * 65}, "device_id"),
        ({"device_name": "x" * 201}, "device_name"),
        ({"username": "x" * 201}, "username"),
        ({"password": "x" * 1025}, "password"),
    ],
)
def test_an_unfit_value_is_named(signing_in: SignIn, change: dict[str, str], field: str) -> None:
    refused = refusal(lambda: signing_in.sign_in(msgspec.structs.replace(REQUEST, **change)))
    assert refused.status == 400
    assert [error.field for error in refused.errors] == [field]


def test_accounts_refuse_what_is_taken_missing_or_too_short(clinic: Clinic) -> None:
    accounts = Accounts(database=clinic.database, clock=clinic.clock)
    with pytest.raises(AccountRefused, match="already"):
        accounts.create_clinic("riverside")
    for change in (
        {"clinic": "nowhere"},
        {"username": "AN"},
        {"username": " "},
        {"password": "short"},
    ):
        values = {
            "clinic": "Riverside",
            "username": "binh",
            "name": "Binh",
            "password": PASSWORD,
        } | change
        with pytest.raises(AccountRefused):
            accounts.create_user(role=Role.ASSISTANT, **values)
