"""What the classifier states about a frame: who saw it, where, what, and with which evidence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import simplejpeg
from typing_extensions import override

from services.contracts.codec import encode_camera_status
from services.contracts.image_path import Pixels, decode_for_model
from services.contracts.messages import CameraStatus
from services.contracts.picture_facts import picture_facts
from services.contracts.scores import Scores
from services.domain.classes import SURFACE_LABELS
from services.domain.inspection import Inspection
from tests.fakes.broker import MemoryBroker
from tests.fakes.frames import SESSION, frame, frame_message, jpeg
from tests.fakes.running_classifier import RunningClassifier
from tests.fakes.scorers import BrightnessScorer
from tests.fakes.stores import MemoryRepository


def classified(*messages: tuple[str, bytes]) -> MemoryRepository:
    broker = MemoryBroker()
    for topic, value in messages:
        broker.append(topic, value)
    with RunningClassifier(broker) as running:
        running.until_drained()
    return running.repository


def the_row(repository: MemoryRepository) -> Inspection:
    (row,) = repository.inspections.values()
    return row


def test_a_known_camera_gives_machine_line_and_material() -> None:
    row = the_row(classified(("frames.cam-2", frame_message("cam-2", 5))))
    assert (row.machine_id, row.line_id, row.material) == ("washer-1", "strip-1", "steel_strip")
    assert (row.camera_id, row.sequence, row.coil_id, row.strip_position_m) == ("cam-2", 5, "coil-7", 12.5)
    assert (row.model_name, row.model_version) == ("surface_defects", "1")
    assert (row.position.topic, row.position.partition, row.position.offset) == ("frames.cam-2", 0, 0)
    assert row.frame_id == frame("cam-2", 5).frame_id


def test_an_unknown_camera_is_kept_as_unassigned() -> None:
    row = the_row(classified(("frames.cam-99", frame_message("cam-99"))))
    assert (row.machine_id, row.line_id) == ("unassigned", "unassigned")


def test_a_bare_jpeg_becomes_a_row_named_after_its_place() -> None:
    first = the_row(classified(("frames.cam-1", jpeg(100, 80, 60))))
    again = the_row(classified(("frames.cam-1", jpeg(100, 80, 60))))
    assert first.frame_id == again.frame_id
    assert (first.machine_id, first.width_px, first.height_px, first.sequence) == ("welder-1", 80, 60, None)
    assert datetime.now(UTC) - first.captured_at < timedelta(minutes=1)


def test_verdicts_are_not_mixed_up_within_a_batch() -> None:
    broker = MemoryBroker()
    expected = {}
    for sequence in range(100):
        brightness = 20 * (sequence % 11) + 10
        broker.append("frames.cam-1", frame_message("cam-1", sequence, jpeg(brightness)))
        expected[frame("cam-1", sequence).frame_id] = SURFACE_LABELS[sequence % 11]
    with RunningClassifier(broker) as running:
        running.until_drained()
    found = {row.frame_id: row.verdict.defect_class for row in running.repository.inspections.values()}
    assert found == expected


def test_defect_frames_keep_their_image_and_evidence_and_clean_ones_do_not() -> None:
    defect = the_row(classified(("frames.cam-1", frame_message("cam-1", 0, jpeg(50)))))
    assert defect.image == jpeg(50)
    assert defect.verdict.evidence is not None
    assert np.shape(defect.verdict.evidence) == (7, 7)
    clean = the_row(classified(("frames.cam-1", frame_message("cam-1", 0, jpeg(240)))))
    assert clean.verdict.defect_class == "no_defect"
    assert (clean.image, clean.verdict.evidence) == (None, None)


def test_every_row_says_what_its_picture_says_about_the_camera() -> None:
    for image in (jpeg(50), jpeg(240), jpeg(255)):
        row = the_row(classified(("frames.cam-1", image)))
        facts = picture_facts(decode_for_model(image, 224))
        assert (row.brightness, row.saturated) == (facts.brightness, facts.saturated)
        assert (row.sharpness, row.picture_hash) == (facts.sharpness, facts.picture_hash)


class SpottingScorer(BrightnessScorer):
    """Sees the evidence of every class in row 2, column 5."""

    @override
    def score(self, images: Pixels) -> Scores:
        scores = super().score(images)
        evidence = np.zeros((len(images), 7, 7, len(SURFACE_LABELS)), np.float32)
        evidence[:, 2, 5] = 1.0
        return replace(scores, evidence=evidence)


@pytest.mark.parametrize(
    ("image", "spot"),
    [
        pytest.param(jpeg(50), (5.5 / 7, 2.5 / 7), id="defect"),
        pytest.param(jpeg(240), None, id="clean"),
    ],
)
def test_a_defect_has_a_spot_and_clean_strip_has_none(image: bytes, spot: tuple[float, float] | None) -> None:
    broker = MemoryBroker()
    broker.append("frames.cam-1", image)
    with RunningClassifier(broker, scorer=SpottingScorer()) as running:
        running.until_drained()
    assert the_row(running.repository).spot == (None if spot is None else pytest.approx(spot))


def test_a_large_defect_frame_is_kept_as_a_thumbnail() -> None:
    noise = np.random.default_rng(1).integers(0, 100, (900, 1200, 3), dtype=np.uint8)
    image = simplejpeg.encode_jpeg(noise, quality=90, colorspace="RGB")
    row = the_row(classified(("frames.cam-1", image)))
    assert row.image is not None
    assert len(row.image) < len(image) / 4
    assert simplejpeg.decode_jpeg_header(row.image)[:2] == (384, 512)


def test_another_version_of_the_model_adds_rows_of_its_own() -> None:
    broker = MemoryBroker()
    broker.append("frames.cam-1", frame_message())
    repository = MemoryRepository()
    for version in ("1", "2"):
        broker.committed.clear()
        with RunningClassifier(broker, repository, BrightnessScorer(version=version)) as running:
            running.until_drained()
    assert sorted(row.model_version for row in repository.inspections.values()) == ["1", "2"]


def test_of_each_cameras_reports_the_newest_is_stored() -> None:
    reports = [
        CameraStatus(camera, SESSION, datetime.now(UTC), "capturing", None, count, count, 0, 0, 0, None)
        for count in range(10)
        for camera in ("cam-1", "cam-2")
    ]
    repository = classified(*(("cameras.status", encode_camera_status(report)) for report in reports))
    # Two batches may be stored at once, in any order; the database keeps the newest report, so that is looked for.
    stored = sorted(repository.statuses, key=lambda status: status.reported_at)
    assert {status.camera_id: status for status in stored} == {status.camera_id: status for status in reports}
    assert len(repository.statuses) < len(reports)


@pytest.mark.parametrize(
    ("topic", "value", "reason"),
    [
        pytest.param("frames.cam-1", b"", "empty", id="empty"),
        pytest.param("frames.cam-1", b"GIF89a....", "not_an_image", id="gif"),
        pytest.param("frames.cam-1", b"\xc3\x01" + bytes(30), "unknown_schema", id="unknown_fingerprint"),
        pytest.param("frames.cam-1", frame_message()[:60], "malformed_message", id="truncated_avro"),
        pytest.param("frames.cam-1", frame_message("cam-2"), "camera_mismatch", id="another_camera"),
        pytest.param("frames.cam-1", b"\x00\x00\x00\x00\x07abc", "unknown_schema", id="registry_without_registry"),
        pytest.param("cameras.status", b"{}", "unknown_schema", id="status_as_json"),
        pytest.param("frames.cam-1", frame_message()[:-1] + b"\x00", "checksum_mismatch", id="checksum"),
    ],
)
def test_what_is_wrong_with_a_message_is_named(topic: str, value: bytes, reason: str) -> None:
    (rejected,) = classified((topic, value)).rejected.values()
    assert rejected.reason == reason
    assert rejected.payload_bytes == len(value)
