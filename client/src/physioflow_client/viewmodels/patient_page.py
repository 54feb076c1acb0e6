"""The page of one patient: always what the laptop's file says at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QCoreApplication, QObject, Signal, Slot

from physioflow_client.background.records import Records
from physioflow_client.viewmodels.measure_rows import (
    MeasureDetails,
    MeasureRow,
    measure_details,
    measure_row,
)
from physioflow_client.viewmodels.now import Now, local_now
from physioflow_client.viewmodels.patient_file import Kept, PatientFile, read_patient_file
from physioflow_client.viewmodels.patient_header import (
    PatientHeader,
    episode_words,
    patient_header,
    problem_words,
)
from physioflow_client.viewmodels.trend_card import TrendCard, trend_cards
from physioflow_clinical.episodes import Episode
from physioflow_clinical.outcome_measures import OutcomeMeasure
from physioflow_clinical.trends import TrendKey, trend_key
from physioflow_sync.core.changes import Key

translate = QCoreApplication.translate


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeChoice:
    """One episode as the chooser names it."""

    id: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientPage:
    """What the page shows.

    Attributes:
        episode: the one that the page is about; None where the patient has none.
        cards: its trends; `card` is the one shown, None where nothing is measured.
        rows: its measures, newest first.
        unreadable: one sentence about records that this version cannot read, or "".
    """

    file: PatientFile
    header: PatientHeader
    episode: Kept[Episode] | None
    episodes: tuple[EpisodeChoice, ...]
    cards: tuple[TrendCard, ...]
    card: TrendCard | None
    rows: tuple[MeasureRow, ...]
    details: MeasureDetails | None
    unreadable: str


class PatientPageModel(QObject):
    """Shows one patient, and keeps showing what is true when a sync changes it.

    Signals:
        changed: `page` is another.
        missing(str): the patient asked for is not on this laptop.
    """

    changed = Signal()
    missing = Signal(str)

    def __init__(
        self, records: Records, *, now: Now = local_now, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._records = records
        self._now = now
        self._patient = ""
        self._episode = ""
        self._trend: TrendKey | None = None
        self._measure = ""
        self._revealed = ""
        self._file: PatientFile | None = None
        self._page: PatientPage | None = None
        self._is_reading = False
        self._is_stale = False
        records.records_changed.connect(self._take_changes)

    @property
    def page(self) -> PatientPage | None:
        return self._page

    @property
    def patient(self) -> str:
        """The id of the patient asked for; "" before anybody is."""
        return self._patient

    def open(self, patient: str, *, measure: str = "") -> None:
        """Show a patient, and one of their measures where it is named."""
        if patient != self._patient:
            self._episode, self._trend, self._file = "", None, None
            self._page = None
        self._patient, self._measure = patient, measure
        self._read()

    def reveal(self, measure: str) -> None:
        """Show the trend of a measure that has just been recorded."""
        self._revealed, self._measure = measure, ""
        self._read()

    def choose_episode(self, episode: str) -> None:
        """Show another episode of the same patient."""
        self._episode, self._trend, self._measure = episode, None, ""
        self._show()

    def choose_trend(self, key: TrendKey) -> None:
        """Show another trend of the episode."""
        self._trend = key
        self._show()

    def choose_measure(self, measure: str) -> None:
        """Show one measure in full, and its trend; "" closes it."""
        self._measure = measure
        kept = self.measure(measure)
        if kept is not None:
            self._trend = trend_key(kept.body)
        self._show()

    def measure(self, measure: str) -> Kept[OutcomeMeasure] | None:
        """Return a measure of this patient, or None."""
        return self._file.measure(measure) if self._file is not None else None

    def _read(self) -> None:
        if not self._patient:
            return
        self._is_reading, self._is_stale = True, False
        query = partial(read_patient_file, patient=self._patient)
        self._records.read(query, self._take, topic="patient_page")

    def _take(self, file: PatientFile | None) -> None:
        self._is_reading = False
        self._file = file
        if file is None:
            self._page = None
            self.changed.emit()
            self.missing.emit(self._patient)
            return
        kept = file.measure(self._revealed or self._measure)
        if kept is not None and (self._revealed or self._trend is None):
            self._episode, self._trend = kept.body.episode, trend_key(kept.body)
            self._revealed = ""
        self._show()
        if self._is_stale:
            self._read()

    @Slot(object)
    def _take_changes(self, keys: tuple[Key, ...]) -> None:
        if self._is_reading:
            self._is_stale = True
        else:
            self._read()

    def _show(self) -> None:
        file = self._file
        if file is None:
            return
        now = self._now()
        today = now.date()
        me = (self._records.me.user_name, self._records.me.device_name)
        episode = file.episode(self._episode) or file.current_episode
        measures = file.measures_of(episode.id) if episode is not None else ()
        cards = tuple(trend_cards(measures, now=now))
        chosen = (card for card in cards if card.key == self._trend)
        kept = file.measure(self._measure) if self._measure else None
        self._page = PatientPage(
            file=file,
            header=patient_header(file, episode, today=today),
            episode=episode,
            episodes=tuple(
                EpisodeChoice(
                    id=each.id,
                    words=f"{problem_words(each.body)} · {episode_words(each.body, today=today)}",
                )
                for each in file.episodes
            ),
            cards=cards,
            card=next(chosen, next(iter(cards), None)),
            rows=tuple(measure_row(each, now=now) for each in measures),
            details=None if kept is None else measure_details(kept, me=me, now=now),
            unreadable=_unreadable_words(file.unreadable),
        )
        self.changed.emit()


def _unreadable_words(count: int) -> str:
    if not count:
        return ""
    one = translate("PatientPage", "1 record needs a newer version of the app to be shown.")
    many = translate("PatientPage", "{n} records need a newer version of the app to be shown.")
    return (one if count == 1 else many).format(n=count)
