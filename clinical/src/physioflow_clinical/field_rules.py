"""Rules that fields of several record types share.

Each yields one `FieldError` a broken rule, in words for the person who typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from physioflow_sync.core.errors import FieldError

MAX_NOTES_CHARS: Final = 2_000
MAX_LINE_CHARS: Final = 200
"""Of a name, a problem, an e-mail address: what fits on one line."""

_CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def id_errors(field: str, value: str | None) -> Iterator[FieldError]:
    """An id, where given, is a UUID in canonical lower-case text."""
    if value is not None and _CANONICAL_UUID.fullmatch(value) is None:
        yield FieldError(field=field, reason="is not a record id (a lower-case UUID)")


def text_errors(
    field: str, value: str, *, max_chars: int = MAX_LINE_CHARS, required: bool = False
) -> Iterator[FieldError]:
    """A text is no longer than `max_chars` and, where required, not blank."""
    if required and not value.strip():
        yield FieldError(field=field, reason="is empty")
    if len(value) > max_chars:
        yield FieldError(
            field=field, reason=f"is {len(value)} characters long; at most {max_chars} are kept"
        )
