"""From findings to figures: bars, verdicts, what was not measured, the table."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from services.bench.app import ENGINE, LINE, REFERENCE, TRITON, Findings
from services.bench.figures import Bar, Figure, Part, Report, Sense
from services.bench.line_slices import Arrivals, Drained
from services.bench.plan import QUICK, Plan, parts_of
from services.bench.processes import Memory, MemorySample
from services.bench.report import report_of
from services.bench.rounds import Taken
from services.bench.statistics import Interval, LatencySummary
from services.bench.table import print_report

_MIB = 1024**2


def _findings() -> Findings:
    findings = Findings()
    for number, machine_speed in enumerate([1.0, 0.5, 0.8]):
        for name, rate in ((ENGINE, 100.0), (TRITON, 94.0), (LINE, 90.0), (REFERENCE, 20.0)):
            findings.rates.add(name, number, Taken(rate * machine_speed, {"engine": 1 / rate}))
    return findings


def _figures(report: Report) -> dict[str, Figure]:
    return {figure.key: figure for figure in report.figures}


def _soak(growth_mib_in_ten_minutes: float) -> tuple[MemorySample, ...]:
    rng = np.random.default_rng(0)
    samples = []
    for at_s in np.arange(0.0, 600.0, 5.0):
        leaked = 150 + growth_mib_in_ten_minutes * at_s / 600 + rng.normal(0, 0.1)
        kept = Memory(int(200 * _MIB), int(leaked * _MIB))
        samples.append(MemorySample(float(at_s), {"classifier": kept, "kafka": kept}))
    return tuple(samples)


def _arrivals() -> Arrivals:
    return Arrivals(LatencySummary(3000, 30.0, 60.0, 90.0, Interval(80.0, 100.0)), 45.0, 2.0, _soak(0))


def test_ratios_are_paired_and_judged_by_their_bars() -> None:
    figures = _figures(report_of(Plan(), _findings()))
    assert figures["triton_to_engine"].value == pytest.approx(0.94)
    assert figures["triton_to_engine"].met is False
    assert figures["end_to_end_to_engine"].value == pytest.approx(0.90)
    assert figures["end_to_end_to_engine"].met is True
    assert figures["end_to_end_to_reference"].value == pytest.approx(4.5)
    assert figures["end_to_end_to_reference"].met is True


def test_ratios_by_processor_time_put_the_dearer_way_below() -> None:
    figures = _figures(report_of(Plan(), _findings()))
    assert figures["cost_engine_core_ms"].value == pytest.approx(10.0)
    assert figures["end_to_end_to_engine_by_cost"].value == pytest.approx(0.90)
    assert figures["end_to_end_to_reference_by_cost"].value == pytest.approx(4.5)


def test_without_the_trainer_extra_the_reference_is_a_sentence_and_never_a_number() -> None:
    findings = Findings(missing={Part.REFERENCE: "not measured: install the trainer extra"})
    report = report_of(Plan(), findings)
    figure = _figures(report)["reference_frames_per_s"]
    assert (figure.value, figure.note) == (None, "not measured: install the trainer extra")
    assert report.to_json()["figures"]["reference_frames_per_s"]["value"] is None  # type: ignore[index]
    assert "end_to_end_to_reference" not in _figures(report)


def test_the_latency_bar_is_on_the_99th_percentile_at_half_load_only() -> None:
    findings = _findings()
    findings.half_load = findings.high_load = _arrivals()
    figures = _figures(report_of(Plan(), findings))
    assert figures["latency_p99_half_load_ms"].met is True
    assert figures["latency_p99_half_load_ms"].interval == Interval(80.0, 100.0)
    others = [figure for key, figure in figures.items() if key.startswith("latency") and "p99_half" not in key]
    assert [figure.bar for figure in others] == [None] * 5


def test_the_ceiling_counts_the_classifiers_own_core_seconds_only() -> None:
    findings = _findings()
    findings.ceiling = [Drained(800.0, {"classifier": 0.0008, "kafka": 0.5})]
    figure = _figures(report_of(Plan(), findings))["ceiling_frames_per_core_s"]
    assert figure.value == pytest.approx(1250.0)
    assert figure.met is True


@pytest.mark.parametrize(
    ("growth", "met"), [pytest.param(0.0, True, id="steady"), pytest.param(30.0, False, id="a_leak")]
)
def test_a_soak_judges_growth_of_private_memory(growth: float, met: bool) -> None:
    findings = _findings()
    findings.soak = _soak(growth)
    figures = _figures(report_of(Plan(), findings))
    assert figures["growth_classifier_mib"].value == pytest.approx(growth, abs=0.5)
    assert figures["growth_classifier_mib"].met is met
    assert figures["growth_kafka_mib"].bar is None
    assert "bounded" in figures["growth_kafka_mib"].note


def test_a_short_soak_says_so_instead_of_guessing() -> None:
    findings = Findings(soak=_soak(0)[:12])
    figure = _figures(report_of(Plan(), findings))["growth_classifier_mib"]
    assert figure.value is None
    assert "soak for at least" in figure.note


def test_a_bar_inside_the_interval_is_called_close() -> None:
    bar = Bar(Sense.AT_LEAST, 0.95)
    assert Figure("a", "a", 0.97, "x", Interval(0.93, 1.01), 3, bar).is_close
    assert not Figure("a", "a", 0.97, "x", Interval(0.96, 0.98), 3, bar).is_close


def test_what_makes_the_figures_doubtful_is_said() -> None:
    findings = Findings(busy_share=0.6)
    warnings = report_of(QUICK, findings, line_runs=True).warnings
    assert [word for word in ("ran meanwhile", "60%", "quick") if any(word in each for each in warnings)] == [
        "ran meanwhile",
        "60%",
        "quick",
    ]
    assert report_of(Plan(), Findings()).warnings == ()


def test_the_json_is_json_with_machine_rounds_and_verdicts() -> None:
    document = json.loads(json.dumps(report_of(Plan(), _findings()).to_json()))
    assert document["machine"]["cores"] >= 1
    assert document["rounds"]["engine"] == [100.0, 50.0, 80.0]
    assert document["figures"]["triton_to_engine"]["bar"] == {
        "sense": "at least",
        "limit": 0.95,
        "met": False,
        "is_close": False,
    }


@pytest.mark.parametrize("width", [80, 150])
def test_the_table_shows_bars_and_verdicts_at_every_width(width: int) -> None:
    findings = _findings()
    findings.missing[Part.CEILING] = "not measured"
    console = Console(file=io.StringIO(), width=width)
    print_report(report_of(Plan(), findings), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "≥ 0.95 NOT MET" in text
    assert "≥ 0.88 met" in text
    assert max(len(line) for line in text.splitlines()) <= width


def test_parts_bring_what_they_rest_on() -> None:
    assert parts_of(["latency"], soak=False) == {Part.LATENCY, Part.END_TO_END}
    assert parts_of(["engine"], soak=True) == {Part.ENGINE, Part.SOAK, Part.END_TO_END}
    assert parts_of([], soak=False) == frozenset(Part) - {Part.SOAK}
