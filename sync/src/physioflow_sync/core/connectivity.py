"""What this laptop knows about its way to the server: one table."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final, Literal

from physioflow_sync.core.errors import FailureKind, StoreFailureKind


class Connectivity(enum.Enum):
    """What the banner says.  `STARTING` is honest ignorance: nothing is claimed yet."""

    STARTING = "starting"
    ONLINE = "online"
    SYNCING = "syncing"
    NO_NETWORK = "no_network"
    PORTAL = "portal"
    UNREACHABLE = "unreachable"
    MAINTENANCE = "maintenance"
    SIGNED_OUT = "signed_out"
    TLS_PROBLEM = "tls_problem"
    UPDATE_REQUIRED = "update_required"
    DISK_FULL = "disk_full"
    FILE_PROBLEM = "file_problem"
    REVOKED = "revoked"

    @property
    def is_connected(self) -> bool:
        return self in (Connectivity.ONLINE, Connectivity.SYNCING)


Seen = FailureKind | StoreFailureKind | Literal["answered", "cycle_done", "handed_in"]
"""What has just been seen: a failure, an answer, a cycle's end, a withdrawn laptop's last act."""

AFTER: Final[Mapping[Seen, Connectivity]] = {
    "answered": Connectivity.SYNCING,
    "cycle_done": Connectivity.ONLINE,
    "handed_in": Connectivity.REVOKED,
    FailureKind.NO_NETWORK: Connectivity.NO_NETWORK,
    FailureKind.UNREACHABLE: Connectivity.UNREACHABLE,
    FailureKind.PORTAL: Connectivity.PORTAL,
    FailureKind.MAINTENANCE: Connectivity.MAINTENANCE,
    FailureKind.THROTTLED: Connectivity.MAINTENANCE,
    FailureKind.SERVER_ERROR: Connectivity.UNREACHABLE,
    FailureKind.TLS: Connectivity.TLS_PROBLEM,
    FailureKind.SIGNED_OUT: Connectivity.SIGNED_OUT,
    FailureKind.FORBIDDEN: Connectivity.SIGNED_OUT,
    # Asked twice before it is believed; until then it is no more than an answer.
    FailureKind.DEVICE_REVOKED: Connectivity.SYNCING,
    FailureKind.TOO_LARGE: Connectivity.SYNCING,
    FailureKind.UPDATE_REQUIRED: Connectivity.UPDATE_REQUIRED,
    FailureKind.GONE: Connectivity.SYNCING,
    FailureKind.BAD_REQUEST: Connectivity.UNREACHABLE,
    StoreFailureKind.FULL: Connectivity.DISK_FULL,
    StoreFailureKind.LOCKED: Connectivity.FILE_PROBLEM,
    StoreFailureKind.DAMAGED: Connectivity.FILE_PROBLEM,
    StoreFailureKind.WRONG_KEY: Connectivity.FILE_PROBLEM,
    StoreFailureKind.TOO_NEW: Connectivity.FILE_PROBLEM,
    StoreFailureKind.UNSAFE_SQLITE: Connectivity.FILE_PROBLEM,
}
"""What is seen says the same whatever was known before."""
