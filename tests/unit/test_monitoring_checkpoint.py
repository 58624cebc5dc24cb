"""A monitor that was stopped and goes on from its kept state does what one that never stopped does."""

import io
import json
import zipfile
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest

from services.contracts import monitor_checkpoint
from services.contracts.errors import ConfigurationError
from services.contracts.monitor_checkpoint import pack_checkpoint, unpack_checkpoint
from services.domain.monitoring.analysis import LineAnalysis
from services.domain.monitoring.facts import Flag
from services.domain.monitoring.landmark_events import WeldBook
from services.domain.monitoring.repairs import RepairWatch
from services.domain.simulation.faults import CameraFault, CameraFaultKind, Fault
from services.domain.simulation.scenario import Scenario
from services.domain.topology import CameraStation, MonitoringPlan
from tests.fakes.simulated_coils import coils_of, fresh_analysis, rows_of, scenario_named, watch

SEED = 900_100
COILS = 40


def eventful() -> Scenario:
    """Learning until coil 10, a machine's fault at 14, a dirty lens at 18, a camera that invents at 24."""
    scenario = scenario_named("baseline")
    line = replace(scenario.line, monitoring=MonitoringPlan(learning_coils=10, arl0_coils=50.0))
    return replace(
        scenario,
        line=line,
        strip=replace(scenario.strip, coils=COILS),
        faults=(Fault("m2", "class_4", factor=20.0, onset_coil=14, until_coil=24),),
        camera_faults=(
            CameraFault("cam-5", CameraFaultKind.DIRTY_LENS, 18, defect_class="class_1"),
            CameraFault("cam-3", CameraFaultKind.FALSE_POSITIVES, 24, factor=60.0),
        ),
    )


def everything_of(analysis: LineAnalysis) -> tuple[object, ...]:
    """All that an analysis remembers, comparable."""
    monitor = analysis.monitor
    state = {
        name: value.tobytes() if isinstance(value, np.ndarray) else value
        for name, value in monitor.state.as_values().items()
    }
    return (
        state,
        list(monitor.log),
        monitor.faults,
        monitor.camera_faults,
        monitor.sharpness.tobytes(),
        analysis.welds,
        analysis.repairs,
        analysis.maintained_until,
        analysis.judged,
    )


@dataclass(frozen=True)
class After:
    """What there was after a coil: the kept state, the flags, the charts."""

    kept: bytes
    flags: tuple[Flag, ...]
    charts: bytes


@pytest.fixture(scope="module")
def unstopped() -> list[After]:
    """A run that is never stopped, after each of its coils."""
    analysis = fresh_analysis(eventful())
    after = []
    for name, rows in coils_of(rows_of(eventful(), SEED, COILS)):
        report = analysis.take(name, rows)
        after.append(After(pack_checkpoint(analysis), report.flags, report.outcome.standing.charts.tobytes()))
    return after


@pytest.mark.parametrize("stop_after", [0, 9, 10, 17, 25, 38])
def test_a_restored_monitor_goes_on_to_the_same_flags_charts_and_state(
    stop_after: int, unstopped: list[After]
) -> None:
    restored = fresh_analysis(eventful())
    unpack_checkpoint(unstopped[stop_after].kept, restored)
    for number, (name, rows) in enumerate(coils_of(rows_of(eventful(), SEED, COILS))):
        if number > stop_after:
            report = restored.take(name, rows)
            assert report.flags == unstopped[number].flags, name
            assert report.outcome.standing.charts.tobytes() == unstopped[number].charts, name
    assert pack_checkpoint(restored) == unstopped[-1].kept


def test_the_run_of_these_tests_has_machine_and_camera_flags_that_open_and_clear(
    unstopped: list[After],
) -> None:
    flags = [flag for after in unstopped for flag in after.flags]
    assert {flag.group_id for flag in flags} >= {"m2", "camera:cam-5", "camera:cam-3"}
    assert any(flag.cleared_coil for flag in flags)


@cache
def after_thirty_coils() -> LineAnalysis:
    return watch(eventful(), SEED, 30).analysis


def full_analysis() -> LineAnalysis:
    """An analysis with something in every place that a checkpoint holds."""
    analysis = deepcopy(after_thirty_coils())
    analysis.welds = WeldBook(3.5, 7.25)
    analysis.repairs = [RepairWatch("WO-1", "m2", "class_4", 12.5, 900.0, 1.0, 90.0, 1)]
    analysis.maintained_until = datetime(2026, 3, 1, 6, 30, tzinfo=UTC)
    analysis.monitor.sharpness = np.array([np.nan, 12.5, 3.0, np.nan, 1e-3, 9.0])
    return analysis


def test_everything_an_analysis_remembers_is_in_the_bytes() -> None:
    analysis = full_analysis()
    assert analysis.monitor.faults
    assert analysis.monitor.camera_faults
    restored = fresh_analysis(eventful())
    unpack_checkpoint(pack_checkpoint(analysis), restored)
    assert everything_of(restored) == everything_of(analysis)


def test_packing_and_unpacking_share_no_memory() -> None:
    analysis = full_analysis()
    data = pack_checkpoint(analysis)
    restored = fresh_analysis(eventful())
    unpack_checkpoint(data, restored)
    restored.monitor.state.baseline_count += 1.0
    restored.monitor.faults.clear()
    assert pack_checkpoint(analysis) == data


def test_the_same_state_gives_the_same_bytes() -> None:
    analysis = full_analysis()
    assert pack_checkpoint(analysis) == pack_checkpoint(deepcopy(analysis))


def test_a_full_history_of_six_cameras_and_ten_classes_stays_below_two_megabytes() -> None:
    analysis = full_analysis()
    rng = np.random.default_rng(5)
    state = analysis.monitor.state
    for ring in (state.ring_gain, state.ring_count, state.ring_m, state.ring_camera, state.ring_calls):
        ring[:] = rng.gamma(1.0, size=ring.shape)
    assert len(pack_checkpoint(analysis)) < 2_000_000


def rewritten(data: bytes, **changes: object) -> bytes:
    """Return the bytes with some values of the document changed."""
    with np.load(io.BytesIO(data)) as archive:
        arrays = {name: archive[name] for name in archive.files}
    document = json.loads(arrays.pop("document").tobytes()) | changes
    out = io.BytesIO()
    np.savez_compressed(out, document=np.frombuffer(json.dumps(document).encode(), dtype=np.uint8), **arrays)
    return out.getvalue()


def without_array(data: bytes, name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for each in old.namelist():
            if each != f"{name}.npy":
                new.writestr(each, old.read(each))
    return out.getvalue()


def refusal(data: bytes, analysis: LineAnalysis) -> str:
    """Return the sentence with which bytes are refused, and see that nothing was touched."""
    before = everything_of(analysis)
    with pytest.raises(ConfigurationError) as raised:
        unpack_checkpoint(data, analysis)
    assert everything_of(analysis) == before
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_checkpoint_of_another_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pack_checkpoint(full_analysis())
    monkeypatch.setattr(monitor_checkpoint, "FORMAT", 7)
    assert "format 1, this program reads 7" in refusal(data, fresh_analysis(eventful()))


@pytest.mark.parametrize(
    ("what", "named"),
    [
        pytest.param(
            "cameras", "cameras cam-1, cam-2, cam-3, cam-4, cam-5, cam-6, not cam-1, cam-2", id="cameras"
        ),
        pytest.param("groups", "groups m1, m2, m3, m4, m5, m6, not mill, m2", id="groups"),
        pytest.param("classes", "classes class_0, class_1", id="classes"),
    ],
)
def test_a_checkpoint_of_another_line_is_refused(what: str, named: str) -> None:
    scenario = eventful()
    line = scenario.line
    others = {
        "cameras": replace(scenario, line=replace(line, cameras=line.cameras[:2])),
        "groups": replace(
            scenario, line=replace(line, machines=(replace(line.machines[0], id="mill"), *line.machines[1:]))
        ),
        "classes": replace(scenario, classes=(*scenario.classes[:9], "scratch")),
    }
    other = fresh_analysis(others[what])
    assert named in refusal(pack_checkpoint(full_analysis()), other)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: b"no archive at all", id="text"),
        pytest.param(lambda data: data[: len(data) // 2], id="cut"),
        pytest.param(lambda data: data[:2000] + bytes(200) + data[2200:], id="overwritten"),
        pytest.param(lambda data: without_array(data, "document"), id="no_document"),
        pytest.param(lambda data: without_array(data, "confusion"), id="an_array_is_missing"),
        pytest.param(lambda data: without_array(data, "sharpness"), id="no_sharpness"),
        pytest.param(lambda data: rewritten(data, faults=[{"group": 0}]), id="faults_of_another_program"),
        pytest.param(lambda data: rewritten(data, judged={"coil": 3}), id="judged_of_another_program"),
        pytest.param(lambda data: rewritten(data, state={}), id="no_numbers"),
        pytest.param(lambda _: np.lib.format.magic(1, 0) + b"nothing", id="an_array_instead_of_an_archive"),
    ],
)
def test_damaged_bytes_are_refused(spoil: Callable[[bytes], bytes]) -> None:
    data = spoil(pack_checkpoint(full_analysis()))
    assert refusal(data, fresh_analysis(eventful()))


def test_a_state_with_arrays_of_another_size_is_refused() -> None:
    analysis = full_analysis()
    analysis.monitor.state.ring_gain = analysis.monitor.state.ring_gain[:, :3]
    assert "ring_gain has another shape" in refusal(pack_checkpoint(analysis), fresh_analysis(eventful()))


def test_bytes_with_pickled_objects_are_refused() -> None:
    out = io.BytesIO()
    np.savez_compressed(out, document=np.array([{"format": 1}], dtype=object))
    assert "cannot be read" in refusal(out.getvalue(), fresh_analysis(eventful()))


def test_a_state_kept_after_the_line_changed_goes_on_under_the_changed_line() -> None:
    scenario = eventful()
    since = datetime.fromtimestamp(scenario.strip.start_s, UTC) + timedelta(seconds=20 * 100 / 3)
    fewer = replace(scenario.line, cameras=scenario.line.cameras[:5], valid_from=since)
    versions = [scenario.line, fewer]
    coils = list(coils_of(rows_of(scenario, SEED, 30)))
    analysis, restored = fresh_analysis(scenario, versions), fresh_analysis(scenario, versions)
    for name, rows in coils[:25]:
        analysis.take(name, rows)
    unpack_checkpoint(pack_checkpoint(analysis), restored)
    assert restored.monitor.frame.layout.cameras == ("cam-1", "cam-2", "cam-3", "cam-4", "cam-5")
    for name, rows in coils[25:]:
        analysis.take(name, rows)
        restored.take(name, rows)
    assert pack_checkpoint(restored) == pack_checkpoint(analysis)


def test_a_version_dated_back_beyond_the_kept_state_is_changed_over_to_on_the_next_coil() -> None:
    scenario = eventful()
    rows = list(coils_of(rows_of(scenario, SEED, 30)))
    analysis = watch(scenario, SEED, 20).analysis
    station = CameraStation("cam-7", "sim-1", "m6", 66.0, "generic")
    moment = datetime.fromtimestamp(scenario.strip.start_s, UTC)
    more = replace(scenario.line, cameras=(*scenario.line.cameras, station), valid_from=moment)
    restored = fresh_analysis(scenario, [scenario.line, more])
    unpack_checkpoint(pack_checkpoint(analysis), restored)
    assert restored.monitor.state.coils == 20
    restored.take(*rows[20])
    assert restored.monitor.frame.layout.cameras[-1] == "cam-7"
    assert restored.monitor.state.coils == 21
