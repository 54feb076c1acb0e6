"""`physioflow-server clinic`: make a clinic."""

from __future__ import annotations

import argparse

from physioflow_server.cli.words import (
    add_data_option,
    add_json_option,
    opened_database,
    tell,
)
from physioflow_server.services.accounts import Accounts
from physioflow_server.services.clock import system_clock


def describe(clinic_parser: argparse.ArgumentParser) -> None:
    """Describe `clinic create`."""
    actions = clinic_parser.add_subparsers(required=True, metavar="action")
    parser = actions.add_parser(
        "create",
        help="make a clinic",
        epilog="Example: physioflow-server clinic create 'My Clinic' --data /srv/physioflow",
    )
    parser.add_argument("name", help="what its people type at sign-in")
    add_data_option(parser)
    add_json_option(parser)
    parser.set_defaults(perform=_create)


def _create(options: argparse.Namespace) -> None:
    with opened_database(options) as database:
        clinic_id = Accounts(database=database, clock=system_clock).create_clinic(options.name)
    tell(
        options,
        f"Made the clinic {options.name!r} ({clinic_id}).",
        {"clinic_id": clinic_id, "name": options.name},
    )
