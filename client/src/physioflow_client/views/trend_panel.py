"""The card of one trend: the score now, what it means, and how it came about."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QVBoxLayout,
)

from physioflow_client.charts.trend_chart import TrendChart
from physioflow_client.look.actions import button, label
from physioflow_client.look.fonts import font
from physioflow_client.look.style_sheet import restyle
from physioflow_client.look.tokens import (
    DISPLAY_PX,
    SEMIBOLD,
    SMALL_PX,
    SPACE_1,
    SPACE_2,
    SPACE_3,
    SPACE_4,
    SPACE_5,
)
from physioflow_client.viewmodels.badge import BadgeWords
from physioflow_client.viewmodels.trend_card import TrendCard
from physioflow_client.views import names
from physioflow_client.views.badge import Badge
from physioflow_client.views.editor_field import choice
from physioflow_client.views.measures_table import MeasuresTable


class TrendPanel(QFrame):
    """Shows one `TrendCard` of several.

    Signals:
        chosen(TrendKey): show another trend.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._cards: tuple[TrendCard, ...] = ()
        self._title = label(role="h2", wraps=True)
        self._choice = choice({})
        self._choice.setObjectName(names.TREND_CHOICE)
        self._choice.setAccessibleName(self.tr("Which measure"))
        self._choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._choice.activated.connect(self._take_choice)
        self._direction = Badge(BadgeWords(""))
        self._value = label()
        self._value.setObjectName(names.TREND_VALUE)
        self._value.setFont(font(DISPLAY_PX, SEMIBOLD, tabular=True))
        self._value.setStyleSheet(f"font-size: {DISPLAY_PX}px; font-weight: {SEMIBOLD};")
        self._range = label(role="muted")
        self._sentence = label(wraps=True)
        self._sentence.setStyleSheet(f"font-size: {SMALL_PX}px; font-weight: {SEMIBOLD};")
        self._change = _pill(self._sentence)
        self._chart = TrendChart()
        self._chart.setObjectName(names.TREND_CHART)
        self._table = MeasuresTable()
        self._pages = QStackedWidget()
        self._pages.addWidget(self._chart)
        self._pages.addWidget(self._table)
        self._threshold = label(role="small", wraps=True)
        self._as_table = button(self.tr("Table"), role="quiet", icon_name="table")
        self._as_table.setObjectName(names.TREND_AS_TABLE)
        self._as_table.setCheckable(True)
        self._as_table.setToolTip(self.tr("Show the same scores as a table"))
        self._as_table.toggled.connect(self._turn)
        self._lay_out()

    def show_cards(self, cards: tuple[TrendCard, ...], card: TrendCard) -> None:
        """Show one trend and offer the others."""
        self._cards = cards
        self._choice.clear()
        for each in cards:
            self._choice.addItem(each.choice)
        self._choice.setCurrentIndex(cards.index(card))
        self._choice.setVisible(len(cards) > 1)
        self._title.setText(card.title)
        self._direction.show_badge(BadgeWords(card.direction))
        self._value.setText(card.value)
        self._range.setText(card.value_range)
        self._sentence.setText(card.sentence)
        for widget in (self._change, self._sentence):
            widget.setProperty("tone", card.tone.value)
            restyle(widget)
        self._threshold.setText(card.threshold)
        self._threshold.setToolTip(card.source)
        self._threshold.setAccessibleDescription(card.source)
        self._chart.show_series(card.series)
        self._table.show_rows(card.rows)

    @Slot(int)
    def _take_choice(self, place: int) -> None:
        self.chosen.emit(self._cards[place].key)

    @Slot(bool)
    def _turn(self, is_table: bool) -> None:
        self._pages.setCurrentIndex(int(is_table))
        words = self.tr("Chart") if is_table else self.tr("Table")
        self._as_table.setText(words)
        self._as_table.setAccessibleName(words)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(SPACE_3)
        top.addWidget(self._title, 1)
        top.addWidget(self._choice)
        top.addWidget(self._direction)
        score = QHBoxLayout()
        score.setSpacing(SPACE_3)
        score.addWidget(self._value)
        score.addWidget(self._range)
        score.addWidget(self._change, 1, Qt.AlignmentFlag.AlignVCenter)
        bottom = QHBoxLayout()
        bottom.setSpacing(SPACE_2)
        bottom.addWidget(self._threshold, 1)
        bottom.addWidget(self._as_table)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_5, SPACE_4, SPACE_5, SPACE_2)
        column.setSpacing(SPACE_2)
        column.addLayout(top)
        column.addLayout(score)
        column.addWidget(self._pages, 1)
        column.addLayout(bottom)


def _pill(words: QLabel) -> QFrame:
    frame = QFrame()
    inside = QHBoxLayout(frame)
    inside.setContentsMargins(SPACE_3, SPACE_1 + 2, SPACE_3, SPACE_1 + 2)
    inside.addWidget(words)
    return frame
