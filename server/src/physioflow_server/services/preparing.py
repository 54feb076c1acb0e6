"""Look at one operation alone, before any lock is taken.  Pure.

Types, the collection's rules, the user's permission: whatever needs no other
record is settled here, once, by the decoder that also validates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from physioflow_server.auth.permissions import Action, allows
from physioflow_server.services import history
from physioflow_server.services.domain import Domain
from physioflow_server.services.identity import Identity
from physioflow_sync.core.changes import Key, body_of, fields_of
from physioflow_sync.core.collections import Collection
from physioflow_sync.core.errors import FieldError, InvalidBody
from physioflow_sync.core.protocol import Operation, OperationKind, Rejected, body_bytes

MAX_BODY_DEPTH: Final = 32
MAX_VERSION: Final = 2**31 - 1
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MAX_TIME_CHARS: Final = 40
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An operation that is sound in itself.

    Attributes:
        payload_hash: tells it from another payload under the same op_id.
        body: what will be stored, at `collection.schema_version`; None for a delete.
        decoded: the body as its struct; None for a delete.
        parents: (body field, key) of each record that this one points into.
    """

    operation: Operation
    payload_hash: bytes
    collection: Collection
    body: str | None
    body_hash: bytes
    decoded: msgspec.Struct | None
    parents: tuple[tuple[str, Key], ...]

    @property
    def key(self) -> Key:
        return Key(self.operation.collection, self.operation.record_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """An operation that can never be written as it is, unless it already was.

    `body_hash` is that of the body as it was sent.
    """

    operation: Operation
    payload_hash: bytes
    body_hash: bytes
    rejection: Rejected


def prepare(operation: Operation, *, domain: Domain, identity: Identity) -> Prepared | Unfit:
    """Check one operation against its collection's rules and the user's role."""
    body = body_bytes(operation.body)
    sent_hash = history.body_hash(body)
    payload_hash = history.payload_hash(operation, sent_hash)

    def unfit(code: str, *errors: FieldError) -> Unfit:
        rejection = Rejected(op_id=operation.op_id, code=code, errors=list(errors))
        return Unfit(
            operation=operation,
            payload_hash=payload_hash,
            body_hash=sent_hash,
            rejection=rejection,
        )

    if operation.collection not in domain.registry:
        return unfit("not_found", FieldError(field="collection", reason="is not known here"))
    collection = domain.registry[operation.collection]
    if errors := tuple(_envelope_errors(operation, body, collection)):
        return unfit("validation_failed", *errors)
    action = _action(operation)
    if not allows(domain.permissions, identity.role, collection, action):
        return unfit("forbidden", FieldError(field="", reason=f"your role may not {action} these"))
    if body is None:
        if not collection.may_delete:
            return unfit("forbidden", FieldError(field="", reason="these are never deleted"))
        return Prepared(
            operation=operation,
            payload_hash=payload_hash,
            collection=collection,
            body=None,
            body_hash=sent_hash,
            decoded=None,
            parents=(),
        )
    try:
        stored = _at_present_schema(body, operation.schema, collection)
        decoded = collection.decode(stored)
    except InvalidBody as error:
        return unfit("validation_failed", *error.errors)
    return Prepared(
        operation=operation,
        payload_hash=payload_hash,
        collection=collection,
        body=stored.decode(),
        body_hash=sent_hash if stored is body else history.body_hash(stored),
        decoded=decoded,
        parents=_parents(decoded, collection),
    )


def is_uuid(text: str) -> bool:
    """Tell whether this is a UUID in the one text form that is stored."""
    return _UUID.fullmatch(text) is not None


def _envelope_errors(
    operation: Operation, body: bytes | None, collection: Collection
) -> list[FieldError]:
    errors: list[FieldError] = []

    def wrong(field: str, reason: str) -> None:
        errors.append(FieldError(field=field, reason=reason))

    if not is_uuid(operation.op_id):
        wrong("op_id", "is not a UUID in lower-case text form")
    if not is_uuid(operation.record_id):
        wrong("record_id", "is not a UUID in lower-case text form")
    if not 0 <= operation.base_version < MAX_VERSION:
        wrong("base_version", "is out of range")
    if not 1 <= operation.schema <= collection.schema_version:
        wrong("schema", f"is not known here; the newest is {collection.schema_version}")
    if not _is_time(operation.recorded_at):
        wrong("recorded_at", "is not an ISO 8601 time")
    if (body is None) != (operation.kind is OperationKind.DELETE):
        wrong("", "a put carries a body, a delete none")
    if body is not None:
        errors.extend(_body_errors(body, collection))
    return errors


def _body_errors(body: bytes, collection: Collection) -> list[FieldError]:
    """Bounds on what will be stored as it came, unknown fields included."""
    if len(body) > collection.max_body_bytes:
        return [FieldError(field="", reason=f"is larger than {collection.max_body_bytes} bytes")]
    if not body.lstrip().startswith(b"{"):
        return [FieldError(field="", reason="is not a JSON object")]
    try:
        body.decode()
    except UnicodeDecodeError:
        return [FieldError(field="", reason="is not valid UTF-8")]
    # A conflict carries whole bodies: each may be as deep as it may be alone.
    deepest = MAX_BODY_DEPTH + (collection.conflicts_of is not None)
    if _too_deep(body, deepest):
        return [FieldError(field="", reason=f"is nested deeper than {deepest} levels")]
    return []


def _too_deep(body: bytes, deepest: int) -> bool:
    # Nearly every body has fewer brackets than the bound: counting them is enough.
    if body.count(b"{") + body.count(b"[") <= deepest:
        return False
    depth = 0
    for match in _BRACKETS.finditer(body):
        first = match.group()[:1]
        if first in (b"{", b"["):
            depth += 1
            if depth > deepest:
                return True
        elif first != b'"':
            depth -= 1
    return False


def _is_time(text: str) -> bool:
    if text == "":
        return True
    if len(text) > _MAX_TIME_CHARS:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _action(operation: Operation) -> Action:
    if operation.kind is OperationKind.DELETE:
        return Action.DELETE
    return Action.CREATE if operation.base_version == 0 else Action.UPDATE


def _at_present_schema(body: bytes, schema: int, collection: Collection) -> bytes:
    if schema == collection.schema_version:
        return body
    try:
        fields = fields_of(body)
    except msgspec.DecodeError as error:
        raise InvalidBody(
            collection.name, [FieldError(field="", reason="is not valid JSON")]
        ) from error
    assert fields is not None
    try:
        return body_of(collection.upcast(fields, schema=schema))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # An upcaster expects a body that was valid once; this one came from outside.
        raise InvalidBody(
            collection.name, [FieldError(field="", reason=f"is no body of schema {schema}")]
        ) from error


def _parents(decoded: msgspec.Struct, collection: Collection) -> tuple[tuple[str, Key], ...]:
    found: list[tuple[str, Key]] = []
    for field, parent in collection.parents.items():
        value = getattr(decoded, field)
        if isinstance(value, str):
            found.append((field, Key(parent, value)))
    return tuple(found)
