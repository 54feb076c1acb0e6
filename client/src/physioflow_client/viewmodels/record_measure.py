"""Recording an outcome measure, or amending one: every keystroke is kept as a draft."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

import msgspec
from PySide6.QtCore import QCoreApplication, QObject, Signal

from physioflow_client.background.records import Records
from physioflow_client.viewmodels.answers import AnswerSheet
from physioflow_client.viewmodels.careful_save import save_over
from physioflow_client.viewmodels.live_score import LiveScore, live_score
from physioflow_client.viewmodels.measure_form import (
    ANSWERS,
    Errors,
    MeasureForm,
    amended,
    amending_form,
    blank_form,
    instruments_by_use,
    measure_of,
)
from physioflow_client.viewmodels.now import Now, local_now
from physioflow_client.viewmodels.patient_file import Kept, PatientFile
from physioflow_client.viewmodels.problems import WHOLE, errors_of, moved_words
from physioflow_clinical.collections import encode
from physioflow_clinical.episodes import Episode
from physioflow_clinical.instruments import catalogue
from physioflow_clinical.instruments.instrument import Instrument
from physioflow_clinical.outcome_measures import Mode, OutcomeMeasure, Phase
from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import SyncError
from physioflow_sync.core.local_record import LocalRecord
from physioflow_sync.ports import Edit

translate = QCoreApplication.translate

UNFINISHED: Final = "unfinished_measure"
"""The draft that names the patient whose form is open, so that a crash loses nothing."""

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(MeasureForm)


class RecordMeasureModel(QObject):
    """One form at a time.

    Signals:
        begun: a form has been opened; `restored` tells whether it was kept from before.
        changed: the form, its score or its errors are others.
        saved(str): the measure of this id is durable on this laptop.
    """

    begun = Signal()
    changed = Signal()
    saved = Signal(str)

    def __init__(
        self, records: Records, *, now: Now = local_now, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._records = records
        self._now = now
        self._file: PatientFile | None = None
        self._episode: Kept[Episode] | None = None
        self._original: Kept[OutcomeMeasure] | None = None
        self._form: MeasureForm | None = None
        self._seen = b""
        self._is_saving = False
        self.instruments: tuple[Instrument, ...] = ()
        self.errors: Errors = {}
        self.restored = False

    @property
    def form(self) -> MeasureForm:
        assert self._form is not None, "no form is open"
        return self._form

    @property
    def is_open(self) -> bool:
        return self._form is not None

    @property
    def is_saving(self) -> bool:
        """True from the press of Save until the answer."""
        return self._is_saving

    @property
    def file(self) -> PatientFile:
        assert self._file is not None, "no form is open"
        return self._file

    @property
    def now(self) -> datetime:
        """The time that a measure gets where nobody says another."""
        return self._now()

    @property
    def live(self) -> LiveScore:
        return live_score(self.form)

    def record(self, file: PatientFile, episode: Kept[Episode]) -> None:
        """Open a form for a new measure, or the one that was left unfinished."""
        measures = [each.body for each in file.measures_of(episode.id)]
        self.instruments = instruments_by_use(measures)
        self._original = None
        self._begin(file, episode, blank_form(episode.id, self.instruments[0], measures))

    def amend(self, file: PatientFile, measure: Kept[OutcomeMeasure]) -> None:
        """Open the form of a recorded measure."""
        episode = file.episode(measure.body.episode)
        assert episode is not None, "a measure is only shown within its episode"
        form = amending_form(measure)
        self.instruments = (form.of,)
        self._original = measure
        self._begin(file, episode, form)

    def choose(self, instrument: Instrument) -> None:
        """Start over with another instrument."""
        if instrument.id == self.form.instrument:
            return
        measures = [each.body for each in self.file.measures_of(self.form.episode)]
        fresh = blank_form(self.form.episode, instrument, measures)
        self._take(msgspec.structs.replace(fresh, notes=self.form.notes, mode=self.form.mode))

    def type_digit(self, digit: int) -> None:
        """Fill the present item, if it has such an answer."""
        items = self.form.of.items
        sheet = self.form.sheet.typed(digit, items)
        if sheet is not None:
            self._take_sheet(sheet)
            return
        self.errors[ANSWERS] = translate(
            "RecordMeasure", "{digit} is not an answer here: {low} to {high}."
        ).format(digit=digit, low=items.low, high=items.high)
        self.changed.emit()

    def mark_missing(self) -> None:
        """Mark the present item as blank on paper."""
        self._take_sheet(self.form.sheet.marked_missing())

    def erase(self) -> None:
        """Take the last answer back."""
        self._take_sheet(self.form.sheet.erased())

    def go_to(self, place: int) -> None:
        """Let the next digit go into another item."""
        if place != self.form.sheet.place and 0 <= place < len(self.form.sheet.answers):
            self._take_sheet(self.form.sheet.at(place))

    def name_activity(self, place: int, words: str) -> None:
        """Name one of the patient's activities."""
        named = list(self.form.activities)
        named[place] = words
        self._set("activities", activities=tuple(named))

    def add_activity(self) -> None:
        """Make room for one more activity, up to as many as the form has."""
        count = len(self.form.activities) + 1
        if count <= self.form.of.items.most:
            sheet = self.form.sheet.of_size(count)
            self._set("activities", activities=(*self.form.activities, ""), sheet=sheet)

    def set_total_only(self, is_total: bool) -> None:
        self._set(ANSWERS, is_total=is_total)

    def set_total(self, total: str) -> None:
        self._set("score", total=total)

    def set_notes(self, notes: str) -> None:
        self._set("notes", notes=notes)

    def set_phase(self, phase: Phase) -> None:
        self._set("phase", phase=phase)

    def set_mode(self, mode: Mode) -> None:
        self._set("mode", mode=mode)

    def set_measured_at(self, measured_at: datetime | None) -> None:
        """Say when the patient answered; None for the moment of saving."""
        self._set("measured_at", measured_at=measured_at)

    def set_reason(self, reason: str) -> None:
        self._set("reason", reason=reason)

    def put_aside(self) -> None:
        """Close the form; what was typed stays for the next time."""
        self._records.keep_draft(UNFINISHED, None)
        self._form = None

    def forget(self) -> None:
        """Close the form and forget what was typed."""
        self._records.keep_draft(self._draft, None)
        self.put_aside()

    def save(self) -> None:
        """Save the measure on this laptop, or say what is still wrong."""
        if self._is_saving:
            return
        made = self._made()
        if isinstance(made, dict):
            self._refuse(made)
            return
        self._is_saving = True
        self.errors = {}
        self.changed.emit()
        body = encode(made)
        if self._original is None:
            key = Key("outcome_measures", self._records.new_id())
            then = partial(self._saved, key.id)
            self._records.save([Edit(key=key, body=body)], then=then, failed=self._failed)
            return
        key = self._original.record.key
        save_over(
            self._records,
            key,
            seen=self._seen,
            body=body,
            then=partial(self._saved, key.id),
            moved=self._moved,
            failed=self._failed,
        )

    @property
    def _draft(self) -> str:
        if self._original is not None:
            return f"amended_measure:{self._original.id}"
        return f"measure:{self.file.patient.id}"

    def _begin(self, file: PatientFile, episode: Kept[Episode], form: MeasureForm) -> None:
        self._file, self._episode, self._form = file, episode, None
        self._seen = self._original.record.body if self._original is not None else b""
        self.errors = {}
        self.restored = False
        self._records.draft(self._draft, self._receiver(form))

    def _receiver(self, form: MeasureForm) -> Callable[[bytes | None], None]:
        def opened(draft: bytes | None) -> None:
            kept = _read(draft)
            self.restored = kept is not None and kept.episode == form.episode
            self._form = kept if self.restored else form
            self._records.keep_draft(UNFINISHED, self.file.patient.id.encode())
            self.begun.emit()

        return opened

    def _made(self) -> OutcomeMeasure | Errors:
        now = self._now()
        if self._original is not None:
            return amended(self.form, self._original.body, now=now)
        assert self._episode is not None
        patient = self.file.patient
        return measure_of(
            self.form,
            patient.id,
            self._episode.body,
            born=patient.body.date_of_birth,
            now=now,
        )

    def _take_sheet(self, sheet: AnswerSheet) -> None:
        self._set(ANSWERS, sheet=sheet)

    def _set(self, part: str, **changes: object) -> None:
        self.errors.pop(part, None)
        self.errors.pop(WHOLE, None)
        self._take(msgspec.structs.replace(self.form, **changes))

    def _take(self, form: MeasureForm) -> None:
        self._form = form
        self._records.keep_draft(self._draft, _ENCODER.encode(form))
        self.changed.emit()

    def _saved(self, measure: str) -> None:
        self._is_saving = False
        self.forget()
        self.saved.emit(measure)

    def _moved(self, record: LocalRecord) -> None:
        """The measure changed meanwhile: say so, and let a second press decide."""
        if record.body is None:
            self._refuse({WHOLE: translate("RecordMeasure", "This measure has been deleted.")})
            return
        self._seen = record.body
        self._refuse({WHOLE: moved_words(record.server.author if record.server else "")})

    def _failed(self, error: SyncError) -> None:
        self._refuse(errors_of(error))

    def _refuse(self, errors: Errors) -> None:
        self._is_saving = False
        self.errors = errors
        self.changed.emit()


def _read(draft: bytes | None) -> MeasureForm | None:
    if draft is None:
        return None
    try:
        form = _DECODER.decode(draft)
    except msgspec.DecodeError:
        return None  # An older version of the app has kept it in another shape.
    # A form of an instrument that the library lacks by now cannot be filled in.
    known = catalogue.find(form.instrument, form.instrument_version)
    return form if known is not None else None
