"""`physioflow-server migrate`: bring the database to this release's schema."""

from __future__ import annotations

import argparse

from physioflow_server.cli.words import (
    add_data_option,
    add_json_option,
    failures_in_words,
    settings_of,
    tell,
)
from physioflow_server.database.migrate import HEAD
from physioflow_server.database.opening import bring_up_to_date, opened


def describe(parser: argparse.ArgumentParser) -> None:
    """Describe `migrate`."""
    parser.epilog = (
        "PostgreSQL is migrated by the role that owns the tables "
        "(PHYSIOFLOW_OWNER_DATABASE_URL); the server itself needs no such role. "
        "An embedded file is migrated whenever it is opened."
    )
    add_data_option(parser)
    add_json_option(parser)
    parser.set_defaults(perform=_perform)


def _perform(options: argparse.Namespace) -> None:
    settings = settings_of(options)
    with failures_in_words(), opened(settings) as database:
        bring_up_to_date(settings, database)
    tell(options, f"The database is at schema {HEAD}.", {"schema": HEAD})
