"""What stands beside the list: a patient's page, or the form that takes its place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from physioflow_client.background.records import Records
from physioflow_client.boundary.crash_report import CrashReport
from physioflow_client.boundary.error_boundary import ErrorBoundary
from physioflow_client.look.actions import button, label
from physioflow_client.look.tokens import SPACE_3
from physioflow_client.queries.patient_page import StoredRecord
from physioflow_client.viewmodels.now import Now
from physioflow_client.viewmodels.patient_page import PatientPageModel
from physioflow_client.viewmodels.record_form import RecordForm
from physioflow_client.viewmodels.record_measure import RecordMeasureModel, Unfinished
from physioflow_client.viewmodels.sync_centre import SyncCentreModel, WaitingRow
from physioflow_client.viewmodels.sync_status import SyncStatusModel
from physioflow_client.views import names
from physioflow_client.views.edit_episode import EditEpisodePanel
from physioflow_client.views.edit_patient import EditPatientPanel
from physioflow_client.views.patient_page import PatientPageView
from physioflow_client.views.record_measure import RecordMeasurePanel
from physioflow_client.views.sync_centre import SyncCentre
from physioflow_clinical.patients import Patient
from physioflow_sync.core.changes import Key

Report = Callable[[BaseException], CrashReport]


class WorkArea(QStackedWidget):
    """Shows one view at a time, each behind an error boundary of its own.

    A view is built when it is first shown: the window is there sooner.

    Signals:
        saved: a record is durable on this laptop.
        left: a form was left half filled in; what was typed is kept.
        turned: something else is shown now.
        patient_shown(str): the page is this patient's now.
        choose_versions(str): a record, or a patient, has two versions to choose from.
    """

    saved = Signal()
    left = Signal()
    turned = Signal()
    patient_shown = Signal(str)
    choose_versions = Signal(str)

    def __init__(
        self, records: Records, sync: SyncStatusModel, *, report: Report, now: Now
    ) -> None:
        super().__init__()
        self._sync = sync
        self._report = report
        self._now = now
        self._centre = SyncCentreModel(records, now=now, parent=self)
        self._page = PatientPageModel(records, now=now, parent=self)
        self._measure = RecordMeasureModel(records, now=now, parent=self)
        self._measure_form = RecordForm(records, self)
        self._patient_form = RecordForm(records, self)
        self._episode_form = RecordForm(records, self)
        self._then: Callable[[], None] | None = None
        self._pages: dict[Callable[[], QWidget], ErrorBoundary] = {}
        self._turn_to(self._make_welcome)
        self._page.changed.connect(self._page_changed)
        self._page.missing.connect(self._page_missing)
        self._measure.begun.connect(lambda: self._turn_to(self._make_measure))
        self._measure.saved.connect(self._measure_saved)
        self._measure_form.saved.connect(self.saved)
        self._patient_form.saved.connect(self._patient_saved)
        self._episode_form.saved.connect(self._episode_saved)

    @property
    def patient(self) -> str:
        """The id of the patient shown, "" for nobody."""
        return self._page.patient

    @Slot(str)
    def show_patient(self, patient: str) -> None:
        """Show a patient's page; a form that is open is put aside."""
        self._leave_form(patient)
        self._page.open(patient)
        self._turn_to(self._make_page)

    @Slot()
    def show_sync(self) -> None:
        """Show the sync centre."""
        self._leave_form()
        self._turn_to(self._make_sync_centre)

    @Slot()
    def new_patient(self) -> None:
        """Open the form of a new patient."""
        self._leave_form()
        fields = msgspec.to_builtins(Patient(legal_name=""))
        self._patient_form.create("patients", fields)
        self._turn_to(self._make_patient_form)

    @Slot()
    def record(self) -> None:
        """Record a measure of the patient shown; where there is no episode, that comes first."""
        page = self._page.page
        if page is None or self._is_recording:
            return
        self._leave_form(self._page.patient)
        if page.episode is None:
            self._then = self.record
            self.new_episode()
            return
        self._measure.record(page.file, page.episode)

    @Slot(object)
    def continue_measure(self, unfinished: Unfinished) -> None:
        """Open the form that a lock or a crash left unfinished."""
        amends = unfinished.amends
        self._then = partial(self.amend, amends) if amends else self.record
        self.show_patient(unfinished.patient)

    @Slot(object, str)
    def fix(self, key: Key, patient: str) -> None:
        """Open a refused record for repair."""
        self._then = partial(self._open_for_repair, key)
        self.show_patient(patient)

    @Slot()
    def new_episode(self) -> None:
        """Begin an episode of the patient shown."""
        fields: dict[str, object] = {
            "patient": self._page.patient,
            "problem": "",
            "region": "",
            "side": None,
            "opened_on": self._now().date().isoformat(),
        }
        self._episode_form.create("episodes", fields, within=self._page.patient)
        self._turn_to(self._make_episode_form)

    @Slot()
    def edit_episode(self) -> None:
        """Change the episode shown."""
        page = self._page.page
        if page is not None and page.episode is not None:
            self._edit_episode(page.episode.record)

    @Slot()
    def edit_patient(self) -> None:
        """Change the details of the patient shown."""
        page = self._page.page
        if page is not None:
            self._patient_form.edit(page.file.patient.record)
            self._turn_to(self._make_patient_form)

    @Slot(str)
    def amend(self, measure: str) -> None:
        """Correct the answers of a measure."""
        page, kept = self._page.page, self._page.measure(measure)
        if page is not None and kept is not None and kept.body.judged_by is not None:
            self._measure.amend(page.file, kept)

    def _open_for_repair(self, key: Key) -> None:
        page = self._page.page
        assert page is not None, "called once the page is there"
        match key.collection:
            case "patients":
                self.edit_patient()
            case "episodes":
                episode = page.file.episode(key.id)
                if episode is not None:
                    self._edit_episode(episode.record)
            case _:
                self.amend(key.id)

    def _edit_episode(self, record: StoredRecord) -> None:
        self._episode_form.edit(record)
        self._turn_to(self._make_episode_form)

    @Slot()
    def _page_changed(self) -> None:
        if self._page.page is None:
            return
        self.patient_shown.emit(self._page.patient)
        then, self._then = self._then, None
        if then is not None:
            then()

    @Slot(str)
    def _page_missing(self, _: str) -> None:
        """Show nobody rather than somebody else."""
        self._then = None
        self._turn_to(self._make_welcome)

    @Slot(str)
    def _measure_saved(self, measure: str) -> None:
        self.saved.emit()
        self._page.reveal(measure)

    @Slot(str)
    def _patient_saved(self, patient: str) -> None:
        self.saved.emit()
        self._then = self.focus_page
        self.show_patient(patient)

    @Slot(str)
    def _episode_saved(self, episode: str) -> None:
        self.saved.emit()
        # A measure may be waiting for the episode.
        self._then = self._then or self.focus_page
        self._turn_to(self._make_page)
        self._page.choose_episode(episode)
        self._page.open(self._page.patient)

    @Slot()
    def _back(self) -> None:
        """Leave a form: to the page, or to the welcome where nobody is shown."""
        self._then = None
        self._turn_to(self._make_page if self._page.patient else self._make_welcome)
        self.focus_page()

    def focus_page(self) -> None:
        """Put the keyboard on the page, where it is shown."""
        shown = self.currentWidget()
        view = shown.view if isinstance(shown, ErrorBoundary) else None
        if isinstance(view, PatientPageView):
            view.focus_main()

    @property
    def _is_recording(self) -> bool:
        is_new = self._measure.is_open and not self._measure.form.amends
        return is_new and self._is_shown(self._make_measure)

    def _is_shown(self, make: Callable[[], QWidget]) -> bool:
        return make in self._pages and self.currentWidget() is self._pages[make]

    def _leave_form(self, patient: str = "") -> None:
        """Put aside what is being typed: it stays, and the person is told so.

        Args:
            patient: who is shown next; the page of the same patient keeps its small forms.
        """
        forms = {
            self._make_measure: self._measure.is_touched,
            self._make_patient_form: self._patient_form.is_touched,
            self._make_episode_form: self._episode_form.is_touched,
            self._make_page: self._measure_form.is_touched and patient != self._page.patient,
        }
        if any(is_touched and self._is_shown(make) for make, is_touched in forms.items()):
            self.left.emit()
        if self._measure.is_open:
            self._measure.put_aside()

    def _turn_to(self, make: Callable[[], QWidget]) -> None:
        if make not in self._pages:
            self._pages[make] = ErrorBoundary(make, report=self._report)
            self.addWidget(self._pages[make])
        self.setCurrentWidget(self._pages[make])
        self.turned.emit()

    def _make_welcome(self) -> QWidget:
        page = QWidget()
        page.setObjectName(names.NOTHING_CHOSEN)
        words = label(self.tr("Choose a patient on the left, or search with Ctrl+K."), "empty")
        new = button(self.tr("New patient"), role="quiet", icon_name="plus")
        new.clicked.connect(self.new_patient)
        column = QVBoxLayout(page)
        column.setSpacing(SPACE_3)
        column.addStretch()
        column.addWidget(words, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(new, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch()
        return page

    def _make_page(self) -> QWidget:
        view = PatientPageView(self._page, self._measure_form)
        view.edit_details.connect(self.edit_patient)
        view.record.connect(self.record)
        view.new_episode.connect(self.new_episode)
        view.edit_episode.connect(self.edit_episode)
        view.amend.connect(self.amend)
        view.choose_versions.connect(self.choose_versions)
        return view

    def _make_measure(self) -> QWidget:
        panel = RecordMeasurePanel(self._measure)
        panel.closed.connect(self._back)
        return panel

    def _make_patient_form(self) -> QWidget:
        panel = EditPatientPanel(self._patient_form)
        panel.closed.connect(self._back)
        return panel

    def _make_episode_form(self) -> QWidget:
        panel = EditEpisodePanel(self._episode_form)
        panel.closed.connect(self._back)
        return panel

    @Slot(object)
    def _fix_row(self, row: WaitingRow) -> None:
        self.fix(row.key, row.patient)

    def _make_sync_centre(self) -> QWidget:
        centre = SyncCentre(self._sync, self._centre)
        centre.closed.connect(self._back)
        centre.choose_versions.connect(self.choose_versions)
        centre.fix.connect(self._fix_row)
        return centre
