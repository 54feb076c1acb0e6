"""The first window: who are you?"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QRadioButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from physioflow_client.background.door import SignInForm
from physioflow_client.look.actions import button, label, set_text
from physioflow_client.look.announcement import announce
from physioflow_client.look.icons import IconMark
from physioflow_client.look.tokens import ICON_PX, SPACE_2, SPACE_3, SPACE_4, SPACE_7
from physioflow_client.settings import MAX_DEVICE_NAME
from physioflow_client.vault.profile import Profile
from physioflow_client.viewmodels.unlock import Field, Step, UnlockModel, UnlockState
from physioflow_client.views import names
from physioflow_client.views.form_field import FormField

_STRIP_WIDTH_PX: Final = 420
_WINDOW_PX: Final = (560, 720)


class _Strip(QWidget):
    """As wide as it is said, and as high as its wrapped words then need.

    A scroll area asks for a minimum that knows nothing of wrapping, and squeezes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(_STRIP_WIDTH_PX)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def hasHeightForWidth(self) -> bool:
        return False

    def sizeHint(self) -> QSize:
        layout = self.layout()
        assert layout is not None
        # Where nothing wraps, the layout has no height for a width.
        height = max(layout.totalHeightForWidth(_STRIP_WIDTH_PX), layout.totalSizeHint().height())
        return QSize(_STRIP_WIDTH_PX, height)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


class UnlockWindow(QWidget):
    """Pages: unlock, first sign-in, and a word about a missing key store.

    Args:
        server_url, device_name: offered at a first sign-in.
        notice: stands above the card (what went wrong the last time).
    """

    def __init__(
        self,
        model: UnlockModel,
        *,
        server_url: str = "",
        device_name: str = "",
        notice: QWidget | None = None,
    ) -> None:
        super().__init__()
        self._model = model
        self.setProperty("role", "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWindowTitle(self.tr("PhysioFlow"))
        self.resize(*_WINDOW_PX)
        self._profiles: tuple[Profile, ...] = ()
        self._people = QButtonGroup(self)
        self._people_column = QVBoxLayout()
        self._people_column.setSpacing(SPACE_2)
        self._password = FormField(self.tr("Password"), is_secret=True)
        self._unlock = button(self.tr("Unlock"), role="primary")
        self._fields = {
            Field.SERVER: FormField(self.tr("Server address"), hint="https://"),
            Field.CLINIC: FormField(self.tr("Clinic")),
            Field.USERNAME: FormField(self.tr("User name")),
            Field.PASSWORD: FormField(self.tr("Password"), is_secret=True),
            Field.DEVICE: FormField(self.tr("Name of this laptop"), hint=self.tr("Room 3")),
        }
        self._fields[Field.SERVER].editor.setText(server_url)
        self._fields[Field.DEVICE].editor.setText(device_name)
        self._fields[Field.DEVICE].editor.setMaxLength(MAX_DEVICE_NAME)
        self._sign_in = button(self.tr("Sign in"), role="primary")
        self._back = button(self.tr("Back"), role="quiet", icon_name="chevron-left")
        self._someone_else = button(self.tr("Someone else? Sign in"), role="quiet")
        self._go_on = button(self.tr("Continue"), role="primary")
        self._unreadable = label(role="error", wraps=True)
        self._notice = label(role="strong", wraps=True, tone="warn")
        self._notice.setObjectName(names.UNLOCK_NOTICE)
        self._progress = QProgressBar()
        self._progress.setRange(0, 0)
        self._progress.setTextVisible(False)
        self._pages = QWidget()
        self._page_of = {
            Step.LOADING: QWidget(),
            Step.UNLOCK: self._unlock_page(),
            Step.SIGN_IN: self._sign_in_page(),
            Step.NO_KEYRING: self._no_keyring_page(),
        }
        column = QVBoxLayout(self._pages)
        column.setContentsMargins(0, 0, 0, 0)
        for page in self._page_of.values():
            page.hide()
            column.addWidget(page)
        self._lay_out(notice)
        self._connect()
        self.show_state(model.state)

    @property
    def model(self) -> UnlockModel:
        return self._model

    @Slot(object)
    def show_state(self, state: UnlockState) -> None:
        """Show what the view-model says."""
        if state.profiles != self._profiles:
            self._show_people(state.profiles)
        turned = self._page_of[state.step].isHidden()
        for step, page in self._page_of.items():
            page.setVisible(step is state.step)
        self._progress.setVisible(state.is_busy)
        self._show_unreadable(state.unreadable)
        if state.notice != self._notice.text():
            self._notice.setText(state.notice)
            announce(self, state.notice)
        self._notice.setVisible(bool(state.notice))
        self._pages.setEnabled(not state.is_busy)
        self._back.setVisible(bool(state.profiles))
        set_text(self._unlock, self.tr("Unlocking…") if state.is_busy else self.tr("Unlock"))
        set_text(self._sign_in, self.tr("Signing in…") if state.is_busy else self.tr("Sign in"))
        on_unlock = state.step is Step.UNLOCK
        self._password.show_error(state.error if on_unlock else "")
        for field, widget in self._fields.items():
            is_wrong = not on_unlock and field is state.field
            widget.show_error(state.error if is_wrong else "")
        if turned or not (state.is_busy or state.error):
            self._focus_first(state.step)

    def showEvent(self, event: QShowEvent, /) -> None:
        super().showEvent(event)
        self._focus_first(self._model.state.step)

    @Slot()
    def submit(self) -> None:
        """Do what Enter does: unlock, or sign in."""
        if self._model.state.is_busy:
            return
        if self._model.state.step is Step.UNLOCK:
            chosen = self._profiles[self._people.checkedId()]
            self._model.unlock(chosen, self._password.text)
            return
        typed = {field: widget.text.strip() for field, widget in self._fields.items()}
        self._model.sign_in(
            SignInForm(
                server_url=typed[Field.SERVER].rstrip("/"),
                clinic=typed[Field.CLINIC],
                username=typed[Field.USERNAME],
                # A password may begin or end with a space.
                password=self._fields[Field.PASSWORD].text,
                device_name=typed[Field.DEVICE],
            )
        )

    @Slot()
    def _show_sign_in(self) -> None:
        self._model.go_to(Step.SIGN_IN)

    @Slot()
    def _show_unlock(self) -> None:
        self._model.go_to(Step.UNLOCK)

    @Slot()
    def _continue(self) -> None:
        self._model.go_on()

    @Slot()
    def _choose(self) -> None:
        self._password.editor.clear()
        self._password.show_error("")
        self._password.editor.setFocus()

    def _connect(self) -> None:
        self._model.changed.connect(self.show_state)
        self._unlock.clicked.connect(self.submit)
        self._sign_in.clicked.connect(self.submit)
        self._password.editor.returnPressed.connect(self.submit)
        for field in self._fields.values():
            field.editor.returnPressed.connect(self.submit)
        self._someone_else.clicked.connect(self._show_sign_in)
        self._back.clicked.connect(self._show_unlock)
        self._go_on.clicked.connect(self._continue)

    def _focus_first(self, step: Step) -> None:
        match step:
            case Step.LOADING:
                return
            case Step.UNLOCK:
                self._password.editor.setFocus()
            case Step.SIGN_IN:
                empty = [each for each in self._fields.values() if not each.text]
                first = empty[0] if empty else self._fields[Field.PASSWORD]
                first.editor.setFocus()
            case Step.NO_KEYRING:
                self._go_on.setFocus()

    def _show_unreadable(self, count: int) -> None:
        words = self.tr(
            "Records on this laptop cannot be opened: their key file is damaged. Do not delete "
            "anything, and ask your administrator."
        )
        self._unreadable.setText(words if count else "")
        self._unreadable.setVisible(bool(count))

    def _show_people(self, profiles: tuple[Profile, ...]) -> None:
        self._profiles = profiles
        for old in self._people.buttons():
            self._people.removeButton(old)
            old.deleteLater()
        for number, profile in enumerate(profiles):
            choice = QRadioButton(self._person_words(profile).replace("&", "&&"))
            choice.setChecked(number == 0)
            choice.clicked.connect(self._choose)
            self._people.addButton(choice, number)
            self._people_column.addWidget(choice)

    def _person_words(self, profile: Profile) -> str:
        words = f"{profile.owner.user_name} · {profile.owner.clinic_name}"
        if profile.waiting == 0:
            return words
        one, many = self.tr("1 change waiting"), self.tr("{n} changes waiting")
        return f"{words} · {(one if profile.waiting == 1 else many).format(n=profile.waiting)}"

    def _unlock_page(self) -> QWidget:
        page, column = _page()
        column.addWidget(label(self.tr("Welcome back"), "h1"))
        column.addLayout(self._people_column)
        column.addWidget(self._password)
        column.addWidget(self._unlock)
        column.addWidget(self._someone_else, 0, Qt.AlignmentFlag.AlignHCenter)
        return page

    def _sign_in_page(self) -> QWidget:
        page, column = _page()
        column.addWidget(label(self.tr("Sign in to your clinic"), "h1"))
        words = self.tr("Once on each laptop, with a network. Afterwards it works offline.")
        column.addWidget(label(words, "muted", wraps=True))
        for field in self._fields.values():
            column.addWidget(field)
        column.addWidget(self._sign_in)
        column.addWidget(self._back, 0, Qt.AlignmentFlag.AlignHCenter)
        return page

    def _no_keyring_page(self) -> QWidget:
        page, column = _page()
        column.addWidget(label(self.tr("This laptop has no key store"), "h1"))
        words = self.tr(
            "The records on this laptop are encrypted, and your password alone guards them: "
            "the desktop offers no safe place for a second secret. Choose a long password, "
            "and lock the laptop away when you leave."
        )
        column.addWidget(label(words, wraps=True))
        column.addWidget(self._go_on)
        return page

    def _lay_out(self, notice: QWidget | None) -> None:
        card = QFrame()
        card.setProperty("role", "card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(SPACE_7, SPACE_7, SPACE_7, SPACE_7)
        inside.setSpacing(SPACE_3)
        inside.addLayout(self._brand())
        inside.addWidget(self._progress)
        inside.addWidget(self._notice)
        inside.addWidget(self._unreadable)
        inside.addWidget(self._pages)
        strip = _Strip()
        strip_column = QVBoxLayout(strip)
        strip_column.setContentsMargins(0, 0, 0, 0)
        strip_column.setSpacing(SPACE_4)
        if notice is not None:
            strip_column.addWidget(notice)
        strip_column.addWidget(card)
        middle = QWidget()
        middle.setProperty("role", "page")
        column = QVBoxLayout(middle)
        column.setContentsMargins(SPACE_4, SPACE_7, SPACE_4, SPACE_7)
        column.addStretch()
        column.addWidget(strip, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(middle)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)

    def _brand(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE_2)
        row.addWidget(IconMark("lock", "accent", px=ICON_PX))
        name: QLabel = label(self.tr("PhysioFlow"), "h2", tone="accent")
        row.addWidget(name)
        row.addStretch()
        return row


def _page() -> tuple[QWidget, QVBoxLayout]:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, SPACE_2, 0, 0)
    column.setSpacing(SPACE_3)
    return page, column
