"""What this laptop knows about its way to the server: one table."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final, Literal

from physioflow_sync.core.errors import FailureKind


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

    @property
    def is_connected(self) -> bool:
        return self in (Connectivity.ONLINE, Connectivity.SYNCING)


Seen = FailureKind | Literal["answered", "cycle_done"]
"""What has just been seen: a failure, an answer, or a cycle that came to its end."""

AFTER: Final[Mapping[Seen, Connectivity]] = {
    "answered": Connectivity.SYNCING,
    "cycle_done": Connectivity.ONLINE,
    FailureKind.NO_NETWORK: Connectivity.NO_NETWORK,
    FailureKind.UNREACHABLE: Connectivity.UNREACHABLE,
    FailureKind.PORTAL: Connectivity.PORTAL,
    FailureKind.MAINTENANCE: Connectivity.MAINTENANCE,
    FailureKind.THROTTLED: Connectivity.MAINTENANCE,
    FailureKind.SERVER_ERROR: Connectivity.UNREACHABLE,
    FailureKind.TLS: Connectivity.TLS_PROBLEM,
    FailureKind.SIGNED_OUT: Connectivity.SIGNED_OUT,
    FailureKind.FORBIDDEN: Connectivity.SIGNED_OUT,
    FailureKind.TOO_LARGE: Connectivity.SYNCING,
    FailureKind.UPDATE_REQUIRED: Connectivity.UPDATE_REQUIRED,
    FailureKind.GONE: Connectivity.UNREACHABLE,
    FailureKind.BAD_REQUEST: Connectivity.UNREACHABLE,
}
"""What is seen says the same whatever was known before."""
