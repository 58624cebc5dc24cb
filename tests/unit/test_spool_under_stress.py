"""Capture and courier at the same time, with failures at random: every frame has exactly one fate."""

import random
import threading
from pathlib import Path

import pytest

from services.adapters.spool.frame_spool import FrameSpool
from services.adapters.spool.inflow import SpoolLimits
from services.contracts.capture import CameraIdentity, SpoolPolicy
from services.contracts.messages import Frame
from tests.fakes.image_source import captured_image

FRAMES = 1500


class FailingCourier:
    """Takes and releases at random, and loses the fate of a part of what it took."""

    def __init__(self, spool: FrameSpool, chance: random.Random) -> None:
        self.released: list[int] = []
        self.capture_ended = threading.Event()
        self._spool = spool
        self._chance = chance

    def run(self) -> None:
        while not (self.capture_ended.is_set() and self._spool.status().waiting == 0):
            self._spool.sync()
            taken = self._take(self._chance.randint(1, 20))
            if self._chance.random() < 0.3:
                self._release([frame for frame in taken if self._chance.random() < 0.5])
                self._spool.rewind()
            else:
                self._release(taken)

    def _take(self, wanted: int) -> list[Frame]:
        return [frame for _ in range(wanted) if (frame := self._spool.take()) is not None]

    def _release(self, frames: list[Frame]) -> None:
        for frame in frames:
            if self._spool.release([frame.frame_id]):
                assert frame.sequence is not None
                self.released.append(frame.sequence)


@pytest.mark.parametrize("policy", list(SpoolPolicy))
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_frame_is_released_once_or_counted_as_dropped(
    tmp_path: Path, policy: SpoolPolicy, seed: int
) -> None:
    limits = SpoolLimits(512 << 10, 0, policy)
    spool = FrameSpool(tmp_path / "cam-1", CameraIdentity("cam-1", None, "steel_strip"), limits)
    courier = FailingCourier(spool, random.Random(seed))
    thread = threading.Thread(target=courier.run)
    thread.start()
    pace = random.Random(-seed)
    for number in range(FRAMES):
        spool.append(captured_image(number, size=pace.choice([4_000, 20_000, 60_000])))
        if pace.random() < 0.1:
            threading.Event().wait(0.003)
    courier.capture_ended.set()
    thread.join(60.0)
    assert not thread.is_alive()
    status = spool.status()
    assert len(courier.released) == len(set(courier.released)) == status.published
    assert status.published + status.dropped == status.captured == FRAMES
    assert status.dropped > 0
    spool.close()
