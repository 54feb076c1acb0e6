"""Where a record is, in a word."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from physioflow_client.viewmodels.tone import Tone
from physioflow_sync.core.local_record import RecordState

translate = QCoreApplication.translate


@dataclass(frozen=True, slots=True)
class BadgeWords:
    """A badge: its words, what its colour means, and a Lucide icon or ""."""

    text: str
    tone: Tone = Tone.NEUTRAL
    icon: str = ""


def badge_of(state: RecordState) -> BadgeWords:
    """Return the badge of a record.

    Only an acknowledged record says "on the server".
    """
    match state:
        case RecordState.ON_SERVER:
            return BadgeWords(translate("Badge", "on the server"), Tone.OK, "check")
        case RecordState.UNSENT:
            return BadgeWords(translate("Badge", "on this laptop only"), Tone.WARN, "laptop")
        case RecordState.SENDING:
            return BadgeWords(translate("Badge", "sending"), Tone.WARN, "upload")
        case RecordState.CONFLICT:
            return BadgeWords(translate("Badge", "needs your choice"), Tone.DANGER, "columns-2")
        case RecordState.REJECTED:
            return BadgeWords(translate("Badge", "needs fixing"), Tone.DANGER, "circle-alert")
