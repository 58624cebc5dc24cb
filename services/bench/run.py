"""The bench's door: run a plan, print what was found."""

import json
import logging
import signal
from pathlib import Path

from rich.console import Console

from services.bench.app import Bench
from services.bench.plan import Plan
from services.bench.report import report_of
from services.bench.table import print_report
from services.runtime.embedded.home import Home
from services.runtime.embedded.lock import is_locked


def run_bench(plan: Plan, home: Path, console: Console, *, as_json: bool) -> None:
    """Measure and print: the table or the JSON on standard output, progress on standard error.

    Args:
        plan: What to measure.
        home: The directory of the user's line, which is never touched.
        console: Takes the result.
        as_json: Print JSON.

    Raises:
        MillsightError: A part does not start, ends, or stands still.
    """
    logging.disable(logging.WARNING)
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # ends like Ctrl-C: everything is stopped and removed
    progress = Console(stderr=True, highlight=False)
    line_runs = is_locked(Home(home).lock_file)
    if line_runs:
        progress.print(f"a line is running on {home}: it takes processor time, stop it for figures worth keeping")
    findings = Bench(plan, lambda line: progress.print(f"millsight bench: {line}")).run()
    report = report_of(plan, findings, line_runs=line_runs)
    if as_json:
        console.out(json.dumps(report.to_json(), indent=2), highlight=False)
    else:
        print_report(report, console)
