"""A topic with too many bad messages is set aside; the others go on, and nothing is lost."""

from tests.fakes.broker import MemoryBroker
from tests.fakes.frames import frame_message
from tests.fakes.running_classifier import RunningClassifier, memory_settings

LIMIT = {"limit_ratio": 0.05, "min_messages": 20, "window_s": 60, "pause_s": 600}


def test_a_broken_camera_is_set_aside_and_its_neighbour_goes_on() -> None:
    broker = MemoryBroker()
    for sequence in range(200):
        broker.append("frames.cam-1", b"garbage")
        broker.append("frames.cam-2", frame_message("cam-2", sequence))
    with RunningClassifier(broker, settings=memory_settings(dead_letters=LIMIT)) as running:
        running.until(lambda: broker.committed.get(("frames.cam-2", 0)) == 200)
        running.until(lambda: "intake" in running.room.health.problems())
        reason = running.room.health.problems()["intake"]
    assert "frames.cam-1 were rejected" in reason
    rejected = len({letter.frame_id for letter in running.dead_letters.letters})
    assert rejected < 20
    assert broker.committed.get(("frames.cam-1", 0), 0) <= rejected
    assert len(running.repository.inspections) == 200


def test_a_topic_is_taken_back_after_the_pause_and_nothing_is_lost() -> None:
    limit = {"limit_ratio": 0.5, "min_messages": 20, "window_s": 0.2, "pause_s": 0.3}
    broker = MemoryBroker()
    for _ in range(30):
        broker.append("frames.cam-1", b"garbage")
    for sequence in range(100):
        broker.append("frames.cam-1", frame_message("cam-1", sequence))
    with RunningClassifier(broker, settings=memory_settings(dead_letters=limit)) as running:
        running.until_drained()
        assert running.room.health.problems() == {}
    assert len(running.repository.inspections) == 100
    assert len(running.repository.rejected) == 30
    assert {letter.frame_id for letter in running.dead_letters.letters} == set(running.repository.rejected)


def test_records_that_were_on_their_way_when_the_topic_was_set_aside_are_not_passed_over() -> None:
    limit = {"limit_ratio": 0.5, "min_messages": 20, "window_s": 0.2, "pause_s": 0.3}
    broker = MemoryBroker()
    for _ in range(30):
        broker.append("frames.cam-1", b"garbage")
    for sequence in range(300):
        broker.append("frames.cam-1", frame_message("cam-1", sequence))
    running = RunningClassifier(broker, settings=memory_settings(dead_letters=limit))
    running.source.stale_polls = 3
    with running:
        running.until(lambda: "intake" in running.room.health.problems())
        assert broker.committed.get(("frames.cam-1", 0), 0) <= len(running.dead_letters.letters)
        running.until_drained()
    assert len(running.repository.inspections) == 300
    assert len(running.repository.rejected) == 30


def test_a_few_bad_messages_stop_nothing() -> None:
    broker = MemoryBroker()
    for sequence in range(400):
        broker.append("frames.cam-1", b"garbage" if sequence % 40 == 39 else frame_message("cam-1", sequence))
    with RunningClassifier(broker, settings=memory_settings(dead_letters=LIMIT)) as running:
        running.until_drained()
    assert len(running.dead_letters.letters) == 10
