"""The sync centre: what waits, what was merged, what others met; and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from PySide6.QtCore import QCoreApplication, QObject, Signal, Slot

from physioflow_client.background.records import Records
from physioflow_client.background.sync_work import SyncWork
from physioflow_client.queries.sync_centre import (
    Elsewhere,
    GivenUp,
    Listed,
    giving_up,
    listed,
)
from physioflow_client.viewmodels.badge import BadgeWords
from physioflow_client.viewmodels.merge_words import merge_words
from physioflow_client.viewmodels.moments import age_words
from physioflow_client.viewmodels.now import Now, local_now
from physioflow_client.viewmodels.problems import errors_of
from physioflow_client.viewmodels.record_titles import title_words
from physioflow_client.viewmodels.verifying import Verifying, verifying_words
from physioflow_client.viewmodels.waiting_words import reason_words, waiting_badge
from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import SyncError
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.status import SyncStatus, Waiting, Why
from physioflow_sync.core.undo import CannotUndo, MergeMade, Undone, UndoOutcome

translate = QCoreApplication.translate

MAX_ROWS: Final = 100
"""Of what waits, shown at once: what needs a person first, then the oldest."""
MAX_NAMED: Final = 5
"""Of what goes with a change that is given up, named one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRow:
    """One change of this laptop that is not on the server.

    Attributes:
        patient: whose it is; "" where that is not known.
        reason: why it waits, or why it was refused.
        can_fix: there is a form for it: it is not deleted.
    """

    key: Key
    patient: str
    title: str
    age: str
    reason: str
    badge: BadgeWords
    why: Why
    can_fix: bool

    @property
    def lasting(self) -> tuple[object, ...]:
        """What a card shows as long as it stands."""
        return self.key, self.title, self.why, self.can_fix


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRow:
    """One automatic merge; `note` says why it could not be taken back, or ""."""

    made: MergeMade
    title: str
    age: str
    words: str
    note: str

    @property
    def lasting(self) -> tuple[object, ...]:
        """What a card shows as long as it stands."""
        return self.made.id, self.title

    @property
    def can_undo(self) -> bool:
        return not (self.made.undone or self.note)


@dataclass(frozen=True, slots=True, kw_only=True)
class ElsewhereRow:
    """One conflict that another laptop met.

    Attributes:
        id: names the conflict.
        met: by whom, and on which laptop.
        is_free: False where this laptop has a change of its own on that record.
    """

    id: str
    title: str
    age: str
    met: str
    is_free: bool

    @property
    def lasting(self) -> tuple[object, ...]:
        """What a card shows as long as it stands."""
        return self.id, self.title


class SyncCentreModel(QObject):
    """Reads once somebody looks, and follows every change from then on.

    Signals:
        listed: the rows are others.
        discard_named(Key, str): what giving this change up means, before it is done.
    """

    listed = Signal()
    discard_named = Signal(object, str)

    def __init__(
        self, records: Records, *, now: Now = local_now, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._records = records
        self._work = SyncWork(records)
        self._now = now
        self._is_listing = False
        self._listed = Listed()
        self._notes: dict[int, str] = {}
        self._verifying = Verifying()
        self._counts = records.status.counts
        records.status_changed.connect(self._take_status)
        records.records_changed.connect(self._take_changes)

    @property
    def waiting(self) -> tuple[WaitingRow, ...]:
        """What is not on the server, what needs a person first, then the oldest change."""
        found = self._listed.waiting
        refused = {each.key for each in found if each.why is Why.REJECTED}
        first = sorted(found, key=lambda each: each.why not in (Why.REJECTED, Why.CONFLICT))
        return tuple(self._waiting_row(each, refused) for each in first[:MAX_ROWS])

    @property
    def waiting_left(self) -> int:
        """How many changes wait that have no row."""
        counts = self._records.status.counts
        total = counts.unsent + counts.conflicts + counts.rejected
        return max(total - MAX_ROWS, 0) if len(self._listed.waiting) > MAX_ROWS else 0

    @property
    def merges(self) -> tuple[MergeRow, ...]:
        """The automatic merges of this laptop, newest first."""
        return tuple(self._merge_row(each) for each in self._listed.merges)

    @property
    def elsewhere(self) -> tuple[ElsewhereRow, ...]:
        """What other laptops met and nobody has decided, oldest first."""
        return tuple(self._elsewhere_row(each) for each in self._listed.elsewhere)

    @property
    def is_verifying(self) -> bool:
        return self._verifying.is_running

    @property
    def verified(self) -> str:
        """What came of comparing this laptop with the server, or ""."""
        return verifying_words(self._verifying, self._records.status, now=self._now())

    def list_all(self) -> None:
        """Read the rows; from now on they follow every change."""
        self._is_listing = True
        self._records.ask(listed, self._take_listed, topic="sync_centre")

    def stop_listing(self) -> None:
        """Nobody looks at the rows any more."""
        self._is_listing = False

    def ask_discard(self, key: Key) -> None:
        """Find out what giving a change up would mean; `discard_named` says it."""
        self._records.ask(partial(giving_up, key=key), partial(self._name_discard, key))

    def discard(self, key: Key) -> None:
        """Give up a refused change, and what cannot be without it."""
        self._work.discard(key, then=self._again)

    def try_again(self, key: Key) -> None:
        """Send a refused change once more as it is."""
        self._work.try_again(key, then=self._again)

    def undo(self, made: MergeMade) -> None:
        """Take this laptop's side of a merge back."""
        self._work.undo(
            made,
            then=partial(self._take_undo, made.id),
            failed=partial(self._take_undo_failure, made.id),
        )

    def verify(self) -> None:
        """Compare everything with the server, and mend what differs."""
        self._verifying = Verifying(is_asked=True, before=self._records.status.verified)
        self._work.verify()
        self.listed.emit()

    @Slot(object)
    def _take_status(self, status: SyncStatus) -> None:
        self._verifying = self._verifying.after(status)
        # What comes and goes elsewhere changes no record of this laptop.
        if status.counts != self._counts:
            self._counts = status.counts
            self._take_changes(())

    @Slot(object)
    def _take_changes(self, _: tuple[Key, ...]) -> None:
        if self._is_listing:
            self.list_all()

    def _again(self, _: object) -> None:
        self.list_all()

    def _take_listed(self, found: Listed) -> None:
        self._listed = found
        self.listed.emit()

    def _name_discard(self, key: Key, given_up: GivenUp) -> None:
        self.discard_named.emit(key, discard_words(given_up))

    def _take_undo(self, merge_id: int, outcome: UndoOutcome) -> None:
        match outcome:
            case Undone():
                self._notes.pop(merge_id, None)
            case CannotUndo():
                self._notes[merge_id] = translate(
                    "SyncCentre", "It can't be taken back: the record was changed again since."
                )
        self.list_all()

    def _take_undo_failure(self, merge_id: int, error: SyncError) -> None:
        self._notes[merge_id] = " ".join(errors_of(error).values())
        self.listed.emit()

    def _waiting_row(self, each: Waiting, refused: set[Key]) -> WaitingRow:
        title, status = self._listed.titles.get(each.key), self._records.status
        return WaitingRow(
            key=each.key,
            patient=title.patient if title is not None else "",
            title=title_words(each.key, title),
            age=self._age(each.since),
            reason=reason_words(each, status, refused=refused),
            badge=waiting_badge(each, status),
            why=each.why,
            can_fix=title is not None,
        )

    def _merge_row(self, each: MergeMade) -> MergeRow:
        return MergeRow(
            made=each,
            title=title_words(each.key, self._listed.titles.get(each.key)),
            age=self._age(each.happened_at),
            words=merge_words(each),
            note=self._notes.get(each.id, ""),
        )

    def _elsewhere_row(self, each: Elsewhere) -> ElsewhereRow:
        conflict = each.conflict
        return ElsewhereRow(
            id=conflict.id,
            title=title_words(conflict.key, self._listed.titles.get(conflict.key)),
            age=self._age(conflict.mine_at),
            met=met_words(conflict.author, conflict.device),
            is_free=each.record.state is RecordState.ON_SERVER,
        )

    def _age(self, at: str) -> str:
        try:
            then = datetime.fromisoformat(at)
        except ValueError:
            return ""
        return age_words((self._now() - then).total_seconds()) if then.tzinfo is not None else ""


def met_words(author: str, device: str) -> str:
    """Return who met a conflict, and on which laptop."""
    if author and device:
        words = translate("SyncCentre", "Met by {author} on the laptop “{device}”.")
        return words.format(author=author, device=device)
    if author:
        return translate("SyncCentre", "Met by {author}.").format(author=author)
    return translate("SyncCentre", "Met on another laptop.")


def discard_words(given_up: GivenUp) -> str:
    """Return what giving a change up would mean."""
    stays = translate("SyncCentre", "Your change will be lost; the server's version stays.")
    goes = translate("SyncCentre", "This record will be lost: it was never on the server.")
    parts = [stays if given_up.is_on_server else goes]
    if given_up.with_it:
        named = [title_words(key, title) for key, title in given_up.with_it[:MAX_NAMED]]
        more = len(given_up.with_it) - len(named)
        if more:
            named.append(translate("SyncCentre", "{n} more").format(n=more))
        with_it = translate("SyncCentre", "With it go: {names}.")
        parts.append(with_it.format(names="; ".join(named)))
    parts.append(translate("SyncCentre", "Press again to agree."))
    return " ".join(parts)
