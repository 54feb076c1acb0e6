"""PostgreSQL's second wall: row-level security, for a server that owns nothing.

The server's role sees the rows of the clinic that its transaction has entered, whatever a
statement forgets to say.  It may add to the history, and neither change nor remove it.
What is asked before the clinic is known goes through the `auth` schema's functions, which
answer with an id alone.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_APP = "physioflow_app"
_TENANTS = (
    *("users", "devices", "sessions", "tokens", "records"),
    *("history", "epochs", "buried", "quarantine"),
)
_ENTERED = "nullif(current_setting('app.clinic_id', true), '')"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(
        f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{_APP}') THEN
                CREATE ROLE {_APP} NOLOGIN;
            END IF;
        END $$
        """
    )
    op.execute(f"GRANT USAGE ON SCHEMA public TO {_APP}")
    op.execute(f"GRANT SELECT ON alembic_version TO {_APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_failures TO {_APP}")
    _guard("clinics", key="id", rights="SELECT, INSERT, UPDATE")
    for table in _TENANTS:
        rights = "SELECT, INSERT" if table == "history" else "SELECT, INSERT, UPDATE, DELETE"
        _guard(table, key="clinic_id", rights=rights)
    _make_lookups()


def _guard(table: str, *, key: str, rights: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY entered_clinic ON {table} "
        f"USING ({key} = {_ENTERED}) WITH CHECK ({key} = {_ENTERED})"
    )
    op.execute(f"GRANT {rights} ON {table} TO {_APP}")


def _make_lookups() -> None:
    op.execute("CREATE SCHEMA auth")
    op.execute(f"GRANT USAGE ON SCHEMA auth TO {_APP}")
    _make_lookup(
        "clinic_of_token",
        "hash bytea",
        "SELECT clinic_id FROM public.tokens WHERE token_hash = hash",
    )
    _make_lookup(
        "clinic_named",
        "key text, clinic text",
        "SELECT id FROM public.clinics WHERE name_key = key OR id = clinic",
    )
    _make_lookup(
        "clinic_ids",
        "",
        "SELECT id FROM public.clinics ORDER BY created_at, id",
        returns="SETOF text",
    )


def _make_lookup(name: str, arguments: str, query: str, *, returns: str = "text") -> None:
    types = ", ".join(argument.split()[1] for argument in arguments.split(", ") if argument)
    op.execute(
        f"CREATE FUNCTION auth.{name}({arguments}) RETURNS {returns} LANGUAGE sql STABLE "
        f"SECURITY DEFINER SET search_path = pg_catalog AS $$ {query} $$"
    )
    op.execute(f"REVOKE ALL ON FUNCTION auth.{name}({types}) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION auth.{name}({types}) TO {_APP}")
