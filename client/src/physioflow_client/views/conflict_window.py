"""Two versions of a record, side by side, until a person has decided.  Not modal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from physioflow_client.look.actions import button, label, set_text
from physioflow_client.look.announcement import announce
from physioflow_client.look.tokens import SPACE_2, SPACE_3, SPACE_4, SPACE_5, SPACE_7
from physioflow_client.viewmodels.conflict import ConflictModel
from physioflow_client.viewmodels.conflict_snapshot import ConflictSnapshot, FieldPresenter
from physioflow_client.viewmodels.field_words import field_label
from physioflow_client.views.conflict_cells import KEYS
from physioflow_client.views.conflict_queue import ConflictQueue
from physioflow_client.views.conflict_table import ConflictTable
from physioflow_sync.core.collections import Collection

SAVE: Final = "conflict-save"
LATER: Final = "conflict-later"
USE_THEIRS: Final = "conflict-use-theirs"
"""Object names, by which a test or the demo finds the buttons."""

_QUEUE_PX: Final = 280
_NARROW_PX: Final = 960
"""Below this width (a 1366-pixel screen at 200 %) the queue gives way to two arrows."""


class ConflictWindow(QWidget):
    """Shows the open conflicts and lets a person resolve them one by one.

    Args:
        collections: by name; a registry.
        presenter: puts their fields into words.

    Signals:
        resolved(str, Resolution): the person decided the conflict of this id; hand in the
            remaining conflicts with `show_conflicts` once it is stored, or the moved one with
            its new version.
        postponed: the person will decide later.
    """

    resolved = Signal(str, object)
    postponed = Signal()

    def __init__(
        self,
        collections: Mapping[str, Collection],
        presenter: FieldPresenter,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle(self.tr("Two versions of this record"))
        self.setProperty("role", "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.resize(1366, 768)
        self._collections = collections
        self._presenter = presenter
        self._models: dict[str, ConflictModel] = {}
        self._current: ConflictModel | None = None
        self._make_widgets()
        self._lay_out()
        self._bind_keys()
        self._show_current()

    @property
    def model(self) -> ConflictModel | None:
        """The conflict that is shown."""
        return self._current

    @property
    def table(self) -> ConflictTable:
        return self._table

    def show_conflicts(self, snapshots: Sequence[ConflictSnapshot]) -> None:
        """Show these conflicts, oldest first; choices already made are kept."""
        known, self._models = self._models, {}
        for snapshot in snapshots:
            model = known.pop(snapshot.id, None)
            if model is None:
                collection = self._collections[snapshot.key.collection]
                model = ConflictModel(snapshot, collection, self._presenter, self)
            elif model.rebase(snapshot) and model is self._current:
                self._say_moved()
            self._models[snapshot.id] = model
        for gone in known.values():
            gone.deleteLater()
        if self._current is None or self._current not in self._models.values():
            self._pick(0)
        else:
            self._show_queue()
            self._refresh()

    def show_conflict(self, conflict: str) -> None:
        """Bring one of the conflicts to the front, by its id."""
        if conflict in self._models:
            self._pick(list(self._models).index(conflict))

    @Slot()
    def save(self) -> None:
        """Hand the decision out, if it is complete."""
        if self._current is not None and self._current.can_save:
            self.resolved.emit(self._current.snapshot.id, self._current.resolution())

    @Slot()
    def decide_later(self) -> None:
        """Close the window; what was chosen so far is kept."""
        self.close()

    def closeEvent(self, event: QCloseEvent, /) -> None:
        self.postponed.emit()
        super().closeEvent(event)

    def resizeEvent(self, event: QResizeEvent, /) -> None:
        super().resizeEvent(event)
        is_narrow = self.width() < _NARROW_PX
        self._sidebar.setVisible(not is_narrow)
        self._stepper.setVisible(is_narrow and len(self._models) > 1)
        side = SPACE_3 if is_narrow else SPACE_7
        above = SPACE_2 if is_narrow else SPACE_5
        self._page_column.setContentsMargins(side, above, side, above if is_narrow else SPACE_4)
        self._name_buttons()

    def _make_widgets(self) -> None:
        self._queue = ConflictQueue()
        self._queue.setAccessibleName(self.tr("Records with two versions"))
        self._queue.picked.connect(self._pick)
        self._title = label("", "h1", wraps=True)
        self._subtitle = label("", "muted", wraps=True)
        self._notice = label("", "strong", wraps=True, tone="warn")
        self._notice.hide()
        self._position = label("", "small")
        self._table = ConflictTable()
        self._later = button(self.tr("Decide later"), shortcut="Esc")
        self._later.setObjectName(LATER)
        self._later.clicked.connect(self.decide_later)
        self._use_theirs = button(self.tr("Use theirs"))
        self._use_theirs.setObjectName(USE_THEIRS)
        self._use_theirs.clicked.connect(self._take_theirs)
        self._undo = button(self.tr("Undo"), role="quiet", shortcut="Ctrl+Z")
        self._undo.clicked.connect(self._take_back)
        self._left = label("", "small", wraps=True)
        self._left.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._save = button(self.tr("Save"), role="primary")
        self._save.setObjectName(SAVE)
        self._save.clicked.connect(self.save)

    def _lay_out(self) -> None:
        self._pages = QStackedWidget()
        self._pages.addWidget(self._empty_page())
        self._pages.addWidget(self._page())
        self._sidebar = self._sidebar_frame()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        # The window may become narrower than the queue and the page side by side.
        row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)
        row.addWidget(self._sidebar)
        row.addWidget(self._pages, 1)

    def _sidebar_frame(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("role", "sidebar")
        frame.setFixedWidth(_QUEUE_PX)
        column = QVBoxLayout(frame)
        column.setContentsMargins(SPACE_4, SPACE_5, SPACE_4, SPACE_4)
        column.setSpacing(SPACE_2)
        column.addWidget(label(self.tr("Two versions"), "h2"))
        words = self.tr("Choose what to keep. Nothing is lost until you do.")
        column.addWidget(label(words, "small", wraps=True))
        column.addWidget(self._queue, 1)
        return frame

    def _empty_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        words = label(self.tr("Every record has one version. There is nothing to choose."), "empty")
        close = button(self.tr("Close"))
        close.clicked.connect(self.close)
        column.addStretch()
        column.addWidget(words, 0, Qt.AlignmentFlag.AlignCenter)
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch()
        return page

    def _page(self) -> QWidget:
        page = QWidget()
        self._page_column = QVBoxLayout(page)
        self._page_column.setSpacing(SPACE_2)
        self._page_column.addWidget(self._stepper_row())
        for widget in (self._title, self._subtitle, self._notice):
            self._page_column.addWidget(widget)
        self._page_column.addWidget(self._table, 1)
        self._page_column.addWidget(self._left)
        footer = QHBoxLayout()
        footer.setSpacing(SPACE_2)
        footer.addWidget(self._later)
        footer.addWidget(self._use_theirs)
        footer.addWidget(self._undo)
        footer.addStretch(1)
        footer.addWidget(self._save)
        self._page_column.addLayout(footer)
        return page

    def _stepper_row(self) -> QWidget:
        self._stepper = QWidget()
        row = QHBoxLayout(self._stepper)
        row.setContentsMargins(0, 0, 0, 0)
        before, after = button(self.tr("Previous record")), button(self.tr("Next record"))
        before.clicked.connect(lambda: self._step_record(-1))
        after.clicked.connect(lambda: self._step_record(1))
        row.addWidget(self._position, 1)
        row.addWidget(before)
        row.addWidget(after)
        return self._stepper

    def _bind_keys(self) -> None:
        for choice, keys in KEYS.items():
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(lambda choice=choice: self._table.choose(choice))
        for keys, by in (("F8", 1), ("Shift+F8", -1)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(lambda by=by: self._table.step(by))
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            QShortcut(QKeySequence(keys), self).activated.connect(self.save)

    @Slot(int)
    def _pick(self, index: int) -> None:
        models = list(self._models.values())
        if self._current is not None:
            self._current.changed.disconnect(self._refresh)
            self._current.rebuilt.disconnect(self._refresh)
        self._current = models[index] if index < len(models) else None
        if self._current is not None:
            self._current.changed.connect(self._refresh)
            self._current.rebuilt.connect(self._refresh)
        self._notice.hide()
        self._show_current()

    def _step_record(self, by: int) -> None:
        models = list(self._models.values())
        if self._current in models:
            self._pick((models.index(self._current) + by) % len(models))

    def _show_current(self) -> None:
        model = self._current
        self._pages.setCurrentIndex(0 if model is None else 1)
        self._show_queue()
        if model is None:
            return
        snapshot = model.snapshot
        self._title.setText(snapshot.title)
        self._subtitle.setText(snapshot.subtitle)
        self._name_buttons()
        self._table.show_model(model)
        self._refresh()

    def _name_buttons(self) -> None:
        """Name the other person where there is room."""
        words = self.tr("Use theirs")
        snapshot = self._current.snapshot if self._current is not None else None
        if snapshot is not None and snapshot.is_elsewhere:
            words = self.tr("Use {whose}").format(whose=snapshot.theirs.whose)
        elif snapshot is not None and snapshot.theirs.who and self.width() >= _NARROW_PX:
            words = self.tr("Use {who}'s version").format(who=snapshot.theirs.who)
        set_text(self._use_theirs, words)

    def _show_queue(self) -> None:
        models = list(self._models.values())
        current = models.index(self._current) if self._current in models else -1
        self._queue.show_records([self._queue_line(model) for model in models], current)
        position = self.tr("{n} of {count}").format(n=current + 1, count=len(models))
        self._position.setText(position)
        self._stepper.setVisible(self.width() < _NARROW_PX and len(models) > 1)

    def _queue_line(self, model: ConflictModel) -> tuple[str, str]:
        snapshot, count = model.snapshot, len(model.rows)
        fields = self.tr("1 field") if count == 1 else self.tr("{n} fields").format(n=count)
        where = snapshot.mine.device if snapshot.is_elsewhere else ""
        parts = (snapshot.short, where, fields, snapshot.age)
        return snapshot.person or snapshot.record, " · ".join(part for part in parts if part)

    @Slot()
    def _refresh(self) -> None:
        model = self._current
        if model is None:
            return
        set_text(self._save, model.effect_words())
        self._save.setEnabled(model.can_save)
        self._undo.setVisible(model.can_undo)
        self._table.put_before((self._later, self._use_theirs, self._undo, self._save))
        words = self._what_is_left(model)
        self._left.setText(words)
        self._left.setVisible(bool(words))

    def _what_is_left(self, model: ConflictModel) -> str:
        if model.choices_left:
            one, many = self.tr("1 choice left"), self.tr("{n} choices left")
            return (one if model.choices_left == 1 else many).format(n=model.choices_left)
        problems = model.problems()
        if not problems:
            return ""
        name = problems[0].field.partition(".")[0].partition("[")[0]
        return f"{field_label(name)}: {problems[0].reason}" if name else problems[0].reason

    def _say_moved(self) -> None:
        words = self.tr(
            "This record has changed again meanwhile. Your choices are kept; what is new is marked."
        )
        self._notice.setText(words)
        self._notice.show()
        announce(self, words)

    @Slot()
    def _take_theirs(self) -> None:
        if self._current is not None:
            self._current.choose_theirs_everywhere()
            self._save.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _take_back(self) -> None:
        if self._current is not None:
            self._current.undo()
