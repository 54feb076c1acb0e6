"""Recording an outcome measure, or amending one: every keystroke is kept as a draft."""

from __future__ import annotations

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
"""The draft that names the form that is open, so that a lock or a crash loses nothing."""


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """Whose form is open, and which measure it amends; "" for a new one."""

    patient: str
    amends: str = ""


def read_unfinished(content: bytes | None) -> Unfinished | None:
    """Return what `UNFINISHED` names, or None."""
    try:
        return None if content is None else msgspec.json.decode(content, type=Unfinished)
    except msgspec.DecodeError:
        return None  # An older version of the app has kept it in another shape.


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(MeasureForm)


class RecordMeasureModel(QObject):
    """One form at a time.

    Signals:
        begun: a form has been opened; `restored` tells whether it was kept from before.
        changed: the form, its score or its errors are others.
        refused: it cannot be saved as it is, and `errors` say why.
        saved(str): the measure of this id is durable on this laptop.
    """

    begun = Signal()
    changed = Signal()
    refused = Signal()
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
        self._blank: MeasureForm | None = None
        self._other_forms: dict[str, MeasureForm] = {}
        self._opening = 0
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
    def is_touched(self) -> bool:
        """True where something is typed that is neither saved nor forgotten."""
        return self.is_open and (self.restored or self._form != self._blank)

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
        """Turn to another instrument; the answers typed for this one wait until it is back."""
        form = self.form
        if instrument.id == form.instrument:
            return
        self._other_forms[form.instrument] = form
        measures = [each.body for each in self.file.measures_of(form.episode)]
        fresh = self._other_forms.get(instrument.id) or blank_form(
            form.episode, instrument, measures
        )
        self.errors = {}
        self._take(
            msgspec.structs.replace(
                fresh, notes=form.notes, mode=form.mode, measured_at=form.measured_at
            )
        )

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
        self.refused.emit()

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
        body, original = encode(made), self._original
        key = original.record.key if original is not None else self._new_key()
        # The person may leave the form, or open another, before the answer comes.
        then = partial(self._saved, key.id, self._draft, self._opening)
        failed = partial(self._failed, self._opening)
        if original is None:
            self._records.save([Edit(key=key, body=body)], then=then, failed=failed)
            return
        moved, seen = partial(self._moved, self._opening), self.form.seen
        save_over(self._records, key, seen=seen, body=body, then=then, moved=moved, failed=failed)

    @property
    def _draft(self) -> str:
        if self._original is not None:
            return f"amended_measure:{self._original.id}"
        return f"measure:{self.file.patient.id}"

    def _new_key(self) -> Key:
        return Key("outcome_measures", self._records.new_id())

    def _begin(self, file: PatientFile, episode: Kept[Episode], form: MeasureForm) -> None:
        self._file, self._episode, self._form, self._blank = file, episode, None, form
        self._opening += 1
        self._other_forms = {}
        self._is_saving = False
        self.errors = {}
        self.restored = False
        self._records.draft(self._draft, partial(self._open, form, self._opening))

    def _open(self, form: MeasureForm, opening: int, draft: bytes | None) -> None:
        if opening != self._opening:
            return  # Another form has been asked for meanwhile.
        kept = _read(draft)
        self.restored = kept is not None and kept.episode == form.episode
        self._form = kept if self.restored else form
        unfinished = Unfinished(patient=self.file.patient.id, amends=form.amends)
        self._records.keep_draft(UNFINISHED, _ENCODER.encode(unfinished))
        self.begun.emit()

    def _made(self) -> OutcomeMeasure | Errors:
        now = self._now()
        patient = self.file.patient
        born = patient.body.date_of_birth
        if self._original is not None:
            return amended(self.form, self._original.body, born=born, now=now)
        assert self._episode is not None
        return measure_of(self.form, patient.id, self._episode.body, born=born, now=now)

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

    def _saved(self, measure: str, draft: str, opening: int) -> None:
        self._records.keep_draft(draft, None)
        if opening == self._opening:
            self._is_saving = False
            self.put_aside()
            self.saved.emit(measure)

    def _moved(self, opening: int, record: LocalRecord) -> None:
        """The measure changed meanwhile: say so, and let a second press decide."""
        if opening != self._opening or self._form is None:
            return
        if record.body is None:
            self._refuse({WHOLE: translate("RecordMeasure", "This measure has been deleted.")})
            return
        self._take(msgspec.structs.replace(self._form, seen=record.body))
        self._refuse({WHOLE: moved_words(record.server.author if record.server else "")})

    def _failed(self, opening: int, error: SyncError) -> None:
        if opening == self._opening:
            self._refuse(errors_of(error))

    def _refuse(self, errors: Errors) -> None:
        self._is_saving = False
        self.errors = errors
        self.changed.emit()
        self.refused.emit()


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
