"""The top of the page: name, alerts, one line of identity, and what can be done."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from physioflow_client.look.actions import button, label
from physioflow_client.look.flow_row import FlowLabel, FlowRow
from physioflow_client.look.icons import IconMark, icon
from physioflow_client.look.tokens import SPACE_1, SPACE_2, SPACE_3
from physioflow_client.viewmodels.patient_page import PatientPage
from physioflow_client.viewmodels.tone import Tone
from physioflow_client.views import names
from physioflow_client.views.editor_field import choice

_EPISODE_CHARS: Final = 34
_ALERT_ICON_PX: Final = 12


class PatientHeading(QWidget):
    """Shows the header of a `PatientPage`.

    Signals:
        edit_details, record, edit_episode, new_episode: the action of this name.
        episode_chosen(str): show this episode.
    """

    edit_details = Signal()
    record = Signal()
    edit_episode = Signal()
    new_episode = Signal()
    episode_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._alerts_shown: tuple[str, ...] = ()
        self._name = FlowLabel()
        self._name.setProperty("role", "h1")
        self._name.setObjectName(names.PATIENT_NAME)
        self._formal = FlowLabel()
        self._formal.setProperty("role", "muted")
        self._alerts: list[QWidget] = []
        self._first = FlowRow(spacing=SPACE_2)
        self._identity = label(role="muted", wraps=True)
        self._identity.setObjectName(names.PATIENT_IDENTITY)
        self._episodes = choice({})
        self._episodes.setObjectName(names.EPISODES)
        # As wide for every patient; long words are shortened, and whole in the list itself.
        self._episodes.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._episodes.setMinimumContentsLength(_EPISODE_CHARS)
        self._episodes.setAccessibleName(self.tr("Episode of care"))
        self._episodes.activated.connect(self._take_episode)
        self._unreadable = label(role="small", wraps=True, tone="warn")
        self._edit = button(self.tr("Edit details…"))
        self._edit.setObjectName(names.EDIT_DETAILS)
        self._edit.clicked.connect(self.edit_details)
        self._record = button(self.tr("Record measure"), role="primary", shortcut="Ctrl+N")
        self._record.setObjectName(names.RECORD)
        self._record.clicked.connect(self.record)
        self._more = self._more_button()
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._lay_out()

    def focus_record(self) -> None:
        """Put the keyboard on the primary action."""
        self._record.setFocus()

    def make_narrow(self, is_narrow: bool) -> None:
        """Put the actions below the name where there is little room."""
        self._row.setDirection(
            QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        )

    def show_page(self, page: PatientPage) -> None:
        """Show whom the page is about."""
        header = page.header
        self._name.setText(header.name)
        self._formal.setText(header.formal_name)
        self._formal.setVisible(bool(header.formal_name))
        self._show_alerts(header.alerts)
        self._identity.setText(header.identity)
        self._unreadable.setText(page.unreadable)
        self._unreadable.setVisible(bool(page.unreadable))
        self._record.setEnabled(True)
        with QSignalBlocker(self._episodes):
            self._episodes.clear()
            for each in page.episodes:
                self._episodes.addItem(each.words, each.id)
            shown = page.episode.id if page.episode is not None else ""
            self._episodes.setCurrentIndex(self._episodes.findData(shown))
        self._episodes.setVisible(len(page.episodes) > 1)
        self._edit_episode.setEnabled(page.episode is not None)

    def _show_alerts(self, alerts: tuple[str, ...]) -> None:
        if alerts == self._alerts_shown:
            return
        self._alerts_shown = alerts
        for old in self._alerts:
            self._first.remove(old)
        self._alerts = [self._alert(words) for words in alerts]
        for pill in self._alerts:
            self._first.add(pill)

    def _alert(self, words: str) -> QWidget:
        """Return an alert that is never cut: a long one wraps."""
        pill = QFrame()
        pill.setObjectName(names.PATIENT_ALERT)
        pill.setProperty("role", "pill")
        pill.setProperty("tone", Tone.DANGER.value)
        pill.setAccessibleName(self.tr("Alert: {alert}").format(alert=words))
        text = FlowLabel(words)
        text.setProperty("role", "pill")
        text.setProperty("tone", Tone.DANGER.value)
        row = QHBoxLayout(pill)
        row.setContentsMargins(SPACE_2, 2, SPACE_2, 2)
        row.setSpacing(SPACE_1)
        row.addWidget(IconMark("triangle-alert", Tone.DANGER.value, px=_ALERT_ICON_PX))
        row.addWidget(text, 1)
        return pill

    @Slot(int)
    def _take_episode(self, place: int) -> None:
        self.episode_chosen.emit(self._episodes.itemData(place))

    def _more_button(self) -> QToolButton:
        menu = QMenu(self)
        self._edit_episode = menu.addAction(self.tr("Edit this episode…"))
        self._edit_episode.setObjectName(names.EDIT_EPISODE)
        self._edit_episode.triggered.connect(self.edit_episode)
        begin = menu.addAction(self.tr("Begin another episode…"))
        begin.triggered.connect(self.new_episode)
        made = QToolButton()
        made.setIcon(icon("ellipsis", "muted"))
        made.setAccessibleName(self.tr("More actions for this patient"))
        made.setToolTip(made.accessibleName())
        made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        made.setMenu(menu)
        return made

    def _lay_out(self) -> None:
        self._first.add(self._name)
        self._first.add(self._formal)
        words = QVBoxLayout()
        words.setSpacing(SPACE_1)
        words.addWidget(self._first)
        words.addWidget(self._identity)
        words.addWidget(self._episodes, 0, Qt.AlignmentFlag.AlignLeft)
        words.addWidget(self._unreadable)
        actions = QHBoxLayout()
        actions.setSpacing(SPACE_2)
        actions.addWidget(self._more)
        actions.addWidget(self._edit)
        actions.addWidget(self._record)
        actions.addStretch()
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(SPACE_3)
        self._row.addLayout(words, 1)
        self._row.addLayout(actions)
        self._row.setAlignment(actions, Qt.AlignmentFlag.AlignTop)
