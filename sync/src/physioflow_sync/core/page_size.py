"""How many records to ask for at once: as many as the line brings within a second or so."""

from __future__ import annotations

from typing import Final

from physioflow_sync.core.protocol import MAX_CHANGES_A_PAGE

FIRST_PAGE: Final = 500
"""Records of the first page; later ones grow while they come quickly."""
MIN_PAGE: Final = 20
QUICK_S: Final = 1.0
SLOW_S: Final = 5.0


def next_page_limit(limit: int, *, took_s: float) -> int:
    """Return the limit after a page of this limit took so many seconds."""
    if took_s < QUICK_S:
        return min(limit * 2, MAX_CHANGES_A_PAGE)
    return smaller_page_limit(limit) if took_s > SLOW_S else limit


def smaller_page_limit(limit: int) -> int:
    """Return the limit after a page of this limit did not come at all."""
    return max(limit // 2, MIN_PAGE)
