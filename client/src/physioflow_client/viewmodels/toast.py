"""What a toast says.  The same text stays in the sync centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication

from physioflow_client.viewmodels.tone import Tone

translate = QCoreApplication.translate

CONFLICT: Final = "conflict"
REJECTED: Final = "rejected"
"""Causes whose toasts go when they have been dealt with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toast:
    """A short notice; a later toast of the same cause takes the place of an earlier one."""

    cause: str
    text: str
    tone: Tone = Tone.NEUTRAL
    icon: str = "info"


def conflict_toast() -> Toast:
    """409: somebody else changed the record."""
    text = translate(
        "Toast", "This record was changed by someone else. Choose which version to keep."
    )
    return Toast(cause=CONFLICT, text=text, tone=Tone.DANGER, icon="columns-2")


def rejected_toast(field: str, reason: str) -> Toast:
    """422: the server refused what was written; `field` in the reader's words."""
    text = translate("Toast", "The server did not accept this: {field}: {reason}.")
    return Toast(
        cause=REJECTED,
        text=text.format(field=field, reason=reason),
        tone=Tone.DANGER,
        icon="circle-alert",
    )


def signed_out_toast() -> Toast:
    """401: the sign-in has ended."""
    text = translate("Toast", "Sign in again to send your changes. Nothing is lost.")
    return Toast(cause="signed_out", text=text, tone=Tone.WARN, icon="lock")


def forbidden_toast() -> Toast:
    """403: this person may not change this record."""
    text = translate("Toast", "You don't have permission to change this.")
    return Toast(cause="forbidden", text=text, tone=Tone.DANGER, icon="lock")


def server_error_toast() -> Toast:
    """5xx: the server failed."""
    text = translate(
        "Toast", "The server had a problem. Your change is safe and will be sent again."
    )
    return Toast(cause="server_error", text=text, tone=Tone.WARN, icon="server-off")


def put_aside_toast() -> Toast:
    """A form was left half filled in."""
    text = translate("Toast", "Put aside. What you typed is there when you open the form again.")
    return Toast(cause="put_aside", text=text, icon="pencil")


def saved_toast() -> Toast:
    """A record was saved; only an acknowledgement says that it is on the server."""
    text = translate("Toast", "Saved on this laptop.")
    return Toast(cause="saved", text=text, tone=Tone.OK, icon="circle-check")
