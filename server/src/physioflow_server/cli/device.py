"""`physioflow-server device`: see a clinic's laptops, and withdraw one's access."""

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
from physioflow_server.services.devices import Device, Devices


def describe(device_parser: argparse.ArgumentParser) -> None:
    """Describe `device list` and `device revoke`."""
    actions = device_parser.add_subparsers(required=True, metavar="action")
    listing = actions.add_parser(
        "list",
        help="list a clinic's laptops",
        epilog="Example: physioflow-server device list --clinic 'My Clinic' --data /srv/physioflow",
    )
    revoking = actions.add_parser(
        "revoke",
        help="withdraw a laptop's access, at once and for good",
        epilog="Its unsent work goes to the quarantine, then it wipes itself. Example: "
        "physioflow-server device revoke LAPTOP_ID --clinic 'My Clinic' --data /srv/physioflow",
    )
    revoking.add_argument("device_id", help="as `device list` shows it")
    for parser, perform in ((listing, _list), (revoking, _revoke)):
        add_clinic_option(parser)
        add_data_option(parser)
        add_json_option(parser)
        parser.set_defaults(perform=perform)


def _list(options: argparse.Namespace) -> None:
    with opened_database(options) as database:
        clinic_id = Accounts(database=database, clock=system_clock).clinic_id(options.clinic)
        devices = Devices(database=database, clock=system_clock).all_of(clinic_id)
    lines = [_line(device) for device in devices] or ["No laptop has signed in yet."]
    tell(
        options,
        "\n".join(lines),
        {"clinic_id": clinic_id, "devices": msgspec.to_builtins(devices)},
    )


def _line(device: Device) -> str:
    state = f"revoked {device.revoked_at}" if device.revoked_at else "in use"
    return f"{device.id}  {device.name}  last signed in {device.last_seen_at}  {state}"


def _revoke(options: argparse.Namespace) -> None:
    with opened_database(options) as database:
        clinic_id = Accounts(database=database, clock=system_clock).clinic_id(options.clinic)
        Devices(database=database, clock=system_clock).revoke(clinic_id, options.device_id)
    tell(
        options,
        f"Withdrew the access of {options.device_id!r}.",
        {"clinic_id": clinic_id, "device_id": options.device_id},
    )
