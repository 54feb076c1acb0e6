"""The wire: what a laptop and the clinic's server say to each other.

Both sides encode and decode with these structs and nothing else.  Bodies are
`msgspec.Raw`: they are carried, not parsed.

Protocol versions:
    1  the first: push, changes, single-record routes.
    2  digests and repair, live events, offers after a restore, conflicts that travel,
       and unsent work that is handed in. Version 1 knows none of these and is served.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from physioflow_sync.core.errors import FieldError

PROTOCOL_VERSION: Final = 2
"""What this build speaks."""
FIRST_PROTOCOL: Final = 1
PROTOCOLS_SERVED: Final = (FIRST_PROTOCOL, 2)
"""What this build understands of others."""

MAX_OPERATIONS_A_PUSH: Final = 500
MAX_CHANGES_A_PAGE: Final = 2_000
MAX_BODY_BYTES: Final = 256 * 1024
"""Of one record's body."""
MAX_REQUEST_BYTES: Final = 8 * 1024 * 1024
"""Of one request, decompressed."""

PUSH_PATH: Final = "/api/v1/sync/push"
MAX_NONCE_CHARS: Final = 128
CHANGES_PATH: Final = "/api/v1/sync/changes"
DIGEST_PATH: Final = "/api/v1/sync/digest"
BUCKET_PATH: Final = "/api/v1/sync/bucket"
EVENTS_PATH: Final = "/api/v1/sync/events"
QUARANTINE_PATH: Final = "/api/v1/sync/quarantine"
INFO_PATH: Final = "/api/v1/"
SIGN_IN_PATH: Final = "/api/v1/sign-in"
REFRESH_PATH: Final = "/api/v1/token/refresh"
SIGN_OUT_PATH: Final = "/api/v1/sign-out"
HEALTH_PATH: Final = "/healthz"
"""Echoes `?nonce=`, so that no proxy and no captive portal can answer in its place."""


NO_BODY: Final = msgspec.Raw()
"""What a delete and a tombstone carry; it is left out on the wire."""


def body_bytes(raw: msgspec.Raw) -> bytes | None:
    """Return a carried body as bytes of its own, or None where there is none."""
    body = bytes(raw)
    return None if body in (b"", b"null") else body


def raw_body(body: bytes | None) -> msgspec.Raw:
    """Return a body, or None, as it is carried."""
    return NO_BODY if body is None else msgspec.Raw(body)


class OperationKind(enum.Enum):
    PUT = "put"
    DELETE = "delete"


class Operation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One put or delete of one record.

    Attributes:
        op_id: UUIDv7 made on the laptop; the same bytes carry the same op_id for ever.
        base_version: the version that the person saw; 0 creates.
        schema: schema version of `body`.
        recorded_at: ISO 8601 with offset, by the laptop's clock; for people only.
        body: a JSON object; absent for a delete.
        offered: the laptop knows that the server had the record and lost it, or what it
            said, in a restore. The version that was lost has the same op_id on every
            laptop, `resync.offered_op_id`. A delete is then written although the server
            does not know the record.
    """

    op_id: str
    collection: str
    record_id: str
    kind: OperationKind
    base_version: int
    schema: int = 1
    recorded_at: str = ""
    body: msgspec.Raw = NO_BODY
    offered: bool = False


class PushRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """At most `MAX_OPERATIONS_A_PUSH` operations, at most one a record, parents first.

    `cursor` says where the laptop left the feed, and `witness` where the server was when it
    last answered a push, if that was later: a server that was restored notices before it
    writes anything.
    """

    protocol: int
    ops: list[Operation]
    epoch: str | None = None
    cursor: str | None = None
    witness: str | None = None


class WireRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record at its newest version; `body` is absent for a tombstone."""

    collection: str
    id: str
    version: int
    seq: int
    schema: int = 1
    author: str = ""
    device: str = ""
    recorded_at: str = ""
    assigned: dict[str, str] | None = None
    body: msgspec.Raw = NO_BODY


class _Result(msgspec.Struct, frozen=True, kw_only=True, tag_field="result", omit_defaults=True):
    op_id: str


class Applied(_Result, frozen=True, kw_only=True, tag="applied"):
    """The operation was written as `version`, at `seq`."""

    version: int
    seq: int
    assigned: dict[str, str] | None = None


class Duplicate(_Result, frozen=True, kw_only=True, tag="duplicate"):
    """The operation had been written before; the stored answer."""

    version: int
    seq: int
    assigned: dict[str, str] | None = None


class ConflictFound(_Result, frozen=True, kw_only=True, tag="conflict"):
    """The record is no longer at `base_version`; nothing was written.

    `current` is the record now; `versions_since_base` counts the writes in between.
    """

    current: WireRecord
    versions_since_base: int


class Rejected(_Result, frozen=True, kw_only=True, tag="rejected"):
    """The operation can never be written as it is; nothing was written.

    `code` is a problem code (`validation_failed`, `not_found`, `forbidden`, …).
    """

    code: str
    errors: list[FieldError]


class Blocked(_Result, frozen=True, kw_only=True, tag="blocked"):
    """The parent's operation `by` in the same batch was not written; ask again later."""

    by: str


Result = Applied | Duplicate | ConflictFound | Rejected | Blocked


class PushResponse(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One result an operation, in the request's order.

    `witness` is the cursor of what the server holds now: proof of what it has acknowledged.
    """

    results: list[Result]
    epoch: str
    server_time: str
    witness: str | None = None


class ChangesPage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of the feed: records in seq order, each once, at its newest version.

    Attributes:
        next_cursor: opaque to the laptop; stands for the last seq *examined*.
        remaining: records that follow this page, at most.
        scope: the collections that this user's role sees; only on a page that starts at
            the feed's beginning.
        nonce: the request's own, so that no proxy can answer with an old page.
    """

    changes: list[WireRecord]
    next_cursor: str
    has_more: bool
    epoch: str
    server_time: str
    remaining: int = 0
    scope: list[str] | None = None
    nonce: str = ""


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """What the server holds at `cursor`: for each collection, `digest.BUCKETS` numbers."""

    cursor: str
    collections: dict[str, list[int]]


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """Records of one bucket of one collection that are not deleted, by id, at `cursor`.

    Where `has_more`, the rest follows after the last one's id.
    """

    cursor: str
    records: list[WireRecord]
    has_more: bool = False


class SeqEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A live event's data: the clinic is at this seq. A hint, nothing more."""

    seq: int


class HandInRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Unsent work of a laptop that may no longer send it, for the administrator."""

    ops: list[Operation]


class HandedIn(msgspec.Struct, frozen=True, kw_only=True):
    """The operations that are kept now, durably."""

    op_ids: list[str]


class ServerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a server is and speaks."""

    server_version: str
    protocols: list[int]
    minimum_client_version: str
    capabilities: list[str]


FIRST_SERVER: Final = ServerInfo(
    server_version="0",
    protocols=[1],
    minimum_client_version="0",
    capabilities=["push", "changes", "records"],
)
"""What a server is that cannot say what it is."""


class SignInRequest(msgspec.Struct, frozen=True, kw_only=True):
    clinic: str
    username: str
    password: str
    device_id: str
    device_name: str


class RefreshRequest(msgspec.Struct, frozen=True, kw_only=True):
    refresh_token: str


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """Opaque tokens; `access_expires_in_s` counts from the answer.

    `hand_in_ticket` opens the quarantine's door alone, from outside alone, also after the
    laptop's access was withdrawn.
    """

    access_token: str
    refresh_token: str
    access_expires_in_s: int
    hand_in_ticket: str = ""


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed in, where, and with which tokens."""

    tokens: Tokens
    user_id: str
    user_name: str
    role: str
    clinic_id: str
    clinic_name: str
    device_id: str
    epoch: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    status: str
    nonce: str = ""
    server_time: str = ""


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`application/problem+json` (RFC 9457) with the guide's codes.

    With 410 `epoch_changed` come `epoch`, the timeline that the server is on, and
    `common_seq`, the greatest seq up to which the laptop's agrees with it, where known.
    """

    title: str
    status: int
    code: str
    detail: str = ""
    request_id: str = ""
    errors: list[FieldError] | None = None
    current: WireRecord | None = None
    common_seq: int | None = None
    epoch: str | None = None
