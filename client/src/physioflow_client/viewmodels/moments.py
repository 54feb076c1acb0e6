"""Times as people say them.  Times of a laptop or a server are for people, never for order."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from PySide6.QtCore import QCoreApplication, QDate, QLocale

translate = QCoreApplication.translate

_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400


def day_words(day: date, *, today: date) -> str:
    """Return "today", "yesterday", "12 Nov", or "12 Nov 2025" for another year."""
    if day == today:
        return translate("Moment", "today")
    if day == today - timedelta(days=1):
        return translate("Moment", "yesterday")
    pattern = "d MMM" if day.year == today.year else "d MMM yyyy"
    return QLocale().toString(QDate(day.year, day.month, day.day), pattern)


def moment_words(moment: datetime, *, now: datetime) -> str:
    """Return "today 14:05" or "12 Nov 09:30", in the time zone of `now`.

    Args:
        moment, now: both with a zone.
    """
    local = moment.astimezone(now.tzinfo)
    return f"{day_words(local.date(), today=now.date())} {local:%H:%M}"


def age_words(age_s: float) -> str:
    """Return how long ago something was: "just now", "5 min ago", "2 h ago", "3 days ago".

    Args:
        age_s: seconds; a negative age (clocks differ) is "just now".
    """
    if age_s < _MINUTE_S:
        return translate("Moment", "just now")
    if age_s < _HOUR_S:
        return translate("Moment", "{n} min ago").format(n=int(age_s // _MINUTE_S))
    if age_s < _DAY_S:
        return translate("Moment", "{n} h ago").format(n=int(age_s // _HOUR_S))
    days = int(age_s // _DAY_S)
    if days == 1:
        return translate("Moment", "1 day ago")
    return translate("Moment", "{n} days ago").format(n=days)


def span_words(span_s: float) -> str:
    """Return a length of time, rounded up: "40 s", "5 min", "3 h", "2 days"."""
    seconds = max(0, round(span_s))
    if seconds < 2 * _MINUTE_S:
        return translate("Moment", "{n} s").format(n=seconds)
    if seconds < 2 * _HOUR_S:
        return translate("Moment", "{n} min").format(n=-(-seconds // _MINUTE_S))
    if seconds < 2 * _DAY_S:
        return translate("Moment", "{n} h").format(n=-(-seconds // _HOUR_S))
    return translate("Moment", "{n} days").format(n=-(-seconds // _DAY_S))
