"""The demo line as a newcomer meets it: `millsight up`, a bare JPEG, psql, status, `millsight down`."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from confluent_kafka import Producer

from services.adapters.cameras.renderer import render
from services.contracts.line_file import load_topology
from tests.conftest import served_card
from tests.images import jpeg_bytes
from tests.line import PROJECT_ROOT, Line, wait_for
from tests.processes import listening

pytestmark = pytest.mark.timeout(400)
LINE_FILE = PROJECT_ROOT / "line.yaml"
FIRST_FRAME_S = 60.0
PLUGGED_IN_S = 10.0
SECOND_START_S = 60.0  # 10 s on a quiet machine


@pytest.fixture(scope="module")
def taken_port() -> Iterator[int]:
    """The broker's usual port in use by somebody else: the line must choose another."""
    with socket.socket() as somebody:
        # Without this, connections that ended a minute ago stop us, but not the broker.
        somebody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            somebody.bind(("127.0.0.1", 9092))
        except OSError:  # somebody listens already: that serves as well
            yield 9092
            return
        somebody.listen()
        yield 9092


@pytest.fixture(scope="module")
def demo(taken_port: int) -> Iterator[Line]:
    home = Path(tempfile.mkdtemp(prefix="millsight-e2e-"))
    home.chmod(0o755)
    line = Line(home / "state", LINE_FILE)
    line.up("--demo")
    yield line
    line.down()
    shutil.rmtree(home, ignore_errors=True)


def test_frames_of_every_camera_become_rows_of_the_right_machine(demo: Line) -> None:
    stations = {camera.camera_id: camera.machine_id for camera in load_topology(LINE_FILE).cameras}

    def seen() -> dict[str, str]:
        return dict(demo.query("SELECT DISTINCT camera_id, machine_id FROM inspections WHERE line_id = 'strip-1'"))

    wait_for("rows of all cameras", lambda: seen() == stations, FIRST_FRAME_S)


def test_rows_hold_what_reports_need(demo: Line) -> None:
    wait_for(
        "a row", lambda: demo.query("SELECT 1 FROM inspections WHERE coil_id IS NOT NULL LIMIT 1"), FIRST_FRAME_S
    )
    (row,) = demo.query(
        "SELECT probabilities, confidence, defect_class, strip_position_m, model_name, model_version, topic,"
        " kafka_partition, kafka_offset, captured_at <= received_at AND received_at <= stored_at, sequence"
        " FROM inspections WHERE coil_id IS NOT NULL ORDER BY stored_at DESC LIMIT 1"
    )
    (
        probabilities,
        confidence,
        defect_class,
        position_m,
        model,
        version,
        topic,
        partition,
        offset,
        ordered,
        sequence,
    ) = row
    assert len(probabilities) == 11
    assert sum(probabilities.values()) == pytest.approx(1.0, abs=0.01)
    assert max(probabilities, key=probabilities.__getitem__) == defect_class
    assert probabilities[defect_class] == pytest.approx(confidence, abs=0.001)
    assert position_m is not None
    assert (model, version) == ("surface_defects", served_card().parent.name)
    assert topic.startswith("frames.cam-")
    assert partition >= 0
    assert offset >= 0
    assert sequence >= 0
    assert ordered


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_a_bare_image_plugs_a_camera_in(demo: Line, kind: str, tmp_path: Path) -> None:
    import cv2

    camera = f"bare-{kind}"
    pixels = render("silk_spot", 3, 320, 240)
    data = jpeg_bytes(pixels) if kind == "jpeg" else cv2.imencode(".png", pixels)[1].tobytes()
    photo = tmp_path / f"photo.{kind}"
    photo.write_bytes(data)
    _publish(demo.broker, f"frames.{camera}", photo)
    rows_sql = "SELECT machine_id, width_px, height_px FROM inspections WHERE camera_id = %s"
    wait_for("the bare image is a row", lambda: demo.query(rows_sql, camera), PLUGGED_IN_S)
    assert demo.query(rows_sql, camera) == [("unassigned", 320, 240)]
    assert camera in demo.status()["unassigned_cameras"]
    assert (
        f"unassigned cameras: {camera}" in demo.millsight("status").stdout
        or camera in demo.millsight("status").stdout
    )


def _publish(broker: str, topic: str, photo: Path) -> None:
    kcat = shutil.which("kcat")
    if kcat is not None:
        subprocess.run([kcat, "-P", "-b", broker, "-t", topic, str(photo)], check=True, timeout=30)
        return
    producer = Producer({"bootstrap.servers": broker, "message.max.bytes": 4_400_000})
    producer.produce(topic, photo.read_bytes())
    assert producer.flush(10) == 0


def test_millsight_camera_send_publishes_one_image(demo: Line, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(jpeg_bytes(render("crease", 3, 300, 200)))
    done = demo.millsight("camera", "send", str(photo), "--camera-id", "sent-1")
    assert done.returncode == 0, done.stderr
    wait_for("the row", lambda: demo.query("SELECT 1 FROM inspections WHERE camera_id = 'sent-1'"), PLUGGED_IN_S)


def test_the_reports_role_reads_and_cannot_write(demo: Line) -> None:
    status = demo.status()
    with psycopg.connect(status["postgres"]["reports_url"]) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM inspections").fetchone() == (True,)
        columns = {
            column.name for column in connection.execute("SELECT * FROM sightings_report").description or ()
        }
        assert {"machine_id", "defect_class", "frames_inspected", "defects", "rate_low", "last_seen"} <= columns
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("DELETE FROM inspections")


def test_status_says_what_runs_and_where(demo: Line, taken_port: int) -> None:
    status = demo.status()
    assert status["broker"]["kind"] == "kafka"
    assert not status["broker"]["bootstrap_servers"].endswith(f":{taken_port}")
    assert status["dashboard"]["url"].startswith("http://127.0.0.1:")
    assert status["triton"]["grpc_url"].startswith("127.0.0.1:")
    assert {"kafka", "postgres", "triton", "classifier-1", "camera", "dashboard"} <= {
        service["name"] for service in status["services"]
    }
    for service in status["services"]:
        assert service["state"] == "running", service
        assert psutil.pid_exists(service["pid"])
        assert "reason" in service
    assert demo.millsight("status").returncode == 0


def test_the_dashboard_gives_way_to_the_line(demo: Line) -> None:
    own = psutil.Process().nice()
    pids = {service["name"]: service["pid"] for service in demo.status()["services"]}
    niceness = {name: psutil.Process(pid).nice() for name, pid in pids.items()}
    assert niceness.pop("dashboard") == min(19, own + 10)
    assert set(niceness.values()) == {own}
    groups = {name: Path(f"/proc/{pid}/autogroup") for name, pid in pids.items()}
    if groups["dashboard"].exists():
        assert groups["dashboard"].read_text(encoding="ascii").endswith(" nice 10\n")
        assert groups["classifier-1"].read_text(encoding="ascii").endswith(" nice 0\n")


def test_everything_listens_on_loopback_only(demo: Line) -> None:
    found = listening(int(demo.state()["supervisor"]["pid"]))
    assert len(found) >= 6
    assert [each for each in found if each[1] not in ("127.0.0.1", "::1", "::ffff:127.0.0.1")] == []


def test_secrets_are_private_and_on_no_command_line(demo: Line) -> None:
    secrets = list((demo.home / "secrets").iterdir())
    assert secrets
    assert [file.name for file in secrets if file.stat().st_mode & 0o077] == []
    words = {file.read_text().strip() for file in secrets if "triton" not in file.name}
    logs = "".join(file.read_text(errors="replace") for file in (demo.home / "logs").iterdir())
    assert [word for word in words if word in logs] == []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        assert [word for word in words if word in line] == []


def test_data_outlives_a_restart_that_takes_seconds_and_ctrl_c_stops_everything(demo: Line) -> None:
    (rows_before,) = demo.query("SELECT count(*) FROM inspections")[0]
    demo.down()
    assert demo.millsight("status").returncode == 1
    began = time.monotonic()
    with (demo.home / "foreground.log").open("wb") as log:
        foreground = subprocess.Popen(
            # Tests that were started in the background hand an ignored Ctrl-C down.
            ["env", "--default-signal=INT", sys.executable, "-m", "services.cli", "up", "--line", str(LINE_FILE)],
            cwd=PROJECT_ROOT, env=demo.environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        text = demo.home / "foreground.log"
        wait_for("the line is ready", lambda: b"the line is ready" in text.read_bytes(), 90)
        assert time.monotonic() - began < SECOND_START_S
        assert demo.query("SELECT count(*) FROM inspections")[0][0] >= rows_before
        family = psutil.Process(foreground.pid).children(recursive=True)
        foreground.send_signal(signal.SIGINT)
        assert foreground.wait(timeout=60) == 0
        wait_for("all processes are gone", lambda: not any(_runs(process) for process in family), 10)
    finally:
        if foreground.poll() is None:
            foreground.kill()
    demo.up("--demo")


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        pytest.param(["up", "--frames", "/nowhere"], "/nowhere", id="frames_that_are_not_there"),
        pytest.param(["up", "--line", "/nowhere.yaml"], "/nowhere.yaml", id="line_file_that_is_not_there"),
        pytest.param(["camera", "send", "/nowhere.jpg", "--camera-id", "x"], "/nowhere.jpg", id="image_not_there"),
        pytest.param(["camera", "send", str(LINE_FILE), "--camera-id", "x"], "line.yaml", id="image_that_is_none"),
        pytest.param(["db", "migrate", "--owner-url-file", "/nowhere"], "/nowhere", id="url_file_not_there"),
        pytest.param(
            ["evaluate", "--csv", "/nowhere.csv", "--images", "/nowhere"], "/nowhere.csv", id="csv_not_there"
        ),
        pytest.param(["train", "--data", "/nowhere", "--csv", "/nowhere.csv"], "/nowhere", id="data_not_there"),
    ],
)
def test_a_users_mistake_is_one_sentence_and_exit_code_2(demo: Line, arguments: list[str], names: str) -> None:
    done = demo.millsight(*arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert names in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_second_stack_on_the_same_directory_is_refused(demo: Line) -> None:
    done = demo.millsight("up", "--detach")
    assert done.returncode == 2
    assert str(demo.home) in done.stderr or "running" in done.stderr


def test_an_own_broker_that_does_not_answer_is_named(tmp_path: Path) -> None:
    environment = {**os.environ, "MILLSIGHT_HOME": str(tmp_path / "own"), "KAFKA_BOOTSTRAP_SERVERS": "nonsense"}
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", "up", "--detach"],
        cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "KAFKA_BOOTSTRAP_SERVERS" in done.stderr
    assert json.dumps("Traceback") not in done.stderr
