"""The window: banner, patients, the page of one of them, and the line below."""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QCloseEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from physioflow_client.background.records import Records
from physioflow_client.boundary.crash_report import CrashReport, report_of
from physioflow_client.boundary.error_boundary import ErrorBoundary
from physioflow_client.look.theme import Theme, apply_theme, current_tokens
from physioflow_client.look.tokens import LIGHT
from physioflow_client.viewmodels.main import MainModel
from physioflow_client.viewmodels.now import Now, local_now
from physioflow_client.viewmodels.patient_list import PatientListModel
from physioflow_client.viewmodels.sync_status import SyncStatusModel
from physioflow_client.views.conflict_desk import ConflictDesk
from physioflow_client.views.main_menu import MainMenu, window_action
from physioflow_client.views.offline_banner import OfflineBanner
from physioflow_client.views.patient_list import PatientListPanel
from physioflow_client.views.status_bar import StatusBar
from physioflow_client.views.toast import ToastStack
from physioflow_client.views.work_area import Report, WorkArea

_SIZE_PX: Final = (1366, 768)
_NARROW_PX: Final = 900
"""Below this width (a 1366-pixel screen at 200 %) list and page take turns."""
_SIDEBAR_PX: Final = (208, 312)
_SIDEBAR_SHARE: Final = 0.2285
_TOAST_ABOVE_PX: Final = 50


def _unkept(error: BaseException) -> CrashReport:
    return report_of(error, thread="main")


class MainWindow(QWidget):
    """Everything a therapist works with; shows what `records` says.

    Args:
        report: keeps the report of a view that failed; the guard's, in the app.
        now: for words such as "today".

    Signals:
        sign_in_wanted, portal_wanted, lock_wanted: for the composition root.
        theme_chosen(Theme): to be remembered.
    """

    sign_in_wanted = Signal()
    portal_wanted = Signal()
    lock_wanted = Signal()
    theme_chosen = Signal(object)

    def __init__(self, records: Records, *, report: Report = _unkept, now: Now = local_now) -> None:
        super().__init__()
        me = records.me
        self.setWindowTitle(self.tr("PhysioFlow · {clinic}").format(clinic=me.clinic_name))
        self.setProperty("role", "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.resize(*_SIZE_PX)
        self._model = MainModel(records, now=now, parent=self)
        self._sync = SyncStatusModel(records, now=now, parent=self)
        self._is_listing = True
        self._patients = PatientListModel(records, now=now, parent=self)
        self._banner = OfflineBanner()
        self._work = WorkArea(records, self._sync, report=report, now=now)
        self._actions = self._make_actions()
        self._side = ErrorBoundary(self._make_list, report=report)
        self._status = StatusBar(self._sync, device=me.device_name, user=me.user_name)
        self._conflicts = ConflictDesk(records, now=now, parent=self)
        self._lay_out()
        self._toasts = ToastStack(self, bottom_px=_TOAST_ABOVE_PX)
        self._connect()
        self._patients.load()
        self._model.start()
        self.focus_search()

    @property
    def conflicts(self) -> ConflictDesk:
        """Opens the conflict window."""
        return self._conflicts

    @property
    def work(self) -> WorkArea:
        """What stands beside the list."""
        return self._work

    @Slot()
    def focus_search(self) -> None:
        """Let the next keystroke search for a patient."""
        self._is_listing = True
        self._arrange()
        side = self._side.view
        if isinstance(side, PatientListPanel):
            side.focus_search()

    @Slot()
    def toggle_theme(self) -> None:
        """Change between light and dark at once."""
        theme = Theme.DARK if current_tokens() == LIGHT else Theme.LIGHT
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply_theme(app, theme)
        self.theme_chosen.emit(theme)

    def resizeEvent(self, event: QResizeEvent, /) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Show list and page side by side, or the one in use where there is little room."""
        is_narrow = self.width() < _NARROW_PX
        least, most = _SIDEBAR_PX
        wide = max(least, min(most, round(self.width() * _SIDEBAR_SHARE)))
        self._side.setFixedWidth(self.width() if is_narrow else wide)
        self._side.setVisible(not is_narrow or self._is_listing)
        self._work.setVisible(not is_narrow or not self._is_listing)
        self._status.offer_patients(is_narrow and not self._is_listing)

    @Slot()
    def _show_work(self) -> None:
        self._is_listing = False
        had_focus = self._side.isAncestorOf(self.focusWidget())
        self._arrange()
        if had_focus and not self._side.isVisible():
            self._work.focus_page()

    def closeEvent(self, event: QCloseEvent, /) -> None:
        self._conflicts.close()
        super().closeEvent(event)

    def _connect(self) -> None:
        self._model.banner.changed.connect(self._banner.show_state)
        self._model.toast.connect(self._toasts.show_toast)
        self._model.toast_over.connect(self._toasts.end_toast)
        self._model.unfinished.connect(self._work.continue_measure)
        self._model.fix.connect(self._work.fix)
        self._model.ticked.connect(self._sync.changed)
        self._banner.try_now.connect(self._sync.try_now)
        self._banner.details.connect(self._work.show_sync)
        self._banner.choose.connect(self._choose_first)
        self._banner.fix.connect(self._model.fix_first)
        self._banner.sign_in.connect(self.sign_in_wanted)
        self._banner.open_portal.connect(self.portal_wanted)
        self._status.opened.connect(self._work.show_sync)
        self._status.patients_wanted.connect(self.focus_search)
        self._work.turned.connect(self._show_work)
        self._work.saved.connect(self._model.tell_saved)
        self._work.left.connect(self._model.tell_put_aside)
        self._work.choose_versions.connect(self._conflicts.open)
        self._work.patient_shown.connect(self._mark_shown)
        self._conflicts.toast.connect(self._toasts.show_toast)

    @Slot()
    def _choose_first(self) -> None:
        self._conflicts.open()

    @Slot(str)
    def _mark_shown(self, patient: str) -> None:
        side = self._side.view
        if isinstance(side, PatientListPanel):
            side.select(patient)

    def _make_list(self) -> QWidget:
        panel = PatientListPanel(self._patients)
        panel.patient_chosen.connect(self._work.show_patient)
        panel.choose_versions.connect(self._conflicts_open)
        panel.new_patient.connect(self._work.new_patient)
        panel.put_beside_search(MainMenu(self._actions))
        return panel

    @Slot(str)
    def _conflicts_open(self, patient: str) -> None:
        self._conflicts.open(patient)

    def _make_actions(self) -> tuple[tuple[QAction, ...], ...]:
        make = partial(window_action, self)
        work = self._work
        return (
            (
                make(self.tr("Search"), self.focus_search, shortcut="Ctrl+K", icon_name="search"),
                make(
                    self.tr("New patient"),
                    work.new_patient,
                    shortcut="Ctrl+Shift+N",
                    icon_name="plus",
                    is_shown_only=True,
                ),
                make(
                    self.tr("Record measure"),
                    work.record,
                    shortcut="Ctrl+N",
                    icon_name="chart-line",
                    is_shown_only=True,
                ),
            ),
            (
                make(
                    self.tr("Sync centre"),
                    work.show_sync,
                    shortcut="Ctrl+Shift+S",
                    icon_name="refresh-cw",
                ),
                make(
                    self.tr("Two versions…"),
                    self._choose_first,
                    shortcut="Ctrl+J",
                    icon_name="columns-2",
                ),
            ),
            (
                make(
                    self.tr("Light or dark"),
                    self.toggle_theme,
                    shortcut="Ctrl+Shift+D",
                    icon_name="moon",
                ),
                make(self.tr("Lock"), self.lock_wanted.emit, shortcut="Ctrl+L", icon_name="lock"),
                make(self.tr("Quit"), self.close, shortcut="Ctrl+Q", icon_name="log-out"),
            ),
        )

    def _lay_out(self) -> None:
        body = QHBoxLayout()
        body.setSpacing(0)
        body.addWidget(self._side)
        body.addWidget(self._work, 1)
        column = QVBoxLayout(self)
        # The window may become narrower than the list and the page side by side.
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._banner)
        column.addLayout(body, 1)
        column.addWidget(self._status)
