"""The app as a person meets it: unlock, work, lock, sign in again, quit."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLocale, QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QWidget

from physioflow_client import settings as settings_file
from physioflow_client.background.collector import Collector
from physioflow_client.background.door import (
    Opened,
    SignInAnswer,
    SignInFailed,
    SignInForm,
    UnlockAnswer,
    Withdrawal,
)
from physioflow_client.background.records import Records
from physioflow_client.background.tasks import Tasks
from physioflow_client.boundary.crash_folder import CrashFolder
from physioflow_client.boundary.guard import Guard
from physioflow_client.boundary.hooks import Hooks
from physioflow_client.boundary.last_time import LastTimeNotice
from physioflow_client.idle import IdleWatch
from physioflow_client.look.theme import Theme, apply_theme
from physioflow_client.settings import Language
from physioflow_client.vault.profile import Profile
from physioflow_client.vault.profiles import profiles_in, unreadable_in
from physioflow_client.viewmodels.toast import Toast
from physioflow_client.viewmodels.tone import Tone
from physioflow_client.viewmodels.unlock import UnlockModel, again_words, failure_words
from physioflow_client.views.sign_in_again import SignInAgainDialog
from physioflow_client.views.toast import ToastStack
from physioflow_client.views.unlock import UnlockWindow
from physioflow_sync.core.connectivity import Connectivity

if TYPE_CHECKING:
    import httpx

    from physioflow_client.app import FrontDoor, Laptop, MakeWindow
    from physioflow_client.vault.device_secret import Keyring

_LOCALES: Final = {
    Language.ENGLISH: QLocale(QLocale.Language.English),
    Language.VIETNAMESE: QLocale(QLocale.Language.Vietnamese),
}


class LazyDoor:
    """A front door that brings in database and network when it is first knocked at."""

    def __init__(
        self, folder: Path, *, http: httpx.BaseTransport | None, key_store: Keyring | None
    ) -> None:
        self._folder = folder
        self._http = http
        self._key_store = key_store

    @cached_property
    def real(self) -> FrontDoor:
        from physioflow_client.app import FrontDoor  # heavy: after the first window is shown

        return FrontDoor(self._folder, http=self._http, key_store=self._key_store)

    def warm_up(self) -> None:
        """Bring them in while the person types, and the modules of the main window."""
        assert self.real is not None
        importlib.import_module("physioflow_client.views.main_window")

    def profiles(self) -> tuple[Profile, ...]:
        return profiles_in(self._folder)

    def unreadable(self) -> int:
        return unreadable_in(self._folder)

    def unlock(self, profile: Profile, password: str) -> UnlockAnswer:
        return self.real.unlock(profile, password)

    def sign_in(self, form: SignInForm) -> SignInAnswer:
        return self.real.sign_in(form)


class Desktop(QObject):
    """Owns the windows of one data folder, from the first one to the last.

    Args:
        server_url: offered at a first sign-in; "" for the one used before.
        http, key_store, make_window: see `app`; None for the real ones.
    """

    def __init__(
        self,
        app: QApplication,
        folder: Path,
        *,
        server_url: str = "",
        http: httpx.BaseTransport | None = None,
        key_store: Keyring | None = None,
        make_window: MakeWindow | None = None,
    ) -> None:
        super().__init__()
        self._app = app
        self._collector = Collector(self)
        self._folder = folder
        self._http = http
        self._make_window = make_window or self._main_window
        self._settings = settings_file.load(folder)
        self._server_url = server_url or self._settings.server_url
        if self._settings.language in _LOCALES:
            QLocale.setDefault(_LOCALES[self._settings.language])
        apply_theme(app, self._settings.theme)
        self._crashes = CrashFolder(folder)
        self._crashes.watch_for_fatal_errors()
        self._guard = Guard(self._crashes, now=_now, parent=self)
        self._guard.failed.connect(self._tell_failure)
        self._hooks = Hooks(self._guard.take)
        self._tasks = Tasks(self)
        self._door = LazyDoor(folder, http=http, key_store=key_store)
        self._unlock: UnlockWindow | None = None
        self._laptop: Laptop | None = None
        self._idle: IdleWatch | None = None
        self._sign_in_dialog: SignInAgainDialog | None = None
        app.aboutToQuit.connect(self.close)

    @property
    def window(self) -> QWidget | None:
        """The window that is shown."""
        return self._laptop.window if self._laptop is not None else self._unlock

    @property
    def laptop(self) -> Laptop | None:
        """The file that is open; None while locked."""
        return self._laptop

    def start(self) -> None:
        """Show the first window; everything heavy follows it."""
        self._show_unlock()
        self._tasks.run(self._door.warm_up, _nothing_more)

    @Slot()
    def raise_window(self) -> None:
        """Bring the window to the front: the app was started once more."""
        if self.window is not None:
            self.window.showNormal()
            self.window.raise_()
            self.window.activateWindow()

    @Slot()
    def lock(self) -> None:
        """Close the person's file and ask who is there; drafts are kept in the file."""
        laptop, self._laptop = self._laptop, None
        if laptop is None:
            return
        self._stop_watching()
        laptop.leave()
        # Before the list of people is read: nobody opens the file while it is being closed.
        self._tasks.run(laptop.finish, _nothing_more)
        self._show_unlock()

    @Slot()
    def _take_status(self) -> None:
        """Take the profile away once the clinic has its unsent work, and only then."""
        laptop = self._laptop
        # The word of the laptop that is open now, not one that was on its way here.
        if laptop is None or laptop.records.status.connectivity is not Connectivity.REVOKED:
            return
        self._laptop = None
        self._stop_watching()
        laptop.leave()
        # As above: before the list of people is read.
        self._tasks.run(partial(self._withdraw, laptop), self._tell_withdrawn)
        self._show_unlock()

    def _withdraw(self, laptop: Laptop) -> Withdrawal:
        return self._door.real.withdraw(laptop)

    def _tell_withdrawn(self, withdrawal: Withdrawal) -> None:
        if self._unlock is not None:
            self._unlock.model.tell_withdrawn(withdrawal)

    @Slot()
    def close(self) -> None:
        """Bring everything to the disk and let go of it."""
        self._tasks.close()
        self._stop_watching()
        if self._laptop is not None:
            self._laptop.close()
            self._laptop = None
        self._hooks.remove()
        self._crashes.stop_watching()

    @Slot()
    def ask_to_sign_in(self) -> None:
        """The server no longer knows this laptop's tokens; what is unsent waits."""
        laptop = self._laptop
        if laptop is None or self._sign_in_dialog is not None:
            return
        dialog = SignInAgainDialog(
            user_name=laptop.profile.owner.user_name,
            unsent=laptop.records.status.counts.unsent,
            parent=laptop.window,
        )
        self._sign_in_dialog = dialog
        dialog.submitted.connect(self._sign_in_again)
        dialog.destroyed.connect(self._forget_dialog)
        dialog.show()

    def _show_unlock(self) -> None:
        model = UnlockModel(self._door, self._tasks)
        notice = LastTimeNotice(self._crashes) if self._crashes.earlier else None
        self._unlock = UnlockWindow(
            model,
            server_url=self._server_url,
            device_name=self._settings.device_name,
            notice=notice,
        )
        model.setParent(self._unlock)
        model.opened.connect(self._show_laptop)
        model.load()
        self._unlock.show()

    @Slot(object)
    def _show_laptop(self, opened: Opened) -> None:
        from physioflow_client.app import open_laptop  # loaded by now

        self._laptop = open_laptop(opened, http=self._http, make_window=self._make_window)
        self._laptop.records.status_changed.connect(
            self._take_status, Qt.ConnectionType.QueuedConnection
        )
        self._laptop.window.show()
        self._idle = IdleWatch(self._app, after_min=self._settings.lock_after_min)
        # Queued: the window must not be closed from within the event that it is handling.
        self._idle.idle.connect(self.lock, Qt.ConnectionType.QueuedConnection)
        unlock, self._unlock = self._unlock, None
        if unlock is not None:
            unlock.close()
            unlock.deleteLater()

    def _main_window(self, records: Records) -> QWidget:
        from physioflow_client.views.main_window import MainWindow  # the heaviest of the views

        queued = Qt.ConnectionType.QueuedConnection
        window = MainWindow(records, report=self._guard.report)
        window.sign_in_wanted.connect(self.ask_to_sign_in)
        window.portal_wanted.connect(self._open_portal)
        window.lock_wanted.connect(self.lock, queued)
        window.theme_chosen.connect(self._remember_theme)
        return window

    @Slot()
    def _open_portal(self) -> None:
        """Show the Wi-Fi's sign-in page: it answers any plain request, ours included."""
        assert self._laptop is not None
        url = QUrl(self._laptop.profile.owner.server_url)
        url.setScheme("http")
        url.setPort(-1)
        QDesktopServices.openUrl(url)

    @Slot(object)
    def _remember_theme(self, theme: Theme) -> None:
        keep = partial(settings_file.remember_theme, self._folder, theme)
        self._tasks.run(keep, _nothing_more)

    def _stop_watching(self) -> None:
        if self._idle is not None:
            self._app.removeEventFilter(self._idle)
            self._idle.deleteLater()
            self._idle = None

    @Slot(str)
    def _sign_in_again(self, password: str) -> None:
        assert self._laptop is not None
        knock = partial(self._sign_in_of, self._laptop.opened, password)
        self._tasks.run(knock, self._signed_in, crashed=self._sign_in_crashed)

    def _sign_in_of(self, opened: Opened, password: str) -> SignInFailed | None:
        return self._door.real.sign_in_again(opened, password)

    def _signed_in(self, failed: SignInFailed | None) -> None:
        dialog = self._sign_in_dialog
        if failed is not None:
            if dialog is not None:
                dialog.show_error(again_words(failed))
            return
        if dialog is not None:
            dialog.close()
        if self._laptop is not None:
            self._laptop.signed_in()

    def _sign_in_crashed(self) -> None:
        if self._sign_in_dialog is not None:
            self._sign_in_dialog.show_error(failure_words())

    @Slot()
    def _forget_dialog(self) -> None:
        self._sign_in_dialog = None

    @Slot(object)
    def _tell_failure(self, _report: object) -> None:
        stack = self.window.findChild(ToastStack) if self.window is not None else None
        if stack is not None:
            toast = Toast(
                cause="failure", text=failure_words(), tone=Tone.DANGER, icon="triangle-alert"
            )
            stack.show_toast(toast)


def _now() -> datetime:
    return datetime.now(UTC)


def _nothing_more(_: object) -> None:
    return
