"""The sync centre: the way to the server, and every change that is not there yet."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from physioflow_client.look.actions import button, label
from physioflow_client.look.icons import IconMark
from physioflow_client.look.tokens import SPACE_1, SPACE_2, SPACE_3, SPACE_4, SPACE_5, SPACE_7
from physioflow_client.viewmodels.sync_status import SyncStatusModel, WaitingRow
from physioflow_client.views import names
from physioflow_client.views.waiting_card import WaitingCard
from physioflow_sync.core.changes import Key
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.status import SyncStatus

_WIDTH_PX: Final = 820


class SyncCentre(QWidget):
    """Shows a `SyncStatusModel`, in the place of the page.

    Signals:
        closed: back to the page.
        choose_versions(str): decide about the record of this id.
        fix(WaitingRow): repair this record.
    """

    closed = Signal()
    choose_versions = Signal(str)
    fix = Signal(object)

    def __init__(self, model: SyncStatusModel) -> None:
        super().__init__()
        self.setObjectName(names.SYNC_CENTRE)
        self._model = model
        self._icon = IconMark("cloud-check", "ok", px=20)
        self._connection = label(role="h2")
        self._synced = label(role="muted")
        self._counts = label(role="muted", wraps=True)
        self._detail = label(role="small", wraps=True)
        self._try = button(self.tr("Try now"), role="primary", icon_name="refresh-cw")
        self._try.setObjectName(names.TRY_NOW)
        self._try.clicked.connect(model.try_now)
        self._close = button(self.tr("Close"), shortcut="Esc")
        self._close.setObjectName(names.CLOSE_SYNC)
        self._close.clicked.connect(self.closed)
        self._empty = label(self.tr("Everything of this laptop is on the server."), "empty")
        self._rows = QVBoxLayout()
        self._rows.setSpacing(SPACE_2)
        self._shown: tuple[WaitingRow, ...] = ()
        self._cards: list[WaitingCard] = []
        self._lay_out()
        model.changed.connect(self._show_status)
        model.listed.connect(self._show_rows)

    def showEvent(self, event: QShowEvent, /) -> None:
        self._model.list_waiting()
        self._show_status()
        self._try.setFocus()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent, /) -> None:
        self._model.stop_listing()
        super().hideEvent(event)

    @Slot()
    def _show_status(self) -> None:
        model = self._model
        self._icon.show_icon(*icon_of(model.status))
        self._connection.setText(model.connection)
        self._synced.setText(f"{model.synced}.")
        parts = [*model.counts, model.oldest]
        counts = " · ".join(part for part in parts if part)
        self._counts.setText(counts)
        self._counts.setVisible(bool(counts))
        detail = "" if model.status.connectivity.is_connected else model.status.detail
        self._detail.setText(detail)
        self._detail.setVisible(bool(detail))
        self._show_rows()

    @Slot()
    def _show_rows(self) -> None:
        rows = self._model.rows
        self._empty.setVisible(not rows)
        if rows == self._shown:
            return
        was, self._shown = self._shown, rows
        if [_lasting(row) for row in was] == [_lasting(row) for row in rows]:
            # Only words have grown older: the keyboard stays where it is.
            for card, row in zip(self._cards, rows, strict=True):
                card.show_words(row)
            return
        for card in self._cards:
            self._rows.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards = [self._card(row) for row in rows]
        for card in self._cards:
            self._rows.addWidget(card)

    def _card(self, row: WaitingRow) -> WaitingCard:
        card = WaitingCard(row)
        card.choose.connect(self._choose)
        card.fix.connect(self.fix)
        card.discard.connect(self._model.discard)
        return card

    @Slot(object)
    def _choose(self, row: WaitingRow) -> None:
        self.choose_versions.emit(row.key.id)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(SPACE_2)
        top.addWidget(label(self.tr("Sync centre"), "h1"), 1)
        top.addWidget(self._close)
        top.addWidget(self._try)
        middle = QWidget()
        middle.setProperty("role", "page")
        middle.setMaximumWidth(_WIDTH_PX)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_4)
        column.addWidget(self._status_card())
        column.addWidget(label(self.tr("Not on the server yet"), "h2"))
        column.addWidget(self._empty, 0, Qt.AlignmentFlag.AlignLeft)
        column.addLayout(self._rows)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setObjectName(names.WAITING)
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
        for each in (self._connection, self._synced, self._counts, self._detail):
            words.addWidget(each)
        row = QHBoxLayout(card)
        row.setContentsMargins(SPACE_5, SPACE_4, SPACE_5, SPACE_4)
        row.setSpacing(SPACE_3)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        return card


def icon_of(status: SyncStatus) -> tuple[str, str]:
    """Return an icon and its token: green only where nothing waits for anything."""
    if not status.connectivity.is_connected:
        return "wifi-off", "warn"
    if status.counts.conflicts or status.counts.rejected:
        return "circle-alert", "danger"
    return ("upload", "warn") if status.counts.unsent else ("cloud-check", "ok")


def _lasting(row: WaitingRow) -> tuple[Key, str, RecordState]:
    return row.key, row.title, row.state
