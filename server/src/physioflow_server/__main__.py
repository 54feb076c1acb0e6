"""`physioflow-server`: the command line, one file a command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from physioflow_server.cli import audit, backup, clinic, device, migrate, quarantine, run, user
from physioflow_server.cli.words import CannotDo


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, or 1 where it could not be done."""
    parser = argparse.ArgumentParser(
        prog="physioflow-server",
        description="The clinic's sync server.",
        epilog="First: physioflow-server clinic create 'My Clinic' --data /srv/physioflow",
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    run.describe(commands.add_parser("run", help="serve a data folder"))
    migrate.describe(commands.add_parser("migrate", help="bring the database up to date"))
    backup.describe_backup(commands.add_parser("backup", help="make an encrypted backup"))
    backup.describe_verify(commands.add_parser("verify", help="check a backup"))
    backup.describe_restore(commands.add_parser("restore", help="go on from a backup"))
    clinic.describe(commands.add_parser("clinic", help="make a clinic"))
    user.describe(commands.add_parser("user", help="make a clinic's users"))
    device.describe(commands.add_parser("device", help="see a clinic's laptops; withdraw access"))
    quarantine.describe(
        commands.add_parser("quarantine", help="see what withdrawn laptops handed in")
    )
    audit.describe(commands.add_parser("audit", help="verify the history of a clinic's records"))
    chosen = parser.parse_args(arguments)
    try:
        chosen.perform(chosen)
    except CannotDo as error:
        sys.stderr.write(f"physioflow-server: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
