"""Why a change is not on the server yet, in words and a badge."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from PySide6.QtCore import QCoreApplication

from physioflow_client.viewmodels.badge import BadgeWords, badge_of
from physioflow_client.viewmodels.problems import path_label, sentence
from physioflow_client.viewmodels.tone import Tone
from physioflow_sync.core.changes import Key
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.status import SyncStatus, Waiting, Why

translate = QCoreApplication.translate

STATES: Final = {
    Why.QUEUED: RecordState.UNSENT,
    Why.PARENT: RecordState.UNSENT,
    Why.SENDING: RecordState.SENDING,
    Why.CONFLICT: RecordState.CONFLICT,
    Why.REJECTED: RecordState.REJECTED,
}
"""The badge that a record of each kind bears on every other screen."""


def reason_words(waiting: Waiting, status: SyncStatus, *, refused: Collection[Key]) -> str:
    """Return a sentence or two.

    Args:
        refused: the records whose change the server refused.
    """
    if waiting.op_id in status.parked:
        return translate(
            "WaitingWords", "The server failed on it. It stands aside and is tried again later."
        )
    match waiting.why:
        case Why.QUEUED:
            return _queued_words(status.connectivity)
        case Why.SENDING:
            return translate("WaitingWords", "Sent; waiting for the server's answer.")
        case Why.PARENT:
            return _parent_words(waiting, refused)
        case Why.CONFLICT:
            return translate("WaitingWords", "Two versions: a person decides.")
        case Why.REJECTED:
            return refused_words(waiting)


def waiting_badge(waiting: Waiting, status: SyncStatus) -> BadgeWords:
    """Return the badge of a change that waits."""
    if waiting.op_id in status.parked:
        return BadgeWords(translate("WaitingWords", "stands aside"), Tone.WARN, "history")
    return badge_of(STATES[waiting.why])


def refused_words(waiting: Waiting) -> str:
    """Return why the server refused a change."""
    if waiting.errors:
        return " ".join(
            f"{path_label(each.field)}: {sentence(each.reason)}"
            if each.field
            else sentence(each.reason)
            for each in waiting.errors
        )
    match waiting.code:
        case "forbidden":
            return translate("WaitingWords", "You don't have permission to change this.")
        case "not_found":
            return translate("WaitingWords", "The server does not have this record any more.")
        case _:
            return translate("WaitingWords", "The server did not accept it.")


def _queued_words(connectivity: Connectivity) -> str:
    match connectivity:
        case Connectivity.ONLINE | Connectivity.SYNCING:
            return translate("WaitingWords", "Next in line.")
        case Connectivity.SIGNED_OUT:
            return translate("WaitingWords", "Waits until you sign in.")
        case Connectivity.UPDATE_REQUIRED:
            return translate("WaitingWords", "Waits for the app's update.")
        case Connectivity.DISK_FULL:
            return translate("WaitingWords", "Waits for room on this laptop's disk.")
        case Connectivity.FILE_PROBLEM:
            return translate("WaitingWords", "Waits until this laptop can use its file.")
        case Connectivity.REVOKED:
            return translate("WaitingWords", "It is with the clinic.")
        case (
            Connectivity.STARTING
            | Connectivity.NO_NETWORK
            | Connectivity.PORTAL
            | Connectivity.UNREACHABLE
            | Connectivity.MAINTENANCE
            | Connectivity.TLS_PROBLEM
        ):
            return translate("WaitingWords", "Waits for the connection.")


def _parent_words(waiting: Waiting, refused: Collection[Key]) -> str:
    # A patient comes before the episode, which waits for the same.
    first = min(waiting.parents, key=lambda key: key.collection != "patients", default=None)
    is_patient = first is None or first.collection == "patients"
    if any(parent in refused for parent in waiting.parents):
        if is_patient:
            return translate("WaitingWords", "Waits for its patient, whose record needs fixing.")
        return translate("WaitingWords", "Waits for its episode, which needs fixing.")
    if is_patient:
        return translate("WaitingWords", "Waits until its patient is on the server.")
    return translate("WaitingWords", "Waits until its episode is on the server.")
