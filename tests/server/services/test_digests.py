"""A clinic in a few numbers, and the records behind one of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from physioflow_server.auth.permissions import Role
from physioflow_server.services import digests as digests_module
from physioflow_server.services.digests import Digests
from physioflow_server.services.identity import Identity
from physioflow_server.services.refusals import Refused
from physioflow_sync.core.digest import BUCKETS, bucket_of, differing, digests
from physioflow_sync.core.protocol import Bucket, WireRecord
from tests.world.small_clinic import DOMAIN, Clinic, delete, new_id, person, put


@pytest.fixture
def sums(clinic: Clinic) -> Digests:
    return Digests(database=clinic.database, domain=DOMAIN)


@pytest.fixture
def filled(clinic: Clinic) -> Clinic:
    """People, one of them changed, and visits, one of them deleted."""
    people, visits = [new_id() for _ in range(30)], [new_id() for _ in range(3)]
    clinic.push(*(put(id_, person("Mai")) for id_ in people))
    clinic.push(put(people[0], person("Mai 2"), base=1))
    clinic.push(
        *(put(id_, {"person": people[0], "year": 2020}, collection="visits") for id_ in visits)
    )
    clinic.push(delete(visits[0], base=1))
    return clinic


def numbers(records: list[WireRecord]) -> dict[str, list[int]]:
    return digests(
        (record.collection, record.id, record.version) for record in records if bytes(record.body)
    )


def test_a_laptop_that_has_pulled_everything_sums_up_to_the_same_at_the_same_cursor(
    filled: Clinic, sums: Digests
) -> None:
    for user in (filled.user, filled.another_user(Role.FRONT_DESK)):
        digest = sums.digest(identity=user)
        page = filled.feed.page("", limit=1_000, identity=user)
        assert digest.cursor == page.next_cursor
        assert differing(numbers(page.changes), digest.collections) == []
    assert set(digest.collections) == {"people"}


def test_what_a_role_does_not_see_is_neither_summed_up_nor_given(
    filled: Clinic, sums: Digests
) -> None:
    desk = filled.another_user(Role.FRONT_DESK)
    assert "visits" not in sums.digest(identity=desk).collections
    for collection in ("visits", "visits.conflicts", "pets"):
        with pytest.raises(Refused) as refused:
            sums.bucket(collection, 0, after="", identity=desk)
        assert refused.value.status == 404


def whole_bucket(
    sums: Digests, collection: str, bucket: int, identity: Identity
) -> list[WireRecord]:
    found: list[WireRecord] = []
    page = Bucket(cursor="", records=[], has_more=True)
    while page.has_more:
        after = found[-1].id if found else ""
        page = sums.bucket(collection, bucket, after=after, identity=identity)
        assert page.records or not page.has_more
        found += page.records
    return found


def test_the_buckets_together_are_the_collection_without_what_is_deleted(
    filled: Clinic, sums: Digests
) -> None:
    expected = {record.id: record for record in filled.everything() if bytes(record.body)}
    found: dict[str, WireRecord] = {}
    for collection in ("people", "visits"):
        for bucket in range(BUCKETS):
            records = whole_bucket(sums, collection, bucket, filled.user)
            assert {bucket_of(record.id) for record in records} <= {bucket}
            found |= {record.id: record for record in records}
    assert found == expected


@pytest.mark.parametrize(("bound", "value"), [("MAX_CHANGES_A_PAGE", 2), ("MAX_BUCKET_BYTES", 40)])
def test_a_bucket_of_many_records_comes_in_pages(
    filled: Clinic, sums: Digests, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    monkeypatch.setattr(digests_module, bound, value)
    monkeypatch.setattr(digests_module, "bucket_of", lambda _: 7)
    page = sums.bucket("people", 7, after="", identity=filled.user)
    assert 1 <= len(page.records) < 5
    assert page.has_more
    ids = [record.id for record in whole_bucket(sums, "people", 7, filled.user)]
    assert len(ids) == 30
    assert ids == sorted(set(ids))


def test_another_clinics_records_are_nobodys_business(
    new_clinic: Callable[[str], Clinic],
) -> None:
    ours, theirs = new_clinic("Ours"), new_clinic("Theirs")
    id_ = new_id()
    theirs.push(put(id_, person("Mai")))
    sums = Digests(database=ours.database, domain=DOMAIN)
    assert sums.digest(identity=ours.user).collections == {}
    assert sums.bucket("people", bucket_of(id_), after="", identity=ours.user).records == []
