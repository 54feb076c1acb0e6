"""A few numbers tell whether two stores hold the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from physioflow_sync.core.digest import BUCKETS, bucket_of, differing, digests

Row = tuple[str, str, int]
ROWS = st.lists(
    st.tuples(st.sampled_from(["tasks", "letters"]), st.uuids().map(str), st.integers(1, 9)),
    unique_by=lambda row: row[:2],
    max_size=30,
)


@settings(max_examples=40)
@given(ROWS)
def test_no_order_matters(rows: list[Row]) -> None:
    assert digests(rows) == digests(reversed(rows))


@settings(max_examples=40)
@given(ROWS)
def test_a_record_that_differs_is_found_in_its_bucket_and_nowhere_else(rows: list[Row]) -> None:
    for collection, record_id, version in rows[:3]:
        others = [row for row in rows if row[:2] != (collection, record_id)]
        newer = [*others, (collection, record_id, version + 1)]
        place = [(collection, bucket_of(record_id))]
        assert differing(digests(rows), digests(newer)) == place
        assert differing(digests(rows), digests(others)) == place
        assert differing(digests(others), digests(rows)) == place


@settings(max_examples=40)
@given(ROWS)
def test_every_number_is_unsigned_and_of_64_bits(rows: list[Row]) -> None:
    for buckets in digests(rows * 3).values():
        assert len(buckets) == BUCKETS
        assert all(0 <= number < 1 << 64 for number in buckets)


def test_ids_of_one_moment_do_not_fall_into_one_bucket() -> None:
    ids = [f"01930000-0000-7000-8000-{n:012}" for n in range(2_000)]
    assert len({bucket_of(record_id) for record_id in ids}) > BUCKETS * 0.9


def test_nothing_differs_from_nothing() -> None:
    assert digests([]) == {}
    assert differing({}, {}) == []
    assert differing({}, {"tasks": [0] * BUCKETS}) == []


def test_the_numbers_are_the_same_on_every_machine() -> None:
    (buckets,) = digests([("tasks", "t1", 1), ("tasks", "t1-not", 3)]).values()
    found = {bucket: number for bucket, number in enumerate(buckets) if number}
    assert found == {98: 2_703_366_723_491_903_393, 228: 17_793_424_154_064_840_501}
