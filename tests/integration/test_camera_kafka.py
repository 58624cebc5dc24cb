"""The camera room against a real broker that is killed and comes back."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from uuid import UUID, uuid4

import cv2
import numpy as np
import pytest
from confluent_kafka import Consumer, TopicPartition

from services.adapters.kafka.send_image import send_bare_image
from services.adapters.spool.frame_spool import FrameSpool
from services.adapters.spool.inflow import SpoolLimits
from services.contracts.capture import CameraIdentity, SpoolPolicy, SpoolStatus
from services.contracts.codec import decode_camera_status, decode_frame
from services.contracts.identity import frame_id_for_spooled
from services.contracts.messages import CameraStatus, Frame
from services.contracts.topics import CAMERA_STATUS_TOPIC, frame_topic
from services.runtime.embedded.kafka import EmbeddedKafka
from services.runtime.embedded.ports import free_port
from services.runtime.settings import KafkaSettings

FPS = 50


@pytest.fixture(scope="module")
def broker(stack_home: Path) -> Iterator[EmbeddedKafka]:
    """A broker of this module's own, since it is killed here."""
    home = stack_home / "camera-broker"
    home.mkdir()
    server = EmbeddedKafka(home, free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    noise = np.random.default_rng(1)
    for number in range(20):
        cv2.imwrite(str(folder / f"{number:02}.jpg"), noise.integers(0, 255, (112, 112), dtype=np.uint8))
    return folder


def run_room(tmp_path: Path, broker: EmbeddedKafka, images: Path, camera_id: str) -> subprocess.Popen[bytes]:
    env = {
        "PATH": os.environ["PATH"],
        "CAMERA_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "CAMERA_SPOOL__DIR": str(tmp_path / "spool"),
        "CAMERA_SPOOL__MIN_FREE_BYTES": "0",
        "CAMERA_SOURCE__SPEC": f"folder:{images}",
        "CAMERA_SOURCE__CAMERAS": json.dumps([camera_id]),
        "CAMERA_SOURCE__FRAMES_PER_SECOND": str(FPS),
    }
    with (tmp_path / "log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "services.camera"], env=env, stderr=log)


def books(tmp_path: Path, camera_id: str) -> SpoolStatus:
    spool = FrameSpool(
        tmp_path / "spool" / camera_id,
        CameraIdentity(camera_id, None, "steel_strip"),
        SpoolLimits(1 << 30, 0, SpoolPolicy.BLOCK),
    )
    status = spool.status()
    spool.close()
    return status


def read_all(bootstrap: str, topic: str) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid4().hex, "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0, 0)])
    values: list[bytes] = []
    while True:
        message = consumer.poll(10.0)
        assert message is not None, "the broker does not answer"
        if message.error() is not None:
            consumer.close()
            return values
        values.append(message.value() or b"")


def frames_of(broker: EmbeddedKafka, camera_id: str) -> list[Frame]:
    return [decode_frame(value) for value in read_all(broker.bootstrap_servers, frame_topic(camera_id))]


def statuses_of(broker: EmbeddedKafka, camera_id: str) -> list[CameraStatus]:
    values = read_all(broker.bootstrap_servers, CAMERA_STATUS_TOPIC)
    return [status for status in map(decode_camera_status, values) if status.camera_id == camera_id]


def expected_ids(camera_id: str, status: SpoolStatus) -> set[UUID]:
    return {
        frame_id_for_spooled(camera_id, status.session_id, sequence) for sequence in range(1, status.sequence + 1)
    }


def test_nothing_is_lost_while_the_broker_is_dead_and_capture_keeps_its_rate(
    tmp_path: Path, broker: EmbeddedKafka, images: Path
) -> None:
    camera_id = "cam-outage"
    room = run_room(tmp_path, broker, images, camera_id)
    try:
        time.sleep(6.0)
        broker.kill()
        time.sleep(5.0)
        broker.start()
        restarted = time.monotonic()
        time.sleep(8.0)
        room.send_signal(signal.SIGTERM)
        assert room.wait(timeout=15) == 0
    finally:
        room.kill()
        room.wait()
    status = books(tmp_path, camera_id)
    frames = frames_of(broker, camera_id)
    captured_at = sorted({frame.captured_at for frame in frames})
    longest_gap_s = max((b - a).total_seconds() for a, b in pairwise(captured_at))
    assert (status.waiting, status.dropped) == (0, 0), (tmp_path / "log").read_text()
    assert {frame.frame_id for frame in frames} == expected_ids(camera_id, status)
    assert longest_gap_s < 0.5  # one frame every 20 ms, broker or not, on a busy machine
    told = statuses_of(broker, camera_id)
    assert told[-1].captured_total == told[-1].published_total == status.captured
    assert any(each.state == "capturing" for each in told)
    assert time.monotonic() - restarted < 30


def test_first_occurrences_keep_the_order_of_capture(tmp_path: Path, broker: EmbeddedKafka, images: Path) -> None:
    camera_id = "cam-order"
    room = run_room(tmp_path, broker, images, camera_id)
    time.sleep(4.0)
    room.send_signal(signal.SIGTERM)
    assert room.wait(timeout=15) == 0
    sequences = [frame.sequence for frame in frames_of(broker, camera_id)]
    assert sequences == list(range(1, len(sequences) + 1))
    assert len(sequences) > FPS


def test_a_bare_image_is_sent_as_it_is(broker: EmbeddedKafka, images: Path) -> None:
    settings = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
    file = images / "03.jpg"
    assert send_bare_image(settings, "cam-bare", file, 15.0) == "frames.cam-bare"
    assert read_all(broker.bootstrap_servers, "frames.cam-bare") == [file.read_bytes()]
