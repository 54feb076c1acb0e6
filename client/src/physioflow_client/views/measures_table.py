"""The scores of a trend as a table: what the chart shows, for those who read rather than see."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from physioflow_client.look.fonts import font
from physioflow_client.viewmodels.trend_card import TrendRow
from physioflow_client.views import names

_BAND: Final = 3


class MeasuresTable(QTableWidget):
    """When, score, change from baseline, band; the newest on top."""

    def __init__(self) -> None:
        super().__init__(0, 4)
        self.setObjectName(names.TREND_TABLE)
        self.setAccessibleName(self.tr("Scores of this trend"))
        headings = (self.tr("When"), self.tr("Score"), self.tr("Change"), self.tr("Meaning"))
        self.setHorizontalHeaderLabels(list(headings))
        self.verticalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setProperty("role", "plain")

    def show_rows(self, rows: tuple[TrendRow, ...]) -> None:
        """Show rows that are given oldest first."""
        self.setRowCount(len(rows))
        for place, row in enumerate(reversed(rows)):
            for column, words in enumerate((row.when, row.score, row.change, row.band)):
                item = QTableWidgetItem(words)
                item.setFont(font(tabular=True))
                self.setItem(place, column, item)
        self.setColumnHidden(_BAND, not any(row.band for row in rows))
