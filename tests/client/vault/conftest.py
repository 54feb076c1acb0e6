"""A keyring in memory, and a person of a clinic."""

from __future__ import annotations

import pytest

from physioflow_client.vault.header import Owner
from physioflow_client.vault.memory_keyring import MemoryKeyring


@pytest.fixture
def keyring() -> MemoryKeyring:
    return MemoryKeyring()


@pytest.fixture
def owner() -> Owner:
    return Owner(
        user_id="0197c9a0-0000-7000-8000-000000000001",
        user_name="Dr Mai Tran",
        username="mai",
        role="therapist",
        clinic_id="0197c9a0-0000-7000-8000-0000000000aa",
        clinic="riverside",
        clinic_name="Riverside Physio",
        server_url="https://clinic.example",
        device_id="0197c9a0-0000-7000-8000-0000000000d1",
        device_name="Room 3",
    )
