"""A form over one record: fields as they are typed, errors beside them, a careful save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from PySide6.QtCore import QCoreApplication, QObject, Signal

from physioflow_client.background.records import Records
from physioflow_client.queries.patient_page import StoredRecord
from physioflow_client.viewmodels.careful_save import save_over
from physioflow_client.viewmodels.problems import WHOLE, errors_of, moved_words
from physioflow_client.viewmodels.typed_date import read_date
from physioflow_sync.core.changes import Fields, Key, body_of, changed_fields, fields_of
from physioflow_sync.core.errors import SyncError
from physioflow_sync.core.local_record import LocalRecord
from physioflow_sync.ports import Edit

translate = QCoreApplication.translate

DATES: Final = frozenset({"date_of_birth", "opened_on", "closed_on"})
"""Fields that are typed as dates."""

LISTS: Final = frozenset({"medical_alerts"})
"""Fields that are typed one entry a line."""

CHOICES: Final = frozenset({"region"})
"""Fields that are chosen from a list and start with nothing chosen."""


class RecordForm(QObject):
    """Edits a record, or makes a new one.

    A field is named by its path (`emergency_contact.phone`).  Only what the person has
    changed is written, over the newest version of the record.

    Signals:
        begun: the form shows another record.
        changed: `errors`, or values that a newer version brought, are others.
        saved(str): the record of this id is durable on this laptop.
    """

    begun = Signal()
    changed = Signal()
    saved = Signal(str)

    def __init__(self, records: Records, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._records = records
        self._key = Key("", "")
        self._seen: bytes | None = None
        self._before: dict[str, object] = {}
        self._fields: dict[str, object] = {}
        self._wrong_dates: dict[str, str] = {}
        self._is_saving = False
        self.errors: dict[str, str] = {}

    @property
    def is_new(self) -> bool:
        return self._seen is None

    @property
    def is_saving(self) -> bool:
        return self._is_saving

    @property
    def key(self) -> Key:
        return self._key

    def create(self, collection: str, fields: Fields) -> None:
        """Open the form of a new record that starts with these fields."""
        self._begin(Key(collection, self._records.new_id()), None, dict(fields))

    def edit(self, record: StoredRecord) -> None:
        """Open the form of a record as it is shown."""
        self._begin(record.key, record.body, fields_of(record.body) or {})

    def value(self, path: str) -> object:
        """Return what stands in a field; None where there is nothing."""
        if path in self._wrong_dates:
            return self._wrong_dates[path]
        name, _, inner = path.partition(".")
        value = self._fields.get(name)
        if not inner:
            return value
        return _mapping(value).get(inner)

    def text(self, path: str) -> str:
        """Return a field's text, "" where there is none."""
        value = self.value(path)
        if path in LISTS and isinstance(value, list | tuple):
            return "\n".join(map(str, cast("Sequence[object]", value)))
        return value if isinstance(value, str) else ""

    def set(self, path: str, value: object) -> None:
        """Take what was typed; dates are read, and an empty one is none."""
        self.errors.pop(path, None)
        if path in DATES and isinstance(value, str):
            value = self._date(path, value)
        elif path in LISTS and isinstance(value, str):
            value = [entry for each in value.splitlines() if (entry := each.strip())]
        name, _, inner = path.partition(".")
        if inner:
            whole = {**_mapping(self._fields.get(name)), inner: value}
            value = whole if any(whole.values()) else None
        self._fields[name] = value
        self.changed.emit()

    def save(self) -> None:
        """Save what was typed on this laptop, or say what is wrong with it."""
        if self._is_saving:
            return
        if self._wrong_dates:
            words = translate("RecordForm", "Type a date such as 1968-08-12 or 12.8.1968.")
            self._refuse(dict.fromkeys(self._wrong_dates, words))
            return
        unchosen = [path for path in CHOICES if self._fields.get(path) == ""]
        if unchosen:
            self._refuse(dict.fromkeys(unchosen, translate("RecordForm", "Choose one.")))
            return
        self._is_saving = True
        self.errors = {}
        self.changed.emit()
        body = body_of(self._fields)
        if self._seen is None:
            edit = Edit(key=self._key, body=body)
            self._records.save([edit], then=self._saved, failed=self._failed)
            return
        save_over(
            self._records,
            self._key,
            seen=self._seen,
            body=body,
            then=self._saved,
            moved=self._moved,
            failed=self._failed,
        )

    def _begin(self, key: Key, seen: bytes | None, fields: dict[str, object]) -> None:
        self._key, self._seen = key, seen
        self._before, self._fields = dict(fields), dict(fields)
        self._wrong_dates = {}
        self.errors = {}
        self.begun.emit()

    def _date(self, path: str, typed: str) -> str | None:
        self._wrong_dates.pop(path, None)
        if not typed.strip():
            return None
        day = read_date(typed)
        if day is None:
            self._wrong_dates[path] = typed
            return None
        return day.isoformat()

    def _saved(self) -> None:
        self._is_saving = False
        self.saved.emit(self._key.id)

    def _moved(self, record: LocalRecord) -> None:
        """Put what the person changed onto the newer version, and let them look at it."""
        newer = fields_of(record.body)
        if newer is None or record.body is None:
            self._refuse({WHOLE: translate("RecordForm", "This record has been deleted.")})
            return
        mine = changed_fields(self._before, self._fields)
        self._fields = newer | {name: self._fields.get(name) for name in mine}
        self._before, self._seen = newer, record.body
        self._refuse({WHOLE: moved_words(record.server.author if record.server else "")})

    def _failed(self, error: SyncError) -> None:
        self._refuse(errors_of(error))

    def _refuse(self, errors: dict[str, str]) -> None:
        self._is_saving = False
        self.errors = errors
        self.changed.emit()


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}
