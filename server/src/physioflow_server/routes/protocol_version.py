"""The protocol version that a request names."""

from __future__ import annotations

from physioflow_server.services.refusals import Refused
from physioflow_sync.core.protocol import PROTOCOLS_SERVED


def check_protocol(version: int) -> None:
    """Check that this server speaks it.

    Raises:
        Refused: 426 `update_required`.
    """
    if version not in PROTOCOLS_SERVED:
        raise Refused(426, "update_required", "This server does not speak that protocol version")
