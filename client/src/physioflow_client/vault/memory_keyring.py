"""A keyring that lives in memory: for tests, and for a demo that leaves nothing behind."""

from __future__ import annotations


class MemoryKeyring:
    """Behaves as a desktop's keyring; `is_gone` makes it fail as one does whose bus has died."""

    name = "memory"
    priority = 5.0

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.is_gone = False

    def get_password(self, service: str, username: str) -> str | None:
        """Return what was set, or None."""
        self._answer()
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a password until the process ends."""
        self._answer()
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget a password."""
        self._answer()
        del self.entries[service, username]

    def _answer(self) -> None:
        if self.is_gone:
            raise OSError("the keyring's bus has gone")
