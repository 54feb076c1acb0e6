"""`physioflow-server run`: serve a data folder."""

from __future__ import annotations

import argparse

from physioflow_server.cli.words import add_data_option, failures_in_words, settings_of
from physioflow_server.settings import DEFAULT_HOST, DEFAULT_PORT


def describe(parser: argparse.ArgumentParser) -> None:
    """Describe `run`."""
    parser.epilog = "Example: physioflow-server run --data /srv/physioflow --port 8470"
    add_data_option(parser)
    parser.add_argument("--host", help=f"address to listen on; otherwise {DEFAULT_HOST}")
    parser.add_argument(
        "--port", type=int, help=f"otherwise {DEFAULT_PORT}; 0 lets the system choose"
    )
    parser.set_defaults(perform=_perform)


def _perform(options: argparse.Namespace) -> None:
    # Loaded here alone: no other command needs the web server.
    from physioflow_server.serving import run_server

    settings = settings_of(options)
    with failures_in_words():
        run_server(settings)
