"""Bodies that mean the same, and ids that the same content makes everywhere."""

import uuid

from hypothesis import given, settings
from hypothesis import strategies as st

from physioflow_sync.core.changes import body_of, changed_fields, derived_id, fields_of, same_body

PARTS = st.lists(st.text(max_size=5) | st.binary(max_size=5), max_size=4)


@settings(max_examples=40)
@given(PARTS)
def test_a_derived_id_is_a_uuid_of_the_applications_own(parts: list[str | bytes]) -> None:
    made = uuid.UUID(derived_id(*parts))
    assert (made.version, made.variant) == (8, uuid.RFC_4122)
    assert str(made) == derived_id(*parts)


@settings(max_examples=40)
@given(PARTS, PARTS)
def test_other_parts_make_another_id(one: list[str | bytes], other: list[str | bytes]) -> None:
    def plain(parts: list[str | bytes]) -> list[bytes]:
        return [part.encode() if isinstance(part, str) else part for part in parts]

    assert (derived_id(*one) == derived_id(*other)) == (plain(one) == plain(other))


def test_a_derived_id_is_the_same_on_every_machine() -> None:
    assert derived_id("offer", b"\x00") == "29949786-6bae-8ce7-83e3-a3d9ce3e8b35"


def test_bodies_are_compared_by_what_they_mean() -> None:
    assert same_body(b'{"a":1,"b":2}', b'{ "b": 2, "a": 1 }')
    assert not same_body(b'{"a":1}', b'{"a":2}')
    assert same_body(None, None)
    assert not same_body(None, b"{}")
    assert fields_of(None) is None
    assert fields_of(body_of({"a": [1]})) == {"a": [1]}


def test_a_field_that_one_side_lacks_differs() -> None:
    assert changed_fields({"a": 1, "b": None, "c": 3}, {"a": 2, "c": 3}) == {"a", "b"}
    assert changed_fields({}, {"a": None}) == {"a"}
