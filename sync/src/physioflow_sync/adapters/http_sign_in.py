"""Signing in: who a person is, and the tokens that say so."""

from __future__ import annotations

from typing import Protocol

import httpx
import msgspec

from physioflow_sync.adapters.http_exchange import (
    REQUEST_DEADLINE_S,
    USER_AGENT,
    Exchange,
    open_client,
)
from physioflow_sync.adapters.system import SystemClock
from physioflow_sync.core.protocol import SIGN_IN_PATH, SignedIn, SignInRequest, Tokens
from physioflow_sync.ports import Clock

_SIGNED_IN = msgspec.json.Decoder(SignedIn)


class TokenKeeper(Protocol):
    """Where a laptop keeps its tokens: in its encrypted file or the system's keyring."""

    def tokens(self) -> Tokens | None:
        """Return the newest tokens; None: nobody has signed in."""
        ...

    def keep(self, tokens: Tokens) -> None:
        """Keep renewed tokens, durably."""
        ...


def sign_in(
    base_url: str,
    request: SignInRequest,
    *,
    http: httpx.BaseTransport | None = None,
    clock: Clock | None = None,
    user_agent: str = USER_AGENT,
) -> SignedIn:
    """Ask for tokens with a person's password; one attempt, since a person is waiting.

    Raises:
        TransportFailure: SIGNED_OUT where clinic, name or password are wrong, with the
            server's words as `detail`; otherwise why the server could not be asked.
    """
    clock = clock or SystemClock()
    with open_client(base_url, http=http, user_agent=user_agent) as client:
        return Exchange(client, clock=clock).post(
            SIGN_IN_PATH,
            _SIGNED_IN,
            content=msgspec.json.encode(request),
            deadline_s=clock.monotonic_s() + REQUEST_DEADLINE_S,
        )
