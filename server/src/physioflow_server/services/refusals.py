"""Whole requests that are refused, each with the guide's problem code.

A single operation of a batch is never refused this way: it gets a result.
"""

from __future__ import annotations

from collections.abc import Sequence

from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.protocol import WireRecord


class Refused(Exception):
    """A request that gets a problem for an answer; nothing of it was written."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        *,
        detail: str = "",
        errors: Sequence[FieldError] = (),
        current: WireRecord | None = None,
        common_seq: int | None = None,
        epoch: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.current = current
        self.common_seq = common_seq
        self.epoch = epoch
        self.retry_after_s = retry_after_s
        super().__init__(f"{status} {code}")


def invalid_request(*errors: FieldError, title: str = "The request is not valid") -> Refused:
    """A request that cannot be understood; names the fields where it can."""
    return Refused(400, "invalid_request", title, errors=errors)


def unauthorized(title: str) -> Refused:
    """Nobody is signed in by this token or password."""
    return Refused(401, "unauthorized", title)


def forbidden(title: str) -> Refused:
    """Signed in, but not allowed to."""
    return Refused(403, "forbidden", title)


def not_found(title: str = "There is no such record") -> Refused:
    """Nothing of that name in this user's clinic."""
    return Refused(404, "not_found", title)


def device_revoked() -> Refused:
    """This laptop's access was withdrawn; said only to who was let in before."""
    return Refused(403, "device_revoked", "This laptop's access was withdrawn")


def gone(
    code: str, title: str, *, common_seq: int | None = None, epoch: str | None = None
) -> Refused:
    """The cursor or the epoch no longer fits; the laptop syncs anew, in place."""
    return Refused(410, code, title, common_seq=common_seq, epoch=epoch)


def unavailable(title: str, *, retry_after_s: int) -> Refused:
    """Not now: the environment is at fault; the same request may be sent again."""
    return Refused(503, "service_unavailable", title, retry_after_s=retry_after_s)
