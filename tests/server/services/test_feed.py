"""The feed on a real SQLite file: what a cursor promises."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import update

from physioflow_server.auth.permissions import Role
from physioflow_server.database.tables import clinics, history
from physioflow_server.services import feed
from physioflow_server.services.cursor import parse_cursor
from physioflow_server.services.refusals import Refused
from physioflow_sync.core.conflict_body import ConflictBody
from tests.world.small_clinic import Clinic, new_id, person, put


def refusal(clinic: Clinic, cursor: str) -> str:
    with pytest.raises(Refused) as refused:
        clinic.feed.page(cursor, limit=10, identity=clinic.user)
    return refused.value.code


@pytest.fixture
def filled(clinic: Clinic) -> Clinic:
    clinic.push(*(put(new_id(), person(f"person {n}")) for n in range(5)))
    return clinic


def test_each_record_comes_once_at_its_newest_version_whatever_the_page_size(
    filled: Clinic,
) -> None:
    first = filled.everything()[0]
    filled.push(put(first.id, person("changed"), base=1))
    for limit in (1, 2, 5, 6):
        found = filled.everything(limit=limit)
        assert [record.seq for record in found] == [2, 3, 4, 5, 6]
        assert found[-1].id == first.id


def test_a_record_that_changes_while_pages_are_read_comes_again(filled: Clinic) -> None:
    page = filled.feed.page("", limit=2, identity=filled.user)
    assert page.has_more
    filled.push(put(page.changes[0].id, person("changed"), base=1))
    rest = filled.feed.page(page.next_cursor, limit=10, identity=filled.user)
    assert [record.seq for record in rest.changes] == [3, 4, 5, 6]
    assert not rest.has_more


def test_at_the_end_a_page_is_empty_and_its_cursor_stays(filled: Clinic) -> None:
    end = filled.feed.page("", limit=10, identity=filled.user)
    again = filled.feed.page(end.next_cursor, limit=10, identity=filled.user)
    assert (again.changes, again.has_more) == ([], False)
    assert again.next_cursor == end.next_cursor


def test_a_full_last_page_says_that_there_is_no_more(filled: Clinic) -> None:
    page = filled.feed.page("", limit=5, identity=filled.user)
    assert len(page.changes) == 5
    assert not page.has_more


def test_the_cursor_stands_for_what_was_examined_beyond_the_roles_scope(filled: Clinic) -> None:
    parent = filled.everything()[0].id
    filled.push(put(new_id(), {"person": parent, "year": 2020}, collection="visits"))
    desk = filled.another_user(Role.FRONT_DESK)
    page = filled.feed.page("", limit=10, identity=desk)
    assert {record.collection for record in page.changes} == {"people"}
    cursor = parse_cursor(page.next_cursor)
    assert cursor is not None
    assert cursor.seq == 6


def test_a_page_is_bounded_by_bytes(filled: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MAX_PAGE_BYTES", 40)
    page = filled.feed.page("", limit=10, identity=filled.user)
    assert 1 <= len(page.changes) < 5
    assert page.has_more
    assert [record.seq for record in filled.everything()] == [1, 2, 3, 4, 5]


def test_bodies_leave_as_the_text_they_were_stored_as(filled: Clinic) -> None:
    id_ = new_id()
    text = b'{ "name" : "Mai" , "later":{"b":1,"a":2} }'
    filled.push(msgspec.structs.replace(put(id_, {}), body=msgspec.Raw(text)))
    assert bytes(filled.everything()[-1].body) == text


def test_another_epoch_means_that_the_server_was_restored(filled: Clinic) -> None:
    page = filled.feed.page("", limit=2, identity=filled.user)
    with filled.owner.writing() as connection:
        connection.execute(update(clinics).values(epoch=new_id()))
    assert refusal(filled, page.next_cursor) == "epoch_changed"


def test_a_seq_beyond_the_counter_means_that_the_server_was_restored(filled: Clinic) -> None:
    page = filled.feed.page("", limit=10, identity=filled.user)
    with filled.owner.writing() as connection:
        connection.execute(update(clinics).values(seq=3))
    assert refusal(filled, page.next_cursor) == "epoch_changed"


def test_a_past_that_the_server_does_not_have_means_that_it_was_restored(filled: Clinic) -> None:
    page = filled.feed.page("", limit=2, identity=filled.user)
    with filled.owner.writing() as connection:
        connection.execute(update(history).where(history.c.seq == 2).values(chain_hash=bytes(32)))
    assert refusal(filled, page.next_cursor) == "epoch_changed"


def test_a_cursor_of_another_role_is_refused(filled: Clinic) -> None:
    desk = filled.another_user(Role.FRONT_DESK)
    page = filled.feed.page("", limit=2, identity=desk)
    assert refusal(filled, page.next_cursor) == "scope_changed"


def test_a_cursor_below_the_horizon_has_expired(filled: Clinic) -> None:
    page = filled.feed.page("", limit=2, identity=filled.user)
    with filled.owner.writing() as connection:
        connection.execute(update(clinics).values(horizon=4))
    assert refusal(filled, page.next_cursor) == "cursor_expired"


@pytest.mark.parametrize("text", ["x", "a b", "ü", "A" * 600, "lNkk", "gA=="])
def test_a_cursor_that_no_server_gave_is_a_bad_request(filled: Clinic, text: str) -> None:
    assert refusal(filled, text) == "invalid_request"


def test_a_page_says_how_much_follows_at_most(filled: Clinic) -> None:
    desk = filled.another_user(Role.FRONT_DESK)
    parent = filled.everything()[0].id
    filled.push(put(new_id(), {"person": parent, "year": 2020}, collection="visits"))
    for user, records in ((filled.user, 6), (desk, 5)):
        cursor, has_more, seen = "", True, 0
        while has_more:
            page = filled.feed.page(cursor, limit=2, identity=user)
            seen += len(page.changes)
            assert records - seen <= page.remaining
            assert bool(page.remaining) == page.has_more
            cursor, has_more = page.next_cursor, page.has_more
        assert (seen, page.remaining) == (records, 0)


def test_the_scope_stands_on_the_page_that_starts_at_the_beginning(filled: Clinic) -> None:
    page = filled.feed.page("", limit=2, identity=filled.user)
    assert page.scope == ["people", "people.conflicts", "visits", "visits.conflicts"]
    rest = filled.feed.page(page.next_cursor, limit=2, identity=filled.user)
    assert rest.scope is None
    desk = filled.another_user(Role.FRONT_DESK)
    assert filled.feed.page("", limit=2, identity=desk).scope == ["people", "people.conflicts"]


def test_a_laptop_of_version_one_gets_no_collection_that_it_does_not_know(filled: Clinic) -> None:
    told = ConflictBody(record_id=new_id(), base_version=1, mine_at="", schema=1, theirs_version=2)
    filled.push(put(new_id(), told, collection="people.conflicts"))

    def collections(protocol: int) -> set[str]:
        page = filled.feed.page("", limit=10, identity=filled.user, protocol=protocol)
        assert not page.has_more
        assert {record.collection for record in page.changes} <= set(page.scope or ())
        return {record.collection for record in page.changes}

    assert collections(1) == {"people"}
    assert collections(2) == {"people", "people.conflicts"}
    old = filled.feed.page("", limit=10, identity=filled.user, protocol=1)
    assert refusal(filled, old.next_cursor) == "scope_changed", "the laptop was updated"
