"""What the classifier promises about delivery: store first, commit last; hold, or dead-letter, never skip."""

import pytest

from tests.fakes.broker import MemoryBroker
from tests.fakes.frames import frame_message, jpeg
from tests.fakes.running_classifier import RunningClassifier, memory_settings
from tests.fakes.scorers import AbsentScorer, BrightnessScorer, RefusingScorer, SlowScorer
from tests.fakes.stores import (
    BlockingRepository,
    BrokenRepository,
    FailingDeadLetters,
    FailingRepository,
    MemoryRepository,
)

TOPIC = "frames.cam-1"


def broker_with(frames: int, camera_id: str = "cam-1", broker: MemoryBroker | None = None) -> MemoryBroker:
    broker = broker or MemoryBroker()
    for sequence in range(frames):
        broker.append(f"frames.{camera_id}", frame_message(camera_id, sequence))
    return broker


def test_stores_every_frame_and_commits_the_next_offset() -> None:
    broker = broker_with(100)
    with RunningClassifier(broker) as running:
        running.until_drained()
    assert len(running.repository.inspections) == 100
    assert broker.committed == {(TOPIC, 0): 100}
    assert running.source.closed


def test_does_not_commit_when_storing_fails() -> None:
    repository = FailingRepository()
    with RunningClassifier(broker_with(40), repository) as running:
        running.until(lambda: repository.attempts >= 6)
    assert running.source.commits == []


def test_commits_once_the_database_is_back() -> None:
    repository = FailingRepository(failures=5)
    with RunningClassifier(broker_with(40), repository) as running:
        running.until_drained()
    assert len(repository.inspections) == 40
    assert running.dead_letters.letters == []


def test_holds_and_polls_on_while_the_model_is_away() -> None:
    scorer = AbsentScorer()
    with RunningClassifier(broker_with(200), scorer=scorer) as running:
        running.until(lambda: running.source.holds == 1)
        polls = running.source.polls
        running.until(lambda: running.source.polls > polls + 1)
        assert "does not answer" in str(running.room.health.problems()["intake"])
        assert running.room.health.alive
    assert running.source.commits == []
    assert running.dead_letters.letters == []


def test_goes_on_once_the_model_is_back() -> None:
    with RunningClassifier(broker_with(50), scorer=AbsentScorer(failures=8)) as running:
        running.until_drained()
        assert running.room.health.problems() == {}
    assert len(running.repository.inspections) == 50


def test_takes_no_more_batches_than_allowed_while_nothing_is_stored() -> None:
    repository = BlockingRepository()
    settings = memory_settings(
        intake={"batch_size": 4, "batches_in_flight": 2, "poll_wait_s": 0.01, "linger_s": 0}
    )
    scorer = BrightnessScorer()
    with RunningClassifier(broker_with(100), repository, scorer, settings=settings) as running:
        running.until(lambda: running.source.holds == 1)
        assert sum(scorer.batches) <= 8
        repository.gate.set()
        running.until_drained()


def test_asks_the_model_about_several_batches_at_a_time() -> None:
    scorer = SlowScorer(0.3)
    with RunningClassifier(broker_with(96), scorer=scorer) as running:
        running.until_drained()
    assert scorer.most_running == running.settings.intake.batches_in_flight


def test_a_bug_ends_the_room_without_a_commit() -> None:
    running = RunningClassifier(broker_with(5), BrokenRepository())
    with pytest.raises(ZeroDivisionError), running:
        running.until(lambda: running.source.closed)
    assert running.source.commits == []
    assert running.source.closed


def test_a_bad_image_is_dead_lettered_and_its_neighbours_are_stored() -> None:
    broker = broker_with(10)
    bad = broker.append(TOPIC, jpeg()[:-40], key=b"cam-1")
    broker_with(10, "cam-2", broker)
    with RunningClassifier(broker) as running:
        running.until_drained()
    assert len(running.repository.inspections) == 20
    (letter,) = running.dead_letters.letters
    assert (letter.payload, letter.key, letter.reason) == (bad.value, b"cam-1", "truncated_image")
    assert (letter.origin_topic, letter.origin_offset) == (TOPIC, 10)
    assert list(running.repository.rejected) == [letter.frame_id]


def test_commits_only_after_the_dead_letters_are_delivered() -> None:
    broker = MemoryBroker()
    broker.append(TOPIC, b"no image")
    dead_letters = FailingDeadLetters(failures=3)
    with RunningClassifier(broker, dead_letters=dead_letters) as running:
        running.until(lambda: dead_letters.failures < 3)
        assert dead_letters.letters or running.source.commits == []
        running.until_drained()
    assert len(dead_letters.letters) == 1


def test_a_message_that_the_model_refuses_leaves_its_batch_alone() -> None:
    broker = broker_with(15)
    broker.append(TOPIC, frame_message(sequence=15, image=jpeg(255)))
    scorer = RefusingScorer()
    with RunningClassifier(broker, scorer=scorer) as running:
        running.until_drained()
    assert len(running.repository.inspections) == 15
    assert [letter.reason for letter in running.dead_letters.letters] == ["unsupported_image"]
    assert scorer.attempts <= 2 * 16


def test_a_commit_that_fails_is_made_up_for() -> None:
    running = RunningClassifier(broker_with(20))
    running.source.commit_failures = 1
    with running:
        running.until_drained()


def test_stopping_commits_what_is_in_flight() -> None:
    repository = BlockingRepository()
    broker = broker_with(10)
    with RunningClassifier(broker, repository) as running:
        running.until(repository.entered.is_set)
        repository.gate.set()
    assert len(repository.inspections) == broker.committed[TOPIC, 0]
    assert broker.committed[TOPIC, 0] > 0


def test_a_replay_adds_no_rows() -> None:
    broker = broker_with(64)
    repository = MemoryRepository()
    with RunningClassifier(broker, repository) as running:
        running.until_drained()
    first = dict(repository.inspections)
    broker.committed.clear()
    with RunningClassifier(broker, repository) as running:
        running.until_drained()
    assert repository.inspections == first


def test_revoked_partitions_are_finished_and_committed() -> None:
    repository = BlockingRepository()
    broker = broker_with(10)
    settings = memory_settings(intake={"poll_wait_s": 0.01, "linger_s": 0.0, "commit_interval_s": 10.0})
    with RunningClassifier(broker, repository, settings=settings) as running:
        running.until(repository.entered.is_set)
        running.source.revoke([(TOPIC, 0)])
        repository.gate.set()
        running.until(lambda: broker.committed, seconds=5)
        assert broker.committed[TOPIC, 0] == len(repository.inspections)


def test_lost_partitions_are_not_committed() -> None:
    repository = BlockingRepository()
    broker = broker_with(10)
    with RunningClassifier(broker, repository) as running:
        running.until(repository.entered.is_set)
        running.source.lose([(TOPIC, 0)])
        polls = running.source.polls
        running.until(lambda: running.source.polls > polls + 2)
        repository.gate.set()
        running.until(lambda: len(repository.inspections) > 0)
    assert broker.committed == {}


def test_partitions_that_come_back_are_read_from_the_committed_offset() -> None:
    repository = BlockingRepository()
    broker = broker_with(10)
    with RunningClassifier(broker, repository) as running:
        running.until(repository.entered.is_set)
        running.source.lose([(TOPIC, 0)])
        polls = running.source.polls
        running.until(lambda: running.source.polls > polls + 2)
        repository.gate.set()
        running.source.give_back([(TOPIC, 0)])
        running.until_drained()
    assert len(repository.inspections) == 10
