"""The camera room as a process: user mistakes, SIGTERM, SIGKILL, against librdkafka's own mock cluster."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import cv2
import numpy as np
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

import services.camera.__main__ as door
from services.adapters.spool.frame_spool import FrameSpool
from services.adapters.spool.inflow import SpoolLimits
from services.contracts.capture import CameraIdentity, SpoolPolicy, SpoolStatus
from services.contracts.codec import decode_frame
from services.contracts.identity import frame_id_for_spooled
from services.contracts.topics import CAMERA_STATUS_TOPIC, frame_topic

STARTS_WITHIN_S = 20.0


@pytest.fixture(scope="module")
def mock_broker() -> Iterator[tuple[Producer, str]]:
    host = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    broker = next(iter(host.list_topics(timeout=10).brokers.values()))
    yield host, f"{broker.host}:{broker.port}"
    host.flush(1.0)


def make_topics(host: Producer, *topics: str) -> None:
    """The mock cluster makes topics on request and cannot be asked to create them."""
    for topic in topics:
        host.list_topics(topic, timeout=5)
        host.produce(topic, b"made")
    host.flush(5)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    noise = np.random.default_rng(1)
    for number in range(20):
        pixels = noise.integers(0, 255, (64, 64), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number:02}.jpg"), pixels)
    return folder


def environment(tmp_path: Path, broker: str, images: Path, camera_id: str, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "CAMERA_KAFKA__BOOTSTRAP_SERVERS": broker,
        "CAMERA_SPOOL__DIR": str(tmp_path / "spool"),
        "CAMERA_SPOOL__MIN_FREE_BYTES": "0",
        "CAMERA_SOURCE__SPEC": f"folder:{images}",
        "CAMERA_SOURCE__CAMERAS": json.dumps([camera_id]),
        "CAMERA_SOURCE__FRAMES_PER_SECOND": "200",
        **more,
    }


Starter = Callable[[dict[str, str]], subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path, project_root: Path) -> Iterator[Starter]:
    """Starts rooms, whose log goes to `log`; what still runs at the end of the test is killed."""
    rooms: list[subprocess.Popen[bytes]] = []

    def start_room(env: dict[str, str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "services.camera"]
        with (tmp_path / "log").open("ab") as stream:
            rooms.append(subprocess.Popen(command, env=env, cwd=project_root, stderr=stream))
        return rooms[-1]

    yield start_room
    for room in rooms:
        room.kill()
        room.wait(timeout=5)


def books(tmp_path: Path, camera_id: str) -> SpoolStatus:
    """Read the books of a room that does not run."""
    spool = FrameSpool(
        tmp_path / "spool" / camera_id,
        CameraIdentity(camera_id, None, "steel_strip"),
        SpoolLimits(1 << 30, 0, SpoolPolicy.BLOCK),
    )
    status = spool.status()
    spool.close()
    return status


def wait_until_capturing(tmp_path: Path, camera_id: str) -> None:
    """Wait until a room that was started just now has written frames."""
    started_ns = time.time_ns()
    end = time.monotonic() + STARTS_WITHIN_S
    while not any(
        each.stat().st_mtime_ns > started_ns and each.stat().st_size > 20_000
        for each in (tmp_path / "spool" / camera_id).glob("*.segment")
    ):
        assert time.monotonic() < end, (tmp_path / "log").read_text()
        time.sleep(0.02)


def read_frames(bootstrap: str, topic: str) -> dict[UUID, set[bytes]]:
    """Return all frames of a topic: the digests seen for each frame id."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid4().hex, "enable.partition.eof": True})
    partitions = list(consumer.list_topics(topic, timeout=5).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    seen: dict[UUID, set[bytes]] = {}
    ended = 0
    while ended < len(partitions):
        message = consumer.poll(5.0)
        assert message is not None, "the mock cluster went silent"
        if message.error() is not None:
            ended += 1
        elif message.value() != b"made":
            frame = decode_frame(message.value() or b"")
            seen.setdefault(frame.frame_id, set()).add(frame.sha256)
    consumer.close()
    return seen


def test_every_frame_arrives_under_one_id_however_often_the_room_is_killed(
    tmp_path: Path, mock_broker: tuple[Producer, str], images: Path, start: Starter
) -> None:
    host, bootstrap = mock_broker
    camera_id = "cam-killed"
    make_topics(host, frame_topic(camera_id), CAMERA_STATUS_TOPIC)
    env = environment(tmp_path, bootstrap, images, camera_id)
    chance = random.Random(3)
    codes: list[int] = []
    for attempt in range(4):
        room = start(env)
        wait_until_capturing(tmp_path, camera_id)
        time.sleep(chance.uniform(0.2, 1.2))
        room.send_signal(signal.SIGKILL if attempt < 3 else signal.SIGTERM)
        codes.append(room.wait(timeout=15))
    assert codes == [*[-signal.SIGKILL] * 3, 0]
    status = books(tmp_path, camera_id)
    assert (status.waiting, status.dropped) == (0, 0), (tmp_path / "log").read_text()
    seen = read_frames(bootstrap, frame_topic(camera_id))
    expected = {
        frame_id_for_spooled(camera_id, status.session_id, sequence) for sequence in range(1, status.sequence + 1)
    }
    assert len(expected) > 200
    assert set(seen) == expected
    assert all(len(digests) == 1 for digests in seen.values())  # no id ever stood for two different frames


def test_capture_keeps_its_rate_while_the_broker_hangs(tmp_path: Path, images: Path, start: Starter) -> None:
    with socket.socket() as black_hole:  # takes connections and never says a word
        black_hole.bind(("127.0.0.1", 0))
        black_hole.listen()
        env = environment(tmp_path, f"127.0.0.1:{black_hole.getsockname()[1]}", images, "cam-hang")
        env["CAMERA_SOURCE__FRAMES_PER_SECOND"] = "50"
        room = start(env)
        wait_until_capturing(tmp_path, "cam-hang")
        time.sleep(4.0)
        room.send_signal(signal.SIGTERM)
        started = time.monotonic()
        assert room.wait(timeout=15) == 0
    assert time.monotonic() - started < 10.0
    status = books(tmp_path, "cam-hang")
    assert status.waiting == status.captured >= 0.9 * 4.0 * 50


def test_readiness_says_in_words_that_the_broker_is_away(tmp_path: Path, images: Path, start: Starter) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = environment(tmp_path, "127.0.0.1:1", images, "cam-ready", CAMERA_HEALTH__PORT=str(port))
    start(env)
    wait_until_capturing(tmp_path, "cam-ready")
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
    problems = json.loads(answer.value.read())["problems"]
    answer.value.close()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=5) as alive:
        assert alive.status == 200
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as metrics:
        assert 'millsight_frames_captured_total{camera="cam-ready"}' in metrics.read().decode()
    assert "the broker at 127.0.0.1:1" in problems["broker"]
    assert "frames wait on disk" in problems["cameras"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"CAMERA_SPOOL__DIR": None}, "setting CAMERA_SPOOL", id="missing setting"),
        pytest.param(
            {"CAMERA_SPOOL__SIZE": "1"}, "setting CAMERA_SPOOL__SIZE: Extra inputs", id="misspelt setting"
        ),
        pytest.param({"CAMERA_SPOOL__POLICY": "maybe"}, "setting CAMERA_SPOOL__POLICY", id="unknown policy"),
        pytest.param({"CAMERA_SPOOL__MAX_BYTES": "2000000"}, "at least 16777216", id="spool too small"),
        pytest.param({"CAMERA_SOURCE__SPEC": "folder:/gone"}, "image folder /gone is not there", id="no folder"),
        pytest.param({"CAMERA_SOURCE__CAMERAS": "[]"}, "no camera to run", id="no camera"),
        pytest.param({"CAMERA_SOURCE__CAMERAS": '["a b"]'}, "camera id 'a b' cannot name a topic", id="bad id"),
        pytest.param(
            {"CAMERA_LINE__FILE": "/gone.yaml"}, "line file /gone.yaml cannot be read", id="no line file"
        ),
        pytest.param({"CAMERA_SPOOL__DIR": "/dev/null/x"}, "cannot be written", id="spool not writable"),
    ],
)
def test_a_users_mistake_ends_in_one_line_and_exit_code_2(
    tmp_path: Path,
    images: Path,
    change: dict[str, str | None],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    env = environment(tmp_path, "127.0.0.1:1", images, "cam-1")
    for name, value in (env | change).items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(door, "configure_logging", lambda _room: None)
    assert door.main() == 2
    told = capsys.readouterr().err
    assert says in told
    assert len(told.strip().splitlines()) == 1
