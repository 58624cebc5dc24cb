"""The classifier's parts by themselves: offsets, gaps, limits, holding, references, settings."""

import hashlib
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import pytest

from services.classifier.progress import PartitionProgress, Progress
from services.classifier.rejection_limit import RejectionLimit
from services.classifier.retry import Hold, HoldAbandoned
from services.classifier.sequence_watch import PATIENCE_S, SequenceWatch
from services.classifier.settings import ClassifierSettings, DeadLetterSettings
from services.classifier.unwrap import FileReferences, FrameUnwrapper
from services.contracts.codec import FRAME_CODEC, encode_frame
from services.contracts.errors import (
    ConfigurationError,
    DeadLetterLimitExceeded,
    RejectedMessage,
    RejectReason,
    StorageUnavailable,
)
from services.contracts.messages import FrameReference
from services.contracts.records import Record
from services.domain.inspection import BrokerPosition
from services.runtime.settings import load_settings
from tests.fakes.frames import SESSION, frame, jpeg

PARTITION = ("frames.cam-1", 0)


def record(offset: int, value: bytes = b"") -> Record:
    return Record(BrokerPosition("c", *PARTITION, offset), datetime.now(UTC), None, value)


# Progress


def test_nothing_is_committable_before_the_first_record_is_finished() -> None:
    progress = PartitionProgress()
    for offset in (5, 6, 7):
        progress.started(record(offset))
    progress.finished(record(6))
    assert (progress.to_commit, progress.resume_at) == (None, 5)
    progress.finished(record(5))
    assert (progress.to_commit, progress.resume_at) == (7, 7)


def test_offsets_with_gaps_are_committable_all_the_same() -> None:
    progress = PartitionProgress()
    for offset in (5, 9, 12):
        progress.started(record(offset))
        progress.finished(record(offset))
    assert progress.to_commit == 13
    assert progress.resume_at is None


def test_what_is_committed_need_not_be_committed_again() -> None:
    progress = Progress()
    progress.begin([PARTITION])
    progress.of(PARTITION).started(record(0))
    progress.of(PARTITION).finished(record(0))
    assert progress.to_commit() == {PARTITION: 1}
    progress.committed({PARTITION: 1})
    assert progress.to_commit() == {}


@pytest.mark.parametrize("seed", range(20))
def test_in_any_order_the_committable_offset_never_passes_an_open_record(seed: int) -> None:
    offsets = list(range(50))
    progress = PartitionProgress()
    for offset in offsets:
        progress.started(record(offset))
    order = Random(seed).sample(offsets, len(offsets))
    for done, offset in enumerate(order):
        progress.finished(record(offset))
        open_offsets = sorted(order[done + 1 :])
        first_open = open_offsets[0] if open_offsets else 50
        assert (progress.to_commit or 0) == first_open


# Sequence gaps


def watch_of(*numbers: int) -> SequenceWatch:
    watch = SequenceWatch()
    for number in numbers:
        watch.saw("cam-1", SESSION, number, 0.0)
    return watch


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [
        pytest.param((7, 8, 9), 0, id="whole_from_the_first_seen"),
        pytest.param((1, 2, 5), 2, id="two_missing"),
        pytest.param((1, 3, 2), 0, id="late_is_not_lost"),
        pytest.param((1, 4, 4, 1), 2, id="twice_is_no_matter"),
        pytest.param((1, 10_000_000), 1000, id="a_huge_jump_is_bounded"),
    ],
)
def test_counts_the_numbers_that_stay_away(numbers: tuple[int, ...], missing: int) -> None:
    watch = watch_of(*numbers)
    assert watch.overdue(PATIENCE_S - 1) == {}
    assert watch.overdue(PATIENCE_S + 1).get("cam-1", 0) == missing
    assert watch.overdue(PATIENCE_S + 1) == {}


def test_sessions_and_cameras_are_counted_apart() -> None:
    watch = watch_of(1)
    watch.saw("cam-1", uuid4(), 50, 0.0)
    watch.saw("cam-2", SESSION, 90, 0.0)
    assert watch.overdue(PATIENCE_S + 1) == {}


def test_cameras_that_left_are_forgotten() -> None:
    watch = watch_of(1, 5)
    watch.forget(frozenset({"cam-1"}))
    assert watch.overdue(PATIENCE_S + 1) == {}


# The limit of rejections

LIMIT = DeadLetterSettings(limit_ratio=0.05, min_messages=50, window_s=60, pause_s=60)


def test_few_messages_say_nothing() -> None:
    RejectionLimit(LIMIT).admit("t", 49, 49, 0.0)


def test_five_percent_is_allowed_and_more_is_not() -> None:
    limit = RejectionLimit(LIMIT)
    limit.admit("t", 100, 5, 0.0)
    with pytest.raises(DeadLetterLimitExceeded, match="6 of the last 101 messages of t"):
        limit.admit("t", 1, 1, 1.0)


def test_a_closed_topic_stays_closed_for_all_its_batches_and_opens_with_a_fresh_count() -> None:
    limit = RejectionLimit(LIMIT)
    limit.admit("t", 60, 60, 0.0)  # the first batch always passes, so that every attempt gets on
    with pytest.raises(DeadLetterLimitExceeded):
        limit.admit("t", 1, 1, 0.0)
    with pytest.raises(DeadLetterLimitExceeded):
        limit.admit("t", 10, 0, 59.0)
    limit.admit("u", 10, 0, 59.0)
    limit.admit("t", 10, 10, 60.0)


def test_what_lies_longer_ago_than_the_window_counts_no_more() -> None:
    limit = RejectionLimit(LIMIT)
    limit.admit("t", 40, 40, 0.0)
    limit.admit("t", 40, 1, 61.0)


# Holding


def test_a_step_is_repeated_until_it_is_done_and_the_reason_is_known_meanwhile() -> None:
    hold = Hold(threading.Event(), 0.001, 0.002)
    reasons: list[str | None] = []

    def step() -> str:
        reasons.append(hold.problem)
        if len(reasons) < 4:
            raise StorageUnavailable("the database is away")
        return "done"

    assert hold.until_done("store", step) == "done"
    assert reasons == [None, *["store: the database is away"] * 3]
    assert hold.problem is None


def test_stopping_lets_go() -> None:
    stop = threading.Event()
    stop.set()

    def step() -> None:
        raise StorageUnavailable("the database is away")

    with pytest.raises(HoldAbandoned):
        Hold(stop).until_done("store", step)


def test_a_bug_is_not_repeated() -> None:
    def step() -> None:
        raise KeyError("bug")

    hold = Hold(threading.Event())
    with pytest.raises(KeyError):
        hold.until_done("store", step)
    assert hold.problem is None


# References


def read_reference(directory: Path | None, uri: str, size_bytes: int) -> bytes:
    image = jpeg()
    referenced = replace(
        frame(), image=FrameReference(uri, size_bytes), sha256=hashlib.sha256(image).digest(), frame_id=UUID(int=1)
    )
    unwrapper = FrameUnwrapper(FRAME_CODEC, FileReferences(directory), SequenceWatch())
    return unwrapper.read(record(0, encode_frame(referenced))).image


def test_a_referenced_image_is_read_and_verified(tmp_path: Path) -> None:
    (tmp_path / "a b.jpg").write_bytes(jpeg())
    assert read_reference(tmp_path, f"file://{tmp_path}/a%20b.jpg", len(jpeg())) == jpeg()


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        pytest.param("file://{}/missing.jpg", RejectReason.UNAVAILABLE_REFERENCE, id="missing"),
        pytest.param("file://{}/../outside.jpg", RejectReason.UNAVAILABLE_REFERENCE, id="outside"),
        pytest.param("file://{}/%2e%2e/outside.jpg", RejectReason.UNAVAILABLE_REFERENCE, id="outside_encoded"),
        pytest.param("file://{}/link.jpg", RejectReason.UNAVAILABLE_REFERENCE, id="link_to_outside"),
        pytest.param("file://{}/", RejectReason.UNAVAILABLE_REFERENCE, id="directory"),
        pytest.param("file://elsewhere{}/other.jpg", RejectReason.UNAVAILABLE_REFERENCE, id="another_host"),
        pytest.param("https://example.org/1.jpg", RejectReason.UNAVAILABLE_REFERENCE, id="https"),
        pytest.param("file://[/1.jpg", RejectReason.UNAVAILABLE_REFERENCE, id="no_uri"),
        pytest.param("file:///%00", RejectReason.UNAVAILABLE_REFERENCE, id="zero_byte"),
        pytest.param("file://{}/short.jpg", RejectReason.UNAVAILABLE_REFERENCE, id="another_size"),
        pytest.param("file://{}/other.jpg", RejectReason.CHECKSUM_MISMATCH, id="another_image"),
        pytest.param("file://{}/large.jpg", RejectReason.TOO_LARGE, id="too_large"),
    ],
)
def test_bad_references_are_rejected(tmp_path: Path, uri: str, reason: RejectReason) -> None:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (tmp_path / "outside.jpg").write_bytes(jpeg())
    (allowed / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    (allowed / "short.jpg").write_bytes(jpeg()[:-1])
    other = bytearray(jpeg())
    other[-10] ^= 1
    (allowed / "other.jpg").write_bytes(other)
    with (allowed / "large.jpg").open("wb") as large:
        large.truncate(5_000_000)
    with pytest.raises(RejectedMessage) as caught:
        read_reference(allowed, uri.format(allowed), len(jpeg()))
    assert caught.value.reason is reason


def test_references_are_refused_unless_a_directory_is_set(tmp_path: Path) -> None:
    with pytest.raises(RejectedMessage, match="REFERENCES_DIR"):
        read_reference(None, f"file://{tmp_path}/x.jpg", 1)


# Settings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLASSIFIER_KAFKA__BOOTSTRAP_SERVERS", "k:9092")
    monkeypatch.setenv("CLASSIFIER_POSTGRES__URL", "postgresql://x")
    monkeypatch.setenv("CLASSIFIER_TRITON__URL", "t:8001")
    monkeypatch.setenv("CLASSIFIER_INTAKE__BATCH_SIZE", "8")
    settings = load_settings(ClassifierSettings)
    assert (settings.intake.batch_size, settings.triton.url) == (8, "t:8001")
    assert "postgresql://x" not in repr(settings)
    monkeypatch.setenv("CLASSIFIER_INTAKE__BATCHSIZE", "8")
    with pytest.raises(ConfigurationError, match="CLASSIFIER_INTAKE__BATCHSIZE"):
        load_settings(ClassifierSettings)
