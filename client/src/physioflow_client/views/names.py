"""Object names of the widgets that a test, the demo or a screen reader's script looks for.

`window.findChild(QPushButton, names.RECORD)` finds the button wherever the layout puts it.
"""

from __future__ import annotations

from typing import Final

# The first window.
UNLOCK_NOTICE: Final = "unlock-notice"

# The window.
SEARCH: Final = "search"
PATIENTS: Final = "patients"
FILTERS: Final = {"all": "filter-all", "unsent": "filter-unsent", "choose": "filter-choose"}
NEW_PATIENT: Final = "new-patient"
MENU: Final = "menu"
TO_PATIENTS: Final = "to-patients"
STATUS_COUNTS: Final = "status-counts"
STATUS_LAST: Final = "status-last"
NOTHING_CHOSEN: Final = "nothing-chosen"

# The page of a patient.
PATIENT_PAGE: Final = "patient-page"
PATIENT_NAME: Final = "patient-name"
PATIENT_ALERT: Final = "patient-alert"
PATIENT_IDENTITY: Final = "patient-identity"
EDIT_DETAILS: Final = "edit-details"
RECORD: Final = "record-measure"
TABS: Final = "patient-tabs"
EPISODES: Final = "episodes"
NEW_EPISODE: Final = "new-episode"
EDIT_EPISODE: Final = "edit-episode"
TREND_CHOICE: Final = "trend-choice"
TREND_VALUE: Final = "trend-value"
TREND_CHART: Final = "trend-chart"
TREND_TABLE: Final = "trend-table"
TREND_AS_TABLE: Final = "trend-as-table"
MEASURES: Final = "measures"

# One measure.
MEASURE_DETAILS: Final = "measure-details"
BACK_TO_MEASURES: Final = "back-to-measures"
EDIT_NOTES: Final = "edit-notes"
NOTES_EDITOR: Final = "notes-editor"
PHASE_EDITOR: Final = "phase-editor"
SAVE_NOTES: Final = "save-notes"
AMEND: Final = "amend"
ENTERED_IN_ERROR: Final = "entered-in-error"
VOID_REASON: Final = "void-reason"
SAVE_VOID: Final = "save-void"
CHOOSE_VERSION: Final = "choose-version"

# Recording a measure.
RECORD_PANEL: Final = "record-panel"
INSTRUMENT: Final = "instrument-"
ANSWER: Final = "answer-"
ACTIVITY: Final = "activity-"
LIVE_SCORE: Final = "live-score"
TOTAL_ONLY: Final = "total-only"
TOTAL: Final = "total"
PHASE: Final = "phase"
MODE: Final = "mode"
MEASURED_AT: Final = "measured-at"
NOTES: Final = "notes"
REASON: Final = "reason"
SAVE_MEASURE: Final = "save-measure"
PUT_ASIDE: Final = "put-aside"
FORGET: Final = "forget-measure"

# Forms over a patient or an episode; a field's editor is FIELD + its name.
FIELD: Final = "field-"
SAVE_FORM: Final = "save-form"
CANCEL_FORM: Final = "cancel-form"

# The sync centre.
SYNC_CENTRE: Final = "sync-centre"
TRY_NOW: Final = "try-now"
VERIFY: Final = "verify-laptop"
VERIFIED: Final = "verified"
WAITING: Final = "waiting-changes"
CLOSE_SYNC: Final = "close-sync-centre"
