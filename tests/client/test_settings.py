"""The settings survive, and refuse what would harm."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from physioflow_client import settings
from physioflow_client.look.theme import Theme


def test_settings_are_kept_and_the_laptop_keeps_its_id(tmp_path: Path) -> None:
    first = settings.load(tmp_path)
    changed = msgspec.structs.replace(first, theme=Theme.DARK, device_name="Room 3")
    settings.save(tmp_path, changed)
    assert settings.load(tmp_path) == changed
    assert changed.device_id == first.device_id


@pytest.mark.parametrize("content", [b"", b"{}", b'{"device_id": "x", "device_name": "Room"}'])
def test_unreadable_settings_are_set_aside_and_made_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "settings.json").write_bytes(content)
    fresh = settings.load(tmp_path)
    assert settings.load(tmp_path) == fresh
    assert (tmp_path / "settings.unreadable").read_bytes() == content


@pytest.mark.parametrize(
    "url",
    ["https://clinic.example", "https://10.0.0.4:8443", "http://127.0.0.1:8080", "http://[::1]"],
)
def test_a_server_is_reached_over_https_or_on_this_machine(url: str) -> None:
    assert settings.server_url_problem(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "clinic.example",
        "ftp://clinic.example",
        "http://clinic.example",
        "http://127.0.0.1.evil.example",
        "https://",
        "https://user:pw@clinic.example",
        "https://clinic.example:notaport",
        "https://[::1",
    ],
)
def test_any_other_address_is_refused_in_words(url: str) -> None:
    assert settings.server_url_problem(url)


def test_the_chosen_folder_stands_above_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.FOLDER_VARIABLE, str(tmp_path / "env"))
    assert settings.data_folder() == tmp_path / "env"
    assert settings.data_folder(tmp_path / "arg") == tmp_path / "arg"
    assert (tmp_path / "arg").stat().st_mode & 0o077 == 0
