"""What a person may know about the sync, as one immutable snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from physioflow_sync.core.connectivity import Connectivity


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Records of this laptop by what they wait for.

    Attributes:
        unsent: records with a change that the server has not answered for.
        conflicts: records with an open conflict.
        rejected: records whose change the server refused.
        oldest_unsent_at: ISO 8601 time of the oldest of those changes, "" where none.
    """

    unsent: int = 0
    conflicts: int = 0
    rejected: int = 0
    oldest_unsent_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the running cycle is: records sent and received so far."""

    pushed: int = 0
    pulled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """The whole of it.

    Attributes:
        last_synced_at: end of the last complete cycle by this laptop's clock; None: never.
        retry_in_s: seconds until the next attempt from when this was made; None: none is
            planned before something happens.
        detail: the last failure in technical words, for "Details"; no record's content.
    """

    connectivity: Connectivity = Connectivity.STARTING
    counts: Counts = Counts()
    progress: Progress | None = None
    last_synced_at: datetime | None = None
    retry_in_s: float | None = None
    detail: str = ""
