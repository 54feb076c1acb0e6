"""The composition root: the one place that knows every part of a laptop by name.

Importing this module brings in the database and the network; `desktop` does so only
after the first window is on the screen.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import msgspec
from PySide6.QtWidgets import QWidget

from physioflow_client import settings as settings_file
from physioflow_client.background.bridge import EngineBridge
from physioflow_client.background.database import Database, LaptopStore
from physioflow_client.background.door import (
    AlreadyHere,
    FileRefused,
    Opened,
    SignInAnswer,
    SignInFailed,
    SignInForm,
    UnlockAnswer,
    Withdrawal,
    owner_of,
    refused_by_disk,
)
from physioflow_client.background.records import Me, Records
from physioflow_client.background.tokens import StoredTokens
from physioflow_client.background.worker import SyncWorker
from physioflow_client.settings import Settings, data_folder
from physioflow_client.vault.device_secret import (
    DeviceSecrets,
    Keyring,
    KeyringUnusable,
    desktop_keyring,
)
from physioflow_client.vault.header import Protection
from physioflow_client.vault.outcomes import Unlocked, WrongPassword
from physioflow_client.vault.profile import Profile
from physioflow_client.vault.profiles import unreadable_in
from physioflow_client.vault.secret import KEY_BYTES
from physioflow_client.vault.vault import Vault
from physioflow_client.vault.waiting import forget_waiting, keep_waiting
from physioflow_clinical.collections import REGISTRY
from physioflow_sync.adapters.http import HttpTransport
from physioflow_sync.adapters.http_events import EventListener
from physioflow_sync.adapters.http_sign_in import sign_in
from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.adapters.system import SystemClock, SystemDice
from physioflow_sync.core.collections import Registry
from physioflow_sync.core.errors import (
    FailureKind,
    StoreFailure,
    TransportFailure,
)
from physioflow_sync.core.protocol import SignedIn, SignInRequest
from physioflow_sync.core.session import Wake
from physioflow_sync.core.status import SyncStatus
from physioflow_sync.engine import SyncEngine

MakeWindow = Callable[[Records], QWidget]


class FrontDoor:
    """Opens the profiles of one data folder; see `Door`.

    Args:
        http: the way to the server; None for the machine's own network.
        key_store: None for the desktop's own.
    """

    def __init__(
        self,
        folder: Path,
        *,
        registry: Registry = REGISTRY,
        http: httpx.BaseTransport | None = None,
        key_store: Keyring | None = None,
    ) -> None:
        self._folder = data_folder(folder)
        self._registry = registry
        self._http = http
        secrets = DeviceSecrets(key_store or desktop_keyring())
        self.vault = Vault(self._folder, secrets=secrets, now=SystemClock().now)

    def profiles(self) -> tuple[Profile, ...]:
        return self.vault.profiles()

    def unreadable(self) -> int:
        return unreadable_in(self._folder)

    def unlock(self, profile: Profile, password: str) -> UnlockAnswer:
        try:
            outcome = self.vault.unlock(profile, password)
        except OSError as error:
            return refused_by_disk(error)
        return self._open(outcome) if isinstance(outcome, Unlocked) else outcome

    def sign_in(self, form: SignInForm) -> SignInAnswer:
        known = settings_file.load(self._folder)
        settings = msgspec.structs.replace(
            known, server_url=form.server_url, device_name=form.device_name
        )
        try:
            signed_in = _ask_server(form, settings, http=self._http)
        except TransportFailure as failure:
            return SignInFailed(failure.kind, failure.retry_after_s)
        try:
            settings_file.save(self._folder, settings)
            return self._enter(form, signed_in)
        except OSError as error:
            return refused_by_disk(error)

    def sign_in_again(self, opened: Opened, password: str) -> SignInFailed | None:
        """Get new tokens for an open profile; None on success.

        The password guards the profile from now on: it may have been changed at the server.
        """
        profile = opened.unlocked.profile
        owner = profile.owner
        request = SignInRequest(
            clinic=owner.clinic,
            username=owner.username,
            password=password,
            device_id=owner.device_id,
            device_name=owner.device_name,
        )
        try:
            signed_in = sign_in(owner.server_url, request, http=self._http)
        except TransportFailure as failure:
            return SignInFailed(failure.kind, failure.retry_after_s)
        if (signed_in.clinic_id, signed_in.user_id) != (owner.clinic_id, owner.user_id):
            # The name belongs to somebody else by now, who has no business in this file.
            return SignInFailed(FailureKind.FORBIDDEN)
        StoredTokens(opened.store).keep(signed_in.tokens)
        # A keyring that is away for the moment only means that the old password stands.
        with contextlib.suppress(KeyringUnusable):
            self.vault.change_password(opened.unlocked, password)
        return None

    def withdraw(self, laptop: Laptop) -> Withdrawal:
        """Take a laptop's profile away: the engine has said that its access is withdrawn.

        Called off the GUI thread, after the laptop's `leave`.
        """
        if not laptop.surrender():
            return Withdrawal.UNFINISHED
        self.vault.remove(laptop.profile)
        return Withdrawal.DONE

    def _enter(self, form: SignInForm, signed_in: SignedIn) -> SignInAnswer:
        owner = owner_of(form, signed_in)
        profile = self.vault.profile_of(owner)
        if profile is None:
            outcome = self.vault.create_profile(owner, form.password)
            is_bare = outcome.profile.protection is Protection.WITHOUT_KEYRING
        else:
            known, is_bare = self.vault.unlock(profile, form.password), False
            if isinstance(known, WrongPassword):
                return AlreadyHere(profile)
            if not isinstance(known, Unlocked):
                return known
            outcome = known
        answer = self._open(outcome)
        if not isinstance(answer, Opened):
            return answer
        try:
            StoredTokens(answer.store).keep(signed_in.tokens)
        except StoreFailure as failure:
            answer.store.close()
            return FileRefused(failure.kind)
        return replace(answer, without_keyring=is_bare)

    def _open(self, unlocked: Unlocked) -> Opened | FileRefused:
        try:
            store = SqliteStore(
                unlocked.profile.records_file,
                key=unlocked.data_key.reveal(),
                registry=self._registry,
                ids=SystemDice().new_id,
            )
            forget_waiting(unlocked.profile.folder)
            status = SyncStatus(counts=store.counts(), last_synced_at=store.last_synced_at())
        except StoreFailure as failure:
            return FileRefused(failure.kind)
        return Opened(unlocked, store, status)


class Laptop:
    """One person's open file, with its engine and its window.

    Lives on the GUI thread; several may live in one process.
    """

    def __init__(
        self,
        opened: Opened,
        *,
        http: httpx.BaseTransport | None,
        make_window: MakeWindow,
    ) -> None:
        self._opened = opened
        self._http = http
        self._has_left = False
        self._clock = SystemClock()
        self._transport: HttpTransport | None = None
        self._bridge = EngineBridge()
        self.worker = SyncWorker(
            make_engine=self._make_engine,
            make_listener=self._make_listener,
            interrupt=self._clock.interrupt,
        )
        owner = opened.unlocked.profile.owner
        self.records = Records(
            Database(opened.store),
            me=Me(
                user_id=owner.user_id,
                user_name=owner.user_name,
                role=owner.role,
                clinic_name=owner.clinic_name,
                device_name=owner.device_name,
            ),
            clock=self._clock,
            dice=SystemDice(),
            wake=self.worker.wake,
            status=opened.status,
        )
        self._bridge.deliver_to(self.records)
        self.window = make_window(self.records)
        self.worker.start()

    @property
    def opened(self) -> Opened:
        return self._opened

    @property
    def profile(self) -> Profile:
        return self._opened.unlocked.profile

    def signed_in(self) -> None:
        """New tokens are there: go on sending."""
        self.worker.wake(Wake.SIGNED_IN)

    def close(self) -> bool:
        """Close the window, let every save reach the disk, stop the engine, close the file.

        Returns:
            False where a request hangs; its thread then closes the file when it ends.
            True where all is closed, or was before.
        """
        if self._has_left:
            return True
        self.leave()
        return self.finish()

    def leave(self) -> None:
        """The first half of `close`, on the GUI thread: nothing more is asked or answered."""
        self._has_left = True
        self.window.close()
        self.window.deleteLater()
        self.records.leave()
        self.worker.interrupt()

    def finish(self) -> bool:
        """The second half, on any thread: saves first, then the engine for ten seconds."""
        self.records.finish()
        # A hint for the unlock screen: a full disk must not keep the file from closing.
        with contextlib.suppress(OSError, StoreFailure):
            keep_waiting(self.profile.folder, self._opened.store.counts().unsent)
        if self.worker.wait():
            self._release()
            return True
        threading.Thread(target=self._finish_later, name="laptop-closing", daemon=True).start()
        return False

    def surrender(self) -> bool:
        """The second half, where the engine has said REVOKED.

        Returns:
            True where all is closed and nothing is here that the clinic does not have. A
            change that was saved at the last moment is handed in when the file is next open.
        """
        self.records.finish()
        has_stopped = self.worker.wait()
        is_handed_in = has_stopped and _is_handed_in(self._opened.store)
        return self.finish() and is_handed_in

    def _finish_later(self) -> None:
        while not self.worker.wait():
            pass
        self._release()

    def _release(self) -> None:
        if self._transport is not None:
            self._transport.close()
        self._opened.store.close()

    def _make_engine(self) -> SyncEngine:
        if self._transport is not None:
            self._transport.close()
        self._transport = HttpTransport(
            self.profile.owner.server_url,
            tokens=StoredTokens(self._opened.store),
            clock=self._clock,
            dice=SystemDice(),
            http=self._http,
        )
        return SyncEngine(
            store=self._opened.store,
            transport=self._transport,
            clock=self._clock,
            dice=SystemDice(),
            observer=self._bridge,
        )

    def _make_listener(self, on_seq: Callable[[int], None]) -> EventListener:
        return EventListener(
            self.profile.owner.server_url,
            tokens=StoredTokens(self._opened.store),
            on_seq=on_seq,
            clock=self._clock,
            dice=SystemDice(),
            http=self._http,
        )


def open_laptop(
    opened: Opened,
    *,
    http: httpx.BaseTransport | None = None,
    make_window: MakeWindow | None = None,
) -> Laptop:
    """Start the engine of a profile that is open, and make its window (not yet shown).

    Args:
        http: the way to the server; None for the machine's own network.
        make_window: None for the app's main window.
    """
    try:
        return Laptop(opened, http=http, make_window=make_window or _main_window)
    except BaseException:
        opened.store.close()
        raise


def _is_handed_in(store: LaptopStore) -> bool:
    """Tell whether the clinic has everything that is unsent in a file; False in doubt."""
    try:
        store.begin_hand_in()
        return not store.hand_in_batch(limit=1, max_bytes=0)
    except StoreFailure:
        return False


def _main_window(records: Records) -> QWidget:
    from physioflow_client.views.main_window import MainWindow  # the heaviest of the views

    return MainWindow(records)


def _ask_server(
    form: SignInForm, settings: Settings, *, http: httpx.BaseTransport | None
) -> SignedIn:
    request = SignInRequest(
        clinic=form.clinic,
        username=form.username,
        password=form.password,
        device_id=settings.device_id,
        device_name=settings.device_name,
    )
    return sign_in(form.server_url, request, http=http)


def encrypts_its_file(folder: Path) -> bool:
    """Tell whether a new file in `folder` holds nothing that reads as SQLite's."""
    path = folder / "self-check.db"
    store = SqliteStore(path, key=os.urandom(KEY_BYTES), registry=REGISTRY, ids=SystemDice().new_id)
    try:
        store.set_value("self-check", b"PhysioFlow")
    finally:
        store.close()
    content = b"".join(each.read_bytes() for each in folder.glob("self-check.db*"))
    for each in folder.glob("self-check.db*"):
        each.unlink()
    return b"SQLite format 3" not in content and b"PhysioFlow" not in content and bool(content)
