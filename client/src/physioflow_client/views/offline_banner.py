"""The banner on top of the window: one sentence, and what can be done about it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal, SignalInstance, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from physioflow_client.look.actions import button, label
from physioflow_client.look.announcement import announce
from physioflow_client.look.icons import IconMark
from physioflow_client.look.motion import fade_in
from physioflow_client.look.style_sheet import restyle
from physioflow_client.look.tokens import SPACE_1, SPACE_2, SPACE_5
from physioflow_client.viewmodels.banner import BannerAction, BannerState, action_words
from physioflow_client.viewmodels.tone import Tone

_HEIGHT_PX: Final = 40


class OfflineBanner(QFrame):
    """Hidden while there is nothing to say.

    Signals:
        try_now, details, open_portal, sign_in, choose, fix: the button of this name was
            pressed.
    """

    try_now = Signal()
    details = Signal()
    open_portal = Signal()
    sign_in = Signal()
    choose = Signal()
    fix = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "banner")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setMinimumHeight(_HEIGHT_PX)
        self._kind = ""
        self._icon = IconMark()
        self._sentence = label(wraps=True)
        self._buttons = {action: self._button_of(action) for action in BannerAction}
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_5, SPACE_1, SPACE_2, SPACE_1)
        row.setSpacing(SPACE_2)
        row.addWidget(self._icon)
        row.addWidget(self._sentence, 1)
        for made in self._buttons.values():
            row.addWidget(made)
        self.hide()

    @Slot(object)
    def show_state(self, state: BannerState | None) -> None:
        """Show a state, or nothing; a new kind of state is announced."""
        if state is None:
            self._kind = ""
            self.hide()
            return
        self._sentence.setText(state.sentence)
        self.setAccessibleName(state.sentence)
        for action, made in self._buttons.items():
            made.setVisible(action in state.actions)
        if state.kind == self._kind:
            return
        self._kind = state.kind
        self._take_tone(state)
        fade_in(self)
        announce(self, state.sentence)

    def _take_tone(self, state: BannerState) -> None:
        token = "muted" if state.tone is Tone.NEUTRAL else state.tone.value
        self._icon.show_icon(state.icon, token)
        for widget in (self, self._sentence, *self._buttons.values()):
            widget.setProperty("tone", state.tone.value)
            restyle(widget)

    def _button_of(self, action: BannerAction) -> QPushButton:
        made = button(action_words(action), role="banner")
        signal: SignalInstance = getattr(self, action.value)
        made.clicked.connect(signal)
        return made
