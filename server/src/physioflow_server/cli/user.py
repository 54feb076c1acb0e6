"""`physioflow-server user`: make a clinic's users."""

from __future__ import annotations

import argparse
import getpass
import secrets
import sys

from physioflow_server.auth.permissions import Role
from physioflow_server.cli.words import (
    add_clinic_option,
    add_data_option,
    add_json_option,
    opened_database,
    tell,
)
from physioflow_server.services.accounts import Accounts
from physioflow_server.services.clock import system_clock


def describe(user_parser: argparse.ArgumentParser) -> None:
    """Describe `user create`."""
    actions = user_parser.add_subparsers(required=True, metavar="action")
    parser = actions.add_parser(
        "create",
        help="make a user",
        epilog="Example: physioflow-server user create --clinic 'My Clinic' --username an "
        "--name 'An Nguyen' --role therapist --data /srv/physioflow",
    )
    add_clinic_option(parser)
    parser.add_argument("--username", required=True, help="what they type at sign-in")
    parser.add_argument("--name", required=True, help="what colleagues are shown")
    parser.add_argument("--role", required=True, choices=[role.value for role in Role])
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input; otherwise it is asked for, "
        "or made up where there is no terminal",
    )
    add_data_option(parser)
    add_json_option(parser)
    parser.set_defaults(perform=_create)


def _create(options: argparse.Namespace) -> None:
    password, made_up = _password(from_stdin=options.password_stdin)
    with opened_database(options) as database:
        clinic_id, user_id = Accounts(database=database, clock=system_clock).create_user(
            clinic=options.clinic,
            username=options.username,
            name=options.name,
            role=Role(options.role),
            password=password,
        )
    facts = {"clinic_id": clinic_id, "user_id": user_id, "username": options.username}
    sentence = f"Made the user {options.username!r} ({user_id})."
    if made_up:
        facts["password"] = password
        sentence += f" The password is {password}"
    tell(options, sentence, facts)


def _password(*, from_stdin: bool) -> tuple[str, bool]:
    """Return the password, and whether it was made up here."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    if sys.stdin.isatty():
        return getpass.getpass("Password: "), False
    return secrets.token_urlsafe(15), True
