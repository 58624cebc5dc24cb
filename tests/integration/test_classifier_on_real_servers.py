"""The classifier on real Kafka and PostgreSQL, once with the real Triton too."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from confluent_kafka import Consumer, Producer

from services.adapters.kafka.resend import header_pairs
from services.adapters.kafka.topics import CAMERA_STATUS_PLAN, DEAD_LETTER_PLAN, ensure_topics
from services.adapters.triton import TritonClassifier
from services.classifier.app import Classifier
from services.classifier.ports import ImageScorer
from services.classifier.settings import ClassifierSettings, DeadLetterSettings
from services.classifier.wiring import build_classifier
from services.contracts.line_file import load_topology
from services.domain.topology import DEFAULT_MODEL
from services.runtime.settings import KafkaSettings, PostgresSettings, TritonSettings
from tests.conftest import PROJECT_ROOT
from tests.fakes.frames import frame_message, jpeg
from tests.fakes.scorers import BrightnessScorer
from tests.fixtures_postgres import Database


def new_camera() -> str:
    return f"cam-{uuid4().hex[:8]}"


def settings_for(kafka: str, database: Database, triton_url: str = "127.0.0.1:1") -> ClassifierSettings:
    return ClassifierSettings.model_validate(
        {
            "kafka": KafkaSettings(bootstrap_servers=kafka),
            "postgres": PostgresSettings.model_validate({"url": database.classifier_url}),
            "triton": TritonSettings(url=triton_url),
            "group": {"group_id": f"test-{uuid4().hex[:8]}", "session_timeout_s": 6},
        }
    )


def publish(kafka: str, topic: str, *values: bytes) -> None:
    producer = Producer({"bootstrap.servers": kafka})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(20) == 0


def until(condition: Callable[[], object], seconds: float = 30.0) -> float:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, "the condition did not come true"
        time.sleep(0.05)
    return time.monotonic() - started


def rows_of(database: Database, camera_id: str) -> int:
    return int(
        str(database.value("SELECT count(*) FROM inspections WHERE camera_id = %s", parameters=(camera_id,)))
    )


@contextmanager
def running(
    settings: ClassifierSettings, database: Database, scorer: ImageScorer | None = None
) -> Iterator[Classifier]:
    stop = threading.Event()
    repository = database.repository()
    topology = load_topology(PROJECT_ROOT / "line.yaml")
    scorers = {DEFAULT_MODEL: scorer or BrightnessScorer()}
    classifier = build_classifier(settings, topology, scorers, repository, stop)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            classifier.run()
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield classifier
    finally:
        stop.set()
        thread.join(20)
        repository.close()
    assert not errors
    assert not thread.is_alive()


def test_frames_become_rows_and_offsets_are_committed(kafka: str, database: Database) -> None:
    camera = new_camera()
    settings = settings_for(kafka, database)
    publish(kafka, f"frames.{camera}", *(frame_message(camera, n) for n in range(120)))
    with running(settings, database):
        until(lambda: rows_of(database, camera) == 120)
    with running(settings, database) as again:
        time.sleep(3)
        assert again.health.problems() == {}
    assert rows_of(database, camera) == 120


def test_a_topic_that_appears_later_is_read_within_seconds(kafka: str, database: Database) -> None:
    settings = settings_for(kafka, database)
    ensure_topics(settings.kafka, CAMERA_STATUS_PLAN, DEAD_LETTER_PLAN)  # as the door does; a group needs a topic
    ensure_topics(settings.kafka, CAMERA_STATUS_PLAN, DEAD_LETTER_PLAN)
    with running(settings, database) as classifier:
        until(lambda: classifier.health.problems() == {})
        camera = new_camera()
        publish(kafka, f"frames.{camera}", jpeg())
        assert until(lambda: rows_of(database, camera) == 1) < 10


def test_a_bad_message_lies_in_the_dead_letters_with_its_bytes_and_reason(kafka: str, database: Database) -> None:
    camera = new_camera()
    bad = jpeg()[:-100] + camera.encode()
    publish(kafka, f"frames.{camera}", jpeg(), bad, jpeg(50))
    with running(settings_for(kafka, database), database):
        until(lambda: rows_of(database, camera) == 2)
        query = "SELECT reason FROM rejected_frames WHERE camera_id = %s"
        until(lambda: database.rows(query, parameters=(camera,)) == [("truncated_image",)])
    headers = dict(letter_with(kafka, bad))
    assert headers["dlq.origin.topic"] == f"frames.{camera}".encode()
    assert (headers["dlq.reason"], headers["dlq.origin.offset"]) == (b"truncated_image", b"1")


def letter_with(kafka: str, payload: bytes) -> list[tuple[str, bytes]]:
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": uuid4().hex, "auto.offset.reset": "earliest"})
    consumer.subscribe(["frames.dlq"])
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            message = consumer.poll(0.5)
            if message is not None and message.error() is None and message.value() == payload:
                return header_pairs(message)
        raise AssertionError("no such dead letter")
    finally:
        consumer.close()


def test_a_broken_camera_is_set_aside_and_taken_back_with_nothing_lost(kafka: str, database: Database) -> None:
    bad, good = new_camera(), new_camera()
    limit = {"limit_ratio": 0.5, "min_messages": 20, "window_s": 1, "pause_s": 4}
    settings = settings_for(kafka, database).model_copy(update={"dead_letters": DeadLetterSettings(**limit)})
    publish(kafka, f"frames.{bad}", *([b"garbage"] * 30), *(frame_message(bad, n) for n in range(200)))
    with running(settings, database) as classifier:
        until(lambda: bad in classifier.health.problems().get("intake", ""))
        publish(kafka, f"frames.{good}", *(frame_message(good, n) for n in range(20)))
        until(lambda: rows_of(database, good) == 20)
        until(lambda: rows_of(database, bad) == 200)
    query = "SELECT count(*) FROM rejected_frames WHERE camera_id = %s"
    assert database.value(query, parameters=(bad,)) == 30


def test_two_workers_share_the_cameras(kafka: str, database: Database) -> None:
    cameras = [new_camera() for _ in range(4)]
    settings = settings_for(kafka, database)
    scorers = [BrightnessScorer(), BrightnessScorer()]
    for camera in cameras:
        publish(kafka, f"frames.{camera}", frame_message(camera, 0))
    with running(settings, database, scorers[0]), running(settings, database, scorers[1]) as second:
        until(lambda: second.health.problems() == {})
        for sequence in range(1, 40):
            for camera in cameras:
                publish_one(kafka, camera, sequence)
        flush()
        until(lambda: all(rows_of(database, camera) == 40 for camera in cameras))
    assert all(sum(scorer.batches) > 0 for scorer in scorers)


_PRODUCERS: dict[str, Producer] = {}


def publish_one(kafka: str, camera: str, sequence: int) -> None:
    producer = _PRODUCERS.setdefault(kafka, Producer({"bootstrap.servers": kafka}))
    producer.produce(f"frames.{camera}", frame_message(camera, sequence))


def flush() -> None:
    for producer in _PRODUCERS.values():
        assert producer.flush(20) == 0


def test_the_door_classifies_with_triton_and_stops_on_sigterm(
    kafka: str, database: Database, triton_url: str, tmp_path: Path
) -> None:
    url_file = tmp_path / "url"
    url_file.write_text(database.classifier_url)
    camera = new_camera()
    publish(kafka, f"frames.{camera}", *(frame_message(camera, n) for n in range(30)))
    room = subprocess.Popen(
        [sys.executable, "-m", "services.classifier"],
        cwd=PROJECT_ROOT,
        env={
            "CLASSIFIER_KAFKA__BOOTSTRAP_SERVERS": kafka,
            "CLASSIFIER_POSTGRES__URL_FILE": str(url_file),
            "CLASSIFIER_TRITON__URL": triton_url,
            "CLASSIFIER_GROUP__GROUP_ID": uuid4().hex,
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: rows_of(database, camera) == 30, 60)
    finally:
        room.send_signal(signal.SIGTERM)
        _, log = room.communicate(timeout=30)
    assert room.returncode == 0, log
    assert "Traceback" not in log
    version = TritonClassifier(TritonSettings(url=triton_url), DEFAULT_MODEL).signature.version
    assert database.rows("SELECT DISTINCT model_version FROM inspections") == [(version,)]


def test_the_door_names_a_missing_setting_and_exits_with_2() -> None:
    room = subprocess.run(
        [sys.executable, "-m", "services.classifier"],
        cwd=PROJECT_ROOT,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert room.returncode == 2
    assert room.stderr.count("\n") == 1
    assert "CLASSIFIER_KAFKA" in room.stderr
