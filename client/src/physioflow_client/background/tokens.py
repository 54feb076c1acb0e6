"""The server's tokens, in the encrypted file and nowhere else."""

from __future__ import annotations

from typing import Final

import msgspec

from physioflow_client.background.database import LaptopStore
from physioflow_sync.core.protocol import Tokens

_NAME: Final = "tokens"


class StoredTokens:
    """The transport's `TokenKeeper`; used on the engine's thread and at sign-in."""

    def __init__(self, store: LaptopStore) -> None:
        self._store = store

    def tokens(self) -> Tokens | None:
        """Return the tokens; None: nobody is signed in."""
        kept = self._store.value(_NAME)
        return None if kept is None else msgspec.json.decode(kept, type=Tokens)

    def keep(self, tokens: Tokens) -> None:
        """Keep newer tokens durably, before the old ones die."""
        self._store.set_value(_NAME, msgspec.json.encode(tokens))
