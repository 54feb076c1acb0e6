"""The demo for eyes and hands: two real windows, and a switch for each one's network."""

from __future__ import annotations

import tempfile
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QVBoxLayout, QWidget

from demo.clinic import CLINIC, LEE, PASSWORD, PATEL, running_clinic
from demo.person import Person

_OFFSET_PX: Final = 48


class Switches(QWidget):
    """One checkbox a laptop: its network cable."""

    def __init__(self, people: tuple[Person, ...]) -> None:
        super().__init__(None, Qt.WindowType.WindowStaysOnTopHint)
        self.setWindowTitle("PhysioFlow demo")
        self.setProperty("role", "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self)
        column.addWidget(
            QLabel(f"Both passwords are “{PASSWORD}”.\nThe clinic is made up; close this to end.")
        )
        for person in people:
            switch = QCheckBox(f"{person.who.room} · {person.who.name}: network")
            switch.setChecked(True)
            switch.toggled.connect(partial(_switch, person))
            column.addWidget(switch)


def live() -> int:
    """Start the clinic and open both laptops, signed in; returns the exit code."""
    app = QApplication(["physioflow-demo"])
    with tempfile.TemporaryDirectory(prefix="physioflow-demo-") as folder:
        print(f"Starting {CLINIC}: a server and forty patients …", flush=True)
        today = datetime.now().astimezone().date()
        with running_clinic(Path(folder) / "server", today=today) as clinic:
            people = tuple(
                Person(app, Path(folder) / who.username, who, clinic.server.url)
                for who in (LEE, PATEL)
            )
            for place, person in enumerate(people):
                person.fill_in_first_window()
                person.sign_in()
                person.window.move(place * _OFFSET_PX, place * _OFFSET_PX)
            switches = Switches(people)
            switches.destroyed.connect(app.quit)
            switches.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            switches.show()
            print("Two windows are open. Pull a network, change things on both, plug it in again.")
            return app.exec()


def _switch(person: Person, is_on: bool) -> None:
    if is_on:
        person.cable.plug()
    else:
        person.cable.pull()
    person.try_now()
