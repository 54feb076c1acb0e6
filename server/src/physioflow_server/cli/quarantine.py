"""`physioflow-server quarantine`: see what laptops handed in that may no longer send."""

from __future__ import annotations

import argparse

import msgspec

from physioflow_server.cli.words import (
    add_clinic_option,
    add_data_option,
    add_json_option,
    opened_database,
    tell,
)
from physioflow_server.services.accounts import Accounts
from physioflow_server.services.clock import system_clock
from physioflow_server.services.quarantine import Quarantine, Quarantined


def describe(quarantine_parser: argparse.ArgumentParser) -> None:
    """Describe `quarantine list`."""
    actions = quarantine_parser.add_subparsers(required=True, metavar="action")
    parser = actions.add_parser(
        "list",
        help="count what was handed in, by laptop and collection",
        epilog="Example: physioflow-server quarantine list --clinic 'My Clinic' "
        "--data /srv/physioflow",
    )
    add_clinic_option(parser)
    add_data_option(parser)
    add_json_option(parser)
    parser.set_defaults(perform=_list)


def _list(options: argparse.Namespace) -> None:
    with opened_database(options) as database:
        clinic_id = Accounts(database=database, clock=system_clock).clinic_id(options.clinic)
        counts = Quarantine(database=database, clock=system_clock).counts(clinic_id)
    lines = [_line(counted) for counted in counts] or ["The quarantine is empty."]
    tell(
        options,
        "\n".join(lines),
        {"clinic_id": clinic_id, "quarantined": msgspec.to_builtins(counts)},
    )


def _line(counted: Quarantined) -> str:
    return (
        f"{counted.device_id}  {counted.device_name}  {counted.collection}: "
        f"{counted.operations}, last {counted.last_received_at}"
    )
