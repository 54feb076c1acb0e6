"""Bodies as the oracle reads them: what people typed, by its tokens."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from tests.simulation.domain import ASKED_ABOUT, FIELDS, TOGETHER

_FIELDS = msgspec.json.Decoder(dict[str, object])
_ENCODER = msgspec.json.Encoder(order="sorted")
_RAISED_FROM = 2
TOKEN = "tok-"


class Name(NamedTuple):
    """Names a record; the oracle's own, so that it shares nothing with the engine."""

    collection: str
    id: str


Fields = dict[str, object]


def fields_of(body: bytes | str | None) -> Fields:
    """Return a body's fields; a deleted record has none."""
    return {} if body is None else _FIELDS.decode(body)


def body_of(fields: Fields) -> bytes:
    return msgspec.json.encode(fields)


def tokens(body: bytes | str | None) -> set[str]:
    """Return everything that people typed into a body."""
    found: set[str] = set()
    for value in fields_of(body).values():
        if isinstance(value, str) and value.startswith(TOKEN):
            found.add(value)
        elif isinstance(value, list):
            found.update(item for item in value if isinstance(item, str))
    return found


def same(one: bytes | str | None, other: bytes | str | None) -> bool:
    """Tell whether two bodies say the same to a person."""
    if one is None or other is None:
        return one is other
    return one == other or plain(one) == plain(other)


def plain(body: bytes | str | None) -> bytes | None:
    """Return a body in one form: sorted, without what only the schema put there."""
    if body is None:
        return None
    fields = fields_of(body)
    fields.pop("raised", None)
    return _ENCODER.encode(fields)


def raised(body: bytes | str | None) -> int:
    """Return how often a body was brought to the second schema."""
    times = fields_of(body).get("raised", 0)
    assert isinstance(times, int)
    return times


def whole(name: Name, body: bytes | str | None) -> tuple[object, ...] | None:
    """Return what of a body one person must have written together; None: nothing."""
    if body is None:
        return None
    fields = fields_of(body)
    if name.collection in ASKED_ABOUT:
        return tuple(fields.get(field) for field in (*FIELDS[name.collection], "visit"))
    if name.collection in TOGETHER:
        return tuple(fields.get(field, "") for field in TOGETHER[name.collection])
    return None
