"""The courier keeps order, releases only what is acknowledged, and sends the rest again under the same ids."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.adapters.spool.frame_spool import FrameSpool
from services.adapters.spool.inflow import SpoolLimits
from services.camera.courier import Courier, InFlightLimits
from services.contracts.capture import CameraIdentity, SpoolPolicy
from tests.fakes.frame_sink import ScriptedFrameSink
from tests.fakes.image_source import captured_image


@pytest.fixture
def spool(tmp_path: Path) -> FrameSpool:
    limits = SpoolLimits(64 << 20, 0, SpoolPolicy.BLOCK)
    opened = FrameSpool(tmp_path / "cam-1", CameraIdentity("cam-1", None, "steel_strip"), limits)
    for number in range(6):
        opened.append(captured_image(number))
    return opened


def delivered(sink: ScriptedFrameSink) -> list[int | None]:
    return [frame.sequence for frame in sink.delivered]


def queued(sink: ScriptedFrameSink) -> list[int | None]:
    return [frame.sequence for frame, _ in sink.queued]


def step_until_queued(courier: Courier, sink: ScriptedFrameSink) -> None:
    """The courier backs off for up to 0.2 s before it sends again."""
    for _ in range(40):
        courier.step()
        if sink.queued:
            return
        threading.Event().wait(0.02)
    raise AssertionError("nothing was sent again")


def test_frames_leave_in_order_and_are_released_when_acknowledged(spool: FrameSpool) -> None:
    sink = ScriptedFrameSink(deliver_all=True)
    courier = Courier("cam-1", spool, sink)
    courier.step()
    assert delivered(sink) == [1, 2, 3, 4, 5, 6]
    assert (spool.status().waiting, spool.status().published) == (0, 6)


def test_nothing_is_released_before_its_acknowledgement(spool: FrameSpool) -> None:
    sink = ScriptedFrameSink()
    Courier("cam-1", spool, sink).step()
    assert queued(sink) == [1, 2, 3, 4, 5, 6]
    assert spool.status().waiting == 6


def no_delay(*_: object) -> Iterator[float]:
    while True:
        yield 0.0


def test_after_a_failure_nothing_overtakes_and_all_unacknowledged_go_again_in_order(
    spool: FrameSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.camera.courier.backoff_delays_s", no_delay)
    sink = ScriptedFrameSink()
    courier = Courier("cam-1", spool, sink)
    courier.step()
    ids = [frame.frame_id for frame, _ in sink.queued]
    sink.deliver(2)
    sink.fail(2)
    spool.append(captured_image(6))
    courier.step()
    courier.step()
    assert queued(sink) == [5, 6]  # their fate is unknown still: nothing new is handed over
    sink.fail(2, lost_acknowledgement=True)
    step_until_queued(courier, sink)
    assert queued(sink) == [3, 4, 5, 6, 7]
    assert [frame.frame_id for frame, _ in sink.queued][:4] == ids[2:]


def test_a_full_client_leaves_frames_in_the_spool(spool: FrameSpool) -> None:
    sink = ScriptedFrameSink(capacity=2)
    courier = Courier("cam-1", spool, sink)
    courier.step()
    assert queued(sink) == [1, 2]
    assert courier.problem == "the producer's queue is full"
    sink.deliver(2)
    step_until_queued(courier, sink)
    assert queued(sink) == [3, 4]


def test_what_the_client_holds_is_bounded(spool: FrameSpool) -> None:
    sink = ScriptedFrameSink()
    Courier("cam-1", spool, sink, InFlightLimits(max_bytes=25_000)).step()
    assert queued(sink) == [1, 2, 3]  # 10 KB each: the third crosses the limit
    sink = ScriptedFrameSink()
    spool.rewind()
    Courier("cam-1", spool, sink, InFlightLimits(max_frames=2)).step()
    assert queued(sink) == [1, 2]


def test_the_problem_is_told_and_cleared(spool: FrameSpool) -> None:
    sink = ScriptedFrameSink()
    courier = Courier("cam-1", spool, sink)
    courier.step()
    sink.fail(6)
    assert courier.problem == "timed out"
    step_until_queued(courier, sink)
    sink.deliver(6)
    courier.step()
    assert courier.problem is None


def test_stopping_leaves_on_disk_what_is_not_acknowledged(spool: FrameSpool) -> None:
    sink = ScriptedFrameSink()
    courier = Courier("cam-1", spool, sink)
    courier.start()
    courier.stop(drain_s=0.2)
    courier.join(5.0)
    assert sink.closed
    assert courier.failure is None
    assert spool.status().waiting == 6


def test_stopping_drains_what_a_working_broker_takes(spool: FrameSpool) -> None:
    sink = ScriptedFrameSink(deliver_all=True)
    courier = Courier("cam-1", spool, sink)
    courier.stop(drain_s=5.0)
    courier.start()
    courier.join(5.0)
    assert delivered(sink) == [1, 2, 3, 4, 5, 6]


def test_a_disk_that_does_not_flush_holds_frames_back(spool: FrameSpool, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: FrameSpool) -> None:
        raise OSError(5, "Input/output error")

    sink = ScriptedFrameSink(deliver_all=True)
    courier = Courier("cam-1", spool, sink)
    with monkeypatch.context() as patched:
        patched.setattr(FrameSpool, "sync", broken)
        courier.step()
    assert courier.problem == "the disk of the spool does not flush: Input/output error"
    assert delivered(sink) == []
