"""Who is asking, as the token says; never as the request says."""

from __future__ import annotations

from dataclasses import dataclass

from physioflow_server.auth.permissions import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The signed-in user, the laptop, and the names that people are shown."""

    clinic_id: str
    user_id: str
    user_name: str
    role: Role
    device_id: str
    device_name: str
    session_id: str
