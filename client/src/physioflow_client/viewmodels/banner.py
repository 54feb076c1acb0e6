"""What the banner says, and when it may change: it never claims what is not known."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal, Slot

from physioflow_client.viewmodels.moments import moment_words, span_words
from physioflow_client.viewmodels.tone import Tone
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.status import SyncStatus

translate = QCoreApplication.translate

SETTLE_MS: Final = 2_000
"""A state must last this long before it shows, so that the banner never flickers."""


_NEEDS_A_PERSON: Final = frozenset(
    {
        Connectivity.TLS_PROBLEM,
        Connectivity.DISK_FULL,
        Connectivity.FILE_PROBLEM,
        Connectivity.REVOKED,
    }
)
"""What does not pass by itself."""


class BannerAction(enum.Enum):
    """What the person can do about it; the view has a signal of each name."""

    TRY_NOW = "try_now"
    DETAILS = "details"
    OPEN_PORTAL = "open_portal"
    SIGN_IN = "sign_in"
    CHOOSE = "choose"
    FIX = "fix"


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerState:
    """One sentence and what can be done; `kind` is the same while only numbers change."""

    kind: str
    sentence: str
    tone: Tone
    icon: str
    actions: tuple[BannerAction, ...] = ()


def banner_for(
    status: SyncStatus,
    *,
    now: datetime,
    rejected_title: str = "",
    clock_off_s: float | None = None,
) -> BannerState | None:
    """Return what the banner says, or None where there is nothing to say.

    The way to the server comes before single records: their badges say what they need.

    Args:
        now: with the zone that times are shown in.
        rejected_title: names the rejected record where there is one ("NDI, A. Smith").
        clock_off_s: how far this laptop's clock is from the server's, where it is known.
    """
    return _connection_banner(status, now, clock_off_s) or _records_banner(status, rejected_title)


def action_words(action: BannerAction) -> str:
    """Return the words on the button."""
    match action:
        case BannerAction.TRY_NOW:
            return translate("Banner", "Try now")
        case BannerAction.DETAILS:
            return translate("Banner", "Details")
        case BannerAction.OPEN_PORTAL:
            return translate("Banner", "Open sign-in page")
        case BannerAction.SIGN_IN:
            return translate("Banner", "Sign in")
        case BannerAction.CHOOSE:
            return translate("Banner", "Choose")
        case BannerAction.FIX:
            return translate("Banner", "Fix")


def _connection_banner(
    status: SyncStatus, now: datetime, clock_off_s: float | None
) -> BannerState | None:
    sentence, icon = "", ""
    actions: tuple[BannerAction, ...] = ()
    match status.connectivity:
        case Connectivity.NO_NETWORK:
            sentence, icon, actions = _offline(status, now), "wifi-off", (BannerAction.TRY_NOW,)
        case Connectivity.PORTAL:
            sentence = translate("Banner", "This Wi-Fi wants you to sign in.")
            icon, actions = "globe", (BannerAction.OPEN_PORTAL,)
        case Connectivity.UNREACHABLE:
            sentence, icon = _unreachable(status), "server-off"
            actions = (BannerAction.TRY_NOW, BannerAction.DETAILS)
        case Connectivity.MAINTENANCE:
            sentence = translate(
                "Banner", "The server is being updated. Changes will be sent automatically."
            )
            icon = "wrench"
        case Connectivity.SIGNED_OUT:
            sentence, icon, actions = _signed_out(status), "lock", (BannerAction.SIGN_IN,)
        case Connectivity.TLS_PROBLEM:
            sentence, icon, actions = (
                _unverified(clock_off_s),
                "shield-alert",
                (BannerAction.DETAILS,),
            )
        case Connectivity.UPDATE_REQUIRED:
            sentence = translate("Banner", "Update needed before syncing. You can keep recording.")
            icon, actions = "download", (BannerAction.DETAILS,)
        case Connectivity.DISK_FULL:
            sentence = translate(
                "Banner",
                "This laptop's disk is full. What was saved is safe, and nothing is lost; "
                "make room to go on saving.",
            )
            icon, actions = "laptop", (BannerAction.TRY_NOW,)
        case Connectivity.FILE_PROBLEM:
            sentence, icon = _file_problem(status), "triangle-alert"
            actions = (BannerAction.TRY_NOW, BannerAction.DETAILS)
        case Connectivity.REVOKED:
            sentence = translate(
                "Banner",
                "This laptop's access was withdrawn. Its unsent changes are with the clinic.",
            )
            icon = "lock"
        case Connectivity.STARTING | Connectivity.ONLINE | Connectivity.SYNCING:
            return None
    return BannerState(
        kind=status.connectivity.value,
        sentence=sentence,
        tone=Tone.DANGER if status.connectivity in _NEEDS_A_PERSON else Tone.WARN,
        icon=icon,
        actions=actions,
    )


def _records_banner(status: SyncStatus, rejected_title: str) -> BannerState | None:
    if status.counts.rejected:
        return BannerState(
            kind="rejected",
            sentence=_rejected(status.counts.rejected, rejected_title),
            tone=Tone.DANGER,
            icon="circle-alert",
            actions=(BannerAction.FIX,),
        )
    count = status.counts.conflicts
    if count:
        one = translate("Banner", "1 record has two versions.")
        many = translate("Banner", "{n} records have two versions.")
        return BannerState(
            kind="conflict",
            sentence=(one if status.counts.conflicts == 1 else many).format(
                n=status.counts.conflicts
            ),
            tone=Tone.DANGER,
            icon="columns-2",
            actions=(BannerAction.CHOOSE,),
        )
    if status.last_synced_at is None:
        return BannerState(
            kind="never_synced",
            sentence=translate("Banner", "Not yet synced on this laptop."),
            tone=Tone.NEUTRAL,
            icon="info",
        )
    return None


def _offline(status: SyncStatus, now: datetime) -> str:
    parts = [translate("Banner", "You are offline. Changes will sync when connection is restored.")]
    if status.counts.unsent:
        one = translate("Banner", "1 change is saved on this laptop.")
        many = translate("Banner", "{n} changes are saved on this laptop.")
        parts.append((one if status.counts.unsent == 1 else many).format(n=status.counts.unsent))
    if status.last_synced_at is None:
        parts.append(translate("Banner", "Not yet synced on this laptop."))
    else:
        when = moment_words(status.last_synced_at, now=now)
        parts.append(translate("Banner", "Last synced {when}.").format(when=when))
    return " ".join(parts)


def _unreachable(status: SyncStatus) -> str:
    sentence = translate("Banner", "The network is fine, but the clinic server isn't answering.")
    if status.retry_in_s is None:
        return sentence
    wait = span_words(status.retry_in_s)
    return f"{sentence} {translate('Banner', 'Trying again in {wait}.').format(wait=wait)}"


def _file_problem(status: SyncStatus) -> str:
    sentence = translate(
        "Banner",
        "This laptop can't use its file of records just now; leave its files as they are.",
    )
    if status.retry_in_s is None:
        return sentence
    wait = span_words(status.retry_in_s)
    return f"{sentence} {translate('Banner', 'Trying again in {wait}.').format(wait=wait)}"


def _signed_out(status: SyncStatus) -> str:
    if not status.counts.unsent:
        return translate("Banner", "Sign in again to sync. Nothing is lost.")
    one = translate("Banner", "Sign in again to send 1 change. Nothing is lost.")
    many = translate("Banner", "Sign in again to send {n} changes. Nothing is lost.")
    return (one if status.counts.unsent == 1 else many).format(n=status.counts.unsent)


def _unverified(clock_off_s: float | None) -> str:
    if clock_off_s is None:
        return translate("Banner", "Can't verify the server. Check this laptop's date.")
    return translate(
        "Banner", "Can't verify the server. Check this laptop's date (off by {span})."
    ).format(span=span_words(abs(clock_off_s)))


def _rejected(count: int, title: str) -> str:
    one = translate("Banner", "1 change needs fixing")
    many = translate("Banner", "{n} changes need fixing")
    counted = (one if count == 1 else many).format(n=count)
    return f"{counted}: {title}." if title else f"{counted}."


class BannerModel(QObject):
    """Lets a state through once it has lasted `SETTLE_MS`; no network shows at once.

    Args:
        timer: measures the wait; a test hands one in and makes it time out.

    Signals:
        changed: a `BannerState`, or None for no banner.
    """

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None, *, timer: QTimer | None = None) -> None:
        super().__init__(parent)
        self._shown: BannerState | None = None
        self._next: BannerState | None = None
        self._timer = timer if timer is not None else QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLE_MS)
        self._timer.timeout.connect(self._settle)

    @property
    def shown(self) -> BannerState | None:
        return self._shown

    def update(self, state: BannerState | None) -> None:
        """Take the newest state; `changed` follows when it may be shown."""
        was = self._next
        self._next = state
        if _kind(state) in (_kind(self._shown), Connectivity.NO_NETWORK.value):
            self._timer.stop()
            self._settle()
        elif _kind(state) != _kind(was) or not self._timer.isActive():
            self._timer.start()

    @Slot()
    def _settle(self) -> None:
        if self._next != self._shown:
            self._shown = self._next
            self.changed.emit(self._shown)


def _kind(state: BannerState | None) -> str:
    return "" if state is None else state.kind
