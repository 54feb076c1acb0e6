"""Keys and secrets that do not show by accident."""

from __future__ import annotations

import hmac
from typing import Final

KEY_BYTES: Final = 32


class SecretBytes:
    """A key or a secret; shows itself only when asked in so many words."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretBytes) and hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]  # a secret is no key of a mapping

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written anywhere")

    def reveal(self) -> bytes:
        return self._value
