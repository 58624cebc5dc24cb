"""The room captures whatever the broker does, tells how it is doing, and stops in order."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from typing_extensions import override

from services.adapters.spool.frame_spool import FrameSpool
from services.adapters.spool.inflow import SpoolLimits
from services.camera.app import CameraRoom, Station
from services.camera.capture import CaptureLimits
from services.camera.ports import ImageSource, OnFate
from services.contracts.capture import CameraIdentity, CapturedImage, RefusedImage, SpoolPolicy
from services.contracts.messages import Frame
from services.runtime.clock import utc_now
from services.runtime.metrics import FRAMES_REFUSED
from tests.fakes.frame_sink import RecordingStatusSink, ScriptedFrameSink
from tests.fakes.image_source import BrokenSource, ListedSource, captured_image


@pytest.fixture(autouse=True)
def short_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.camera.app.DRAIN_S", 0.2)


def station(
    directory: Path,
    source: ImageSource,
    sink: ScriptedFrameSink,
    camera_id: str = "cam-1",
    max_bytes: int = 64 << 20,
) -> Station:
    limits = SpoolLimits(max_bytes, 0, SpoolPolicy.BLOCK)
    spool = FrameSpool(directory / camera_id, CameraIdentity(camera_id, None, "steel_strip"), limits)
    return Station(camera_id, source, spool, sink, CaptureLimits(max_image_bytes=1 << 20))


def room(
    stations: Sequence[Station], stop: threading.Event | None = None
) -> tuple[CameraRoom, RecordingStatusSink]:
    statuses = RecordingStatusSink()
    return CameraRoom(stations, statuses, utc_now, stop or threading.Event(), lambda: None), statuses


def images(count: int) -> list[CapturedImage]:
    return [captured_image(number) for number in range(count)]


def test_a_finished_source_ends_the_room_when_all_is_delivered(tmp_path: Path) -> None:
    sink = ScriptedFrameSink(deliver_all=True)
    opened, statuses = room([station(tmp_path, ListedSource(images(20)), sink)])
    opened.run()
    assert [frame.sequence for frame in sink.delivered] == list(range(1, 21))
    last = statuses.published[-1]
    assert (last.captured_total, last.published_total, last.dropped_total) == (20, 20, 0)
    assert last.state == "stopped"
    assert statuses.closed


def test_capture_goes_on_while_the_broker_takes_nothing(tmp_path: Path) -> None:
    stop = threading.Event()
    sink = ScriptedFrameSink()
    opened, statuses = room([station(tmp_path, ListedSource(images(300), stop), sink)], stop)
    thread = threading.Thread(target=opened.run)
    thread.start()
    time.sleep(2.3)
    stop.set()
    thread.join(10.0)
    last = statuses.published[-1]
    assert (last.captured_total, last.published_total, last.spooled_frames) == (300, 0, 300)


def test_a_restarted_room_sends_what_the_last_one_left(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    first, _ = room([station(tmp_path, ListedSource(images(5)), ScriptedFrameSink())], stop)
    first.run()
    sink = ScriptedFrameSink(deliver_all=True)
    second, _ = room([station(tmp_path, ListedSource([]), sink)])
    second.run()
    assert [frame.sequence for frame in sink.delivered] == [1, 2, 3, 4, 5]


def test_an_image_above_the_limit_is_refused_and_counted_and_the_next_one_taken(tmp_path: Path) -> None:
    counter = FRAMES_REFUSED.labels("cam-big", "too_large")
    before = counter._value.get()
    sink = ScriptedFrameSink(deliver_all=True)
    frames = [captured_image(1, size=(1 << 20) + 4), captured_image(2)]
    opened, statuses = room([station(tmp_path, ListedSource(frames), sink, "cam-big")])
    opened.run()
    assert counter._value.get() == before + 1
    assert [frame.sequence for frame in sink.delivered] == [1]
    assert statuses.published[-1].captured_total == 1


def test_a_refused_image_is_counted_by_reason(tmp_path: Path) -> None:
    counter = FRAMES_REFUSED.labels("cam-refusing", "unreadable")
    before = counter._value.get()
    source = ListedSource([RefusedImage("unreadable", "x.jpg: no such file")])
    opened, _ = room([station(tmp_path, source, ScriptedFrameSink(), "cam-refusing")])
    opened.run()
    assert counter._value.get() == before + 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_a_source_ends_the_room_with_that_error(tmp_path: Path) -> None:
    opened, _ = room([station(tmp_path, BrokenSource(), ScriptedFrameSink())])
    with pytest.raises(ZeroDivisionError, match="a bug in a source"):
        opened.run()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_the_way_out_ends_the_room_though_frames_still_come(tmp_path: Path) -> None:
    class BrokenSink(ScriptedFrameSink):
        @override
        def publish(self, frame: Frame, on_fate: OnFate) -> None:
            raise ZeroDivisionError("a bug in a sink")

    stop = threading.Event()
    opened, _ = room([station(tmp_path, ListedSource(images(3), stop), BrokenSink())], stop)
    rescue = threading.Timer(10.0, stop.set)
    rescue.start()
    started_s = time.monotonic()
    with pytest.raises(ZeroDivisionError, match="a bug in a sink"):
        opened.run()
    rescue.cancel()
    assert time.monotonic() - started_s < 8.0


def test_a_full_spool_is_told_in_the_status_and_the_drops_are_exact(tmp_path: Path) -> None:
    sink = ScriptedFrameSink()
    full = station(tmp_path, ListedSource(images(200)), sink, max_bytes=1 << 20)
    stop = threading.Event()
    opened, statuses = room([full], stop)
    threading.Timer(0.5, stop.set).start()
    opened.run()
    last = statuses.published[-1]
    assert last.dropped_total == 200 - last.spooled_frames > 50
    assert last.state == "failed"
    assert "full" in (last.reason or "")


def test_a_broker_that_is_away_is_told_with_what_waits(tmp_path: Path) -> None:
    sink = ScriptedFrameSink()
    sink.problem = "the broker at b:9092 does not answer"
    opened, _ = room([waiting := station(tmp_path, ListedSource(images(3)), sink)])
    for frame in images(3):
        waiting.spool.append(frame)
    assert opened.problems() == "cam-1: 3 frames wait on disk: the broker at b:9092 does not answer"


def test_a_source_that_delivers_nothing_is_told(tmp_path: Path) -> None:
    stop = threading.Event()
    source = ListedSource([], stop)
    source.problem = "camera usb:0 cannot be opened"
    silent = station(tmp_path, source, ScriptedFrameSink())
    silent.capture.start()
    status = silent.report(utc_now)
    stop.set()
    assert (status.state, status.reason) == ("failed", "camera usb:0 cannot be opened")


def test_one_failing_camera_does_not_hold_up_the_others(tmp_path: Path) -> None:
    stuck, well = ScriptedFrameSink(), ScriptedFrameSink(deliver_all=True)
    stop = threading.Event()
    opened, _ = room(
        [
            station(tmp_path, ListedSource(images(5)), stuck, "cam-1"),
            station(tmp_path, ListedSource(images(5)), well, "cam-2"),
        ],
        stop,
    )
    threading.Timer(0.5, stop.set).start()
    opened.run()
    assert len(well.delivered) == 5
    assert stuck.delivered == []
