"""The version that the sender saw, and the operation's id, as HTTP headers.  Pure."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Final

from physioflow_server.services.refusals import Refused, invalid_request
from physioflow_sync.core.errors import FieldError

_ETAG: Final = re.compile(r'"(\d{1,10})"')


def base_version(headers: Mapping[str, str]) -> int:
    """Return the base version: of `If-Match: "3"`, 3; of `If-None-Match: *`, 0.

    Raises:
        Refused: 428 where neither is given, 400 where one is not understood.
    """
    match = headers.get("if-match")
    if match is None:
        if headers.get("if-none-match", "").strip() == "*":
            return 0
        raise Refused(
            428,
            "precondition_required",
            'Say which version you saw: If-Match: "<version>", or If-None-Match: * to create',
        )
    found = _ETAG.fullmatch(match.strip())
    if found is None:
        raise invalid_request(FieldError(field="If-Match", reason='is not "<version>"'))
    return int(found[1])


def operation_id(headers: Mapping[str, str]) -> str:
    """Return `Idempotency-Key`, a UUID; a new one where it is absent.

    Raises:
        Refused: 400 where it is not a UUID.
    """
    key = headers.get("idempotency-key")
    if key is None:
        return str(uuid.uuid4())
    try:
        return str(uuid.UUID(key))
    except ValueError as error:
        raise invalid_request(
            FieldError(field="Idempotency-Key", reason="is not a UUID")
        ) from error
