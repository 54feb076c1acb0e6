"""Every table of the server, as SQLAlchemy Core sees it.

`clinic_id` leads every primary key, so that a clinic's rows lie together and a
cluster can shard by it.  The exceptions are `clinics` itself, and `tokens` and
`sign_in_failures`, which are read before the clinic is known.

Bodies are JSON text.  Display values (`author`, `device`) are copied into each
version: history keeps the names that were true when it was written.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

clinics = Table(
    "clinics",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", Text, nullable=False),
    # What a person types at sign-in, case-folded.
    Column("name_key", Text, nullable=False, unique=True),
    # The timeline of this database; a restore begins another. See `epochs`.
    Column("epoch", String(36), nullable=False),
    # The counter: locked by each writing transaction, so commit order is seq order.
    Column("seq", BigInteger, nullable=False),
    # The history chain's hash at `seq`.
    Column("chain_hash", LargeBinary(32), nullable=False),
    # Every tombstone below this seq is collected. See `buried`.
    Column("horizon", BigInteger, nullable=False),
    Column("last_record_number", Integer, nullable=False),
    Column("created_at", String(32), nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("clinic_id", String(36), ForeignKey("clinics.id"), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("username", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("disabled", Boolean, nullable=False, server_default=false()),
    Column("created_at", String(32), nullable=False),
    UniqueConstraint("clinic_id", "username"),
)

devices = Table(
    "devices",
    metadata,
    Column("clinic_id", String(36), ForeignKey("clinics.id"), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("first_seen_at", String(32), nullable=False),
    Column("last_seen_at", String(32), nullable=False),
    Column("revoked_at", String(32)),
)

sessions = Table(
    "sessions",
    metadata,
    Column("clinic_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("user_id", String(36), nullable=False),
    Column("device_id", String(64), nullable=False),
    # The highest generation of refresh token that was ever presented.
    Column("generation", Integer, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("revoked_at", String(32)),
    ForeignKeyConstraint(["clinic_id", "user_id"], ["users.clinic_id", "users.id"]),
    ForeignKeyConstraint(["clinic_id", "device_id"], ["devices.clinic_id", "devices.id"]),
)

tokens = Table(
    "tokens",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("clinic_id", String(36), nullable=False),
    Column("session_id", String(36), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("generation", Integer, nullable=False),
    # Seconds since 1970, by the server's clock.
    Column("expires_at", BigInteger, nullable=False, index=True),
    ForeignKeyConstraint(["clinic_id", "session_id"], ["sessions.clinic_id", "sessions.id"]),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    # SHA-256 over clinic and user name as typed, known or not.
    Column("account_hash", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("locked_until", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False, index=True),
)

records = Table(
    "records",
    metadata,
    Column("clinic_id", String(36), ForeignKey("clinics.id"), primary_key=True),
    Column("collection", String(64), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("schema", Integer, nullable=False),
    # NULL for a tombstone.
    Column("body", Text),
    Column("author", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("recorded_at", String(40), nullable=False),
    # JSON object of the values that the server gave, or NULL.
    Column("assigned", Text),
    UniqueConstraint("clinic_id", "seq"),
)

history = Table(
    "history",
    metadata,
    Column("clinic_id", String(36), ForeignKey("clinics.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("op_id", String(36), nullable=False),
    Column("collection", String(64), nullable=False),
    Column("record_id", String(36), nullable=False),
    Column("version", Integer, nullable=False),
    Column("schema", Integer, nullable=False),
    # NULL for a tombstone, and once a body was erased by law.
    Column("body", Text),
    Column("user_id", String(36), nullable=False),
    Column("device_id", String(64), nullable=False),
    Column("author", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("recorded_at", String(40), nullable=False),
    Column("written_at", String(32), nullable=False),
    Column("assigned", Text),
    Column("payload_hash", LargeBinary(32), nullable=False),
    Column("body_hash", LargeBinary(32), nullable=False),
    Column("chain_hash", LargeBinary(32), nullable=False),
    UniqueConstraint("clinic_id", "op_id"),
)

epochs = Table(
    "epochs",
    metadata,
    Column("clinic_id", String(36), ForeignKey("clinics.id"), primary_key=True),
    # 1 for the clinic's first timeline, then one more for each: no clock orders them.
    Column("number", Integer, primary_key=True),
    Column("epoch", String(36), nullable=False),
    # The counter when it began: up to here it is the timeline before.
    Column("forked_at", BigInteger, nullable=False),
    Column("began_at", String(32), nullable=False),
    UniqueConstraint("clinic_id", "epoch"),
)

buried = Table(
    "buried",
    metadata,
    # A record whose tombstone was collected: its versions go on where they ended.
    Column("clinic_id", String(36), ForeignKey("clinics.id"), primary_key=True),
    Column("collection", String(64), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("clinic_id", String(36), ForeignKey("clinics.id"), primary_key=True),
    # Each laptop's own: none can write over what another handed in.
    Column("device_id", String(64), primary_key=True),
    Column("op_id", String(36), primary_key=True),
    Column("user_id", String(36), nullable=False),
    Column("collection", String(64), nullable=False),
    Column("record_id", String(36), nullable=False),
    # The operation as it came, JSON.
    Column("operation", Text, nullable=False),
    Column("received_at", String(32), nullable=False),
    ForeignKeyConstraint(["clinic_id", "user_id"], ["users.clinic_id", "users.id"]),
    ForeignKeyConstraint(["clinic_id", "device_id"], ["devices.clinic_id", "devices.id"]),
)
