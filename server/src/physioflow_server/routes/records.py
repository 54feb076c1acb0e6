"""`/api/v1/{collection}/{id}`: one record at a time, through the same write path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import msgspec
from litestar import Response, delete, get, put
from litestar.openapi import spec
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, RawBody

from physioflow_server.auth.permissions import Action, allows
from physioflow_server.routes.preconditions import base_version, operation_id
from physioflow_server.routes.services import AnyRequest, Services, ServicesGiven, as_user
from physioflow_server.routes.wire import problem
from physioflow_server.services.clock import shown
from physioflow_server.services.domain import Domain
from physioflow_server.services.identity import Identity
from physioflow_server.services.refusals import Refused, forbidden, invalid_request, not_found
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.protocol import (
    NO_BODY,
    Applied,
    Blocked,
    ConflictFound,
    Duplicate,
    Operation,
    OperationKind,
    Rejected,
    Result,
    WireRecord,
)

RECORD_PATH: Final = "/api/v1/{collection:str}/{record_id:str}"
EPOCH_HEADER: Final = "Epoch"
"""The timeline that the sender believes in; without it, none is checked."""
SCHEMA_HEADER: Final = "Schema-Version"
"""The collection's schema version of the body; without it, the newest."""

_NUMBER: Final = re.compile(r"\d{1,9}")
_REJECTED_STATUS: Final = {"forbidden": 403, "not_found": 404}
_WRITE_PROBLEMS: Final = {
    404: problem("No such record or collection in this clinic"),
    409: problem("`version_conflict`, with the record as it is now"),
    422: problem("`validation_failed`, naming each field"),
    428: problem("`precondition_required`: send If-Match"),
}


@dataclass
class TakesRecordBody(spec.Operation):
    """Tells OpenAPI that the request's body is the record's."""

    def __post_init__(self) -> None:
        schema = spec.Schema(type=spec.OpenAPIType.OBJECT, description="The record's body")
        self.request_body = spec.RequestBody(
            content={"application/json": spec.OpenAPIMediaType(schema=schema)}, required=True
        )


@get(RECORD_PATH, tags=["records"], responses={404: _WRITE_PROBLEMS[404]})
async def read_record(
    request: AnyRequest,
    services: ServicesGiven,
    collection: FromPath[str],
    record_id: FromPath[str],
) -> Response[WireRecord]:
    """Return a record as it is now; its version is the ETag."""

    def read(identity: Identity) -> WireRecord:
        _check_may_read(services.domain, identity, collection)
        return services.feed.record(collection, record_id, identity=identity)

    record = await as_user(request, services, services.reading, read)
    return _answer(record, status=200)


@put(
    RECORD_PATH,
    tags=["records"],
    operation_class=TakesRecordBody,
    responses={
        201: ResponseSpec(WireRecord, description="Created", generate_examples=False),
        **_WRITE_PROBLEMS,
    },
)
async def write_record(
    body: RawBody,
    request: AnyRequest,
    services: ServicesGiven,
    collection: FromPath[str],
    record_id: FromPath[str],
) -> Response[WireRecord]:
    """Create or change a record whose version the sender saw."""
    return await _write(request, services, collection, record_id, OperationKind.PUT, body)


@delete(RECORD_PATH, tags=["records"], status_code=200, responses=_WRITE_PROBLEMS)
async def delete_record(
    request: AnyRequest,
    services: ServicesGiven,
    collection: FromPath[str],
    record_id: FromPath[str],
) -> Response[WireRecord]:
    """Delete a record whose version the sender saw, where its collection allows that."""
    return await _write(request, services, collection, record_id, OperationKind.DELETE, None)


async def _write(
    request: AnyRequest,
    services: Services,
    collection: str,
    record_id: str,
    kind: OperationKind,
    body: bytes | None,
) -> Response[WireRecord]:
    def write(identity: Identity) -> Response[WireRecord]:
        # Within, so that a stranger learns nothing but that nobody is signed in.
        if collection not in services.domain.registry:
            raise not_found("There is no such collection")
        operation = Operation(
            op_id=operation_id(request.headers),
            collection=collection,
            record_id=record_id,
            kind=kind,
            base_version=base_version(request.headers),
            schema=_schema_version(request, services.domain, collection),
            recorded_at=shown(services.clock()),
            body=NO_BODY if body is None else _raw_object(body),
        )
        outcome = services.write_path.push(
            [operation], epoch=request.headers.get(EPOCH_HEADER), identity=identity
        )
        return _written(outcome.results[0], operation, identity)

    return await as_user(request, services, services.writing, write)


def _written(result: Result, operation: Operation, identity: Identity) -> Response[WireRecord]:
    match result:
        case Applied() | Duplicate():
            record = WireRecord(
                collection=operation.collection,
                id=operation.record_id,
                version=result.version,
                seq=result.seq,
                schema=operation.schema,
                author=identity.user_name,
                device=identity.device_name,
                recorded_at=operation.recorded_at,
                assigned=result.assigned,
                body=operation.body,
            )
            return _answer(record, status=201 if operation.base_version == 0 else 200)
        case ConflictFound():
            raise Refused(
                409,
                "version_conflict",
                "The record was changed by someone else in the meantime",
                current=result.current,
            )
        case Rejected():
            status = _REJECTED_STATUS.get(result.code, 422)
            raise Refused(status, result.code, "The record cannot be written", errors=result.errors)
        case Blocked():
            raise AssertionError("a batch of one cannot wait for another of its operations")


def _answer(record: WireRecord, *, status: int) -> Response[WireRecord]:
    return Response(record, status_code=status, headers={"ETag": f'"{record.version}"'})


def _check_may_read(domain: Domain, identity: Identity, collection: str) -> None:
    if collection not in domain.registry:
        raise not_found("There is no such collection")
    if not allows(domain.permissions, identity.role, domain.registry[collection], Action.READ):
        raise forbidden("Your role may not read these")


def _raw_object(body: bytes) -> msgspec.Raw:
    try:
        return msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise invalid_request(FieldError(field="", reason="is not valid JSON")) from error


def _schema_version(request: AnyRequest, domain: Domain, collection: str) -> int:
    text = request.headers.get(SCHEMA_HEADER)
    if text is None:
        return domain.registry[collection].schema_version
    if not _NUMBER.fullmatch(text):
        raise invalid_request(FieldError(field=SCHEMA_HEADER, reason="is not a number"))
    return int(text)
