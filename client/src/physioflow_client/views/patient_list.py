"""The patients beside the window: search, filters, the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from physioflow_client.look.actions import button, label
from physioflow_client.look.icons import icon
from physioflow_client.look.tokens import SPACE_2, SPACE_3, SPACE_4
from physioflow_client.viewmodels.badge import BadgeWords, badge_of
from physioflow_client.viewmodels.patient_list import Filter, PatientListModel, Role
from physioflow_client.views import names
from physioflow_client.views.editor_field import LineEditor
from physioflow_client.views.patient_row import PatientRowDelegate
from physioflow_sync.core.local_record import RecordState

_MAX_TYPED: Final = 100

_Index = QModelIndex | QPersistentModelIndex


class PatientListView(QListView):
    """The list itself.

    Signals:
        badge_clicked(str): the badge of this patient was clicked.
    """

    badge_clicked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName(names.PATIENTS)
        self.setAccessibleName(self.tr("Patients"))
        self.setProperty("role", "plain")
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._delegate = PatientRowDelegate(self)
        self.setItemDelegate(self._delegate)

    def dataChanged(
        self, top_left: _Index, bottom_right: _Index, /, roles: Sequence[int] = ()
    ) -> None:
        # A list view lays all its rows out anew, ten thousand of them, for a badge of one;
        # rows of one height need to be painted only.
        QAbstractItemView.dataChanged(self, top_left, bottom_right, roles)

    def mouseReleaseEvent(self, event: QMouseEvent, /) -> None:
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        badge = index.data(Role.BADGE)
        if isinstance(badge, BadgeWords):
            place = self._delegate.badge_rect(
                QRectF(self.visualRect(index)), badge, str(index.data())
            )
            if place.contains(event.position()):
                self.badge_clicked.emit(index.data(Role.ID))


class PatientListPanel(QFrame):
    """The sidebar.

    Signals:
        patient_chosen(str): show this patient.
        choose_versions(str): open the conflict window, at this patient or "" at the first.
        new_patient: make one.
    """

    patient_chosen = Signal(str)
    choose_versions = Signal(str)
    new_patient = Signal()

    def __init__(self, model: PatientListModel) -> None:
        super().__init__()
        self.setProperty("role", "sidebar")
        self._model = model
        self._patient = ""
        self._search = self._search_field()
        self._chips = {which: self._chip(which) for which in Filter}
        self._list = PatientListView()
        self._list.setModel(model)
        self._empty = label(role="empty", wraps=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._empty.setContentsMargins(0, SPACE_4, 0, 0)
        self._new = button(
            self.tr("New patient"), role="quiet", icon_name="plus", shortcut="Ctrl+Shift+N"
        )
        self._new.setObjectName(names.NEW_PATIENT)
        self._new.clicked.connect(self.new_patient)
        self._top = QHBoxLayout()
        self._lay_out()
        self._list.selectionModel().currentChanged.connect(self._take_current)
        self._list.badge_clicked.connect(self._take_badge)
        model.counted.connect(self._show_counts)
        model.refreshed.connect(self._show_rows)
        self._show_counts()

    def focus_search(self) -> None:
        """Let the next keystroke search."""
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search.selectAll()

    def put_beside_search(self, widget: QWidget) -> None:
        """Put the window's menu where the eye looks for it."""
        self._top.addWidget(widget)

    def select(self, patient: str) -> None:
        """Mark a patient as the one shown, where the list has them."""
        self._patient = patient
        row = self._model.row_of(patient)
        if row < 0:
            self._list.selectionModel().clear()
            return
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
        index = self._model.index(row)
        if self._list.currentIndex() != index:
            self._list.selectionModel().setCurrentIndex(index, flags)
        self._list.scrollTo(index)

    def eventFilter(self, watched: object, event: QEvent, /) -> bool:
        """Down from the search field goes into the list, Enter takes the first hit."""
        if watched is self._search and isinstance(event, QKeyEvent):
            is_press = event.type() is QEvent.Type.KeyPress
            if is_press and event.key() == Qt.Key.Key_Down and self._model.rowCount():
                self._list.setFocus(Qt.FocusReason.TabFocusReason)
                if not self._list.currentIndex().isValid():
                    self._list.setCurrentIndex(self._model.index(0))
                return True
        return False

    @Slot()
    def _take_first(self) -> None:
        if self._model.rowCount():
            self._list.setCurrentIndex(self._model.index(0))

    @Slot(QModelIndex, QModelIndex)
    def _take_current(self, current: QModelIndex, _: QModelIndex) -> None:
        patient = current.data(Role.ID) if current.isValid() else ""
        if patient and patient != self._patient:
            self._patient = patient
            self.patient_chosen.emit(patient)

    @Slot(str)
    def _take_badge(self, patient: str) -> None:
        row = self._model.index(self._model.row_of(patient))
        if row.data(Role.BADGE) == badge_of(RecordState.CONFLICT):
            self.choose_versions.emit(patient)

    @Slot()
    def _show_counts(self) -> None:
        for which, chip in self._chips.items():
            chip.setText(f"{self._words(which)} {self._model.count(which)}")
            chip.setAccessibleName(chip.text())

    @Slot()
    def _show_rows(self) -> None:
        self.select(self._patient)
        has_rows = self._model.rowCount() > 0
        self._list.setVisible(has_rows)
        self._empty.setVisible(not has_rows)
        self._empty.setText(self._empty_words())

    def _empty_words(self) -> str:
        if self._model.is_search:
            return self.tr("Nobody found. Try fewer letters, or a number such as 17.")
        match self._model.filter:
            case Filter.ALL if not self._model.is_synced:
                return self.tr("The clinic's patients come with the first sync.")
            case Filter.ALL:
                return self.tr("No patients yet. Add the first one below.")
            case Filter.UNSENT:
                return self.tr("Nothing of this laptop waits to be sent.")
            case Filter.CHOOSE:
                return self.tr("No record has two versions.")

    def _words(self, which: Filter) -> str:
        match which:
            case Filter.ALL:
                return self.tr("All")
            case Filter.UNSENT:
                return self.tr("Unsent")
            case Filter.CHOOSE:
                return self.tr("Choose")

    def _search_field(self) -> QLineEdit:
        field = LineEditor()
        field.setObjectName(names.SEARCH)
        field.setPlaceholderText(self.tr("Search patients   Ctrl+K"))
        field.setAccessibleName(self.tr("Search patients by name, phone or number"))
        field.setClearButtonEnabled(True)
        field.setMaxLength(_MAX_TYPED)
        field.addAction(icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition)
        field.textChanged.connect(self._model.search)
        field.returnPressed.connect(self._take_first)
        field.installEventFilter(self)
        return field

    def _chip(self, which: Filter) -> QPushButton:
        chip = button("", role="chip")
        chip.setObjectName(names.FILTERS[which.value])
        chip.setCheckable(True)
        chip.setChecked(which is Filter.ALL)

        def choose() -> None:
            self._model.choose(which)
            if which is Filter.CHOOSE and self._model.count(which):
                self.choose_versions.emit("")

        chip.clicked.connect(choose)
        return chip

    def _lay_out(self) -> None:
        self._top.setSpacing(SPACE_2)
        self._top.addWidget(self._search, 1)
        group = QButtonGroup(self)
        chips = QHBoxLayout()
        chips.setSpacing(SPACE_2)
        for chip in self._chips.values():
            group.addButton(chip)
            chips.addWidget(chip)
        chips.addStretch()
        middle = QVBoxLayout()
        middle.addWidget(self._list, 1)
        middle.addWidget(self._empty, 1)
        self._empty.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_4, SPACE_4, SPACE_4, SPACE_2)
        column.setSpacing(SPACE_3)
        column.addLayout(self._top)
        column.addLayout(chips)
        column.addLayout(middle, 1)
        column.addWidget(self._new, 0, Qt.AlignmentFlag.AlignLeft)
