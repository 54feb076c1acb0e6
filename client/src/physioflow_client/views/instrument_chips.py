"""Which instrument to record: those used most in the episode first."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from physioflow_client.look.actions import button
from physioflow_client.look.tokens import SPACE_2
from physioflow_client.viewmodels.language import said
from physioflow_client.views import names
from physioflow_clinical.instruments.instrument import Instrument


class InstrumentChips(QWidget):
    """One chip an instrument; Alt and its number chooses it from the keyboard.

    Signals:
        chosen(Instrument): record this one.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._group = QButtonGroup(self)
        self._chips: dict[str, QPushButton] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(SPACE_2)
        self._row.addStretch()
        self.setAccessibleName(self.tr("Which measure"))

    def offer(self, instruments: tuple[Instrument, ...], chosen: str) -> None:
        """Offer these instruments, the one of id `chosen` being chosen."""
        if tuple(self._chips) != tuple(each.id for each in instruments):
            self._make(instruments)
        self._chips[chosen].setChecked(True)

    def _make(self, instruments: tuple[Instrument, ...]) -> None:
        for old in self._chips.values():
            self._group.removeButton(old)
            old.deleteLater()
        self._chips = {}
        for place, instrument in enumerate(instruments):
            chip = button(said(instrument.short_name), role="chip")
            chip.setObjectName(f"{names.INSTRUMENT}{instrument.id}")
            chip.setShortcut(f"Alt+{place + 1}")
            chip.setToolTip(f"{said(instrument.name)}   Alt+{place + 1}")
            chip.setCheckable(True)
            chip.clicked.connect(lambda _=False, each=instrument: self.chosen.emit(each))
            self._group.addButton(chip)
            self._row.insertWidget(place, chip)
            self._chips[instrument.id] = chip
