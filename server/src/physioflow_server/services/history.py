"""The hash chain over a clinic's history.

Each link covers the link before, the body's hash and everything else that the
version says.  It covers the body only through its hash, so that a body can be
erased by law and the chain still holds.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from physioflow_server.database.record_rows import VersionFacts
from physioflow_sync.core.protocol import Operation

GENESIS: Final = bytes(32)
"""The link before a clinic's first."""

_ENCODER: Final = msgspec.json.Encoder()


def body_hash(body: bytes | None) -> bytes:
    """Return SHA-256 of a body's bytes; a tombstone's is 32 zero bytes."""
    return bytes(32) if body is None else hashlib.sha256(body).digest()


def payload_hash(operation: Operation, body_digest: bytes) -> bytes:
    """Return what tells one payload under an op_id from another.

    `recorded_at` is left out: a single-record request sent again takes a new one.
    """
    facts = (
        operation.collection,
        operation.record_id,
        operation.kind.value,
        operation.base_version,
        operation.schema,
    )
    return hashlib.sha256(_ENCODER.encode(facts) + body_digest).digest()


def next_link(previous: bytes, body_digest: bytes, facts: VersionFacts) -> bytes:
    """Return the chain's hash after a version."""
    return hashlib.sha256(previous + body_digest + _ENCODER.encode(facts)).digest()
