"""Records, their versions and what differs between two bodies.

A body is JSON text as bytes and stays so wherever nobody needs to look inside.
`None` stands for a tombstone: the record is deleted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

Fields = Mapping[str, object]

_DECODER = msgspec.json.Decoder(dict[str, object])
_ENCODER = msgspec.json.Encoder()


class Key(NamedTuple):
    """Names one record: its collection and its UUIDv7 id in canonical text form."""

    collection: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a record as the server holds it.

    Attributes:
        version: 1 at creation, +1 at each accepted write; the optimistic lock.
        seq: the clinic's counter when the version was accepted; the feed's order.
        schema: the collection's schema version that the body was written in.
        body: JSON object, or None for a tombstone.
        author, device: display names of who wrote it and on which laptop.
        recorded_at: ISO 8601 time by that laptop's clock; for people, never for order.
        assigned: values given by the server (`record_number`), outside body and merge.
    """

    version: int
    seq: int
    schema: int
    body: bytes | None
    author: str = ""
    device: str = ""
    recorded_at: str = ""
    assigned: Mapping[str, str] | None = None


def derived_id(*parts: str | bytes) -> str:
    """Return an id, in the text form of a UUID, that the same parts give everywhere.

    Source: RFC 9562, section 5.8 (version 8: the bits are the application's own).
    """
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big") + content)
    bits = digest.hexdigest()[:32]
    text = f"{bits[:12]}8{bits[13:16]}8{bits[17:]}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def fields_of(body: bytes | None) -> dict[str, object] | None:
    """Return the top-level fields of a body, or None for a tombstone."""
    return None if body is None else _DECODER.decode(body)


def body_of(fields: Fields) -> bytes:
    """Return fields as a JSON body."""
    return _ENCODER.encode(fields)


def changed_fields(old: Fields, new: Fields) -> frozenset[str]:
    """Return the names whose values differ; a field that one side lacks differs."""
    return frozenset(
        name
        for name in old.keys() | new.keys()
        if name not in old or name not in new or old[name] != new[name]
    )


def same_body(one: bytes | None, other: bytes | None) -> bool:
    """Tell whether two bodies mean the same, whatever their spacing and key order."""
    return one == other or fields_of(one) == fields_of(other)
