"""What an open conflict says as it travels: a record like any other."""

from __future__ import annotations

import msgspec

from physioflow_sync.core.protocol import NO_BODY


class ConflictBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Two versions of one record, for whoever may decide; who and where is in its envelope.

    Attributes:
        record_id: of the record, in the collection that this one belongs to.
        base_version, base: what both changes started from; absent: nothing, or unknown.
        mine: what the laptop that met the conflict wants; absent: the record deleted.
        mine_at: ISO 8601 time of that wish by that laptop's clock.
        schema: schema version of `base` and `mine`.
        theirs_version, theirs: the server's version as that laptop knew it when *mine* was
            last written; absent: deleted.
    """

    record_id: str
    base_version: int
    mine_at: str
    schema: int
    theirs_version: int
    base: msgspec.Raw = NO_BODY
    mine: msgspec.Raw = NO_BODY
    theirs: msgspec.Raw = NO_BODY
