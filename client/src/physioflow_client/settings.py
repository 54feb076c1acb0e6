"""What this laptop remembers outside any profile: look, language, server, its own name."""

from __future__ import annotations

import enum
import os
import platform
import uuid
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from PySide6.QtCore import QStandardPaths

from physioflow_client.durable_file import write_durably
from physioflow_client.look.theme import Theme

FOLDER_VARIABLE: Final = "PHYSIOFLOW_HOME"
MAX_DEVICE_NAME: Final = 60
MAX_LOCK_AFTER_MIN: Final = 60
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Language(enum.Enum):
    SYSTEM = "system"
    ENGLISH = "en"
    VIETNAMESE = "vi"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings file's content.

    Attributes:
        server_url: offered at the first sign-in; a profile keeps its own.
        device_id: names this laptop to the server, for ever.
        device_name: names it to people ("Room 3").
        lock_after_min: minutes without a key or a click until the records are locked.
    """

    device_id: str
    device_name: str
    language: Language = Language.SYSTEM
    theme: Theme = Theme.SYSTEM
    server_url: str = ""
    lock_after_min: int = 5

    def __post_init__(self) -> None:
        uuid.UUID(self.device_id)
        if not 0 < len(self.device_name) <= MAX_DEVICE_NAME:
            raise ValueError(f"a laptop's name has 1 to {MAX_DEVICE_NAME} characters")
        if not 1 <= self.lock_after_min <= MAX_LOCK_AFTER_MIN:
            raise ValueError(f"records lock after 1 to {MAX_LOCK_AFTER_MIN} minutes")
        if self.server_url and (problem := server_url_problem(self.server_url)):
            raise ValueError(problem)


def server_url_problem(url: str) -> str:
    """Return why an address cannot be a clinic's server, in words; "" where it can.

    Records travel over https only, but for a server on this very machine.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "This is not a web address."
    if not host or parts.scheme not in ("http", "https"):
        return "Type the address with https:// in front."
    if parts.username or parts.query or parts.fragment:
        return "Type the address alone, without a name, ? or #."
    if parts.scheme == "http" and host not in LOOPBACK:
        return "The address must start with https://, so that nobody can listen in."
    return ""


def data_folder(chosen: Path | None = None) -> Path:
    """Return the folder of everything this app keeps, made if need be, the user's alone.

    It is the one chosen, else that of PHYSIOFLOW_HOME, else the platform's own.
    """
    folder = chosen or Path(os.environ.get(FOLDER_VARIABLE, "") or _standard_folder())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder.resolve()


def load(folder: Path) -> Settings:
    """Return the settings; ones that cannot be read are set aside and made anew."""
    file = _file(folder)
    try:
        return msgspec.json.decode(file.read_bytes(), type=Settings)
    except FileNotFoundError:
        pass
    except msgspec.DecodeError:
        file.replace(file.with_suffix(".unreadable"))
    fresh = Settings(device_id=str(uuid.uuid4()), device_name=_machine_name())
    save(folder, fresh)
    return fresh


def save(folder: Path, settings: Settings) -> None:
    """Keep the settings durably."""
    content = msgspec.json.format(msgspec.json.encode(settings), indent=2)
    write_durably(_file(folder), content)


def remember_theme(folder: Path, theme: Theme) -> None:
    """Keep the theme that the person chose, whatever else has changed meanwhile."""
    save(folder, msgspec.structs.replace(load(folder), theme=theme))


def _file(folder: Path) -> Path:
    return folder / "settings.json"


def _standard_folder() -> Path:
    root = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
    return Path(root) / "physioflow"


def _machine_name() -> str:
    return platform.node()[:MAX_DEVICE_NAME] or "Laptop"
