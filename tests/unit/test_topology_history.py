"""Dated versions of a line, how much the strip stretches between stations, and the slip to expect of a roll."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.domain.topology import CameraStation, Line, Machine, Roll, Topology

SPRING = datetime(2026, 3, 1, 6, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, 6, tzinfo=UTC)


def line(line_id: str = "l", valid_from: datetime | None = None, diameter_mm: float = 500.0) -> Line:
    machine = Machine(f"{line_id}-mill", "Mill", "skin_pass_mill", 10.0, (Roll("top", diameter_mm),))
    station = CameraStation(f"{line_id}-cam", line_id, machine.id, 20.0)
    return Line(line_id, "Line", 3.0, (machine,), (station,), valid_from)


OLDEST, GROUND, GROUND_AGAIN = line(), line("l", SPRING, 498.0), line("l", SUMMER, 495.0)
OTHER = line("k")
TOPOLOGY = Topology.of([GROUND, OTHER, GROUND_AGAIN, OLDEST])


def test_the_newest_version_of_every_line_counts_in_order_of_mention() -> None:
    assert TOPOLOGY.lines == (GROUND_AGAIN, OTHER)
    assert [camera.camera_id for camera in TOPOLOGY.cameras] == ["l-cam", "k-cam"]


def test_history_is_told_oldest_first_with_the_span_of_each_version() -> None:
    told = [(each.line, each.valid_from, each.valid_until) for each in TOPOLOGY.history("l")]
    assert told == [(OLDEST, None, SPRING), (GROUND, SPRING, SUMMER), (GROUND_AGAIN, SUMMER, None)]


@pytest.mark.parametrize(
    ("moment", "version"),
    [
        pytest.param(SPRING - timedelta(seconds=1), OLDEST, id="just_before_the_first_grinding"),
        pytest.param(SPRING, GROUND, id="at_the_very_moment"),
        pytest.param(SUMMER - timedelta(seconds=1), GROUND, id="just_before_the_second"),
        pytest.param(SUMMER + timedelta(days=900), GROUND_AGAIN, id="long_after"),
        pytest.param(
            datetime(2026, 3, 1, 6, 30, tzinfo=timezone(timedelta(hours=1))), OLDEST, id="other_time_zone"
        ),
    ],
)
def test_a_moment_finds_the_line_as_it_stood_then(moment: datetime, version: Line) -> None:
    assert TOPOLOGY.line_at("l", moment) is version


def test_before_the_first_date_the_oldest_version_is_taken() -> None:
    assert Topology.of([GROUND_AGAIN, GROUND]).line_at("l", SPRING - timedelta(days=1)) is GROUND


def test_a_line_without_history_is_the_same_at_all_times() -> None:
    topology = Topology((OTHER,))
    assert topology.line_at("k", SPRING) is OTHER
    assert [(each.valid_from, each.valid_until) for each in topology.history("k")] == [(None, None)]


def test_a_moment_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        TOPOLOGY.line_at("l", SPRING.replace(tzinfo=None))


def test_an_unknown_line_has_no_history() -> None:
    with pytest.raises(KeyError, match="no line 'x'"):
        TOPOLOGY.line_at("x", SPRING)


MACHINES = (
    Machine("entry", "Entry", "uncoiler", 0.0),
    Machine("stand-1", "Stand 1", "tandem_mill", 10.0, elongation=0.25),
    Machine("stand-2", "Stand 2", "tandem_mill", 20.0, elongation=0.20),
    Machine("leveller", "Leveller", "tension_leveller", 30.0, elongation=0.01),
)
STATIONS = tuple(
    CameraStation(name, "m", machine, position_m)
    for name, machine, position_m in (
        ("a", "entry", 5.0),
        ("b", "stand-1", 10.0),
        ("c", "stand-2", 25.0),
        ("d", "leveller", 35.0),
    )
)
MILL = Line("m", "Mill", 3.0, MACHINES, STATIONS)


@pytest.mark.parametrize(
    ("first", "second", "factor"),
    [
        pytest.param("a", "a", 1.0, id="same_camera"),
        pytest.param("a", "b", 1.25, id="a_camera_at_the_machine_stands_behind_it"),
        pytest.param("a", "c", 1.25 * 1.20, id="two_machines_multiply"),
        pytest.param("b", "d", 1.20 * 1.01, id="machines_upstream_of_both_do_not_count"),
        pytest.param("c", "a", 1 / (1.25 * 1.20), id="against_the_strip_it_is_the_inverse"),
    ],
)
def test_the_strip_stretches_by_the_machines_between_two_cameras(first: str, second: str, factor: float) -> None:
    assert MILL.stretch_between(first, second) == pytest.approx(factor, rel=1e-12)


def test_a_rolls_own_elongation_is_done_when_its_mark_is_made() -> None:
    assert MILL.stretch_after("stand-1", "b") == pytest.approx(1.0)
    assert MILL.stretch_after("stand-1", "d") == pytest.approx(1.20 * 1.01)


@pytest.mark.parametrize(
    "ask", [lambda: MILL.stretch_between("a", "x"), lambda: MILL.stretch_after("stand-1", "x")]
)
def test_an_unknown_camera_is_named(ask: object) -> None:
    assert callable(ask)
    with pytest.raises(KeyError, match="line 'm' has no camera 'x'"):
        ask()


def test_an_unknown_machine_is_named() -> None:
    with pytest.raises(KeyError, match="line 'm' has no machine 'x'"):
        MILL.stretch_after("x", "a")


@pytest.mark.parametrize(
    ("roll", "kind", "expected", "lowest", "highest"),
    [
        pytest.param(Roll("r", 500.0), "tandem_mill", 0.03, -0.005, 0.06, id="unknown_at_a_mill"),
        pytest.param(Roll("r", 500.0), "bridle", 0.0, -0.005, 0.06, id="unknown_elsewhere"),
        pytest.param(Roll("r", 500.0, 0.04), "tandem_mill", 0.04, 0.02, 0.06, id="measured"),
        pytest.param(Roll("r", 500.0, 0.0, 0.01), "skin_pass_mill", 0.0, -0.01, 0.01, id="measured_as_zero"),
    ],
)
def test_the_slip_to_expect_of_a_roll(
    roll: Roll, kind: str, expected: float, lowest: float, highest: float
) -> None:
    assert Machine("m", "M", kind, 1.0, (roll,)).slip_expected(roll) == expected
    assert roll.slip_range == pytest.approx((lowest, highest))
