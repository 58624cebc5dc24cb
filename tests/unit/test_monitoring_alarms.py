"""When an alarm becomes a flag: at once where the cause is clear, else after some waiting."""

from typing import Final

import numpy as np
import pytest

from services.domain.monitoring import alarms
from services.domain.monitoring.alarms import raise_faults
from services.domain.monitoring.fold import Standing
from services.domain.monitoring.monitor import LineMonitor
from services.domain.monitoring.reading import CoilReading
from tests.fakes.remembered_coils import NORMAL, Past, a_failing, a_frame

LIMIT: Final = 8.0
CLEAR, LABEL = 1, 3


def standing_at(charts: dict[tuple[int, int], float]) -> Standing:
    """Return where the charts stand; what the latest coil said is not looked at."""
    frame = a_frame()
    groups, classes, watching = frame.shape
    machine, none = np.zeros((groups, classes)), np.zeros(watching)
    for place, stands in charts.items():
        machine[place] = stands
    reading: CoilReading = None  # type: ignore[assignment]  # raising faults does not read it
    return Standing(99, reading, machine, none, none, LIMIT, learning=False)


def watching(past: Past) -> LineMonitor:
    past.state.excursion_m[:] = 1.0
    return LineMonitor(a_frame(), past.state)


def two_suspects() -> Past:
    """Two groups whose rates rose alike."""
    past = a_failing(0, LABEL, 90)
    for number in range(90, 100):
        past.show(2, LABEL, number, 5 * NORMAL)
    return past


def test_a_clear_cause_is_flagged_as_soon_as_its_chart_passes_the_limit() -> None:
    machines, cameras = raise_faults(watching(a_failing(CLEAR, LABEL, 80)), standing_at({(CLEAR, LABEL): LIMIT}))
    assert [(fault.group, fault.defect_class) for fault in machines] == [(CLEAR, LABEL)]
    assert cameras == []


def test_below_the_limit_nothing_is_flagged() -> None:
    monitor = watching(a_failing(CLEAR, LABEL, 80))
    assert raise_faults(monitor, standing_at({(CLEAR, LABEL): LIMIT - 0.01})) == ([], [])


@pytest.mark.parametrize("above", [0.0, 3.9])
def test_an_unclear_cause_waits_for_the_next_coil(above: float) -> None:
    monitor = watching(two_suspects())
    assert raise_faults(monitor, standing_at({(0, LABEL): LIMIT + above, (2, LABEL): LIMIT})) == ([], [])
    assert monitor.faults == []
    assert monitor.state.excursion_m.all()


def test_who_has_waited_long_enough_is_flagged_with_what_is_known() -> None:
    stands = LIMIT + alarms.PATIENCE_NATS
    machines, _ = raise_faults(watching(two_suspects()), standing_at({(0, LABEL): stands, (2, LABEL): LIMIT}))
    assert len(machines) == 1
    assert machines[0].group in (0, 2)
    assert 0.3 < machines[0].posterior["m1"] < 0.7


def test_a_camera_whose_chart_is_high_enough_is_waited_for_no_longer() -> None:
    past = two_suspects()
    monitor = watching(past)
    assert raise_faults(monitor, standing_at({(0, LABEL): LIMIT})) == ([], [])
    past.state.camera_chart[2] = LIMIT + alarms.PATIENCE_NATS
    machines, cameras = raise_faults(monitor, standing_at({(0, LABEL): LIMIT}))
    assert machines or cameras
