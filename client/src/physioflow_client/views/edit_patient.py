"""The details of a patient: a new one, or one that is changed."""

from __future__ import annotations

from physioflow_client.viewmodels.patient_header import gender_words
from physioflow_client.viewmodels.record_form import RecordForm
from physioflow_client.views.editor_field import choice, line, lines
from physioflow_client.views.record_form_panel import RecordFormPanel
from physioflow_clinical.field_rules import MAX_NOTES_CHARS
from physioflow_clinical.patients import MAX_ADDRESS_CHARS, Gender


class EditPatientPanel(RecordFormPanel):
    """Two columns: who it is, and how to reach them."""

    def __init__(self, form: RecordForm) -> None:
        super().__init__(form)
        languages = {"en": self.tr("English"), "vi": self.tr("Vietnamese")}
        genders = {each.value: gender_words(each) for each in Gender}
        self.add("legal_name", self.tr("Name, as on the papers"), line(), row=0, column=0)
        self.add(
            "preferred_name", self.tr("Called (where it is another name)"), line(), row=1, column=0
        )
        birth = line(hint=self.tr("1968-08-12 or 12.8.1968"))
        self.add("date_of_birth", self.tr("Date of birth"), birth, row=2, column=0)
        self.add("gender", self.tr("Gender"), choice(genders), row=3, column=0)
        self.add("language", self.tr("Language"), choice(languages), row=4, column=0)
        alerts = lines(hint=self.tr("One on each line: anticoagulants, pacemaker, …"))
        self.add("medical_alerts", self.tr("Medical alerts"), alerts, row=5, column=0)
        self.add("phone", self.tr("Phone"), line(max_chars=40), row=0, column=1)
        self.add("email", self.tr("E-mail"), line(), row=1, column=1)
        address = line(max_chars=MAX_ADDRESS_CHARS)
        self.add("address", self.tr("Address"), address, row=2, column=1)
        self.add(
            "emergency_contact.name", self.tr("In an emergency, call"), line(), row=3, column=1
        )
        self.add(
            "emergency_contact.phone", self.tr("Their phone"), line(max_chars=40), row=4, column=1
        )
        notes = lines(hint=self.tr("At most {n} characters").format(n=MAX_NOTES_CHARS))
        self.add("notes", self.tr("Notes"), notes, row=5, column=1)

    def title(self) -> str:
        if self.form.is_new:
            return self.tr("New patient")
        return self.tr("Details of {name}").format(name=self.form.text("legal_name"))
