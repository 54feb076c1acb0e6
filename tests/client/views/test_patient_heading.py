"""Who it is and what to beware of is never cut."""

from __future__ import annotations

from functools import partial

import msgspec
import pytest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from physioflow_client.look.flow_row import FlowLabel
from physioflow_client.look.theme import Theme, apply_theme
from physioflow_client.viewmodels.patient_page import PatientPageModel
from physioflow_client.views import names
from physioflow_client.views.patient_heading import PatientHeading
from physioflow_clinical.collections import encode
from physioflow_clinical.patients import Patient
from physioflow_sync.core.changes import Key
from tests.world.treatment_room import TreatmentRoom

LONG = Patient(
    legal_name="Wilhelmina Alexandrina Featherstonehaugh-Cholmondeley van den Bergh",
    preferred_name="Wilhelmina Alexandrina Featherstonehaugh-Cholmondeley",
    medical_alerts=(
        "anticoagulants",
        "pacemaker: no electrotherapy, no shortwave, and ask the cardiologist before exercise",
        "severe latex allergy",
    ),
)


@pytest.mark.parametrize("width_px", [400, 640, 970])
def test_a_long_name_and_every_alert_are_readable_at_any_width(
    width_px: int, room: TreatmentRoom, qapp: QApplication, qtbot: QtBot
) -> None:
    apply_theme(qapp, Theme.LIGHT)
    key = Key("patients", room.dice.new_id())
    room.edited_here(key, encode(LONG))
    model = PatientPageModel(room.records, now=room.now)
    with qtbot.waitSignal(model.changed):
        model.open(key.id)
    assert model.page is not None
    heading = PatientHeading()
    qtbot.addWidget(heading)
    heading.make_narrow(width_px < 760)
    heading.show_page(model.page)
    heading.resize(width_px, heading.heightForWidth(width_px))
    with qtbot.waitExposed(heading):
        heading.show()
    shown = [label for label in heading.findChildren(QLabel) if label.isVisible()]
    texts = {label.text() for label in shown}
    assert {LONG.legal_name, LONG.preferred_name, *LONG.medical_alerts} <= texts
    for label in shown:
        assert label.height() >= label.heightForWidth(label.width())
        assert _is_within(label, heading)
    for label in heading.findChildren(FlowLabel):
        longest = max(label.fontMetrics().horizontalAdvance(word) for word in label.text().split())
        assert label.width() >= longest


def test_alerts_of_one_patient_do_not_stay_for_the_next(
    room: TreatmentRoom, qapp: QApplication, qtbot: QtBot
) -> None:
    key = Key("patients", room.dice.new_id())
    room.edited_here(key, encode(LONG))
    model = PatientPageModel(room.records, now=room.now)
    heading = PatientHeading()
    qtbot.addWidget(heading)
    model.changed.connect(lambda: model.page and heading.show_page(model.page))
    heading.show()
    for body in (LONG, msgspec.structs.replace(LONG, medical_alerts=("pacemaker",))):
        room.edited_here(key, encode(body))
        with qtbot.waitSignal(model.changed):
            model.open(key.id)
        wanted = {f"Alert: {alert}" for alert in body.medical_alerts}
        qtbot.waitUntil(partial(_has_alerts, heading, wanted))


def _has_alerts(heading: PatientHeading, wanted: set[str]) -> bool:
    pills = heading.findChildren(QWidget, names.PATIENT_ALERT)
    return {each.accessibleName() for each in pills if each.isVisible()} == wanted


def _is_within(widget: QWidget, whole: QWidget) -> bool:
    corner = widget.mapTo(whole, widget.rect().topLeft())
    return whole.rect().contains(widget.rect().translated(corner))
