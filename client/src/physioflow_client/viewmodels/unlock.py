"""Who unlocks this laptop: known people by password, a new one by signing in."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import QCoreApplication, QObject, Signal

from physioflow_client.background.door import (
    AlreadyHere,
    Door,
    FileRefused,
    Opened,
    SignInAnswer,
    SignInFailed,
    SignInForm,
    Withdrawal,
)
from physioflow_client.background.tasks import Tasks
from physioflow_client.settings import server_url_problem
from physioflow_client.vault.outcomes import Damaged, KeyringMissing, TooSoon, WrongPassword
from physioflow_client.vault.profile import Profile
from physioflow_client.viewmodels.moments import span_words
from physioflow_sync.core.errors import FailureKind, StoreFailureKind

translate = QCoreApplication.translate


class Step(enum.Enum):
    """What the screen asks for."""

    LOADING = "loading"
    UNLOCK = "unlock"
    SIGN_IN = "sign_in"
    NO_KEYRING = "no_keyring"


class Field(enum.Enum):
    """What an error stands below."""

    SERVER = "server_url"
    CLINIC = "clinic"
    USERNAME = "username"
    PASSWORD = "password"  # noqa: S105  the name of a field
    DEVICE = "device_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockState:
    """What the screen shows; `error` stands below `field`.

    `unreadable` counts profiles whose key header is damaged; `notice` stands above all.
    """

    step: Step = Step.LOADING
    profiles: tuple[Profile, ...] = ()
    unreadable: int = 0
    is_busy: bool = True
    field: Field = Field.PASSWORD
    error: str = ""
    notice: str = ""


class UnlockModel(QObject):
    """Asks the door, off the GUI thread, and says in words what it answered.

    Signals:
        changed(UnlockState): show this.
        opened(Opened): a profile is open; the receiver owns its store.
    """

    changed = Signal(object)
    opened = Signal(object)

    def __init__(self, door: Door, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._door = door
        self._tasks = tasks
        self._state = UnlockState()
        self._waiting: Opened | None = None

    @property
    def state(self) -> UnlockState:
        return self._state

    def load(self) -> None:
        """Find out who is known here."""
        door = self._door
        self._tasks.run(
            lambda: (door.profiles(), door.unreadable()), self._know, crashed=self._give_up
        )

    def unlock(self, profile: Profile, password: str) -> None:
        """Try a password."""
        if not password:
            self._fail(Field.PASSWORD, translate("Unlock", "Type your password."))
            return
        self._work(partial(self._door.unlock, profile, password))

    def sign_in(self, form: SignInForm) -> None:
        """Sign in for the first time on this laptop."""
        problem = _form_problem(form)
        if problem is not None:
            self._fail(*problem)
            return
        self._work(partial(self._door.sign_in, form))

    def go_to(self, step: Step) -> None:
        """Show another of the screen's pages."""
        self._set(replace(self._state, step=step, error=""))

    def tell_withdrawn(self, withdrawal: Withdrawal) -> None:
        """Say why the profile that was open is locked, or gone."""
        self._set(replace(self._state, notice=withdrawal_words(withdrawal)))

    def go_on(self) -> None:
        """The person has read that the password alone guards the records."""
        assert self._waiting is not None
        self.opened.emit(self._waiting)

    def _know(self, known: tuple[tuple[Profile, ...], int]) -> None:
        profiles, unreadable = known
        step = Step.UNLOCK if profiles else Step.SIGN_IN
        known_now = UnlockState(
            step=step,
            profiles=profiles,
            unreadable=unreadable,
            is_busy=False,
            notice=self._state.notice,
        )
        self._set(known_now)

    def _work(self, knock: Callable[[], SignInAnswer]) -> None:
        if self._state.is_busy:
            return
        self._set(replace(self._state, is_busy=True, error=""))
        self._tasks.run(knock, self._take, crashed=self._give_up)

    def _take(self, answer: SignInAnswer) -> None:
        self._set(replace(self._state, is_busy=False))
        if not isinstance(answer, Opened):
            self._fail(*answer_words(answer))
        elif answer.without_keyring:
            self._waiting = answer
            self.go_to(Step.NO_KEYRING)
        else:
            self.opened.emit(answer)

    def _give_up(self) -> None:
        self._set(replace(self._state, is_busy=False, error=failure_words()))

    def _fail(self, field: Field, error: str) -> None:
        self._set(replace(self._state, field=field, error=error))

    def _set(self, state: UnlockState) -> None:
        self._state = state
        self.changed.emit(state)


def _form_problem(form: SignInForm) -> tuple[Field, str] | None:
    if problem := server_url_problem(form.server_url):
        return Field.SERVER, problem
    missing = {
        Field.CLINIC: (form.clinic, translate("Unlock", "Type the clinic's short name.")),
        Field.USERNAME: (form.username, translate("Unlock", "Type your user name.")),
        Field.PASSWORD: (form.password, translate("Unlock", "Type your password.")),
        Field.DEVICE: (form.device_name, translate("Unlock", "Give this laptop a name.")),
    }
    return next(((field, words) for field, (typed, words) in missing.items() if not typed), None)


def answer_words(answer: SignInAnswer) -> tuple[Field, str]:
    """Return what to say about an answer that opened nothing, and below which field."""
    match answer:
        case Opened():
            raise AssertionError("nothing to explain")
        case WrongPassword(wait_s=0):
            return Field.PASSWORD, translate("Unlock", "This is not the password.")
        case WrongPassword(wait_s) | TooSoon(wait_s):
            words = translate("Unlock", "Too many wrong passwords. Try again in {wait}.")
            return Field.PASSWORD, words.format(wait=span_words(wait_s))
        case KeyringMissing():
            return Field.PASSWORD, _keyring_words(answer)
        case Damaged():
            words = translate(
                "Unlock", "The key file of this profile is damaged. Ask your administrator."
            )
            return Field.PASSWORD, words
        case FileRefused(kind):
            return Field.PASSWORD, _file_words(kind)
        case AlreadyHere():
            words = translate(
                "Unlock",
                "You already work on this laptop. Go back and unlock with the password you "
                "used here before.",
            )
            return Field.PASSWORD, words
        case SignInFailed():
            return _sign_in_words(answer)


def again_words(failed: SignInFailed) -> str:
    """Return why a person who has a profile could not sign in again."""
    if failed.kind is FailureKind.SIGNED_OUT:
        return translate("Unlock", "The server does not take this password.")
    return answer_words(failed)[1]


def failure_words() -> str:
    """Return what is said of a mistake of ours that belongs to no view."""
    return translate("Unlock", "Something went wrong. Your records are safe.")


def withdrawal_words(withdrawal: Withdrawal) -> str:
    """Return what happened to a laptop whose access was withdrawn."""
    match withdrawal:
        case Withdrawal.DONE:
            return translate(
                "Unlock",
                "This laptop's access was withdrawn: its unsent changes are with the clinic, and "
                "your records were removed from it.",
            )
        case Withdrawal.UNFINISHED:
            return translate(
                "Unlock",
                "This laptop's access was withdrawn: unlock it once more, so that the last change "
                "reaches the clinic.",
            )


def _keyring_words(answer: KeyringMissing) -> str:
    words = translate(
        "Unlock",
        "This laptop's key store ({name}) does not answer. Log in to the desktop as usual, "
        "unlock its key store, and try again. Nothing is lost.",
    )
    return words.format(name=answer.wanted)


def _file_words(kind: StoreFailureKind) -> str:
    match kind:
        case StoreFailureKind.FULL:
            return translate("Unlock", "The disk is full. Make some room and try again.")
        case StoreFailureKind.LOCKED:
            return translate("Unlock", "Another program is using the records. Close it first.")
        case StoreFailureKind.TOO_NEW:
            return translate(
                "Unlock", "The records were written by a newer version. Update this app."
            )
        case StoreFailureKind.DAMAGED | StoreFailureKind.WRONG_KEY:
            return translate("Unlock", "The file is damaged. Ask your administrator.")
        case StoreFailureKind.UNSAFE_SQLITE:
            return translate("Unlock", "This installation is not safe to use. Install it again.")


def _sign_in_words(failed: SignInFailed) -> tuple[Field, str]:
    match failed.kind:
        case FailureKind.SIGNED_OUT | FailureKind.FORBIDDEN:
            words = translate("Unlock", "Clinic, user name and password do not fit together.")
            return Field.PASSWORD, words
        case FailureKind.THROTTLED:
            words = translate("Unlock", "Too many tries. Try again in {wait}.")
            return Field.PASSWORD, words.format(wait=span_words(failed.retry_after_s or 60.0))
        case FailureKind.NO_NETWORK:
            words = translate(
                "Unlock", "You are offline. The first sign-in on a laptop needs the network."
            )
            return Field.SERVER, words
        case FailureKind.PORTAL:
            return Field.SERVER, translate("Unlock", "This Wi-Fi wants you to sign in first.")
        case FailureKind.TLS:
            words = translate(
                "Unlock", "Can't verify the server. Check the address and this laptop's date."
            )
            return Field.SERVER, words
        case FailureKind.UPDATE_REQUIRED:
            return Field.SERVER, translate("Unlock", "This app is too old for the server.")
        case FailureKind.UNREACHABLE | FailureKind.MAINTENANCE:
            return Field.SERVER, translate("Unlock", "No server is answering at this address.")
        case _:
            words = translate("Unlock", "The server had a problem. Try again in a minute.")
            return Field.SERVER, words
