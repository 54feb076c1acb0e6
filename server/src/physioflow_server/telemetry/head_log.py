"""Keep each clinic's head in the log, where whoever changes the database does not reach.

A log that is sent elsewhere as it is written is worth most.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from physioflow_server.services.heads import HEAD_EVENT, Head
from physioflow_server.telemetry.logs import logger

SEQS_A_LINE: Final = 1_000
"""A clinic's head is logged again after so many versions …"""
SECONDS_A_LINE: Final = 600.0
"""… or with the first version after so long."""


@dataclass(slots=True)
class _Kept:
    logged_seq: int
    logged_at_s: float
    newest: Head


class HeadLog:
    """Logs heads now and then; holds one of each clinic of the database.

    Args:
        monotonic: seconds that only grow.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: dict[str | None, _Kept] = {}

    def begin(self, heads: Iterable[Head]) -> None:
        """Log every clinic's head: the server starts."""
        for head in heads:
            with self._lock:
                self._kept[head.clinic_id] = _Kept(head.seq, self._monotonic(), head)
            _log(head)

    def note(self, head: Head) -> None:
        """Log the head where one is due."""
        now_s = self._monotonic()
        with self._lock:
            kept = self._kept.get(head.clinic_id)
            is_new = kept is None or kept.newest.epoch != head.epoch
            if kept is not None and not is_new:
                # Two commits may be told of in the other order.
                if head.seq <= kept.newest.seq:
                    return
                kept.newest = head
                is_many = head.seq - kept.logged_seq >= SEQS_A_LINE
                if not is_many and now_s - kept.logged_at_s < SECONDS_A_LINE:
                    return
            self._kept[head.clinic_id] = _Kept(head.seq, now_s, head)
        _log(head)

    def end(self) -> None:
        """Log each head that was not yet logged: the server stops."""
        with self._lock:
            due = [kept.newest for kept in self._kept.values() if kept.newest.seq > kept.logged_seq]
        for head in due:
            _log(head)


def _log(head: Head) -> None:
    logger().info(
        HEAD_EVENT,
        clinic_id=head.clinic_id,
        epoch=head.epoch,
        seq=head.seq,
        chain_hash=head.chain_hash.hex(),
    )
