"""`physioflow-server audit`: was anything changed behind the server's back?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from physioflow_server.cli.words import (
    CannotDo,
    add_data_option,
    add_json_option,
    opened_database,
    settings_of,
    tell,
)
from physioflow_server.database.database import Database
from physioflow_server.database.opening import sqlite_path
from physioflow_server.services.accounts import Accounts
from physioflow_server.services.audit import Finding
from physioflow_server.services.audit_reading import Audit, ClinicReport, Progress, no_progress
from physioflow_server.services.clock import system_clock
from physioflow_server.services.heads import Head, heads_in

MAX_HEADS: Final = 200_000
"""Known heads that are taken; a line every thousand versions makes far fewer."""
_MAX_LINE_CHARS: Final = 64 * 1024


def describe(audit_parser: argparse.ArgumentParser) -> None:
    """Describe `audit verify`."""
    actions = audit_parser.add_subparsers(required=True, metavar="action")
    parser = actions.add_parser(
        "verify",
        help="find out whether records or their history were changed behind the server's back",
        epilog="The exit code is 0 where all is whole, 1 where it is not. Without known heads, a "
        "history that was cut off or rewritten up to its end looks whole: give the server's logs, "
        "or cursors of laptops. Example: physioflow-server audit verify --data /srv/physioflow "
        "--heads server.log.jsonl",
    )
    parser.add_argument("--clinic", help="the clinic's name or id; otherwise every clinic")
    parser.add_argument(
        "--heads",
        type=Path,
        action="append",
        nargs="+",
        default=[],
        metavar="FILE",
        help="log lines of the server, or cursors of laptops, one a line",
    )
    add_data_option(parser)
    add_json_option(parser)
    parser.set_defaults(perform=_verify)


def _verify(options: argparse.Namespace) -> None:
    # An audit of a mistyped folder must not make an empty database there and praise it.
    settings = settings_of(options)
    if settings.database_url is None and not sqlite_path(settings).exists():
        raise CannotDo(f"there is no database in {settings.data_dir}")
    heads = _heads([path for paths in options.heads for path in paths])
    with opened_database(options) as database:
        names, reports, strays = _reports(database, options.clinic, heads)
    is_whole = not strays and all(report.is_whole for report in reports)
    tell(
        options,
        "\n".join(_words(names, reports, known=len(heads), strays=len(strays))),
        {
            "whole": is_whole,
            "known_heads": len(heads),
            "stray_heads": len(strays),
            "clinics": [_facts(names, report) for report in reports],
        },
    )
    if not is_whole:
        raise CannotDo("the audit found what the server did not write")


def _reports(
    database: Database, clinic: str | None, heads: Iterable[Head]
) -> tuple[dict[str, str], list[ClinicReport], tuple[Head, ...]]:
    audit = Audit(database=database)
    names = dict(audit.clinics())
    chosen = None
    if clinic is not None:
        chosen = Accounts(database=database, clock=system_clock).clinic_id(clinic)
    ours = audit.sort_heads(heads, chosen=chosen)
    reports = [
        audit.verify(id_, heads=ours.by_clinic.get(id_, ()), progress=_progress(names[id_]))
        for id_ in ([chosen] if chosen is not None else names)
    ]
    return names, reports, ours.strays


def _heads(paths: Iterable[Path]) -> set[Head]:
    """Return the heads that the files hold."""
    found: set[Head] = set()
    for path in paths:
        is_empty = True
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                for head in heads_in(iter(lambda: file.readline(_MAX_LINE_CHARS), "")):
                    found.add(head)
                    is_empty = False
                    if len(found) > MAX_HEADS:
                        raise CannotDo(f"there are more than {MAX_HEADS:,} known heads")
        except OSError as error:
            raise CannotDo(str(error)) from error
        if is_empty:
            raise CannotDo(f"there is no head in {path}")
    return found


def _progress(name: str) -> Progress:
    """Return what shows the progress: on a terminal one line that is written over."""
    if not sys.stderr.isatty():
        return no_progress
    shown = -1

    def show(done: int, of: int) -> None:
        nonlocal shown
        percent = 100 * done // max(1, of)
        if percent == shown:
            return
        shown = percent
        end = "\r\x1b[K" if done >= of else ""
        sys.stderr.write(f"\r\x1b[K{name}: {done:,} of {of:,} rows, {percent} %{end}")
        sys.stderr.flush()

    return show


def _words(
    names: dict[str, str], reports: Iterable[ClinicReport], *, known: int, strays: int
) -> list[str]:
    lines: list[str] = []
    for report in reports:
        state = "whole" if report.is_whole else "NOT WHOLE"
        lines.append(
            f"{names[report.clinic_id]}: {state}. {report.versions:,} versions of "
            f"{report.records:,} records, {report.confirmed_heads:,} known heads confirmed."
        )
        lines += [f"  {line}" for line in (*_notes(report), *_faults(report))]
    if not lines:
        lines.append("There is no clinic yet.")
    if strays:
        lines.append(
            f"{strays:,} known heads belong to no clinic here. Either they are another server's, "
            "or a clinic was removed. Where they are one clinic's, name it with --clinic."
        )
    if not known:
        lines.append(
            "No heads were given (--heads): a history that was cut off at its end, or rewritten "
            "up to its end, would look whole."
        )
    return lines


def _notes(report: ClinicReport) -> list[str]:
    """What is no tampering, and still to be known."""
    notes: list[str] = []
    if report.erased:
        notes.append(f"{report.erased:,} contents were erased; the chain holds over their hashes.")
    if report.unproven:
        notes.append(f"{report.unproven:,} versions were sent by older programs and converted.")
    if report.lost_heads:
        notes.append(
            f"{len(report.lost_heads):,} known heads (seq {report.lost_heads[0]:,} to "
            f"{report.lost_heads[-1]:,}) were given up when a backup was restored. Compare this "
            "with the restores below: where nobody restored a backup, the history was cut off."
        )
    notes += [
        f"A backup was restored {_time(began_at)}; what came after seq {forked_at} was given up."
        for forked_at, began_at in report.restores
    ]
    return notes


def _faults(report: ClinicReport) -> list[str]:
    lines = [_line(finding) for finding in report.findings]
    more = sum(report.counts.values()) - len(lines)
    return [*lines, f"… and {more:,} more."] if more else lines


def _line(finding: Finding) -> str:
    where = [] if finding.seq is None else [f"seq {finding.seq}"]
    where += [part for part in (finding.collection, finding.record_id) if part is not None]
    return f"{' '.join(where)}: {finding.kind.value}" if where else finding.kind.value


def _time(text: object) -> str:
    """Return a time as it is shown, and nothing else that may stand in its place."""
    try:
        return datetime.fromisoformat(str(text)).isoformat(timespec="minutes")
    except ValueError:
        return "at an unknown time"


def _facts(names: dict[str, str], report: ClinicReport) -> dict[str, object]:
    return {
        "clinic_id": report.clinic_id,
        "name": names[report.clinic_id],
        "whole": report.is_whole,
        "seq": report.seq,
        "versions": report.versions,
        "records": report.records,
        "erased": report.erased,
        "unproven": report.unproven,
        "confirmed_heads": report.confirmed_heads,
        "lost_heads": len(report.lost_heads),
        "restores": [
            {"kept_up_to_seq": forked_at, "at": _time(began_at)}
            for forked_at, began_at in report.restores
        ],
        "counts": {kind.name.lower(): count for kind, count in report.counts.items()},
        "findings": [
            {
                "kind": finding.kind.name.lower(),
                "seq": finding.seq,
                "collection": finding.collection,
                "record_id": finding.record_id,
            }
            for finding in report.findings
        ],
    }
