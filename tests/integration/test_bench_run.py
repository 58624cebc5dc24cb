"""The benchmark with real processes: a quick run produces every figure, its stub speaks Triton's protocol."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.adapters.triton import TritonClassifier
from services.bench.images import pixels_of, rendered_images, save_images
from services.bench.machine import has_package
from services.bench.worker import Worker, WorkerFailed, text
from services.domain.classes import NO_DEFECT, SURFACE_LABELS
from services.runtime.settings import TritonSettings

_RUN = """
import sys, typer
from services.commands.bench import bench
from services.contracts.errors import MillsightError
try:
    typer.run(bench)
except MillsightError as error:
    sys.exit(f"millsight: {error}")
"""


def _bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", _RUN, *arguments], capture_output=True, text=True, timeout=580, check=False
    )


@pytest.mark.timeout(600)
def test_a_quick_run_produces_every_figure(project_root: Path) -> None:
    run = _bench("--quick", "--json", "--models", str(project_root / "model_repository"))
    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout)["figures"]
    wanted = {
        "engine_images_per_s",
        "triton_images_per_s",
        "end_to_end_frames_per_s",
        "reference_frames_per_s",
        "reference_single_frames_per_s",
        "triton_to_engine",
        "end_to_end_to_engine",
        "end_to_end_to_reference",
        "cost_end_to_end_core_ms",
        "latency_p50_half_load_ms",
        "latency_p99_half_load_ms",
        "latency_p99_high_load_ms",
        "ceiling_frames_per_s",
        "ceiling_frames_per_core_s",
        "classifier_memory_end_mib",
    }
    if not has_package("tensorflow-cpu"):
        wanted = {name for name in wanted if "reference" not in name and "engine" not in name}
    assert {name for name in wanted if not figures.get(name, {}).get("value", 0) > 0} == set()
    parts = figures["cost_end_to_end_core_ms"]["note"]
    assert all(part in parts for part in ("classifier", "kafka", "postgres", "triton"))


def test_a_run_leaves_nothing_behind(tmp_path: Path) -> None:
    before = set(Path("/dev/shm").glob("millsight_*"))  # noqa: S108 - only looked at
    run = _bench("--quick", "--models", str(tmp_path))
    assert run.returncode != 0
    assert "train one with 'millsight train'" in run.stderr
    assert "Traceback" not in run.stderr
    assert set(Path("/dev/shm").glob("millsight_*")) <= before  # noqa: S108 - only looked at


def test_the_stub_answers_the_real_adapter_with_no_defect(tmp_path: Path) -> None:
    stub = Worker("stub_worker", {"model_name": "surface_defects"}, tmp_path / "stub.log")
    try:
        stub.answer(60)
        url = text(stub.ask({}, 10), "url")
        model = TritonClassifier(TritonSettings(url=url), "surface_defects")
        scores = model.score(pixels_of(rendered_images(3)))
        assert model.signature.labels == SURFACE_LABELS
        assert [SURFACE_LABELS[row.argmax()] for row in scores.probabilities] == [NO_DEFECT] * 3
        assert scores.evidence is not None
        assert scores.evidence.shape == (3, 7, 7, 11)
        model.close()
    finally:
        stub.close()


def test_a_worker_that_fails_tells_its_last_words(tmp_path: Path) -> None:
    save_images(rendered_images(1), tmp_path / "images")
    arguments = {"images": str(tmp_path / "images"), "url": "127.0.0.1:1", "model_name": "m", "trial_s": 0.1}
    worker = Worker("triton_worker", arguments, tmp_path / "worker.log")
    try:
        with pytest.raises(WorkerFailed, match=r"(?s)triton worker ended.*UNAVAILABLE"):
            worker.answer(90)
    finally:
        worker.close()
    shutil.rmtree(tmp_path / "images")
