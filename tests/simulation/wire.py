"""The network between a laptop and its server, and everything that it does to requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from msgspec import structs

from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.protocol import (
    Bucket,
    ChangesPage,
    Digest,
    Duplicate,
    HandInRequest,
    Operation,
    PushRequest,
    PushResponse,
    Rejected,
    ServerInfo,
)
from tests.simulation.bodies import Name, fields_of
from tests.simulation.domain import PARENT

if TYPE_CHECKING:
    from tests.simulation.laptop import Seat
    from tests.simulation.story import World

T = TypeVar("T")

MAX_LATE: Final = 6

_SECOND: Final = 2
_WITHOUT_EFFECT: Final = {
    "request_lost": (FailureKind.UNREACHABLE, None),
    "request_late": (FailureKind.UNREACHABLE, None),
    "portal": (FailureKind.PORTAL, None),
    "error_500": (FailureKind.SERVER_ERROR, None),
    "busy_503": (FailureKind.MAINTENANCE, 3.0),
    "throttled_429": (FailureKind.THROTTLED, 2.0),
    "too_large_413": (FailureKind.TOO_LARGE, None),
    "signed_out_401": (FailureKind.SIGNED_OUT, None),
    "forbidden_403": (FailureKind.FORBIDDEN, None),
}
_AFTER_EFFECT: Final = {
    "answer_lost": FailureKind.UNREACHABLE,
    "answer_cut": FailureKind.UNREACHABLE,
    "error_500_after": FailureKind.SERVER_ERROR,
    "gateway_502_504": FailureKind.MAINTENANCE,
}


class BrokenLaw(AssertionError):
    """A law does not hold: which one, and what was seen."""

    def __init__(self, law: str, words: str) -> None:
        self.law = law
        super().__init__(f"law {law}: {words}")


class Wire:
    """`ports.Transport` of one seat; what goes through is watched for broken promises.

    Attributes:
        sent: op_id → the operation as it was sent first.
        final: operations that this laptop knows to be refused for good.
        unanswered: record → the operation that was sent and must be answered first.
    """

    def __init__(self, world: World, seat: Seat) -> None:
        self._world = world
        self._seat = seat
        self.sent: dict[str, bytes] = {}
        self.final: set[str] = set()
        self.unanswered: dict[Name, str] = {}
        self._answers: dict[object, object] = {}
        self._order: dict[Name, int] = {}

    def probe(self) -> ServerInfo:
        return self._through("probe", None, self._info)

    def push(self, request: PushRequest) -> PushResponse:
        self._watch(request)
        packed = msgspec.json.encode(request)

        def ask() -> PushResponse:
            return self._world.deliver(self._seat, packed)

        response = self._through(f"push of {len(request.ops)}", None, ask, packed)
        for operation, result in zip(request.ops, response.results, strict=True):
            if isinstance(result, Rejected) and result.code == "op_id_reused":
                raise BrokenLaw("3", f"{self._seat} sent another change under a used op_id")
            if isinstance(result, Rejected) and operation.base_version == 0:
                name = Name(operation.collection, operation.record_id)
                self._world.memory.creation_refused(self._seat.id, name)
            if isinstance(result, Duplicate):
                self._world.saw("duplicate answered")
                if result.op_id in self._world.unheard:
                    self._world.saw("lost answer, then duplicate")
        return response

    def changes(
        self, *, cursor: str | None, limit: int, witness: str | None = None, nonce: str = ""
    ) -> ChangesPage:
        few = min(limit, self._world.page)

        def ask() -> ChangesPage:
            clinic = self._world.clinic
            self._check_access()
            protocol = self._protocol()
            is_first = protocol < _SECOND
            page = clinic.serve(
                lambda: clinic.feed.page(
                    cursor or "",
                    limit=few,
                    identity=self._world.identity(self._seat),
                    protocol=protocol,
                    witness="" if is_first else witness or "",
                    nonce="" if is_first else nonce,
                )
            )
            # An older server can neither say what its user sees nor echo a nonce.
            return _copied(structs.replace(page, scope=None, remaining=0) if is_first else page)

        return self._through("changes", ("changes", cursor, few), ask)

    def digest(self) -> Digest:
        def ask() -> Digest:
            clinic = self._world.clinic
            self._check_access()
            self._needs_second()
            identity = self._world.identity(self._seat)
            return _copied(clinic.serve(lambda: clinic.digests.digest(identity=identity)))

        return self._through("digest", "digest", ask)

    def bucket(self, collection: str, bucket: int) -> Bucket:
        def ask() -> Bucket:
            clinic = self._world.clinic
            self._check_access()
            self._needs_second()
            identity = self._world.identity(self._seat)
            return _copied(
                clinic.serve(
                    lambda: clinic.digests.bucket(collection, bucket, after="", identity=identity)
                )
            )

        return self._through("bucket", (collection, bucket), ask)

    def hand_in(self, request: HandInRequest) -> None:
        packed = msgspec.json.encode(request)

        def ask() -> None:
            clinic = self._world.clinic
            self._needs_second()
            identity = self._world.identity(self._seat)
            ops = msgspec.json.decode(packed, type=HandInRequest).ops
            kept = clinic.serve(lambda: clinic.quarantine.hand_in(ops, identity=identity))
            assert set(kept) == {op.op_id for op in ops}
            self._world.saw("handed in")

        self._through("hand-in", None, ask)

    def close(self) -> None:
        return

    def answered(self, op_id: str) -> None:
        """The laptop has taken the answer to an operation, durably."""
        for name, waiting in list(self.unanswered.items()):
            if waiting == op_id:
                del self.unanswered[name]

    def _info(self) -> ServerInfo:
        protocols = self._world.clinic.protocols
        new = ["digest", "events", "quarantine", "conflicts"] if _SECOND in protocols else []
        return ServerInfo(
            server_version="1",
            protocols=list(protocols),
            minimum_client_version="0",
            capabilities=["push", "changes", "records", *new],
        )

    def _check_access(self) -> None:
        if self._seat.is_revoked:
            raise TransportFailure(FailureKind.DEVICE_REVOKED, code="device_revoked")

    def _protocol(self) -> int:
        """Return what the server takes the request for: an older one ignores what it says."""
        served = [p for p in self._world.clinic.protocols if p <= _SECOND]
        if not served:
            self._world.saw("skewed protocol refused")
            raise TransportFailure(FailureKind.UPDATE_REQUIRED)
        return max(served)

    def _needs_second(self) -> None:
        if _SECOND not in self._world.clinic.protocols:
            raise TransportFailure(FailureKind.BAD_REQUEST, "404")

    def _through(
        self, what: str, cacheable: object, ask: Callable[[], T], late: bytes | None = None
    ) -> T:
        world = self._world
        world.meanwhile(self._seat)
        world.deliver_late()
        trouble = world.trouble_on_the_way()
        if trouble is not None:
            world.tell(f"    {what}: {trouble}")
        if trouble == "request_late" and late is not None and len(world.late) < MAX_LATE:
            world.late.append((self._seat, late, world.clinic.restores))
        if trouble in _WITHOUT_EFFECT:
            kind, after_s = _WITHOUT_EFFECT[trouble]
            raise TransportFailure(kind, trouble, retry_after_s=after_s)
        if trouble == "stale_answer" and cacheable in self._answers:
            # A proxy knows nothing but the address: it repeats what it heard last for that.
            return self._answers[cacheable]  # type: ignore[return-value] # kept by address
        answer = ask()
        if trouble == "delivered_twice":
            answer = ask()
        if cacheable is not None:
            self._answers[cacheable] = answer
        world.meanwhile(self._seat)
        if trouble in _AFTER_EFFECT:
            if late is not None:
                ops = msgspec.json.decode(late, type=PushRequest).ops
                world.unheard.update(op.op_id for op in ops)
            raise TransportFailure(_AFTER_EFFECT[trouble], trouble)
        return answer

    def _watch(self, request: PushRequest) -> None:
        """Check what this laptop promises of what it sends: laws 3 and 6."""
        seen: set[Name] = set()
        for operation in request.ops:
            name = Name(operation.collection, operation.record_id)
            packed = msgspec.json.encode(operation)
            is_first = operation.op_id not in self.sent
            if self.sent.setdefault(operation.op_id, packed) != packed:
                raise BrokenLaw("3", f"{self._seat} changed {name} once it was sealed")
            if operation.op_id in self.final:
                raise BrokenLaw("3", f"{self._seat} sent {name} again after it was refused")
            if name in seen:
                raise BrokenLaw("6", f"{self._seat} sent two changes of {name} at once")
            if self.unanswered.setdefault(name, operation.op_id) != operation.op_id:
                raise BrokenLaw("3", f"{self._seat} sent {name} anew before it was answered")
            self._watch_parent(operation, name, seen)
            if is_first and not operation.offered:
                self._watch_order(operation, name)
            seen.add(name)

    def _watch_parent(self, operation: Operation, name: Name, before: set[Name]) -> None:
        if name.collection not in PARENT:
            return
        field, collection = PARENT[name.collection]
        parent = fields_of(bytes(operation.body) or None).get(field)
        if not isinstance(parent, str) or Name(collection, parent) in before:
            return
        if self._world.laws.is_unsent_creation(self._seat, Name(collection, parent)):
            raise BrokenLaw("6", f"{self._seat} sent {name} before its parent {parent}")

    def _watch_order(self, operation: Operation, name: Name) -> None:
        at = self._world.memory.was_at(self._seat.id, name, bytes(operation.body) or None)
        if at is None:
            return
        is_merged = any(joined.name == name for joined in self._seat.eye.merges(0))
        if at < self._order.get(name, 0) and not is_merged:  # A merge may say an old thing again.
            raise BrokenLaw("6", f"{self._seat} sent an older change of {name} after a newer one")
        self._order[name] = at


def answered_by_first(request: PushRequest, response: PushResponse) -> PushResponse:
    """Return what a server of the first protocol answers: it knows no conflicts' collections."""
    by_op = {result.op_id: result for result in response.results}
    results = [
        by_op.get(op.op_id) or Rejected(op_id=op.op_id, code="not_found", errors=[])
        for op in request.ops
    ]
    return PushResponse(results=results, epoch=response.epoch, server_time=response.server_time)


def _copied(answer: T) -> T:
    return msgspec.json.decode(msgspec.json.encode(answer), type=type(answer))
