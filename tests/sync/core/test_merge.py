"""The three-way merge, by merge group."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from physioflow_sync.core.changes import same_body
from physioflow_sync.core.collections import Collection, GroupRule, MergeGroup, MergePolicy
from physioflow_sync.core.merge import Conflict, Merged, Side, merge


class Person(msgspec.Struct):
    first: str = ""
    last: str = ""
    phone: str = ""
    email: str = ""
    alerts: list[str] = []


PEOPLE = Collection(
    name="people",
    body_type=Person,
    merge_policy=MergePolicy.DISJOINT,
    merge_groups=(
        MergeGroup(name="identity", fields=("first", "last"), rule=GroupRule.ASK),
        MergeGroup(name="reach", fields=("phone", "email")),
        MergeGroup(name="alerts", fields=("alerts",), rule=GroupRule.UNION),
    ),
)
ASKING = Collection(name="scores", body_type=Person)
TELLING = Collection(name="told", body_type=Person, merge_policy=MergePolicy.TRAVELLING)


def body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


BASE = body(first="Ana", last="Novak", phone="1", city="Brno", alerts=["a"])


def change(**fields: object) -> bytes:
    return json.dumps({**json.loads(BASE), **fields}).encode()


def test_a_group_changed_on_one_side_is_taken_from_that_side() -> None:
    merged = merge(PEOPLE, base=BASE, mine=change(phone="2"), theirs=change(city="Prague"))
    assert isinstance(merged, Merged)
    assert merged.body is not None
    assert json.loads(merged.body) == json.loads(change(phone="2", city="Prague"))
    assert merged.taken == {"reach": Side.MINE, "city": Side.THEIRS}
    assert merged.is_automatic_merge


def test_fields_of_one_group_never_mix_the_two_sides() -> None:
    outcome = merge(PEOPLE, base=BASE, mine=change(phone="2"), theirs=change(email="x@y"))
    assert outcome == Conflict(groups=("reach",))


def test_a_group_changed_on_both_sides_asks() -> None:
    outcome = merge(PEOPLE, base=BASE, mine=change(city="A"), theirs=change(city="B"))
    assert outcome == Conflict(groups=("city",))


def test_the_same_change_on_both_sides_is_no_conflict() -> None:
    outcome = merge(PEOPLE, base=BASE, mine=change(last="Lee"), theirs=change(last="Lee"))
    assert isinstance(outcome, Merged)
    assert not outcome.is_automatic_merge


@pytest.mark.parametrize("identity_is_mine", [True, False])
def test_an_asking_group_asks_though_only_one_side_changed_it(identity_is_mine: bool) -> None:
    one, other = change(last="Lee"), change(phone="2")
    mine, theirs = (one, other) if identity_is_mine else (other, one)
    assert merge(PEOPLE, base=BASE, mine=mine, theirs=theirs) == Conflict(groups=("identity",))


def test_an_asking_group_does_not_ask_while_one_side_changed_nothing() -> None:
    outcome = merge(PEOPLE, base=BASE, mine=BASE, theirs=change(last="Lee"))
    assert outcome == Merged(body=change(last="Lee"), taken={})


def test_added_items_of_both_sides_are_kept_in_a_union() -> None:
    outcome = merge(
        PEOPLE, base=BASE, mine=change(alerts=["a", "b"]), theirs=change(alerts=["c", "a"])
    )
    assert isinstance(outcome, Merged)
    assert outcome.body is not None
    assert json.loads(outcome.body)["alerts"] == ["a", "b", "c"]


def test_a_removal_from_a_union_asks_while_the_other_side_changed_anything() -> None:
    outcome = merge(PEOPLE, base=BASE, mine=change(alerts=[]), theirs=change(phone="2"))
    assert outcome == Conflict(groups=("alerts",))


def test_the_items_of_a_union_keep_their_order_where_a_side_only_rearranged_them() -> None:
    base = change(alerts=["a", "b"])
    outcome = merge(
        PEOPLE,
        base=base,
        mine=change(alerts=["b", "c", "a"]),
        theirs=change(alerts=["d", "a", "b"]),
    )
    assert isinstance(outcome, Merged)
    assert outcome.body is not None
    assert json.loads(outcome.body)["alerts"] == ["a", "b", "c", "d"]


def test_a_union_that_one_side_has_not_is_empty_there() -> None:
    here, there = body(phone="1", alerts=["b"]), body(phone="2")
    for mine, theirs in ((here, there), (there, here)):
        outcome = merge(PEOPLE, base=body(phone="1"), mine=mine, theirs=theirs)
        assert isinstance(outcome, Merged)
        assert outcome.body is not None
        assert json.loads(outcome.body) == {"phone": "2", "alerts": ["b"]}


@pytest.mark.parametrize("no_list", ["none", "abc", {"a": 1}, None])
def test_a_union_that_is_no_list_asks(no_list: object) -> None:
    lists, odd = change(alerts=["a", "b"]), change(alerts=no_list)
    for base, mine, theirs in (
        (BASE, odd, lists),
        (BASE, lists, odd),
        (odd, lists, change(alerts=["c"])),
    ):
        outcome = merge(PEOPLE, base=base, mine=mine, theirs=theirs)
        assert outcome == Conflict(groups=("alerts",))


def test_of_two_tellings_the_one_made_here_stands_and_a_withdrawal_never_does() -> None:
    def merged(mine: bytes | None, theirs: bytes | None) -> Merged | Conflict:
        return merge(TELLING, base=BASE, mine=mine, theirs=theirs)

    one, other = change(phone="2"), change(phone="3")
    assert merged(one, other) == Merged(body=one, taken={})
    assert merged(None, other) == Merged(body=other, taken={})
    assert merged(one, None) == Merged(body=one, taken={})


def test_a_collection_that_always_asks_never_merges_disjoint_fields() -> None:
    outcome = merge(ASKING, base=BASE, mine=change(phone="2"), theirs=change(city="X"))
    assert outcome == Conflict(groups=("phone", "city"))


def test_an_edit_against_a_delete_asks_whoever_did_which() -> None:
    assert merge(PEOPLE, base=BASE, mine=None, theirs=change(phone="2")) == Conflict(groups=())
    assert merge(PEOPLE, base=BASE, mine=change(phone="2"), theirs=None) == Conflict(groups=())


def test_a_delete_on_one_side_alone_stands() -> None:
    assert merge(PEOPLE, base=BASE, mine=None, theirs=BASE) == Merged(body=None, taken={})
    assert merge(PEOPLE, base=BASE, mine=BASE, theirs=None) == Merged(body=None, taken={})


def test_two_creations_under_one_id_ask_where_they_differ() -> None:
    outcome = merge(PEOPLE, base=None, mine=body(city="A"), theirs=body(city="B", phone="1"))
    assert outcome == Conflict(groups=("city",))


def test_a_field_that_one_side_removed_stays_removed() -> None:
    without = body(first="Ana", last="Novak", phone="1", alerts=["a"])
    outcome = merge(PEOPLE, base=BASE, mine=without, theirs=change(phone="2"))
    assert isinstance(outcome, Merged)
    assert outcome.body is not None
    assert "city" not in json.loads(outcome.body)


def test_a_field_that_this_version_does_not_know_is_carried() -> None:
    outcome = merge(PEOPLE, base=BASE, mine=change(phone="2"), theirs=change(added_in_2031=[1]))
    assert isinstance(outcome, Merged)
    assert outcome.body is not None
    assert json.loads(outcome.body)["added_in_2031"] == [1]


VALUES = st.sampled_from(["", "1", "2"])
BODIES = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "first": VALUES,
        "last": VALUES,
        "phone": VALUES,
        "email": VALUES,
        "city": VALUES,
        "alerts": st.lists(VALUES, max_size=2, unique=True),
    },
).map(lambda fields: body(**fields))


@settings(max_examples=60)
@given(base=BODIES, mine=BODIES, theirs=BODIES)
def test_both_laptops_come_to_the_same_verdict(
    base: bytes | None, mine: bytes | None, theirs: bytes | None
) -> None:
    here = merge(PEOPLE, base=base, mine=mine, theirs=theirs)
    there = merge(PEOPLE, base=base, mine=theirs, theirs=mine)
    assert type(here) is type(there)
    if isinstance(here, Conflict):
        assert here == there


@settings(max_examples=60)
@given(base=BODIES, mine=BODIES, theirs=BODIES)
def test_no_group_of_a_merge_was_invented(
    base: bytes | None, mine: bytes | None, theirs: bytes | None
) -> None:
    outcome = merge(PEOPLE, base=base, mine=mine, theirs=theirs)
    if not isinstance(outcome, Merged) or outcome.body is None:
        return
    merged = json.loads(outcome.body)
    sides = [json.loads(side) for side in (mine, theirs) if side is not None]
    for names in (("first", "last"), ("phone", "email"), ("city",)):
        group = [merged.get(name) for name in names]
        assert group in [[side.get(name) for name in names] for side in sides]
    alerts = set(merged.get("alerts", []))
    assert alerts <= {alert for side in sides for alert in side.get("alerts", [])}


@settings(max_examples=60)
@given(base=BODIES, mine=BODIES)
def test_an_unchanged_side_never_matters(base: bytes | None, mine: bytes | None) -> None:
    for outcome in (
        merge(PEOPLE, base=base, mine=mine, theirs=base),
        merge(PEOPLE, base=base, mine=base, theirs=mine),
    ):
        assert isinstance(outcome, Merged)
        assert same_body(outcome.body, mine)
