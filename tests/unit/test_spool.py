"""The spool keeps every frame until it is released, counts what it drops, and survives what disks do."""

import errno
import os
import resource
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.adapters.spool.frame_spool import FrameSpool
from services.adapters.spool.inflow import SpoolLimits
from services.contracts.capture import CameraIdentity, CapturedImage, SpoolPolicy
from services.contracts.errors import ConfigurationError
from services.contracts.identity import frame_id_for_spooled
from services.contracts.messages import Frame, ImageEncoding

IDENTITY = CameraIdentity("cam-1", "strip-1", "steel_strip")
START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
KIB = 1024


def image(number: int, size: int = 10 * KIB, at: datetime = START) -> CapturedImage:
    body = number.to_bytes(4, "big") * (size // 4)
    return CapturedImage(body, ImageEncoding.JPEG, at, 224, 200, 12.5, "coil-7")


def spool(
    directory: Path,
    max_bytes: int = 64 << 20,
    policy: SpoolPolicy = SpoolPolicy.BLOCK,
    min_free_bytes: int = 0,
) -> FrameSpool:
    return FrameSpool(directory / "cam-1", IDENTITY, SpoolLimits(max_bytes, min_free_bytes, policy))


def take_all(opened: FrameSpool) -> list[Frame]:
    opened.sync()
    frames = []
    while (frame := opened.take()) is not None:
        frames.append(frame)
    return frames


def sequences(frames: list[Frame]) -> list[int | None]:
    return [frame.sequence for frame in frames]


def assert_books_balance(opened: FrameSpool) -> None:
    """What the books say waits is what can be taken, and every captured frame has one fate."""
    status = opened.status()
    opened.rewind()
    assert len(take_all(opened)) == status.waiting
    assert status.captured == status.published + status.dropped + status.waiting
    assert min(status.published, status.dropped, status.waiting) >= 0


def test_a_frame_comes_out_as_it_went_in(tmp_path: Path) -> None:
    opened = spool(tmp_path)
    opened.append(image(3))
    (frame,) = take_all(opened)
    session_id = opened.status().session_id
    assert frame.image == image(3).image
    assert frame.frame_id == frame_id_for_spooled("cam-1", session_id, 1)
    assert (frame.camera_id, frame.line_id, frame.coil_id) == ("cam-1", "strip-1", "coil-7")
    assert (frame.captured_at, frame.strip_position_m, frame.sequence) == (START, 12.5, 1)
    assert (frame.width_px, frame.height_px, frame.encoding) == (224, 200, ImageEncoding.JPEG)


def test_nothing_is_taken_before_it_is_durable(tmp_path: Path) -> None:
    opened = spool(tmp_path)
    opened.append(image(1))
    assert opened.take() is None
    opened.sync()
    assert opened.take() is not None


def test_released_frames_are_gone_after_a_restart_and_the_rest_keeps_its_ids(tmp_path: Path) -> None:
    opened = spool(tmp_path)
    for number in range(5):
        opened.append(image(number))
    before = take_all(opened)
    assert opened.release([frame.frame_id for frame in before[:2]]) == 2
    opened.close()
    again = take_all(spool(tmp_path))
    assert [frame.frame_id for frame in again] == [frame.frame_id for frame in before[2:]]


def test_a_frame_acknowledged_out_of_order_is_not_taken_again(tmp_path: Path) -> None:
    opened = spool(tmp_path)
    for number in range(4):
        opened.append(image(number))
    frames = take_all(opened)
    opened.release([frames[2].frame_id])
    opened.rewind()
    assert sequences(take_all(opened)) == [1, 2, 4]
    assert_books_balance(opened)


def test_a_late_report_for_a_rewound_frame_counts_nothing(tmp_path: Path) -> None:
    opened = spool(tmp_path)
    opened.append(image(1))
    (frame,) = take_all(opened)
    opened.rewind()
    assert opened.release([frame.frame_id]) == 0
    assert opened.status().waiting == 1


def test_the_sequence_goes_on_when_the_spool_was_empty(tmp_path: Path) -> None:
    sessions = set()
    for expected in (1, 2, 3):
        opened = spool(tmp_path)
        opened.append(image(expected))
        (frame,) = take_all(opened)
        assert frame.sequence == expected
        sessions.add(frame.session_id)
        opened.release([frame.frame_id])
        opened.close()
        spool(tmp_path).close()  # this start finds nothing that waits and removes the last segment
        assert not list((tmp_path / "cam-1").glob("*.segment"))
    assert sessions == {spool(tmp_path).status().session_id}


def test_block_refuses_what_finds_the_spool_full_and_counts_each(tmp_path: Path) -> None:
    opened = spool(tmp_path, max_bytes=256 * KIB)
    accepted = [opened.append(image(number)) for number in range(60)]
    status = opened.status()
    assert accepted == [True] * sum(accepted) + [False] * (60 - sum(accepted))
    assert status.waiting == sum(accepted) > 20
    assert status.dropped == 60 - sum(accepted)
    assert "full" in (status.problem or "")
    assert_books_balance(opened)


def test_block_takes_frames_again_when_there_is_room(tmp_path: Path) -> None:
    opened = spool(tmp_path, max_bytes=256 * KIB)
    while opened.append(image(0)):
        pass
    opened.release([frame.frame_id for frame in take_all(opened)])
    opened.sync()
    assert opened.append(image(1))
    assert opened.status().problem is None
    (frame,) = take_all(opened)
    assert frame.sequence == opened.status().captured  # the refused frame left a hole, not a repeat


def test_drop_oldest_keeps_the_newest_and_counts_exactly(tmp_path: Path) -> None:
    opened = spool(tmp_path, max_bytes=256 * KIB, policy=SpoolPolicy.DROP_OLDEST)
    for number in range(100):
        assert opened.append(image(number))
        opened.sync()
    status = opened.status()
    frames = take_all(opened)
    assert sequences(frames) == list(range(status.dropped + 1, 101))
    assert len(frames) == status.waiting < 30
    assert_books_balance(opened)


def test_drop_oldest_leaves_frames_alone_that_are_under_way(tmp_path: Path) -> None:
    opened = spool(tmp_path, max_bytes=256 * KIB, policy=SpoolPolicy.DROP_OLDEST)
    for number in range(10):
        opened.append(image(number))
    under_way = take_all(opened)
    for number in range(60):
        opened.append(image(number))
        opened.sync()
    assert opened.release([frame.frame_id for frame in under_way]) == 10
    assert opened.status().published == 10
    assert_books_balance(opened)


def test_drops_survive_a_restart(tmp_path: Path) -> None:
    opened = spool(tmp_path, max_bytes=256 * KIB, policy=SpoolPolicy.DROP_OLDEST)
    for number in range(60):
        opened.append(image(number))
        opened.sync()
    before = opened.status()
    opened.close()
    after = spool(tmp_path, max_bytes=256 * KIB).status()
    assert (after.dropped, after.waiting, after.captured) == (before.dropped, before.waiting, 60)


def test_the_free_space_of_the_disk_is_left_alone(tmp_path: Path) -> None:
    opened = spool(tmp_path, min_free_bytes=1 << 60)
    assert not opened.append(image(1))
    assert "free" in (opened.status().problem or "")


def test_a_disk_that_fills_within_a_record_leaves_whole_records(tmp_path: Path) -> None:
    opened = spool(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    old_handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (105 * KIB, limits[1]))
        accepted = [opened.append(image(number)) for number in range(12)]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, old_handler)
    assert 5 < sum(accepted) < 12
    assert os.strerror(errno.EFBIG) in (opened.status().problem or "")
    assert opened.append(image(99, size=1 * KIB))
    assert_books_balance(opened)
    opened.close()
    reopened = spool(tmp_path)
    assert len(take_all(reopened)) == sum(accepted) + 1
    assert_books_balance(reopened)
    assert not (tmp_path / "cam-1" / "damaged").exists()


def newest_segment(directory: Path) -> Path:
    return max((directory / "cam-1").glob("*.segment"))


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 100)


def _flip_in_last_image(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-50] ^= 0xFF
    path.write_bytes(data)


def _flip_in_a_prefix(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.rindex(b"MSR1") + 5] ^= 0xFF
    path.write_bytes(data)


def _destroy_header(path: Path) -> None:
    path.write_bytes(b"\0" * path.stat().st_size)


@pytest.mark.parametrize(
    ("damage", "lost"),
    [
        pytest.param(_cut, 1, id="truncated file"),
        pytest.param(_flip_in_last_image, 1, id="bad checksum of an image"),
        pytest.param(_flip_in_a_prefix, 1, id="bad checksum of a prefix"),
        pytest.param(_destroy_header, 4, id="no header"),
        pytest.param(Path.unlink, 4, id="file gone"),
    ],
)
def test_damage_is_set_aside_and_counted_and_the_rest_is_sent(
    tmp_path: Path, damage: Callable[[Path], None], lost: int
) -> None:
    opened = spool(tmp_path)
    for number in range(4):
        opened.append(image(number))
    opened.close()
    damage(newest_segment(tmp_path))
    reopened = spool(tmp_path)
    assert len(take_all(reopened)) == 4 - lost
    assert reopened.status().dropped == lost
    assert_books_balance(reopened)
    assert damage is Path.unlink or any((tmp_path / "cam-1" / "damaged").iterdir())


def test_after_lost_frames_a_new_session_begins_so_that_no_id_repeats(tmp_path: Path) -> None:
    opened = spool(tmp_path)
    opened.append(image(1))
    old_session = opened.status().session_id
    opened.close()
    _cut(newest_segment(tmp_path))
    reopened = spool(tmp_path)
    assert reopened.status().session_id != old_session
    reopened.close()
    assert spool(tmp_path).status().session_id == reopened.status().session_id


def test_a_torn_write_that_was_never_booked_is_cut_off_within_the_session(tmp_path: Path) -> None:
    opened = spool(tmp_path)
    opened.append(image(1))
    session_id = opened.status().session_id
    opened.close()
    with newest_segment(tmp_path).open("ab") as file:
        file.write(b"MSR1 half a record")
    reopened = spool(tmp_path)
    assert (reopened.status().session_id, reopened.status().dropped) == (session_id, 0)
    reopened.append(image(2))
    assert sequences(take_all(reopened)) == [1, 2]


def test_damage_met_while_running_is_passed_over(tmp_path: Path) -> None:
    opened = spool(tmp_path)
    for number in range(4):
        opened.append(image(number))
    data = bytearray(newest_segment(tmp_path).read_bytes())
    data[data.index(b"MSR1", 5000) + 5] ^= 0xFF  # the prefix of the second frame: the rest of the file is lost
    newest_segment(tmp_path).write_bytes(data)
    assert sequences(take_all(opened)) == [1]
    opened.append(image(5))
    assert sequences(take_all(opened)) == [5]
    assert opened.status().dropped == 3
    assert_books_balance(opened)


def test_a_damaged_ledger_begins_a_new_session_and_sends_what_waits(tmp_path: Path) -> None:
    opened = spool(tmp_path)
    opened.append(image(1))
    old_session = opened.status().session_id
    opened.close()
    ledger = tmp_path / "cam-1" / "ledger"
    ledger.write_bytes(b"\xff" * 1024)
    reopened = spool(tmp_path)
    assert reopened.status().session_id != old_session
    assert [frame.session_id for frame in take_all(reopened)] == [old_session]
    assert_books_balance(reopened)


def test_one_torn_slot_of_the_ledger_costs_nothing(tmp_path: Path) -> None:
    opened = spool(tmp_path)
    for number in range(3):
        opened.append(image(number))
    session_id = opened.status().session_id
    opened.close()
    for slot in (0, 1):
        ledger = tmp_path / "cam-1" / "ledger"
        intact = ledger.read_bytes()
        ledger.write_bytes(intact[: slot * 512 + 30] + b"\0" * 20 + intact[slot * 512 + 50 :])
        reopened = spool(tmp_path)
        assert reopened.status().session_id == session_id
        assert reopened.status().waiting == 3
        assert_books_balance(reopened)
        reopened.close()


def test_two_processes_cannot_share_a_spool(tmp_path: Path) -> None:
    opened = spool(tmp_path)
    with pytest.raises(ConfigurationError, match="in use by another process"):
        spool(tmp_path)
    opened.close()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "cam-1").write_text("a file stands where the directory should be")
    with pytest.raises(ConfigurationError, match="cam-1 cannot be written"):
        spool(tmp_path)


def test_a_clock_that_steps_back_changes_neither_order_nor_identity(tmp_path: Path) -> None:
    opened = spool(tmp_path)
    for number, at in enumerate((START, START - timedelta(hours=1), START - timedelta(days=1))):
        opened.append(image(number, at=at))
    frames = take_all(opened)
    assert sequences(frames) == [1, 2, 3]
    assert len({frame.frame_id for frame in frames}) == 3


def test_spent_segments_leave_the_disk(tmp_path: Path) -> None:
    opened = spool(tmp_path, max_bytes=1 << 20)
    for number in range(40):
        opened.append(image(number))
        opened.release([frame.frame_id for frame in take_all(opened)])
    opened.sync()
    assert len(list((tmp_path / "cam-1").glob("*.segment"))) == 1
    assert opened.status().waiting_bytes == 0


def test_the_oldest_waiting_frame_is_known(tmp_path: Path) -> None:
    opened = spool(tmp_path)
    assert opened.status().oldest_waiting_at is None
    for number in range(3):
        opened.append(image(number, at=START + timedelta(seconds=number)))
    assert opened.status().oldest_waiting_at == START
    first, *_ = take_all(opened)
    opened.release([first.frame_id])
    assert opened.status().oldest_waiting_at == START + timedelta(seconds=1)
