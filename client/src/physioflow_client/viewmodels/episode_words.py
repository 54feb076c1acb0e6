"""How an episode ended, in words."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from physioflow_clinical.episodes import EpisodeOutcome

translate = QCoreApplication.translate


def outcome_words(outcome: EpisodeOutcome) -> str:
    """Return an outcome as people say it."""
    match outcome:
        case EpisodeOutcome.GOALS_MET:
            return translate("Episode", "goals met")
        case EpisodeOutcome.GOALS_PARTLY_MET:
            return translate("Episode", "goals partly met")
        case EpisodeOutcome.GOALS_NOT_MET:
            return translate("Episode", "goals not met")
        case EpisodeOutcome.SELF_DISCHARGED:
            return translate("Episode", "the patient stopped coming")
        case EpisodeOutcome.REFERRED_ON:
            return translate("Episode", "referred on")
