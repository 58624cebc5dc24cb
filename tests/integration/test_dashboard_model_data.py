"""The model page's questions, asked of a real PostgreSQL: use, drift, and two versions on the same frames."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.database import Database, PoolLimits
from dashboard.model_data import comparison, drift, versions
from services.adapters.postgres.roles import PLANNER
from services.domain.classes import SURFACE_LABELS
from services.domain.inspection import Inspection, ModelVersion, Verdict
from tests.fixtures_postgres import Database as Server
from tests.fixtures_postgres import Repository, an_inspection

NOW = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=3)
HOUR = timedelta(hours=1)


def _said(frame: Inspection, defect_class: str, confidence: float, version: str = "1") -> Inspection:
    verdict = Verdict({defect_class: confidence, "water_spot": 1 - confidence}, defect_class, confidence)
    return replace(frame, verdict=verdict, model_version=version)


def _frames(count: int, defect_class: str, before: timedelta, confidence: float = 0.9) -> list[Inspection]:
    return [
        _said(an_inspection(captured_at=NOW - before + timedelta(seconds=n / 10)), defect_class, confidence)
        for n in range(count)
    ]


@pytest.fixture
def page(database: Server, repository: Repository) -> Iterator[Database]:
    for version in ("1", "2", "3"):
        card = {"date": f"2026-11-0{version}"}
        repository.register_model(ModelVersion("surface_defects", version, version, SURFACE_LABELS, card))
    opened = Database(database.dashboard_url, PoolLimits(size=2, wait_s=0.5, statement_timeout_s=2.0))
    yield opened
    opened.close()


def test_the_version_in_use_comes_first_with_its_frames(page: Database, repository: Repository) -> None:
    repository.store(_frames(3, "crease", 30 * HOUR), ())
    repository.store([_said(frame, "crease", 0.8, "2") for frame in _frames(2, "crease", HOUR)], ())
    found = versions(page)
    assert [(row.version, row.frames) for row in found] == [("2", 2), ("3", 0), ("1", 0)]
    assert found[0].card == {"date": "2026-11-02"}


def test_drift_sets_the_newest_hour_against_the_day_before(page: Database, repository: Repository) -> None:
    repository.store(_frames(30, "no_defect", 5 * HOUR, 0.9), ())
    repository.store(_frames(10, "crease", 2 * HOUR, 0.5), ())
    repository.store(_frames(20, "crease", timedelta(), 0.7), ())
    repository.store(_frames(99, "crease", 40 * HOUR), ())
    found = drift(page, "surface_defects", "1")
    counts = {each.defect_class: (each.now, each.before) for each in found.counts}
    assert counts == {"crease": (20, 10), "no_defect": (0, 30)}
    assert sum(each.frames for each in found.hours) == 60
    assert found.hours[-1].mean_confidence == pytest.approx(0.7)


def test_two_versions_are_compared_on_frames_that_both_judged(
    page: Database, repository: Repository, database: Server
) -> None:
    frames = [an_inspection(captured_at=NOW + timedelta(seconds=n), image=b"jpeg") for n in range(6)]
    repository.store([_said(frame, "crease", 0.8) for frame in frames], ())
    repository.store([_said(frame, "crease", 0.9, "2") for frame in frames[:3]], ())
    repository.store([_said(frame, "inclusion", 0.6, "2") for frame in frames[3:5]], ())
    database.execute(
        "SELECT review_frame(%s, %s, 'surface_defects', '1', 'inclusion', 'Ada')", PLANNER,
        (frames[4].frame_id, frames[4].captured_at),
    )  # fmt: skip

    found = comparison(page, "surface_defects", "1", "2")

    agreed = found.agreement
    assert (agreed.frames, agreed.same, agreed.answered, agreed.one_right, agreed.other_right) == (5, 3, 1, 0, 1)
    assert [each.frame_id for each in found.differing] == [frames[4].frame_id, frames[3].frame_id]
    newest = found.differing[0]
    assert (newest.one_class, newest.other_class, newest.answer, newest.image) == (
        "crease", "inclusion", "inclusion", b"jpeg",
    )  # fmt: skip
    assert comparison(page, "surface_defects", "1", "3").agreement.frames == 0
