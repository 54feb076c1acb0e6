"""An episode of care: what it is about, and how it ended."""

from __future__ import annotations

from physioflow_client.viewmodels.episode_words import outcome_words
from physioflow_client.viewmodels.language import said
from physioflow_client.viewmodels.record_form import RecordForm
from physioflow_client.views.editor_field import choice, line
from physioflow_client.views.record_form_panel import RecordFormPanel
from physioflow_clinical.episodes import EpisodeOutcome
from physioflow_clinical.regions import REGION_BY_ID, REGIONS, side_words


class EditEpisodePanel(RecordFormPanel):
    """A side is offered exactly where the region has sides."""

    def __init__(self, form: RecordForm) -> None:
        super().__init__(form)
        hint = self.tr("In your words: neck pain after a fall")
        self.add("problem", self.tr("Problem"), line(hint=hint), row=0, column=0, span=2)
        regions = {"": self.tr("Choose…")} | {each.id: said(each.name) for each in REGIONS}
        self._region = choice(regions)
        self._side = choice({})
        self.add("region", self.tr("Region of the body"), self._region, row=1, column=0)
        self.add("side", self.tr("Side, the patient's own"), self._side, row=1, column=1)
        self.add("referrer", self.tr("Referred by"), line(), row=2, column=0)
        self.add("payer", self.tr("Paid by"), line(), row=2, column=1)
        self.add("opened_on", self.tr("First visit"), line(hint="2026-11-24"), row=3, column=0)
        still = self.tr("Empty while it is open")
        self.add("closed_on", self.tr("Discharged on"), line(hint=still), row=3, column=1)
        outcomes = {"": "–"} | {each.value: outcome_words(each) for each in EpisodeOutcome}
        self._outcome = choice(outcomes)
        self.add("outcome", self.tr("How it ended"), self._outcome, row=4, column=1)
        self._region.activated.connect(self._offer_sides)

    def title(self) -> str:
        return self.tr("New episode of care") if self.form.is_new else self.tr("Episode of care")

    def show_value(self, path: str) -> None:
        if path == "side":
            self._fill_sides()
        super().show_value(path)

    def _offer_sides(self) -> None:
        self._fill_sides()
        offered = [self._side.itemData(place) for place in range(self._side.count())]
        if self.form.value("side") not in offered:
            self.form.set("side", offered[0])
        self.show_value("side")

    def _fill_sides(self) -> None:
        region = REGION_BY_ID.get(self.form.text("region"))
        self._side.clear()
        if region is None or not region.sides:
            self._side.addItem(self.tr("No side"), None)
        else:
            self._side.addItem(self.tr("Choose…"), None)
            for side in region.sides:
                self._side.addItem(said(side_words(side)), side.value)
        self._side.setEnabled(region is not None and bool(region.sides))
