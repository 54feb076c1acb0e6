"""The sync centre: the way to the server, and everything that is not simply there."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from physioflow_client.look.actions import button, label
from physioflow_client.look.flow_row import FlowRow
from physioflow_client.look.icons import IconMark
from physioflow_client.look.tokens import (
    ICON_PX,
    SPACE_1,
    SPACE_2,
    SPACE_3,
    SPACE_4,
    SPACE_5,
    SPACE_7,
)
from physioflow_client.viewmodels.sync_centre import (
    ElsewhereRow,
    MergeRow,
    SyncCentreModel,
    WaitingRow,
)
from physioflow_client.viewmodels.sync_status import SyncStatusModel
from physioflow_client.views import names
from physioflow_client.views.card_list import CardList
from physioflow_client.views.elsewhere_card import ElsewhereCard
from physioflow_client.views.merge_card import MergeCard
from physioflow_client.views.waiting_card import WaitingCard
from physioflow_sync.core.changes import Key
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.status import Counts, SyncStatus

_WIDTH_PX: Final = 820


class SyncCentre(QWidget):
    """Shows what a `SyncStatusModel` and a `SyncCentreModel` say, in the place of the page.

    Signals:
        closed: back to the page.
        choose_versions(str): decide about the record, or the conflict, of this id.
        fix(WaitingRow): repair this record.
    """

    closed = Signal()
    choose_versions = Signal(str)
    fix = Signal(object)

    def __init__(self, status: SyncStatusModel, model: SyncCentreModel) -> None:
        super().__init__()
        self.setObjectName(names.SYNC_CENTRE)
        self._status = status
        self._model = model
        self._icon = IconMark("cloud-check", "ok", px=ICON_PX)
        self._connection = label(role="h2")
        self._synced = label(role="muted")
        self._counts = label(role="muted", wraps=True)
        self._detail = label(role="small", wraps=True)
        self._verified = label(role="muted", wraps=True)
        self._verified.setObjectName(names.VERIFIED)
        self._try = button(self.tr("Try now"), role="primary", icon_name="refresh-cw")
        self._try.setObjectName(names.TRY_NOW)
        self._verify = button(self.tr("Verify this laptop"))
        self._verify.setObjectName(names.VERIFY)
        self._close = button(self.tr("Close"), shortcut="Esc")
        self._close.setObjectName(names.CLOSE_SYNC)
        self._waiting = CardList[WaitingRow](self._waiting_card, fallback=self._try)
        self._elsewhere = CardList[ElsewhereRow](self._elsewhere_card, fallback=self._try)
        self._merges = CardList[MergeRow](self._merge_card, fallback=self._try)
        self._empty = label(self.tr("Everything of this laptop is on the server."), "empty")
        self._more = label(role="small", wraps=True)
        self._elsewhere_heading = label(self.tr("Undecided on other laptops"), "h2")
        self._merges_heading = label(self.tr("Merged automatically"), "h2")
        self._lay_out()
        self._connect()

    def showEvent(self, event: QShowEvent, /) -> None:
        self._model.list_all()
        self._show_status()
        self._try.setFocus()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent, /) -> None:
        self._model.stop_listing()
        super().hideEvent(event)

    @Slot()
    def _show_status(self) -> None:
        status = self._status
        self._icon.show_icon(*icon_of(status.status))
        self._connection.setText(status.connection)
        self._synced.setText(f"{status.synced}.")
        _show(self._counts, " · ".join(part for part in (*status.counts, status.oldest) if part))
        _show(self._detail, "" if status.status.connectivity.is_connected else status.status.detail)
        self._show_rows()

    @Slot()
    def _show_rows(self) -> None:
        model = self._model
        waiting, elsewhere, merges = model.waiting, model.elsewhere, model.merges
        self._waiting.show_rows(waiting)
        self._elsewhere.show_rows(elsewhere)
        self._merges.show_rows(merges)
        self._empty.setVisible(not waiting)
        self._elsewhere_heading.setVisible(bool(elsewhere))
        self._merges_heading.setVisible(bool(merges))
        left = model.waiting_left
        _show(self._more, self.tr("{n} more changes wait.").format(n=left) if left else "")
        _show(self._verified, model.verified)
        self._verify.setEnabled(not model.is_verifying)
        self._chain()

    def _chain(self) -> None:
        """Let the Tab key go from top to bottom, whatever was built first."""
        lists = (self._waiting, self._elsewhere, self._merges)
        cards = [stop for each in lists for stop in each.stops]
        for before, after in pairwise((self._close, self._verify, self._try, *cards)):
            QWidget.setTabOrder(before, after)

    def _waiting_card(self, row: WaitingRow) -> WaitingCard:
        card = WaitingCard(row)
        card.choose.connect(self._choose_of)
        card.fix.connect(self.fix)
        card.try_again.connect(self._model.try_again)
        card.ask_discard.connect(self._model.ask_discard)
        card.discard.connect(self._model.discard)
        return card

    def _elsewhere_card(self, row: ElsewhereRow) -> ElsewhereCard:
        card = ElsewhereCard(row)
        card.choose.connect(self.choose_versions)
        return card

    def _merge_card(self, row: MergeRow) -> MergeCard:
        card = MergeCard(row)
        card.undo.connect(self._model.undo)
        return card

    @Slot(object)
    def _choose_of(self, row: WaitingRow) -> None:
        self.choose_versions.emit(row.key.id)

    @Slot(object, str)
    def _name_discard(self, key: Key, words: str) -> None:
        for card in self._waiting.cards:
            if isinstance(card, WaitingCard) and card.row.key == key:
                card.name_discard(words)

    def _connect(self) -> None:
        self._try.clicked.connect(self._status.try_now)
        self._verify.clicked.connect(self._model.verify)
        self._close.clicked.connect(self.closed)
        self._status.changed.connect(self._show_status)
        self._model.listed.connect(self._show_rows)
        self._model.discard_named.connect(self._name_discard)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(SPACE_2)
        top.addWidget(label(self.tr("Sync centre"), "h1"), 1)
        actions = FlowRow(spacing=SPACE_2)
        for made in (self._close, self._verify, self._try):
            actions.add(made)
        top.addWidget(actions)
        middle = QWidget()
        middle.setProperty("role", "page")
        middle.setMaximumWidth(_WIDTH_PX)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_4)
        column.addWidget(self._status_card())
        column.addWidget(label(self.tr("Not on the server yet"), "h2"))
        column.addWidget(self._empty, 0, Qt.AlignmentFlag.AlignLeft)
        for each in (
            self._waiting,
            self._more,
            self._elsewhere_heading,
            self._elsewhere,
            self._merges_heading,
            self._merges,
        ):
            column.addWidget(each)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setObjectName(names.WAITING)
        scroll.setAccessibleName(self.tr("What is not simply on the server"))
        scroll.setWidgetResizable(True)
        scroll.setWidget(middle)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(SPACE_7, SPACE_5, SPACE_7, SPACE_4)
        whole.setSpacing(SPACE_4)
        whole.addLayout(top)
        whole.addWidget(scroll, 1)

    def _status_card(self) -> QFrame:
        card = QFrame()
        card.setProperty("role", "card")
        words = QVBoxLayout()
        words.setSpacing(SPACE_1)
        lines = (self._connection, self._synced, self._counts, self._detail, self._verified)
        for each in lines:
            words.addWidget(each)
        row = QHBoxLayout(card)
        row.setContentsMargins(SPACE_5, SPACE_4, SPACE_5, SPACE_4)
        row.setSpacing(SPACE_3)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        return card


def icon_of(status: SyncStatus) -> tuple[str, str]:
    """Return an icon and its token: green only where nothing waits for anything."""
    match status.connectivity:
        case Connectivity.DISK_FULL:
            return "laptop", "danger"
        case Connectivity.FILE_PROBLEM:
            return "triangle-alert", "danger"
        case Connectivity.REVOKED:
            return "lock", "danger"
        case Connectivity.ONLINE | Connectivity.SYNCING:
            return _icon_of_counts(status.counts)
        case _:
            return "wifi-off", "warn"


def _icon_of_counts(counts: Counts) -> tuple[str, str]:
    if counts.conflicts or counts.rejected:
        return "circle-alert", "danger"
    if counts.elsewhere:
        return "columns-2", "warn"
    return ("upload", "warn") if counts.unsent else ("cloud-check", "ok")


def _show(line: QLabel, words: str) -> None:
    line.setText(words)
    line.setVisible(bool(words))
