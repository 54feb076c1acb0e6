"""The score while it is being typed, and what a blank item means for it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from PySide6.QtCore import QCoreApplication

from physioflow_client.viewmodels.language import number, said
from physioflow_client.viewmodels.measure_form import MeasureForm
from physioflow_client.viewmodels.score_words import range_words, score_words
from physioflow_clinical.instruments.instrument import Instrument, ScoringRule
from physioflow_clinical.instruments.scoring import CannotScore, Scored, score_answers, score_total

translate = QCoreApplication.translate

NO_SCORE = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveScore:
    """What stands beside the answers.

    Attributes:
        value: the total so far, or the score once every item is dealt with.
        words: what it stands in ("of 50 · moderate"), or how far the form is filled in.
        is_final: every item is dealt with, and there is a score.
        note: why there is none, or what blank items do to it; "" for neither.
    """

    value: str
    words: str
    is_final: bool
    note: str = ""


def live_score(form: MeasureForm) -> LiveScore:
    """Return what to show beside a form."""
    instrument = form.of
    if form.is_total:
        return _of_total(form, instrument)
    sheet = form.sheet
    if sheet.untouched:
        so_far = sum(each for each in sheet.responses if each is not None)
        is_sum = instrument.rule is ScoringRule.SUM and sheet.answered > 0
        return LiveScore(
            value=str(so_far) if is_sum else NO_SCORE,
            words=translate("LiveScore", "so far · {done} of {all} items").format(
                done=len(sheet.answers) - len(sheet.untouched), all=len(sheet.answers)
            ),
            is_final=False,
            note=missing_rule(instrument) if sheet.missing else "",
        )
    note = missing_rule(instrument) if sheet.missing else ""
    return _judged(score_answers(instrument, sheet.responses), instrument, note)


def missing_rule(instrument: Instrument) -> str:
    """Return what the instrument's rule does with a blank item."""
    if instrument.min_answered >= instrument.items.most:
        return translate(
            "LiveScore", "Missing: this form has no score unless every item is answered."
        )
    if instrument.items.named_by_patient:
        return translate("LiveScore", "Missing: every activity that is named must be rated.")
    allowed = instrument.items.most - instrument.min_answered
    match instrument.rule:
        case ScoringRule.SUM:
            words = translate(
                "LiveScore", "Missing: counts as the mean of the answered items (at most {n})."
            )
        case ScoringRule.PERCENT_OF_ANSWERED:
            words = translate("LiveScore", "Missing: left out of the percentage (at most {n}).")
        case ScoringRule.MEAN | ScoringRule.MEAN_ABOVE_LOWEST_TIMES_25:
            words = translate("LiveScore", "Missing: left out of the mean (at most {n}).")
    return words.format(n=allowed)


def _of_total(form: MeasureForm, instrument: Instrument) -> LiveScore:
    try:
        total = Decimal(form.total.strip().replace(",", "."))
    except InvalidOperation:
        words = translate("LiveScore", "{low} to {high}").format(
            low=number(instrument.score_low), high=number(instrument.score_high)
        )
        return LiveScore(value=NO_SCORE, words=words, is_final=False)
    return _judged(score_total(instrument, total), instrument, "")


def _judged(scored: Scored | CannotScore, instrument: Instrument, note: str) -> LiveScore:
    if isinstance(scored, CannotScore):
        words = translate("LiveScore", "no score")
        return LiveScore(
            value=NO_SCORE, words=words, is_final=False, note=note or said(scored.reason)
        )
    return LiveScore(
        value=score_words(scored.shown, instrument),
        words=range_words(scored.band, instrument),
        is_final=True,
        note=note,
    )
