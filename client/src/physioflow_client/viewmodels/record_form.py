"""A form over one record: fields as they are typed, kept as a draft, and a careful save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, cast

import msgspec
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


class FormDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed into a form and is not saved yet.

    Attributes:
        seen: the body that the person saw when they began; None for a new record.
        typed: the fields that they changed.
        wrong_dates: path → what was typed where a date belongs and is none.
    """

    seen: bytes | None
    typed: dict[str, object]
    wrong_dates: dict[str, str]


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(FormDraft)


class RecordForm(QObject):
    """Edits a record, or makes a new one.

    A field is named by its path (`emergency_contact.phone`).  Only what the person has
    changed is written, over the newest version of the record.  What is typed is kept in
    the encrypted file at every keystroke, until it is saved or given up.

    Signals:
        begun: the form shows another record, or what was typed into it before.
        changed: `errors`, or values that a newer version brought, are others.
        refused: it cannot be saved as it is, and `errors` say why.
        saved(str): the record of this id is durable on this laptop.
    """

    begun = Signal()
    changed = Signal()
    refused = Signal()
    saved = Signal(str)

    def __init__(self, records: Records, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._records = records
        self._key = Key("", "")
        self._draft = ""
        self._restored = False
        self._seen: bytes | None = None
        self._preset: Fields = {}
        self._start: dict[str, object] = {}
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

    @property
    def is_touched(self) -> bool:
        """True where something is typed that is neither saved nor given up."""
        return bool(self._wrong_dates or self._typed())

    @property
    def restored(self) -> bool:
        """True where the form shows what was typed before a lock or a crash."""
        return self._restored

    def create(self, collection: str, fields: Fields, *, within: str = "") -> None:
        """Open the form of a new record that starts with these fields.

        Args:
            within: the id of the record that it belongs to; each has a draft of its own.
        """
        key = Key(collection, self._records.new_id())
        self._begin(key, None, fields, preset={}, draft=f"new:{collection}:{within}")

    def edit(self, record: StoredRecord, *, preset: Fields | None = None) -> None:
        """Open the form of a record as it is shown.

        Args:
            preset: fields that this form sets to these values, whatever the record says.
        """
        key, preset = record.key, preset or {}
        draft = f"form:{key.collection}:{key.id}:{','.join(sorted(preset))}"
        self._begin(key, record.body, fields_of(record.body) or {}, preset=preset, draft=draft)

    def forget(self) -> None:
        """Give up what was typed."""
        self._records.keep_draft(self._draft, None)
        self._fields, self._wrong_dates, self._restored = dict(self._start), {}, False

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
        self._keep()
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
        # The person may leave the form, or open another, before the answer comes.
        then = partial(self._saved, self._key, self._draft)
        failed = partial(self._failed, self._key)
        if self._seen is None:
            edit = Edit(key=self._key, body=body)
            self._records.save([edit], then=then, failed=failed)
            return
        save_over(
            self._records,
            self._key,
            seen=self._seen,
            body=body,
            then=then,
            moved=self._moved,
            failed=failed,
        )

    def _begin(
        self, key: Key, seen: bytes | None, fields: Fields, *, preset: Fields, draft: str
    ) -> None:
        self._key, self._seen, self._draft, self._preset = key, seen, draft, preset
        self._start = {**fields, **preset}
        self._fields = dict(self._start)
        self._wrong_dates, self._restored, self._is_saving = {}, False, False
        self.errors = {}
        self.begun.emit()
        self._records.draft(draft, partial(self._restore, key))

    def _restore(self, key: Key, content: bytes | None) -> None:
        """Show what was typed before, over the version that the person saw then.

        Where the record has moved since, saving finds that out and says so.
        """
        kept = _read(content)
        if kept is None or key != self._key or (kept.seen is None) != self.is_new:
            return
        # A key pressed before the draft was read stands above it.
        typed = kept.typed | self._typed()
        if kept.seen is not None:
            self._seen, self._start = kept.seen, {**(fields_of(kept.seen) or {}), **self._preset}
        self._fields = self._start | typed
        self._wrong_dates = kept.wrong_dates | self._wrong_dates
        self._restored = True
        self.begun.emit()

    def _typed(self) -> dict[str, object]:
        names = changed_fields(self._start, self._fields)
        return {name: self._fields.get(name) for name in names}

    def _keep(self) -> None:
        draft = FormDraft(seen=self._seen, typed=self._typed(), wrong_dates=self._wrong_dates)
        content = _ENCODER.encode(draft) if self.is_touched else None
        self._records.keep_draft(self._draft, content)

    def _date(self, path: str, typed: str) -> str | None:
        self._wrong_dates.pop(path, None)
        if not typed.strip():
            return None
        day = read_date(typed)
        if day is None:
            self._wrong_dates[path] = typed
            return None
        return day.isoformat()

    def _saved(self, key: Key, draft: str) -> None:
        self._records.keep_draft(draft, None)
        if key == self._key:
            self._is_saving, self._start = False, dict(self._fields)
            self.saved.emit(key.id)

    def _moved(self, record: LocalRecord) -> None:
        """Put what the person changed onto the newer version, and let them look at it."""
        if record.key != self._key:
            return
        newer = fields_of(record.body)
        if newer is None or record.body is None:
            self._refuse({WHOLE: translate("RecordForm", "This record has been deleted.")})
            return
        typed, self._start = self._typed(), {**newer, **self._preset}
        self._fields, self._seen = self._start | typed, record.body
        self._refuse({WHOLE: moved_words(record.server.author if record.server else "")})

    def _failed(self, key: Key, error: SyncError) -> None:
        if key == self._key:
            self._refuse(errors_of(error))

    def _refuse(self, errors: dict[str, str]) -> None:
        self._is_saving = False
        self.errors = errors
        self.changed.emit()
        self.refused.emit()


def _read(content: bytes | None) -> FormDraft | None:
    try:
        return None if content is None else _DECODER.decode(content)
    except msgspec.DecodeError:
        return None  # An older version of the app has kept it in another shape.


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}
