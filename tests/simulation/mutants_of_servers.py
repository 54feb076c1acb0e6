# ruff: noqa: ANN401 - a wrapper passes on what it does not look at
"""Faults planted into the server's side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from msgspec import structs

from physioflow_server.services import decision, feed, preparing, timeline, write_path
from physioflow_server.services.cursor import Cursor, parse_cursor
from physioflow_server.services.feed import Feed
from physioflow_server.services.write_path import WritePath
from tests.simulation.planting import Patch, genuine, mutant


@mutant
def the_server_ignores_the_base_version() -> list[Patch]:
    right = genuine(decision._Batch, "_decide")

    def wrong(batch: Any, item: Any) -> Any:
        current = batch._known.current.get(decision._key(item))
        if isinstance(item, preparing.Prepared) and current is not None:
            based = structs.replace(item.operation, base_version=current.version)
            item = _with_operation(item, based)
        return right(batch, item)

    return [Patch(decision._Batch, "_decide", wrong)]


@mutant
def the_server_forgets_what_it_has_written() -> list[Patch]:
    return [Patch(WritePath, "_remembered", lambda *_: {})]


@mutant
def the_server_writes_for_each_delivery() -> list[Patch]:
    """Exactly once becomes at least once."""
    right = genuine(WritePath, "_remembered")

    def wrong(path: WritePath, connection: Any, clinic_id: str, batch: Any) -> Any:
        known = right(path, connection, clinic_id, batch)
        for op_id in known:
            connection.exec_driver_sql(
                "UPDATE history SET op_id = lower(hex(randomblob(16))) WHERE op_id = ?", (op_id,)
            )
        return {}

    base = genuine(decision._Batch, "_decide")

    def decide(batch: Any, item: Any) -> Any:
        current = batch._known.current.get(decision._key(item))
        if isinstance(item, preparing.Prepared) and current is not None:
            based = structs.replace(item.operation, base_version=current.version)
            item = _with_operation(item, based)
        return base(batch, item)

    return [Patch(WritePath, "_remembered", wrong), Patch(decision._Batch, "_decide", decide)]


@mutant
def a_seq_is_left_out() -> list[Patch]:
    right = genuine(decision._Batch, "decide")

    def wrong(batch: Any) -> Any:
        batch._known = replace(batch._known, seq=batch._known.seq + 1)
        return right(batch)

    return [Patch(decision._Batch, "decide", wrong)]


@mutant
def the_feed_skips_a_pages_last_record() -> list[Patch]:
    right = genuine(Feed, "page")

    def wrong(self: Feed, cursor: str, **asked: Any) -> Any:
        page = right(self, cursor, **asked)
        return structs.replace(page, changes=page.changes[:-1]) if page.has_more else page

    return [Patch(Feed, "page", wrong)]


@mutant
def the_cursor_is_off_by_one() -> list[Patch]:
    right = genuine(feed, "_begin")

    def wrong(*given: Any, **asked: Any) -> int:
        clinic = asked["clinic"]
        return int(min(right(*given, **asked) + 1, clinic.seq))

    return [Patch(feed, "_begin", wrong)]


@mutant
def the_server_ignores_its_epoch() -> list[Patch]:
    return [
        Patch(write_path, "check_epoch", lambda *_: None),
        Patch(write_path, "checked_cursor", lambda _, text, **__: parse_cursor(text)),
    ]


@mutant
def the_server_checks_no_chain() -> list[Patch]:
    """A restore without a new epoch goes unnoticed."""
    right = genuine(timeline, "link_at")

    def wrong(connection: Any, clinic: Any, seq: int) -> Any:
        return _Anything(right(connection, clinic, seq) or b"")

    return [Patch(timeline, "link_at", wrong)]


@mutant
def a_second_laptops_offer_is_refused() -> list[Patch]:
    return [Patch(decision._Batch, "_is_offered_again", lambda *_: False)]


@mutant
def collected_tombstones_are_forgotten() -> list[Patch]:
    return [Patch(write_path, "_buried", lambda *_: {})]


@mutant
def no_cursor_ever_expires() -> list[Patch]:
    return [Patch(Cursor, "has_expired", lambda *_: False)]


@mutant
def nobody_is_told_of_a_new_scope() -> list[Patch]:
    return [Patch(module, "check_scope", lambda *_: None) for module in (feed, write_path)]


@mutant
def the_server_upcasts_what_is_new_already() -> list[Patch]:
    right = genuine(preparing, "_at_present_schema")

    def wrong(body: bytes, schema: int, collection: Any) -> bytes:
        return bytes(right(body, 1 if schema == collection.schema_version else schema, collection))

    return [Patch(preparing, "_at_present_schema", wrong)]


class _Anything(bytes):
    """A hash that is equal to every other."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return 0


def _with_operation(item: Any, operation: Any) -> Any:
    return replace(item, operation=operation)
