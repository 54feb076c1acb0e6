"""Every instrument version that a record may name.

Versions are only ever added: a record of years ago is still read by its own.
"""

from __future__ import annotations

from typing import Final

from physioflow_clinical.instruments.back import ODI
from physioflow_clinical.instruments.instrument import Instrument
from physioflow_clinical.instruments.lower_limb import LEFS
from physioflow_clinical.instruments.neck import NDI
from physioflow_clinical.instruments.pain import NPRS
from physioflow_clinical.instruments.patient_specific import PSFS
from physioflow_clinical.instruments.upper_limb import QUICKDASH

ALL: Final[tuple[Instrument, ...]] = (NDI, ODI, LEFS, QUICKDASH, PSFS, NPRS)
"""In the order of the list a therapist picks from; of one id, older versions first."""

_BY_KEY: Final = {(each.id, each.version, each.thresholds_version): each for each in ALL}
_NEWEST_THRESHOLDS: Final = {(each.id, each.version): each for each in ALL}
_CURRENT: Final = {each.id: each for each in ALL}


def current(instrument: str) -> Instrument | None:
    """Return the newest version of an instrument, or None where the library lacks it."""
    return _CURRENT.get(instrument)


def current_instruments() -> tuple[Instrument, ...]:
    """Return the newest version of each instrument."""
    return tuple(_CURRENT.values())


def find(
    instrument: str, version: str, *, thresholds_version: int | None = None
) -> Instrument | None:
    """Return one version of an instrument, or None where the library lacks it.

    Args:
        thresholds_version: the thresholds a record was judged by; None for the newest.
    """
    if thresholds_version is None:
        return _NEWEST_THRESHOLDS.get((instrument, version))
    return _BY_KEY.get((instrument, version, thresholds_version))
