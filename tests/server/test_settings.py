"""Settings of the environment: read all at once, and refused all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from physioflow_server.settings import DEFAULT_PORT, WrongSettings, read_settings

DATABASE = "postgresql://server:secret@db/physioflow"


def test_a_folder_is_enough(tmp_path: Path) -> None:
    settings = read_settings({"PHYSIOFLOW_DATA_DIR": str(tmp_path)})
    assert (settings.data_dir, settings.port) == (tmp_path, DEFAULT_PORT)
    assert settings.database_url is None


def test_what_is_given_counts_before_a_variable(tmp_path: Path) -> None:
    settings = read_settings({"PHYSIOFLOW_PORT": "81"}, data_dir=tmp_path, port=82, host=None)
    assert (settings.port, settings.host) == (82, "127.0.0.1")


def test_a_folder_that_was_said_by_hand_counts_before_an_address(tmp_path: Path) -> None:
    settings = read_settings({"PHYSIOFLOW_DATABASE_URL": DATABASE}, data_dir=tmp_path)
    assert (settings.data_dir, settings.database_url) == (tmp_path, None)
    both = {"PHYSIOFLOW_DATABASE_URL": DATABASE, "PHYSIOFLOW_DATA_DIR": str(tmp_path)}
    with pytest.raises(WrongSettings, match="are both set"):
        read_settings(both)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@ss:hunter2@h/x",
        "postgresql://u:hunter2\u2100@h:1,g:2/x",
        "postgresql://u:hunter2@h:port/x",
    ],
)
def test_an_address_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(WrongSettings, match="PHYSIOFLOW_DATABASE_URL is no address") as refused:
        read_settings({"PHYSIOFLOW_DATABASE_URL": url})
    assert "hunter2" not in str(refused.value)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "database"
    secret.write_text(f"{DATABASE}\n")
    settings = read_settings({"PHYSIOFLOW_DATABASE_URL_FILE": str(secret)})
    assert settings.database_url == DATABASE
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, ("say where the data is",)),
        ({"PHYSIOFLOW_DATA_DIR": ""}, ("PHYSIOFLOW_DATA_DIR is empty",)),
        (
            {
                "PHYSIOFLOW_DATABASE_URL": "mysql://root:hunter2@db/x",
                "PHYSIOFLOW_PORT": "70000",
                "PHYSIOFLOW_SLOW_QUERY_MS": "0.5",
                "PHYSIOFLOW_HOST": "two hosts",
            },
            (
                "PHYSIOFLOW_DATABASE_URL does not begin with postgresql://",
                "PHYSIOFLOW_PORT is no whole number from 0 to 65,535",
                "PHYSIOFLOW_SLOW_QUERY_MS is no whole number",
                "PHYSIOFLOW_HOST is no address",
            ),
        ),
        (
            {"PHYSIOFLOW_DATABASE_URL_FILE": "/nowhere/at/all"},
            ("PHYSIOFLOW_DATABASE_URL names a file that cannot be read: /nowhere/at/all",),
        ),
        (
            {"PHYSIOFLOW_DATABASE_URL": DATABASE, "PHYSIOFLOW_DATABASE_URL_FILE": "/x"},
            ("PHYSIOFLOW_DATABASE_URL and PHYSIOFLOW_DATABASE_URL_FILE are both set",),
        ),
    ],
)
def test_everything_that_is_wrong_is_named_at_once(
    environment: dict[str, str], words: tuple[str, ...]
) -> None:
    with pytest.raises(WrongSettings) as refused:
        read_settings(environment)
    for word in words:
        assert word in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("port", ["", "-1", "8o", "٣"])
def test_a_number_is_written_in_digits(tmp_path: Path, port: str) -> None:
    with pytest.raises(WrongSettings, match="PHYSIOFLOW_PORT"):
        read_settings({"PHYSIOFLOW_PORT": port}, data_dir=tmp_path)
