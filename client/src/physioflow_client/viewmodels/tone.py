"""What a colour means.  The words always say it too."""

from __future__ import annotations

import enum


class Tone(enum.Enum):
    """The value names the tokens: `warn` on `warn_soft`, and `muted` on `band`."""

    NEUTRAL = "neutral"
    ACCENT = "accent"
    WARN = "warn"
    DANGER = "danger"
    OK = "ok"
    THEIRS = "theirs"
