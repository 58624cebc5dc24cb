"""Spreads the jobs over processes, and keeps what is done, so that an interrupted evaluation goes on."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from time import monotonic
from typing import Any

from services.contracts.errors import ConfigurationError
from services.simulator.evaluation.outcomes import RunOutcome
from services.simulator.evaluation.studies import Job, run_job

Report = Callable[[str], None]

_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_SAY_EVERY_S = 15.0


class Ledger:
    """A file of finished jobs, a JSON document a line; a broken last line (power cut) is run again."""

    def __init__(self, path: Path) -> None:
        """Read what is there.

        Raises:
            ConfigurationError: The folder cannot be made.
        """
        self._path = path
        self.done: dict[str, list[RunOutcome]] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be used: {error.strerror}") from error
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            self.done[entry["job"]] = [RunOutcome.of(each) for each in entry["outcomes"]]

    def add(self, key: str, documents: list[dict[str, Any]]) -> None:
        """Keep what a job gave."""
        self.done[key] = [RunOutcome.of(each) for each in documents]
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"job": key, "outcomes": documents}) + "\n")


def fingerprint(packages: Sequence[Path]) -> str:
    """Return a short hash of all Python sources in some folders: results of other code are not mixed in."""
    digest = sha256()
    for package in packages:
        for path in sorted(package.rglob("*.py")):
            digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def run_all(jobs: Sequence[Job], ledger: Ledger, workers: int, say: Report) -> list[RunOutcome]:
    """Run the jobs that are not in the ledger yet; return the outcomes of all jobs, in order of the jobs.

    Args:
        jobs: In order of importance.
        ledger: Takes every finished job at once.
        workers: Processes.
        say: Takes sentences about progress.
    """
    waiting = [job for job in jobs if job.key not in ledger.done]
    say(f"{len(jobs)} jobs, {len(jobs) - len(waiting)} done before, {workers} processes")
    began = said = monotonic()
    for number, (key, documents) in enumerate(in_processes(run_documents, waiting, workers), 1):
        ledger.add(key, documents)
        now = monotonic()
        if now - said >= _SAY_EVERY_S or number == len(waiting):
            said = now
            say(f"{number} of {len(waiting)} jobs in {(now - began) / 60:.1f} min, latest {key}")
    return [outcome for job in jobs for outcome in ledger.done[job.key]]


def run_documents(job: Job) -> tuple[str, list[dict[str, Any]]]:
    """Make the runs of a job in this process; return its key and plain values."""
    return job.key, [each.document() for each in run_job(job)]


def in_processes(
    work: Callable[[Job], tuple[str, list[dict[str, Any]]]], jobs: Sequence[Job], workers: int
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield what `work` makes of each job, as it comes; each process computes on one thread.

    The number of threads must be set before a process loads its linear algebra, hence fresh processes.
    """
    for name in _ONE_THREAD:
        os.putenv(name, "1")
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(work, job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
