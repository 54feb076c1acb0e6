"""The clinic's laptops, and how one's access is withdrawn."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from physioflow_server.services.devices import Devices, NoSuchDevice
from tests.world.small_clinic import Clinic


def test_a_laptop_is_revoked_once_and_for_good(clinic: Clinic) -> None:
    devices = Devices(database=clinic.database, clock=clinic.clock)
    assert [(device.id, device.revoked_at) for device in devices.all_of(clinic.id)] == [
        ("room-1", None)
    ]
    devices.revoke(clinic.id, "room-1")
    clinic.clock.advance(days=1)
    devices.revoke(clinic.id, "room-1")
    (device,) = devices.all_of(clinic.id)
    assert device.revoked_at == "2026-03-01T09:00:00.000+00:00"


def test_neither_an_unknown_laptop_nor_another_clinics_is_revoked(
    new_clinic: Callable[[str], Clinic],
) -> None:
    ours, theirs = new_clinic("Ours"), new_clinic("Theirs")
    devices = Devices(database=ours.database, clock=ours.clock)
    with pytest.raises(NoSuchDevice):
        devices.revoke(ours.id, "room-9")
    devices.revoke(ours.id, "room-1")
    assert [device.revoked_at for device in devices.all_of(theirs.id)] == [None]
