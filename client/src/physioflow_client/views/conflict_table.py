"""The table of the conflict window: Field, Before, Yours, Theirs, Result."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from physioflow_client.look.actions import label
from physioflow_client.look.icons import IconMark
from physioflow_client.look.tokens import SPACE_1, SPACE_2, SPACE_3, SPACE_4
from physioflow_client.viewmodels.conflict import ConflictModel
from physioflow_client.viewmodels.conflict_rows import Choice
from physioflow_client.viewmodels.conflict_snapshot import ConflictSide
from physioflow_client.viewmodels.tone import Tone
from physioflow_client.views.conflict_cells import RowView

translate = QCoreApplication.translate

_STRETCH: Final = (11, 16, 23, 23, 31)
_LEAST_WIDTH_PX: Final = (64, 76, 112, 112, 144)
"""Of each column, so that all five stand side by side in a window of 683 pixels."""
_COMPACT_PX: Final = 800
"""Below this width the cells lose their shortcuts and some of their margins."""


class ConflictTable(QScrollArea):
    """Shows one `ConflictModel`; scrolls when it is long."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._model: ConflictModel | None = None
        self._rows: list[RowView] = []
        self._grid: QGridLayout | None = None

    @property
    def rows(self) -> tuple[RowView, ...]:
        """The rows from top to bottom."""
        return tuple(self._rows)

    def show_model(self, model: ConflictModel) -> None:
        """Show another conflict."""
        if self._model is not None:
            self._model.changed.disconnect(self._refresh)
            self._model.rebuilt.disconnect(self._build)
        self._model = model
        model.changed.connect(self._refresh)
        model.rebuilt.connect(self._build)
        self._build()

    def put_before(self, footer: Sequence[QWidget]) -> None:
        """Let the Tab key go through the rows, and then through what stands below them."""
        stops = [*(stop for view in self._rows for stop in view.stops()), *footer]
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)

    def choose(self, choice: Choice) -> None:
        """Choose for the row that the keyboard is in, else for the first that waits."""
        index = self._current()
        if self._model is not None and index is not None:
            self._model.choose(index, choice)

    def step(self, by: int) -> None:
        """Move the keyboard to the next (1) or previous (-1) row that waits for a choice.

        Where none waits, to the next of all.
        """
        if not self._rows:
            return
        waiting = [i for i, view in enumerate(self._rows) if view.row.choice is Choice.UNDECIDED]
        stops = waiting or list(range(len(self._rows)))
        here = self._focused()
        if here is None:
            target = stops[0] if by > 0 else stops[-1]
        elif by > 0:
            target = next((stop for stop in stops if stop > here), stops[0])
        else:
            target = next((stop for stop in reversed(stops) if stop < here), stops[-1])
        self._rows[target].take_focus()
        self.ensureWidgetVisible(self._rows[target].result)

    def resizeEvent(self, event: QResizeEvent, /) -> None:
        was_compact = self._is_compact(event.oldSize().width())
        super().resizeEvent(event)
        if was_compact is not self._is_compact(event.size().width()):
            self._refresh()

    def changeEvent(self, event: QEvent, /) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            # The marks in long texts are made of the theme's colours.
            self._refresh()

    @staticmethod
    def _is_compact(width: int) -> bool:
        return width < _COMPACT_PX

    @Slot()
    def _refresh(self) -> None:
        compact = self._is_compact(self.viewport().width())
        for view in self._rows:
            view.refresh(compact=compact)
        if self._grid is not None:
            side = SPACE_2 if compact else SPACE_4
            self._grid.setContentsMargins(side, SPACE_3, side, SPACE_3)
            self._grid.setHorizontalSpacing(SPACE_1 if compact else SPACE_3)

    @Slot()
    def _build(self) -> None:
        model = self._model
        assert model is not None, "nothing to show"
        for view in self._rows:
            view.deleteLater()
        content = QFrame()
        content.setProperty("role", "card")
        grid = QGridLayout(content)
        grid.setVerticalSpacing(SPACE_2)
        for column, (stretch, least) in enumerate(zip(_STRETCH, _LEAST_WIDTH_PX, strict=True)):
            grid.setColumnStretch(column, stretch)
            grid.setColumnMinimumWidth(column, least)
        _add_headings(grid, model)
        compact = self._is_compact(self.viewport().width())
        self._rows = [
            RowView(model, index, self, compact=compact) for index in range(len(model.rows))
        ]
        for index, view in enumerate(self._rows):
            line = 2 * index + 2
            _add_rule(grid, line - 1)
            top = Qt.AlignmentFlag.AlignTop
            grid.addWidget(view.name, line, 0, top)
            grid.addWidget(view.before, line, 1, top)
            for column, cell in enumerate((view.mine, view.theirs, view.result), start=2):
                grid.addWidget(cell, line, column, top)
        self._grid = grid
        page = QWidget()
        page.setProperty("role", "page")
        whole = QVBoxLayout(page)
        whole.setContentsMargins(0, 0, SPACE_1, 0)
        whole.addWidget(content)
        whole.addStretch(1)
        self.setWidget(page)
        self._refresh()

    def _focused(self) -> int | None:
        focused = QApplication.focusWidget() or self.window().focusWidget()
        return next((i for i, view in enumerate(self._rows) if view.holds(focused)), None)

    def _current(self) -> int | None:
        here = self._focused()
        if here is not None:
            return here
        return next(
            (i for i, view in enumerate(self._rows) if view.row.choice is Choice.UNDECIDED), None
        )


def _add_rule(grid: QGridLayout, line: int) -> None:
    rule = QFrame()
    rule.setProperty("role", "rule")
    grid.addWidget(rule, line, 0, 1, len(_STRETCH))


def _add_headings(grid: QGridLayout, model: ConflictModel) -> None:
    snapshot = model.snapshot
    headings: tuple[QLayout, ...] = (
        _heading(translate("Conflict", "Field")),
        _heading(translate("Conflict", "Before both changes"), side=snapshot.base),
        _heading(
            version_words(snapshot.mine),
            side=snapshot.mine,
            tone=Tone.ACCENT,
            icon="panel-left",
        ),
        _heading(
            version_words(snapshot.theirs),
            side=snapshot.theirs,
            tone=Tone.THEIRS,
            icon="panel-right",
        ),
        _heading(translate("Conflict", "Result")),
    )
    for column, heading in enumerate(headings):
        grid.addLayout(heading, 0, column)


def version_words(side: ConflictSide) -> str:
    """Return what a side's column is called."""
    if side.title:
        return side.title
    if side.is_me:
        return translate("Conflict", "Your version")
    if side.who:
        return translate("Conflict", "{who}'s version").format(who=side.who)
    return translate("Conflict", "The other version")


def _heading(
    words: str, *, side: ConflictSide | None = None, tone: Tone | None = None, icon: str = ""
) -> QLayout:
    column = QVBoxLayout()
    column.setSpacing(2)
    first = QHBoxLayout()
    first.setSpacing(SPACE_1)
    if tone is None:
        first.addWidget(label(words, "muted", wraps=True), 1)
    else:
        first.addWidget(IconMark(icon, tone.value))
        first.addWidget(label(words, "strong", wraps=True, tone=tone.value), 1)
    column.addLayout(first)
    if side is not None:
        who = side.who if side.title else ""
        parts = [part for part in (who, side.device, side.when) if part]
        if side.is_newer:
            parts.append(translate("Conflict", "newer"))
        meta = label(" · ".join(parts), "label" if side.is_newer else "small", wraps=True)
        column.addWidget(meta)
    column.addStretch()
    return column
