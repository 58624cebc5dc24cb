"""The use case: rerun the evaluation protocol and write its table."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.contracts.errors import ConfigurationError
from services.simulator.evaluation.outcomes import RunOutcome
from services.simulator.evaluation.pool import Ledger, fingerprint, in_processes, run_all
from services.simulator.evaluation.results import sections_of
from services.simulator.evaluation.speed import speed
from services.simulator.evaluation.studies import Job, jobs_of
from services.simulator.evaluation.tables import Section, document, markdown

_SPEED_RUNS = 5
_SPEED_SEED = 27_000


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What to evaluate and where to write.

    Attributes:
        scenarios: Folder of the committed scenarios and their seeds.
        card: Model card that the confusion is taken from; when it is missing, its confusion is left out.
        output: JSON file; a Markdown file of the same name is written beside it.
        ledger_folder: Finished runs are kept here, so that an interrupted evaluation goes on.
        workers: Processes.
        quick: A few short runs of everything, to see that it works.
        finished_only: Run nothing; write what the runs that are finished say.
    """

    scenarios: Path
    card: Path
    output: Path
    ledger_folder: Path
    workers: int
    quick: bool
    finished_only: bool = False


@dataclass(frozen=True, slots=True)
class EvaluationSummary:
    """How it went: `missed` names the measures below their bar."""

    sections: int
    runs: int
    bars: int
    missed: tuple[str, ...]


def evaluate(request: EvaluationRequest, say: Callable[[str], None]) -> EvaluationSummary:
    """Run whatever is not done yet, and write the results.

    Args:
        request: See there.
        say: Takes sentences about progress.

    Raises:
        ConfigurationError: A file cannot be read or written; one sentence.
    """
    code = fingerprint([Path(__file__).resolve().parents[2] / "domain"])
    path = request.ledger_folder / f"{'quick' if request.quick else 'results'}-{code}.jsonl"
    if request.quick:
        path.unlink(missing_ok=True)
    ledger = Ledger(path)
    jobs = jobs_of(request.scenarios, request.card, quick=request.quick)
    planned = len(jobs)
    if request.finished_only:
        jobs = [job for job in jobs if job.key in ledger.done]
        if not jobs:
            raise ConfigurationError(f"no run of this program is finished in {path}: run the evaluation first")
    outcomes = run_all(jobs, ledger, request.workers, say)
    outcomes += _speeds(request, say)
    about = {
        "command": f"millsight simulate --evaluate{' --quick' if request.quick else ''}",
        "runs": len(outcomes),
        "jobs finished, of those planned": f"{len(jobs)} of {planned}",
        "sources of the rules (SHA-256, first 12 digits)": code,
    }
    return write_results(sections_of(outcomes), about, request.output, len(outcomes))


def write_results(sections: list[Section], about: dict[str, Any], output: Path, runs: int) -> EvaluationSummary:
    """Write JSON and Markdown.

    Raises:
        ConfigurationError: They cannot be written.
    """
    try:
        output.write_text(
            json.dumps(document(sections, about), indent=1, allow_nan=False) + "\n", encoding="utf-8"
        )
        output.with_suffix(".md").write_text(markdown(sections, about), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}") from error
    judged = [(section, row) for section in sections for row in section.rows if row.bar is not None]
    missed = tuple(f"{section.title}: {row.measure}" for section, row in judged if not row.met)
    return EvaluationSummary(len(sections), runs, len(judged), missed)


def speed_documents(job: Job) -> tuple[str, list[dict[str, Any]]]:
    """Measure in this process; return the job's key and plain values."""
    return job.key, [each.document() for each in speed(job)]


def _speeds(request: EvaluationRequest, say: Callable[[str], None]) -> list[RunOutcome]:
    """Measure alone, one process after the other, so that our own runs do not slow it down."""
    say("measuring speed")
    jobs = [
        Job("speed", "learned", _SPEED_SEED + number, request.scenarios, request.card, request.quick)
        for number in range(1 if request.quick else _SPEED_RUNS)
    ]
    return [RunOutcome.of(each) for _, found in in_processes(speed_documents, jobs, 1) for each in found]
