"""What went wrong with a save, in words for the person who pressed the button."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QCoreApplication

from physioflow_client.viewmodels.field_words import field_label
from physioflow_sync.core.errors import InvalidBody, StoreFailure, StoreFailureKind, SyncError

translate = QCoreApplication.translate

WHOLE: Final = ""
"""The name under which a form's errors keep what concerns no single field."""


def errors_of(error: SyncError) -> dict[str, str]:
    """Return the errors of a refused save by the body's field.

    An error of `responses[3]` stands under `responses`, one of `emergency_contact.phone`
    under that.
    """
    if isinstance(error, InvalidBody):
        found: dict[str, str] = {}
        for each in error.errors:
            found.setdefault(each.field.partition("[")[0], sentence(each.reason))
        return found
    return {WHOLE: failure_words(error)}


def sentence(reason: str) -> str:
    """Return a reason ("is empty") as a sentence below its field: "Is empty."."""
    return f"{reason[:1].upper()}{reason[1:]}" + ("" if reason.endswith(".") else ".")


def path_label(path: str) -> str:
    """Return the name of the field that a path (`responses[3]`) leads into; "" for the whole."""
    return field_label(path.partition(".")[0].partition("[")[0]) if path else ""


def failure_words(error: SyncError) -> str:
    """Return why this laptop could not keep a record; nothing of it is lost from the screen."""
    if isinstance(error, StoreFailure) and error.kind is StoreFailureKind.FULL:
        return translate("Problem", "This laptop's disk is full. Free some space, then save again.")
    return translate("Problem", "This laptop could not save it. Nothing is lost: try again.")


def moved_words(author: str) -> str:
    """Return what to say where a record changed while its form was open."""
    if author:
        return translate(
            "Problem",
            "{author} changed this record while you were typing. Your text is kept here:"
            " look at the newer version below, then save again to put yours in its place.",
        ).format(author=author)
    return translate(
        "Problem",
        "This record changed while you were typing. Your text is kept here: save again to put"
        " it in the place of the newer version.",
    )
