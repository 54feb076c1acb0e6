"""The wire carries what it was given."""

import msgspec

from physioflow_sync.core import protocol
from physioflow_sync.core.errors import FieldError


def test_each_kind_of_result_survives_the_wire() -> None:
    record = protocol.WireRecord(
        collection="tasks", id="t", version=2, seq=9, body=msgspec.Raw(b'{"a":1}')
    )
    results: list[protocol.Result] = [
        protocol.Applied(op_id="1", version=1, seq=2, assigned={"record_number": "PF-00001"}),
        protocol.Duplicate(op_id="2", version=1, seq=2),
        protocol.ConflictFound(op_id="3", current=record, versions_since_base=1),
        protocol.Rejected(op_id="4", code="x", errors=[FieldError(field="f", reason="r")]),
        protocol.Blocked(op_id="5", by="4"),
    ]
    sent = protocol.PushResponse(results=results, epoch="e", server_time="t")
    wire = msgspec.json.encode(sent)
    back = msgspec.json.decode(wire, type=protocol.PushResponse)
    assert msgspec.json.encode(back) == wire
    assert [type(result) for result in back.results] == [type(result) for result in results]


def test_a_tombstone_and_a_null_body_carry_nothing() -> None:
    for wire in (
        b'{"collection":"t","id":"1","version":1,"seq":1}',
        b'{"collection":"t","id":"1","version":1,"seq":1,"body":null}',
    ):
        record = msgspec.json.decode(wire, type=protocol.WireRecord)
        assert protocol.body_bytes(record.body) is None
    assert protocol.raw_body(None) == protocol.NO_BODY
    assert protocol.body_bytes(protocol.raw_body(b"{}")) == b"{}"
