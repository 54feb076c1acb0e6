"""The page of a patient: who it is, the trend, the measures, the details."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from physioflow_client.look.actions import button, label
from physioflow_client.look.tokens import SPACE_3, SPACE_4, SPACE_5, SPACE_7
from physioflow_client.viewmodels.patient_page import PatientPage, PatientPageModel
from physioflow_client.viewmodels.record_form import RecordForm
from physioflow_client.views import names
from physioflow_client.views.measure_details import MeasureDetailsCard
from physioflow_client.views.measures_card import MeasuresCard
from physioflow_client.views.patient_details import PatientDetailsCard
from physioflow_client.views.patient_heading import PatientHeading
from physioflow_client.views.trend_panel import TrendPanel
from physioflow_clinical.outcome_measures import Status

_NARROW_PX: Final = 760
_MEASURES, _DETAILS = 0, 1


class _Columns(QBoxLayout):
    """Columns that take the room there is: the chart shrinks before the page scrolls."""

    def hasHeightForWidth(self) -> bool:
        return False


class PatientPageView(QWidget):
    """Shows a `PatientPageModel`.

    Signals:
        edit_details, record, new_episode: of the patient shown.
        edit_episode: of the episode shown.
        amend(str): correct the answers of a measure.
        choose_versions(str): decide about a measure with two versions.
        saved: notes or phase of a measure are durable.
    """

    edit_details = Signal()
    record = Signal()
    new_episode = Signal()
    edit_episode = Signal()
    amend = Signal(str)
    choose_versions = Signal(str)
    saved = Signal()

    def __init__(self, model: PatientPageModel, form: RecordForm) -> None:
        super().__init__()
        self.setObjectName(names.PATIENT_PAGE)
        self._model = model
        self._form = form
        self._heading = PatientHeading()
        self._tabs = QTabBar()
        self._tabs.setObjectName(names.TABS)
        self._tabs.setAccessibleName(self.tr("Parts of the patient's page"))
        self._tabs.addTab(self.tr("Outcome measures"))
        self._tabs.addTab(self.tr("Details"))
        self._tabs.setDrawBase(False)
        self._tabs.setExpanding(False)
        self._trend = TrendPanel()
        self._measures = MeasuresCard()
        self._one = MeasureDetailsCard(form)
        self._right = QStackedWidget()
        self._right.addWidget(self._measures)
        self._right.addWidget(self._one)
        self._columns = _Columns(QBoxLayout.Direction.LeftToRight)
        self._empty = self._empty_card()
        self._details = PatientDetailsCard()
        self._pages = QStackedWidget()
        self._lay_out()
        self._connect()
        self._show()

    def resizeEvent(self, event: QResizeEvent, /) -> None:
        is_narrow = event.size().width() < _NARROW_PX
        self._columns.setDirection(
            QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        )
        self._heading.make_narrow(is_narrow)
        super().resizeEvent(event)

    def focus_main(self) -> None:
        """Put the keyboard on what one most likely wants to do next."""
        self._heading.focus_record()

    def _connect(self) -> None:
        model = self._model
        model.changed.connect(self._show)
        self._heading.edit_details.connect(self.edit_details)
        self._heading.record.connect(self.record)
        self._heading.episode_chosen.connect(model.choose_episode)
        self._heading.edit_episode.connect(self.edit_episode)
        self._heading.new_episode.connect(self.new_episode)
        self._tabs.currentChanged.connect(self._pages.setCurrentIndex)
        self._trend.chosen.connect(model.choose_trend)
        self._measures.chosen.connect(model.choose_measure)
        self._one.back.connect(self._close_measure)
        self._one.amend.connect(self.amend)
        self._one.choose_versions.connect(self.choose_versions)
        self._one.begin_edit.connect(self._begin_edit)
        self._one.begin_void.connect(self._begin_void)
        self._form.saved.connect(self.saved)
        self._details.edit.connect(self.edit_details)

    @Slot()
    def _show(self) -> None:
        page = self._model.page
        if page is None:
            return
        self._heading.show_page(page)
        self._details.show_page(page)
        self._show_measures(page)

    def _show_measures(self, page: PatientPage) -> None:
        has_measures = bool(page.rows)
        self._empty.setVisible(not has_measures)
        self._trend.setVisible(page.card is not None)
        self._right.setVisible(has_measures)
        self._show_empty(page)
        if page.card is not None:
            self._trend.show_cards(page.cards, page.card)
        self._measures.show_rows(page.rows)
        if page.details is not None:
            self._one.show_details(page.details)
        self._right.setCurrentWidget(self._one if page.details is not None else self._measures)

    def _show_empty(self, page: PatientPage) -> None:
        has_episode = page.episode is not None
        self._empty_words.setText(
            self.tr("Nothing measured in this episode yet.")
            if has_episode
            else self.tr("An episode of care says what the measures are about.")
        )
        self._first.setVisible(has_episode)
        self._begin.setVisible(not has_episode)

    @Slot()
    def _close_measure(self) -> None:
        self._model.choose_measure("")

    @Slot(str)
    def _begin_edit(self, measure: str) -> None:
        kept = self._model.measure(measure)
        assert kept is not None, "the measure shown is one of the page"
        self._form.edit(kept.record)

    @Slot(str)
    def _begin_void(self, measure: str) -> None:
        kept = self._model.measure(measure)
        assert kept is not None, "the measure shown is one of the page"
        error = {"status": Status.ENTERED_IN_ERROR.value, "reason": ""}
        self._form.edit(kept.record, preset=error)

    def _empty_card(self) -> QFrame:
        card = QFrame()
        card.setProperty("role", "card")
        self._empty_words = label(role="empty", wraps=True)
        self._empty_words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._first: QPushButton = button(self.tr("Record the first measure"), role="quiet")
        self._first.clicked.connect(self.record)
        self._begin: QPushButton = button(self.tr("Begin an episode…"), role="quiet")
        self._begin.setObjectName(names.NEW_EPISODE)
        self._begin.clicked.connect(self.new_episode)
        column = QVBoxLayout(card)
        column.setContentsMargins(SPACE_7, SPACE_7, SPACE_7, SPACE_7)
        column.setSpacing(SPACE_3)
        column.addStretch()
        column.addWidget(self._empty_words)
        column.addWidget(self._first, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._begin, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch()
        return card

    def _lay_out(self) -> None:
        self._columns.setSpacing(SPACE_4)
        self._columns.setContentsMargins(0, 0, 0, 0)
        self._columns.addWidget(self._trend, 3)
        self._columns.addWidget(self._right, 2)
        self._columns.addWidget(self._empty, 1)
        measures = QWidget()
        measures.setProperty("role", "page")
        measures.setLayout(self._columns)
        self._pages.addWidget(_scrolled(measures))
        self._pages.addWidget(_scrolled(self._details))
        rule = QFrame()
        rule.setProperty("role", "rule")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(SPACE_7, SPACE_5, SPACE_7, SPACE_4)
        whole.setSpacing(0)
        whole.addWidget(self._heading)
        whole.addSpacing(SPACE_3)
        whole.addWidget(self._tabs, 0, Qt.AlignmentFlag.AlignLeft)
        whole.addWidget(rule)
        whole.addSpacing(SPACE_3)
        whole.addWidget(self._pages, 1)


def _scrolled(widget: QWidget) -> QScrollArea:
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setWidget(widget)
    return scroll
