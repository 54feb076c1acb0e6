"""Wrong passwords: after five, each further try must wait longer."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from physioflow_client.durable_file import write_durably

FREE_TRIES: Final = 5
FIRST_DELAY_S: Final = 30.0
MAX_DELAY_S: Final = 3_600.0


class Tries(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tries since the last right one.

    Attributes:
        count: how many, one under way included.
        last_at: wall-clock time of the last one; None: there was none.
    """

    count: int = 0
    last_at: datetime | None = None

    def wait_s(self, now: datetime) -> float:
        """Return how long the next try must still wait, in seconds.

        A clock that was turned back counts as if no time had passed.
        """
        if self.count < FREE_TRIES or self.last_at is None:
            return 0.0
        exponent = min(self.count - FREE_TRIES, 16)
        delay_s = min(FIRST_DELAY_S * 2.0**exponent, MAX_DELAY_S)
        passed_s = max((now - self.last_at).total_seconds(), 0.0)
        return max(delay_s - passed_s, 0.0)


def load(path: Path) -> Tries:
    """Return what is written there; one that cannot be read counts as all free tries used."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Tries)
    except FileNotFoundError:
        return Tries()
    except msgspec.DecodeError:
        return Tries(count=FREE_TRIES)


def keep(path: Path, tries: Tries) -> None:
    """Write tries durably: ending the app must not forget one."""
    write_durably(path, msgspec.json.encode(tries))
