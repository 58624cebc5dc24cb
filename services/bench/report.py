"""From findings to figures: what each number is called, how sure it is, and which bar it has to reach."""

from services.bench import bars
from services.bench.app import (
    ENGINE,
    HALF_LOAD,
    HIGH_LOAD,
    LINE,
    REFERENCE,
    REFERENCE_SINGLE,
    TRITON,
    Findings,
)
from services.bench.figures import Bar, Figure, Part, Report
from services.bench.line_slices import Arrivals
from services.bench.machine import describe_machine, is_busy
from services.bench.plan import Plan
from services.bench.soak import growth_figures, memory_figures
from services.bench.statistics import Estimate, Interval, mean_of
from services.bench.worker import text

_TITLES = {
    ENGINE: ("engine_images_per_s", "raw engine, in process", "images/s"),
    TRITON: ("triton_images_per_s", "Triton over gRPC", "images/s"),
    LINE: ("end_to_end_frames_per_s", "end to end, Kafka to committed rows", "frames/s"),
    REFERENCE: ("reference_frames_per_s", "reference: Keras fp32, batch 64, with decoding", "frames/s"),
    REFERENCE_SINGLE: (
        "reference_single_frames_per_s",
        "reference: Keras fp32, batch 1, with decoding",
        "frames/s",
    ),
}
_RATIOS = (
    ("triton_to_engine", "Triton / raw engine", TRITON, ENGINE, bars.TRITON_TO_ENGINE),
    ("end_to_end_to_engine", "end to end / raw engine", LINE, ENGINE, bars.LINE_TO_ENGINE),
    ("end_to_end_to_triton", "end to end / Triton", LINE, TRITON, None),
    ("end_to_end_to_reference", "end to end / reference, batch 64", LINE, REFERENCE, bars.LINE_TO_REFERENCE),
    ("end_to_end_to_reference_single", "end to end / reference, batch 1", LINE, REFERENCE_SINGLE, None),
)
_COST_RATIOS = (
    ("triton_to_engine_by_cost", "Triton / raw engine", TRITON, ENGINE),
    ("end_to_end_to_engine_by_cost", "end to end / raw engine", LINE, ENGINE),
    ("end_to_end_to_reference_by_cost", "end to end / reference", LINE, REFERENCE),
)
_LINE_RUNS = ("the line of this directory ran meanwhile: figures are too low",)


def report_of(plan: Plan, findings: Findings, *, line_runs: bool = False) -> Report:
    """Make the report of a run; `line_runs` says that the user's own line took part of the machine."""
    figures = [*_rates(findings), *_ratios(findings), *_costs(findings)]
    figures += _latency("half_load", HALF_LOAD, findings.half_load, bars.P99_AT_HALF_LOAD_MS)
    figures += _latency("high_load", HIGH_LOAD, findings.high_load, None)
    figures += _ceiling(plan, findings)
    figures += memory_figures(findings.half_load)
    figures += growth_figures(findings.soak)
    return Report(
        machine=describe_machine() | {"busy_share_before": round(findings.busy_share, 3)},
        settings=_settings(plan, findings),
        figures=tuple(figures),
        rounds=findings.rates.listed() | {"ceiling": tuple(drained.rate for drained in findings.ceiling)},
        warnings=(*_LINE_RUNS[: int(line_runs)], *_warnings(plan, findings)),
    )


def _settings(plan: Plan, findings: Findings) -> dict[str, object]:
    return {
        "images": str(plan.images) if plan.images else "rendered, one in five with a defect",
        "image_count": findings.image_count,
        "image_mean_bytes": findings.image_bytes,
        "rounds": plan.rounds,
        "slice_s": plan.slice_s,
        "end_to_end_frames": plan.end_to_end_frames,
        "latency_s": plan.latency_s,
        "ceiling_frames": plan.ceiling_frames,
        "model_repository": str(plan.model_repository),
        "workers": findings.described,
    }


def _warnings(plan: Plan, findings: Findings) -> list[str]:
    warnings = []
    if is_busy(findings.busy_share):
        warnings.append(
            f"others used {findings.busy_share:.0%} of the processors before the run: "
            "absolute figures are too low, ratios are less affected"
        )
    if plan.is_rough:
        warnings.append("a quick run: it proves that everything can be measured, the figures are worth little")
    for name, arrivals in (("50 %", findings.half_load), ("80 %", findings.high_load)):
        if arrivals is not None and arrivals.late_ms > 20:  # noqa: PLR2004 - a tenth of the bar and more
            warnings.append(
                f"at {name} load the generator was up to {arrivals.late_ms:.0f} ms late; latency includes it"
            )
    return warnings


def _rates(findings: Findings) -> list[Figure]:
    return [
        _estimated(key, title, unit, estimate, note=_note(findings, name))
        for name, (key, title, unit) in _TITLES.items()
        if (estimate := findings.rates.rate(name)) is not None
    ] + [
        Figure(_TITLES[name][0], _TITLES[name][1], None, _TITLES[name][2], note=findings.missing[part])
        for name, part in ((ENGINE, Part.ENGINE), (REFERENCE, Part.REFERENCE))
        if part in findings.missing
    ]


def _note(findings: Findings, name: str) -> str:
    described = findings.described.get(name, {})
    words = [text(described, key) for key in ("configuration", "precision") if key in described]
    if name == LINE:
        words = ["steady window of each drained backlog"]
    return ", ".join(words)


def _ratios(findings: Findings) -> list[Figure]:
    return [
        _estimated(key, title, "x", estimate, bar, "paired by round")
        for key, title, top, bottom, bar in _RATIOS
        if (estimate := findings.rates.ratio(top, bottom)) is not None
    ]


def _costs(findings: Findings) -> list[Figure]:
    rates = findings.rates
    figures = []
    for name, key in ((ENGINE, "engine"), (TRITON, "triton"), (LINE, "end_to_end"), (REFERENCE, "reference")):
        cost = rates.cost(name)
        if cost is not None:
            parts = ", ".join(f"{part} {spent * 1000:.2f}" for part, spent in rates.costs_by_part(name).items())
            title = f"processor time per image, {key.replace('_', ' ')}"
            figures.append(_estimated(f"cost_{key}_core_ms", title, "core-ms", _in_ms(cost), note=parts))
    for key, title, top, bottom in _COST_RATIOS:
        ratio = rates.cost_ratio(bottom, top)
        if ratio is not None:
            note = "what the ratio is when no core idles; hardly touched by others' load"
            figures.append(_estimated(key, f"{title}, by processor time", "x", ratio, note=note))
    return figures


def _in_ms(cost: Estimate) -> Estimate:
    ends = cost.interval
    interval = None if ends is None else Interval(ends.low * 1000, ends.high * 1000)
    return Estimate(cost.value * 1000, interval, cost.n)


def _latency(key: str, share: float, arrivals: Arrivals | None, bar: Bar | None) -> list[Figure]:
    if arrivals is None:
        return []
    latency = arrivals.latency
    title = f"latency at {share:.0%} load ({arrivals.rate:.1f} frames/s)"
    note = "capture to commit record, Poisson arrivals"
    p99_key, p99_title = f"latency_p99_{key}_ms", f"{title}, p99"
    return [
        Figure(f"latency_p50_{key}_ms", f"{title}, p50", latency.p50_ms, "ms", n=latency.n, note=note),
        Figure(f"latency_p95_{key}_ms", f"{title}, p95", latency.p95_ms, "ms", n=latency.n, note=note),
        Figure(p99_key, p99_title, latency.p99_ms, "ms", latency.p99_interval, latency.n, bar, note),
    ]


def _ceiling(plan: Plan, findings: Findings) -> list[Figure]:
    if not findings.ceiling:
        return []
    drained = findings.ceiling
    per_core = mean_of([1 / each.costs_core_s["classifier"] for each in drained])
    wall = mean_of([each.rate for each in drained])
    note = f"stub in place of Triton, {plan.ceiling_frames} frames a round"
    return [
        _estimated("ceiling_frames_per_s", "classifier without model, wall clock", "frames/s", wall, note=note),
        _estimated(
            "ceiling_frames_per_core_s",
            "classifier without model, per core-second",
            "frames/core-s",
            per_core,
            bars.FRAMES_PER_CORE,
            note,
        ),
    ]


def _estimated(
    key: str, title: str, unit: str, estimate: Estimate, bar: Bar | None = None, note: str = ""
) -> Figure:
    return Figure(key, title, estimate.value, unit, estimate.interval, estimate.n, bar, note)
