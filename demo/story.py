"""The main job as a story: two therapists, no Wi-Fi, one record that both changed.

Every step is a person's: keys and clicks on the real windows of the real app, with a
real server process behind them.
"""

from __future__ import annotations

import itertools
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QListView, QWidget
from sqlalchemy import text

from demo.clinic import LEE, PATEL, RunningClinic, running_clinic
from demo.narrator import Narrator
from demo.person import Person, press_key, wait_until
from demo.verdict import Reader, Saved, Verdict, verdict, waiting_edits
from physioflow_client.look.theme import Theme, apply_theme
from physioflow_client.views import names
from physioflow_client.views.conflict_window import SAVE as SAVE_CONFLICT
from physioflow_client.views.conflict_window import ConflictWindow
from physioflow_clinical.patients import Patient
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.status import SyncStatus

SEARCHED: Final = ("dorothy", "Dorothy Quinn")
AMELIA: Final = ("amelia", "Amelia Novak")
BINH: Final = ("binh", "Binh Trần")
LEES_ANSWERS: Final = "22332223322"
PATELS_ANSWERS: Final = "22222222222"


class Story:
    """Plays it once, telling and photographing.

    Args:
        pictures: folder for the screenshots.
    """

    def __init__(self, app: QApplication, folder: Path, pictures: Path, *, today: date) -> None:
        self._app = app
        self._folder = folder
        self._pictures = pictures
        self._today = today
        self._narrator = Narrator()
        self._numbers = itertools.count(1)
        self._saved: list[Saved] = []

    def play(self) -> tuple[Verdict, float]:
        """Return what the three databases say at the end, and the seconds it took."""
        apply_theme(self._app, Theme.LIGHT)
        with running_clinic(self._folder / "server", today=self._today) as clinic:
            records = clinic.data.records
            patients = sum(record.collection == "patients" for record in records)
            measures = sum(record.collection == "outcome_measures" for record in records)
            self._narrator.tell(
                f"The clinic's server runs, with {patients} patients and {measures} outcome"
                " measures of two years."
            )
            lee = Person(self._app, self._folder / "room-1", LEE, clinic.server.url)
            patel = Person(self._app, self._folder / "room-3", PATEL, clinic.server.url)
            try:
                self._arrive(lee, patel, patients)
                self._look_at_a_patient(lee)
                self._lose_the_network(lee, patel)
                self._record_offline(lee, patel)
                self._change_the_same_measure(lee, patel)
                self._find_the_network(lee, patel)
                self._decide(lee)
                outcome = self._compare(lee, patel, clinic)
                self._search_for_names(clinic)
                return outcome, self._narrator.seconds
            finally:
                lee.desktop.close()
                patel.desktop.close()

    def _arrive(self, lee: Person, patel: Person, patients: int) -> None:
        for person in (lee, patel):
            person.fill_in_first_window()
            if person is lee:
                self._photograph(lee, "sign-in", lee.first_window)
            person.sign_in()
            wait_until(partial(_has_listed, person, patients), "the first sync")
            self._narrator.tell(
                f"{person.who.name} signs in on the laptop of {person.who.room}:"
                f" {patients} patients are there."
            )
        wait_until(lambda: _is_rested(lee) and _is_rested(patel), "both first syncs")
        self._photograph(lee, "list")

    def _look_at_a_patient(self, lee: Person) -> None:
        lee.open_patient(AMELIA[0], name=AMELIA[1])
        lee.find(QWidget, names.TREND_CHART)
        self._photograph(lee, "trend")
        self._narrator.tell(f"{lee.who.name} finds {AMELIA[1]} and looks at her trend.")

    def _lose_the_network(self, lee: Person, patel: Person) -> None:
        for person in (lee, patel):
            person.cable.pull()
            person.try_now()
        wait_until(lambda: not (_is_online(lee) or _is_online(patel)), "the banner")
        lee.see_banner("You are offline.")
        self._photograph(lee, "banner")
        self._narrator.tell("The Wi-Fi is gone on both laptops; a banner says so, work goes on.")

    def _record_offline(self, lee: Person, patel: Person) -> None:
        lee.press(Qt.Key.Key_N)
        lee.click(f"{names.INSTRUMENT}ndi")
        lee.type("2212121222")
        self._photograph(lee, "record")
        lee.press(Qt.Key.Key_Return)
        wait_until(lambda: _unsent(lee) == 1, "the saved measure")
        self._photograph(lee, "pending")
        self._narrator.tell(f"{lee.who.name} records {AMELIA[1]}'s NDI: saved on this laptop.")
        patel.open_patient(BINH[0], name=BINH[1])
        patel.press(Qt.Key.Key_N)
        patel.click(f"{names.INSTRUMENT}nprs")
        patel.type("3")
        patel.press(Qt.Key.Key_Return)
        wait_until(lambda: _unsent(patel) == 1, "the saved measure")
        self._narrator.tell(f"{patel.who.name} records {BINH[1]}'s pain: saved on this laptop.")

    def _change_the_same_measure(self, lee: Person, patel: Person) -> None:
        self._amend(lee, LEES_ANSWERS, note="Night pain gone.")
        self._amend(patel, PATELS_ANSWERS, note="Started theraband, red.")
        self._narrator.tell(
            f"Both correct the answers of {SEARCHED[1]}'s last QuickDASH and its notes,"
            " each without knowing of the other."
        )
        for person in (lee, patel):
            self._saved += waiting_edits(_reader(person))

    def _amend(self, person: Person, answers: str, *, note: str) -> None:
        before = _unsent(person)
        person.open_patient(SEARCHED[0], name=SEARCHED[1])
        person.open_measure("QuickDASH")
        person.click(names.AMEND)
        person.find(QWidget, names.RECORD_PANEL)
        person.find(QWidget, f"{names.ANSWER}1").setFocus()
        person.type(answers)
        person.replace_text(names.NOTES, note)
        person.replace_text(names.REASON, "Misread from paper.")
        person.press(Qt.Key.Key_Return)
        wait_until(lambda: _unsent(person) == before + 1, "the saved correction")

    def _find_the_network(self, lee: Person, patel: Person) -> None:
        for person in (patel, lee):
            person.cable.plug()
            person.try_now()
            wait_until(partial(_has_sent_all, person), "the sync")
        wait_until(lambda: _conflicts(lee) == 1, "the conflict")
        patel.try_now()
        wait_until(
            lambda: _versions(patel).keys() == _versions(lee).keys(), "Room 1's records in Room 3"
        )
        self._narrator.tell(
            "The Wi-Fi is back: what each recorded alone has arrived on the other laptop;"
            f" one record has two versions, and {lee.who.name} is asked."
        )
        lee.see_banner("two versions")
        self._photograph(lee, "two-versions")

    def _decide(self, lee: Person) -> None:
        lee.press(Qt.Key.Key_J)
        wait_until(lambda: _conflict_window(lee) is not None, "the conflict window")
        window = _conflict_window(lee)
        assert window is not None
        self._photograph(lee, "conflict", window)
        for _ in range(len(window.model.rows) if window.model else 0):
            press_key(window, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
            press_key(window, Qt.Key.Key_F8)
        self._photograph(lee, "conflict-chosen", window)
        lee.click(SAVE_CONFLICT, within=window)
        wait_until(lambda: not _conflicts(lee), "the decision")
        self._narrator.tell(f"{lee.who.name} compares both versions, chooses and saves.")

    def _compare(self, lee: Person, patel: Person, clinic: RunningClinic) -> Verdict:
        wait_until(partial(_has_sent_all, lee), "the decision on the server")
        patel.try_now()
        wait_until(lambda: _versions(lee) == _versions(patel), "the decision in Room 3")
        lee.see_banner("")
        lee.see_no_toast()
        self._photograph(lee, "resolved")
        lee.press(
            Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        )
        lee.open_patient(AMELIA[0], name=AMELIA[1])
        self._photograph(lee, "dark")
        outcome = verdict(clinic.database, [_reader(lee), _reader(patel)], self._saved)
        self._narrator.tell(
            "The decision is on the server and on both laptops; the three databases are"
            + (" equal." if outcome.converged else " NOT equal.")
        )
        return outcome

    def _search_for_names(self, clinic: RunningClinic) -> None:
        """Look for every patient's name, as plain text, in every file of both laptops.

        Raises:
            AssertionError: one was found, or a database begins as an open one does.
        """
        names_of_all = {
            word.encode()
            for record in clinic.data.records
            if isinstance(record.body, Patient)
            for word in (record.body.legal_name, record.body.preferred_name)
            if word
        }
        files = [
            path
            for laptop in ("room-1", "room-3")
            for path in (self._folder / laptop).rglob("*")
            if path.is_file()
        ]
        for path in files:
            content = path.read_bytes()
            assert not content.startswith(b"SQLite format 3"), path.name
            assert not any(name in content for name in names_of_all), path.name
        self._narrator.tell(
            f"None of {len(names_of_all)} names stands readable in any of the"
            f" {len(files)} files of the two laptops."
        )

    def _photograph(self, person: Person, name: str, window: QWidget | None = None) -> None:
        path = self._pictures / f"{next(self._numbers):02}-{name}.png"
        person.photograph(window or person.window, path)


def _has_listed(person: Person, patients: int) -> bool:
    rows = person.window.findChild(QListView, names.PATIENTS)
    return rows is not None and rows.model().rowCount() == patients


def _has_sent_all(person: Person) -> bool:
    return _is_rested(person) and not _unsent(person)


def _status(person: Person) -> SyncStatus:
    laptop = person.desktop.laptop
    assert laptop is not None
    return laptop.records.status


def _is_online(person: Person) -> bool:
    return _status(person).connectivity.is_connected


def _is_rested(person: Person) -> bool:
    return _status(person).connectivity is Connectivity.ONLINE


def _unsent(person: Person) -> int:
    return _status(person).counts.unsent


def _conflicts(person: Person) -> int:
    return _status(person).counts.conflicts


def _reader(person: Person) -> Reader:
    laptop = person.desktop.laptop
    assert laptop is not None
    return laptop.opened.store.reader


def _versions(person: Person) -> dict[tuple[str, str], int]:
    """Return what the server has acknowledged of each record on a laptop."""
    with _reader(person)() as connection:
        rows = connection.execute(text("SELECT collection, id, version FROM records"))
        return {(collection, record): version for collection, record, version in rows}


def _conflict_window(person: Person) -> ConflictWindow | None:
    window = person.window.conflicts.window
    return window if window is not None and window.isVisible() and window.model else None
