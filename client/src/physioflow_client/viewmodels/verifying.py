"""Comparing this laptop with the server: whether a person waits for it, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from PySide6.QtCore import QCoreApplication

from physioflow_client.viewmodels.moments import moment_words
from physioflow_client.viewmodels.sync_status import connection_words
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.status import SyncStatus, Verification

translate = QCoreApplication.translate


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifying:
    """A comparison that a person has asked for.

    Attributes:
        is_asked: for as long as no newer comparison than `before` is known.
        failed: why it could not be made yet; the engine makes it as soon as it can.
    """

    is_asked: bool = False
    before: Verification | None = None
    failed: Connectivity | None = None

    @property
    def is_running(self) -> bool:
        return self.is_asked and self.failed is None

    def after(self, status: SyncStatus) -> Verifying:
        """Return what is known once the engine has said this."""
        if not self.is_asked:
            return self
        if status.verified != self.before:
            return Verifying()
        may_go_on = status.connectivity.is_connected or status.connectivity is Connectivity.STARTING
        return replace(self, failed=None if may_go_on else status.connectivity)


def verifying_words(verifying: Verifying, status: SyncStatus, *, now: datetime) -> str:
    """Return it in a sentence or two, or "" where nothing was compared yet."""
    if verifying.failed is not None:
        why = connection_words(verifying.failed)
        return translate(
            "Verifying", "Not compared yet: {why}. It is done as soon as it can be."
        ).format(why=f"{why[:1].lower()}{why[1:]}")
    if verifying.is_asked:
        return translate("Verifying", "Comparing everything with the server…")
    return "" if status.verified is None else _result_words(status.verified, now=now)


def _result_words(verified: Verification, *, now: datetime) -> str:
    when = moment_words(verified.at, now=now)
    if not verified.complete:
        words = translate(
            "Verifying", "Compared {when}, but the server changed meanwhile: it is done once more."
        )
    elif not verified.mended:
        words = translate("Verifying", "Compared with the server {when}: nothing differs.")
    elif verified.mended == 1:
        words = translate(
            "Verifying", "Compared with the server {when}: 1 record differed and was mended."
        )
    else:
        words = translate(
            "Verifying", "Compared with the server {when}: {n} records differed and were mended."
        )
    return words.format(when=when, n=verified.mended)
