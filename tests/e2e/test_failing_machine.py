"""A machine that starts to fail is flagged by the running line, on real pixels through Triton, with its name."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from services.runtime.embedded.ports import free_port
from tests.line import PROJECT_ROOT, Line, wait_for

pytestmark = pytest.mark.timeout(900)

SPEED_M_S = 3.0
FRAMES_PER_SECOND = 2.0
COIL_LENGTH_M = 90.0
LEARNING_COILS = 3
HEALTHY_FOR = timedelta(seconds=200)
"""Longer than the learning takes: three coils of 30 s, and their way past the last camera."""
FLAGGED_WITHIN_S = 300.0
FAILING, ITS_CLASS = "skinpass-1", "silk_spot"
FROM_FIRST_CAMERA_M = 70.0
MOST_UNSURE_COILS = 5
LONGEST_COIL = 1.3
"""Coils differ by up to 30 % from their mean length."""


@pytest.fixture(scope="module")
def fails_at() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=60) + HEALTHY_FOR


@pytest.fixture(scope="module")
def line(fails_at: datetime) -> Iterator[Line]:
    """The demo line with short coils, healthy until one machine fails."""
    home = Path(tempfile.mkdtemp(prefix="millsight-e2e-fault-"))
    home.chmod(0o755)
    document = yaml.safe_load((PROJECT_ROOT / "line.yaml").read_text(encoding="utf-8"))
    document["lines"][0] |= {"speed_m_s": SPEED_M_S, "monitoring": {"learning_coils": LEARNING_COILS}}
    line_file = home / "line.yaml"
    line_file.write_text(yaml.safe_dump(document), encoding="utf-8")
    line = Line(home / "state", line_file)
    line.up()
    fault = {
        "machine_id": FAILING,
        "defect_class": ITS_CLASS,
        "rate_per_100m": 12.0,
        "starts_at": fails_at.isoformat(),
    }
    environment = {
        **os.environ,
        "CAMERA_KAFKA__BOOTSTRAP_SERVERS": line.broker,
        "CAMERA_LINE__FILE": str(line_file),
        "CAMERA_SPOOL__DIR": str(home / "spool"),
        "CAMERA_SOURCE__SPEC": "simulated",
        "CAMERA_SOURCE__FRAMES_PER_SECOND": str(FRAMES_PER_SECOND),
        "CAMERA_SOURCE__COIL_LENGTH_M": str(COIL_LENGTH_M),
        "CAMERA_SOURCE__FAULTS": json.dumps([fault]),
        "CAMERA_HEALTH__PORT": str(free_port()),
    }
    camera = line.start("camera", ["-m", "services.camera"], environment)
    yield line
    camera.terminate()
    camera.wait(timeout=30)
    line.down()
    shutil.rmtree(home, ignore_errors=True)


def test_a_machine_that_starts_to_fail_is_flagged_within_minutes(line: Line, fails_at: datetime) -> None:
    flags_sql = (
        "SELECT group_id, defect_class, alarm_at, onset_at, low.started_at, high.started_at FROM flags"
        " JOIN coil_records low ON low.coil_id = onset_low_coil"
        " JOIN coil_records high ON high.coil_id = onset_high_coil"
        " WHERE kind = 'machine' ORDER BY alarm_at"
    )
    learnt = "SELECT 1 FROM coil_records WHERE state = 'monitored'"
    wait_for("the line is learnt", lambda: line.query(learnt), 240)
    patience_s = (fails_at - datetime.now(UTC)).total_seconds() + FLAGGED_WITHIN_S
    wait_for("a machine is flagged", lambda: line.query(flags_sql), patience_s, every_s=1.0)
    group, defect_class, alarm_at, onset_at, low_at, high_at = line.query(flags_sql)[0]
    assert (group, defect_class) == (FAILING, ITS_CLASS)
    # A coil's times are those of its head at the first camera, which stands before the machine.
    coil_s, travel = COIL_LENGTH_M / SPEED_M_S, timedelta(seconds=FROM_FIRST_CAMERA_M / SPEED_M_S)
    coil = timedelta(seconds=LONGEST_COIL * coil_s)
    assert alarm_at + travel >= fails_at - coil
    assert abs((onset_at + travel - fails_at).total_seconds()) < 3 * coil_s
    # The machine's start lies in the coils that the flag itself names (95 %), or in one beside them.
    assert low_at + travel - coil <= fails_at <= high_at + travel + 2 * coil
    assert high_at - low_at <= MOST_UNSURE_COILS * coil


def test_the_flag_is_a_work_order_that_people_can_follow(line: Line) -> None:
    assert ("new", FAILING) in line.query("SELECT state, group_id FROM work_orders")
    listed = line.millsight("work-orders", "list")
    assert listed.returncode == 0, listed.stderr
    assert FAILING in listed.stdout
    report = line.millsight("report", "--machine", FAILING, "--format", "json")
    assert report.returncode == 0, report.stderr
    assert any(row["defect_class"] == ITS_CLASS for row in json.loads(report.stdout))


def test_machine_health_names_the_machine(line: Line) -> None:
    states = dict(line.query("SELECT machine_id, state FROM machine_health"))
    assert states[FAILING] in ("inspect", "maintenance_required")


def test_the_export_of_the_line_gives_the_same_answer_offline(line: Line, tmp_path: Path) -> None:
    export = tmp_path / "export.parquet"
    start = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    done = line.millsight(
        "export", "--from", start, "--to", datetime.now(UTC).isoformat(), "--output", str(export)
    )
    assert done.returncode == 0, done.stderr
    done = line.millsight("analyse", "--inspections", str(export), "--line", str(line.line_file), "--json")
    assert done.returncode == 0, done.stderr
    flags = [flag for flag in json.loads(done.stdout)["flags"] if flag["kind"] == "machine"]
    assert (FAILING, ITS_CLASS) in [(flag["machine_id"], flag["defect_class"]) for flag in flags]
