"""The review queue on a real PostgreSQL: what waits, what people answer, and the data set that comes of it."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from dashboard import access
from dashboard.access import NotAllowed, Person
from dashboard.database import Database, PoolLimits
from dashboard.planner import Refused
from dashboard.review_data import picture_of, queue
from dashboard.review_rows import QueuedFrame
from dashboard.review_view import answer_of
from dashboard.writing import give_answer
from services.adapters.postgres.monitor_store import PostgresMonitorStore
from services.adapters.postgres.roles import OWNER
from services.cli import app
from services.contracts.errors import ConfigurationError
from services.contracts.monitor_records import CoilResult
from services.contracts.user_file import Role
from services.domain.classes import SURFACE_LABELS
from services.domain.inspection import Inspection, ModelVersion, Verdict
from services.domain.monitoring.facts import Sighting
from services.trainer.dataset import read_dataset
from services.trainer.frames import image_files, read_frames
from tests.fakes.coil_facts import THEN, a_coil, a_defect, a_flag
from tests.fakes.dashboard_login import log_in
from tests.fakes.plant import drawn_jpeg
from tests.fixtures_postgres import Database as Server
from tests.fixtures_postgres import Repository, an_inspection


def a_frame(
    defect_class: str, confidence: float, seconds: int, image: bytes | None = b"jpeg", **changes: object
) -> Inspection:
    verdict = Verdict({defect_class: confidence, "water_spot": 1 - confidence}, defect_class, confidence)
    at = THEN + timedelta(seconds=seconds)
    return replace(an_inspection(defect_class, at, image=image, **changes), verdict=verdict)


UNSURE = a_frame("crease", 0.4, 1)
CLEAN_UNSURE = a_frame("no_defect", 0.5, 2)
SURE = a_frame("oil_spot", 0.99, 3)
NO_PICTURE = a_frame("crease", 0.3, 4, image=None)
FLAGGED = a_frame(
    "rolled_pit", 0.9, 27, camera_id="cam-3", machine_id="skinpass-1", image=drawn_jpeg("rolled_pit", 1)
)
DISAGREED = a_frame("inclusion", 0.8, 36, camera_id="cam-4", machine_id="trimmer-1")


@pytest.fixture
def page(
    database: Server,
    repository: Repository,
    monitor_store: PostgresMonitorStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Database]:
    """Six frames, of which four should be looked at; Ada is logged in as an operator."""
    repository.register_model(ModelVersion("surface_defects", "1", "ab", SURFACE_LABELS, {}))
    repository.store([UNSURE, CLEAN_UNSURE, SURE, NO_PICTURE, FLAGGED, DISAGREED], ())
    seen = tuple(
        Sighting(frame.camera_id, str(frame.frame_id), frame.verdict.defect_class, 0.9, frame.captured_at, 5250.0)
        for frame in (FLAGGED, DISAGREED)
    )
    for number in range(1, 6):
        flags = [a_flag()] if number == 5 else []
        changes = {"sightings": seen} if number == 5 else {}
        monitor_store.save_coil(CoilResult(a_coil(number), (a_defect(number, 5250.0, **changes),), flags))
    log_in(monkeypatch, tmp_path, database.planner_url, Role.OPERATOR)
    opened = Database(database.dashboard_url, PoolLimits(size=2, wait_s=0.5, statement_timeout_s=2.0))
    yield opened
    opened.close()


def waiting(
    page: Database, why: str = "", machine_id: str = "", defect_class: str = ""
) -> dict[UUID, QueuedFrame]:
    return {frame.frame_id: frame for frame in queue(page, why, machine_id, defect_class).frames}


def test_frames_wait_that_are_unsure_disagreed_on_or_part_of_a_flag(page: Database) -> None:
    found = waiting(page)
    assert set(found) == {each.frame_id for each in (UNSURE, CLEAN_UNSURE, FLAGGED, DISAGREED)}
    told = {key: (frame.unsure, frame.disagreed, frame.flagged) for key, frame in found.items()}
    assert told[UNSURE.frame_id] == told[CLEAN_UNSURE.frame_id] == (True, False, False)
    assert told[FLAGGED.frame_id] == told[DISAGREED.frame_id] == (False, True, True)
    assert next(iter(found)) in {FLAGGED.frame_id, DISAGREED.frame_id}


def test_filters_leave_what_they_name(page: Database) -> None:
    assert set(waiting(page, "unsure")) == {UNSURE.frame_id, CLEAN_UNSURE.frame_id}
    assert set(waiting(page, "flagged", "skinpass-1")) == {FLAGGED.frame_id}
    assert set(waiting(page, defect_class="inclusion")) == {DISAGREED.frame_id}
    assert not waiting(page, "disagreed", defect_class="crease")


def test_the_picture_comes_with_probabilities_and_the_models_classes(page: Database) -> None:
    kept = picture_of(page, waiting(page)[UNSURE.frame_id])
    assert kept is not None
    assert (kept.image, kept.labels) == (b"jpeg", list(SURFACE_LABELS))
    assert kept.probabilities == {"crease": 0.4, "water_spot": 0.6}


def test_an_answered_frame_waits_no_longer_and_the_newest_answer_counts(page: Database, database: Server) -> None:
    frame = waiting(page)[UNSURE.frame_id]
    give_answer(answer_of(frame, "crease"))
    give_answer(answer_of(frame, None))
    give_answer(answer_of(frame, "water_spot"))
    assert UNSURE.frame_id not in waiting(page)
    (counted,) = queue(page, "", "", "").answers
    assert (counted.said_class, counted.answered, counted.confirmed, counted.unclear) == ("crease", 1, 0, 0)
    assert database.rows("select answer, who, role from reviews order by review_id") == [
        ("crease", "Ada", "millsight_planner"), (None, "Ada", "millsight_planner"),
        ("water_spot", "Ada", "millsight_planner"),
    ]  # fmt: skip


def test_what_cannot_be_answered_is_refused_in_a_sentence(
    page: Database, database: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = waiting(page)[UNSURE.frame_id]
    with pytest.raises(Refused, match="version 1 has no class 'rust'"):
        give_answer(answer_of(frame, "rust"))
    with pytest.raises(Refused, match="no such frame any more"):
        give_answer(answer_of(replace(frame, frame_id=uuid4()), "crease"))
    database.execute("DELETE FROM inspection_images", OWNER)
    with pytest.raises(Refused, match="no longer kept"):
        give_answer(answer_of(frame, "crease"))
    monkeypatch.setattr(access, "person", lambda: Person("Eve", Role.VIEWER))
    with pytest.raises(NotAllowed):
        give_answer(answer_of(frame, "crease"))
    assert database.value("select count(*) from reviews") == 0


def test_answers_become_a_data_set_that_training_reads(page: Database, database: Server, tmp_path: Path) -> None:
    frames = waiting(page)
    give_answer(answer_of(frames[FLAGGED.frame_id], "rolled_pit"))
    give_answer(answer_of(frames[DISAGREED.frame_id], "rolled_pit"))
    give_answer(answer_of(frames[UNSURE.frame_id], None))
    database.execute("DELETE FROM inspection_images", OWNER)
    url, base, out = tmp_path / "reports.url", tmp_path / "base", tmp_path / "set"
    url.write_text(database.reports_url, encoding="utf-8")
    (base / "crease").mkdir(parents=True)
    (base / "crease" / "a.jpg").write_bytes(drawn_jpeg("crease", 4))
    command = ["dataset", "export-reviews", str(out), "--url-file", str(url), "--base", str(base)]

    done = CliRunner().invoke(app, command)

    assert done.exit_code == 0, done.output
    assert "2 answers" in done.output
    assert "corrected by people: 1; images of the base set: 1" in done.output
    labelled = read_frames(out / "frames.csv")
    assert sorted(SURFACE_LABELS[frame.label] for frame in labelled) == ["crease", "rolled_pit", "rolled_pit"]
    assert all(path.is_file() for path in image_files(out, labelled))
    assert (out / "reviewed" / f"{FLAGGED.frame_id}.jpg").read_bytes() == FLAGGED.image
    assert read_dataset(out, out / "frames.csv").has_groups
    with (out / "frames.csv").open(encoding="utf-8") as stream:
        rows = {row["image_path"]: row for row in csv.DictReader(stream)}
    assert rows[f"reviewed/{FLAGGED.frame_id}.jpg"]["coil"] == "strip-1/coil-1"
    assert json.loads((out / "reviews.json").read_text())["answers"] == {"rolled_pit": 2}

    again = CliRunner().invoke(app, command)
    assert isinstance(again.exception, ConfigurationError)
    assert "name a new directory" in str(again.exception)


def test_without_answers_the_sentence_says_where_to_give_some(
    page: Database, database: Server, tmp_path: Path
) -> None:
    url = tmp_path / "reports.url"
    url.write_text(database.reports_url, encoding="utf-8")
    done = CliRunner().invoke(app, ["dataset", "export-reviews", str(tmp_path / "x"), "--url-file", str(url)])
    assert isinstance(done.exception, ConfigurationError)
    assert "review queue" in str(done.exception)
    assert not (tmp_path / "x").exists()
