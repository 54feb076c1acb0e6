"""What a person may know about the sync, as one immutable snapshot."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from physioflow_sync.core.changes import Key
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.errors import FieldError


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Records of this laptop by what they wait for; the engine's own are not counted.

    Attributes:
        unsent: records with a change that the server has not answered for.
        conflicts: records with an open conflict.
        rejected: records whose change the server refused.
        elsewhere: conflicts that other laptops met and nobody has decided.
        oldest_unsent_at: ISO 8601 time of the oldest of those changes, "" where none.
    """

    unsent: int = 0
    conflicts: int = 0
    rejected: int = 0
    elsewhere: int = 0
    oldest_unsent_at: str = ""


class Why(enum.Enum):
    """Why a change is not on the server yet.

    QUEUED: it goes with the next batch. SENDING: sent, and not answered yet. PARENT: what
    it belongs to is not on the server. CONFLICT: a person must choose between two
    versions. REJECTED: the server refused it; a person must mend or discard it.
    """

    QUEUED = "queued"
    SENDING = "sending"
    PARENT = "parent"
    CONFLICT = "conflict"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One record with a change that is not on the server yet.

    Attributes:
        since: ISO 8601 time of the change by this laptop's clock.
        parents: for PARENT, the records that it waits for.
        op_id: the operation, by which a parked one is known; "" for a conflict.
        code, errors: for REJECTED, the server's reasons.
    """

    key: Key
    why: Why
    since: str
    parents: tuple[Key, ...] = ()
    op_id: str = ""
    code: str = ""
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the running cycle is.

    Attributes:
        pushed, pulled: records sent and received so far.
        remaining: records still to be received, at most.
    """

    pushed: int = 0
    pulled: int = 0
    remaining: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The last comparison of everything with the server.

    Attributes:
        at: by this laptop's clock.
        complete: False where the server moved on before all was compared.
        mended: records that this laptop did not hold as the server does, and now does.
    """

    at: datetime
    complete: bool
    mended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """The whole of it.

    Attributes:
        last_synced_at: end of the last complete cycle by this laptop's clock; None: never.
        retry_in_s: seconds until the next attempt from when this was made; None: none is
            planned before something happens.
        verified: the last comparison since this engine began; None: none yet.
        parked: operations that stand aside because the server fails on them.
        detail: the last failure in technical words, for "Details"; no record's content.
    """

    connectivity: Connectivity = Connectivity.STARTING
    counts: Counts = Counts()
    progress: Progress | None = None
    last_synced_at: datetime | None = None
    retry_in_s: float | None = None
    verified: Verification | None = None
    parked: frozenset[str] = frozenset()
    detail: str = ""
