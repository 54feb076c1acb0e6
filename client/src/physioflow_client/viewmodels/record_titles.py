"""A record in a line: whose it is, and which."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from physioflow_client.queries.titles import Title
from physioflow_client.viewmodels.language import said
from physioflow_clinical.instruments import catalogue
from physioflow_sync.core.changes import Key

translate = QCoreApplication.translate


def title_words(key: Key, title: Title | None) -> str:
    """Return "Amelia Novak · NDI".

    Args:
        title: None where this laptop shows no such record, because it is deleted.
    """
    if title is None:
        kind = _kind(key.collection)
        return translate("RecordTitle", "{kind}, deleted").format(kind=kind)
    who = title.patient_name or translate("RecordTitle", "a patient who is not here yet")
    return f"{who} · {_what(key, title)}"


def _what(key: Key, title: Title) -> str:
    match key.collection:
        case "patients":
            return translate("RecordTitle", "personal details")
        case "outcome_measures":
            instrument = catalogue.current(title.what)
            return said(instrument.short_name) if instrument is not None else title.what.upper()
        case _:
            return title.what or _kind(key.collection)


def _kind(collection: str) -> str:
    match collection:
        case "patients":
            return translate("RecordTitle", "Patient")
        case "episodes":
            return translate("RecordTitle", "Episode")
        case "outcome_measures":
            return translate("RecordTitle", "Outcome measure")
        case _:
            return translate("RecordTitle", "Record")
