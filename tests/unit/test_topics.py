"""Topic names and camera ids."""

import re
from uuid import UUID

import pytest

from services.contracts.errors import ConfigurationError
from services.contracts.identity import frame_id_for_bare, frame_id_for_spooled
from services.contracts.topics import DEAD_LETTER_TOPIC, FRAME_TOPIC_PATTERN, camera_id_of, frame_topic


def test_a_topic_and_its_camera_lead_to_each_other() -> None:
    assert frame_topic("cam-7") == "frames.cam-7"
    assert camera_id_of("frames.cam-7") == "cam-7"


@pytest.mark.parametrize("camera_id", ["", "a b", "a/b", "ü", "x" * 65, "dlq", "a.b"])
def test_ids_that_cannot_name_a_topic_are_refused(camera_id: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot name a topic"):
        frame_topic(camera_id)


@pytest.mark.parametrize("camera_id", ["cam-7", "d", "dl", "dl-1", "dlq2", "dlqueue", "dx", "1", "DLQ", "_"])
def test_the_pattern_takes_every_camera(camera_id: str) -> None:
    assert re.fullmatch(FRAME_TOPIC_PATTERN, frame_topic(camera_id))


@pytest.mark.parametrize("topic", [DEAD_LETTER_TOPIC, "cameras.status", "frames.", "frames", "xframes.cam-1"])
def test_the_pattern_leaves_other_topics_alone(topic: str) -> None:
    assert not re.fullmatch(FRAME_TOPIC_PATTERN, topic)


def test_the_same_frame_has_the_same_id_and_another_frame_another() -> None:
    session = UUID(int=7)
    assert frame_id_for_spooled("cam-1", session, 3) == frame_id_for_spooled("cam-1", session, 3)
    ids = {
        frame_id_for_spooled("cam-1", session, 3),
        frame_id_for_spooled("cam-1", session, 4),
        frame_id_for_spooled("cam-2", session, 3),
        frame_id_for_bare("c", "frames.cam-1", 0, 3),
        frame_id_for_bare("d", "frames.cam-1", 0, 3),
    }
    assert len(ids) == 5
