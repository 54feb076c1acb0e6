"""Everything that can go wrong in a sync, as one tree.

    SyncError
    ├── InvalidBody          a body breaks its collection's rules: names the fields
    ├── UnknownCollection    a name that no collection of this registry has
    ├── RecordMoved          the record no longer says what the person saw while typing
    ├── StoreFailure         the local file refused: full, locked, damaged, wrong key
    └── TransportFailure     no usable answer: `kind` says why, `retry_after_s` when to ask again

Expected outcomes (a conflict, a rejection) are values, not exceptions; see
`outbox` and `protocol`.  Our own mistakes are `AssertionError`.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

import msgspec


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a body that breaks a rule, in words for the person who typed it.

    `field` is a dotted path into the body (`emergency_contact.phone`,
    `responses[3]`), or `""` where the body as a whole is wrong.
    """

    field: str
    reason: str


class SyncError(Exception):
    """Root of the tree."""


class InvalidBody(SyncError):
    """A body breaks its collection's rules."""

    def __init__(self, collection: str, errors: Sequence[FieldError]) -> None:
        self.collection = collection
        self.errors = tuple(errors)
        words = "; ".join(f"{error.field or 'body'}: {error.reason}" for error in errors)
        super().__init__(f"{collection}: {words}")


class UnknownCollection(SyncError):
    """A name that no collection of this registry has."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"unknown collection {name!r}")


class RecordMoved(SyncError):
    """The record no longer says what the person saw when they began to type."""

    def __init__(self, collection: str, record_id: str) -> None:
        self.collection = collection
        self.record_id = record_id
        super().__init__(f"{collection} {record_id} has changed meanwhile")


class StoreFailureKind(enum.Enum):
    """Why the local file refused."""

    FULL = "full"
    LOCKED = "locked"
    DAMAGED = "damaged"
    WRONG_KEY = "wrong_key"
    TOO_NEW = "too_new"
    UNSAFE_SQLITE = "unsafe_sqlite"


class StoreFailure(SyncError):
    """The local file refused; nothing of the transaction is stored."""

    def __init__(self, kind: StoreFailureKind, detail: str = "") -> None:
        self.kind = kind
        super().__init__(f"{kind.value}: {detail}" if detail else kind.value)


class FailureKind(enum.Enum):
    """Why a request got no usable answer."""

    NO_NETWORK = "no_network"
    UNREACHABLE = "unreachable"
    PORTAL = "portal"
    MAINTENANCE = "maintenance"
    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    TLS = "tls"
    SIGNED_OUT = "signed_out"
    FORBIDDEN = "forbidden"
    DEVICE_REVOKED = "device_revoked"
    TOO_LARGE = "too_large"
    UPDATE_REQUIRED = "update_required"
    GONE = "gone"
    BAD_REQUEST = "bad_request"

    @property
    def is_environment(self) -> bool:
        """True where the network or the server's health is at fault, never the request.

        Only these count against the circuit breaker.
        """
        return self in _ENVIRONMENT

    @property
    def may_blame_the_batch(self) -> bool:
        """True where a smaller batch may not meet it.

        A whole request that is refused dead-letters nothing: whose fault it is, nobody has
        said.
        """
        return self in _MAY_BLAME_THE_BATCH

    @property
    def is_transient(self) -> bool:
        """True where the same bytes, sent again soon, may well be answered."""
        return self in _TRANSIENT


_ENVIRONMENT = frozenset(
    {
        FailureKind.NO_NETWORK,
        FailureKind.UNREACHABLE,
        FailureKind.PORTAL,
        FailureKind.MAINTENANCE,
        FailureKind.TLS,
    }
)
_MAY_BLAME_THE_BATCH = frozenset(
    {FailureKind.TOO_LARGE, FailureKind.SERVER_ERROR, FailureKind.BAD_REQUEST}
)
_TRANSIENT = frozenset(
    {
        FailureKind.NO_NETWORK,
        FailureKind.UNREACHABLE,
        FailureKind.MAINTENANCE,
        FailureKind.THROTTLED,
    }
)


class TransportFailure(SyncError):
    """A request got no usable answer; whether it had an effect is unknown.

    Args:
        kind: why.
        detail: for the log and for "Details"; never holds a record's content.
        retry_after_s: the server's `Retry-After`, or the time until an open breaker
            allows a trial; a floor for the next attempt.
        code: the problem code of the server's answer (`cursor_expired`), where it gave one.
        common_seq: with `epoch_changed`, up to where both timelines agree; None: unknown.
        epoch: with `epoch_changed`, the timeline that `common_seq` speaks of.
    """

    def __init__(
        self,
        kind: FailureKind,
        detail: str = "",
        *,
        retry_after_s: float | None = None,
        code: str | None = None,
        common_seq: int | None = None,
        epoch: str | None = None,
    ) -> None:
        self.kind = kind
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.code = code
        self.common_seq = common_seq
        self.epoch = epoch
        super().__init__(f"{kind.value}: {detail}" if detail else kind.value)
