"""Turns an open fault into a flag that people can act on: how bad, since when, how sure, what to do."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from scipy import stats

from services.domain.material import MaterialPack
from services.domain.monitoring.evidence_log import EvidenceLog
from services.domain.monitoring.facts import FALSE_ALARM, Flag, FlagKind
from services.domain.monitoring.frame import MonitorFrame
from services.domain.monitoring.open_faults import OpenFault
from services.domain.monitoring.projection import trend_of
from services.domain.monitoring.setup import member_prior
from services.domain.monitoring.state import HISTORY_COILS, MonitorState

_FLAG_NAMESPACE: Final = UUID("4b7d0b5e-6d0c-5f0e-9a53-3f3e4a1f5c11")
_EVIDENCE_FRAMES: Final = 12
_M_PER_KM: Final = 1000.0
_SURE: Final = 0.9
_ACT_NOW_RATIO, _ACT_NOW_PROBABILITY = 5.0, 0.95
_PLAN_RATIO: Final = 2.0


@dataclass(frozen=True, slots=True)
class FlagContext:
    """What flags of one line are made from."""

    frame: MonitorFrame
    state: MonitorState
    log: EvidenceLog
    pack: MaterialPack

    @property
    def last_coil(self) -> str:
        """Name of the latest coil."""
        return self.state.ring_coils[(self.state.coils - 1) % HISTORY_COILS]


@dataclass(frozen=True, slots=True)
class _Ratio:
    """Rate since the onset over the rate before, with a 95 % interval, and the chance that it is five-fold."""

    value: float
    low: float
    high: float
    act_now: float


def machine_flag(fault: OpenFault, context: FlagContext, *, cleared: bool) -> Flag:
    """Return the flag of a machine fault as it stands after the latest coil."""
    frame, state = context.frame, context.state
    group = frame.layout.groups[fault.group]
    name = frame.classes[fault.defect_class]
    ratio = _ratio(fault)
    second, second_probability = runner_up(fault.posterior, group.group_id)
    members = member_prior(frame, fault.group, name, context.pack)
    probability = fault.posterior.get(group.group_id, 0.0)
    severity = _severity(probability, len(group.machine_ids), ratio)
    trend, projected = trend_of(fault, context.state, context.pack, name)
    began = fault.began
    return Flag(
        flag_id=flag_id(frame.layout.line.id, group.group_id, name, began.alarm_coil),
        line_id=frame.layout.line.id,
        kind=FlagKind.MACHINE,
        group_id=group.group_id,
        machine_ids=group.machine_ids,
        defect_class=name,
        severity=severity,
        onset_coil=began.onset_coil,
        onset_low_coil=began.low_coil,
        onset_high_coil=began.high_coil,
        onset_position_m=began.onset_m,
        onset_at=began.onset_at,
        alarm_coil=began.alarm_coil,
        alarm_at=began.alarm_at,
        last_coil=context.last_coil,
        coils_since_onset=state.coils - fault.onset,
        detector="cusum",
        statistic=fault.chart,
        peak=fault.peak,
        threshold=fault.limit,
        arl0_coils=frame.plan.arl0_coils,
        defects=fault.count,
        exposure_m=fault.metres,
        rate_per_km=_M_PER_KM * fault.count / max(fault.metres, 1e-9),
        baseline_per_km=_M_PER_KM * fault.normal,
        rate_ratio=ratio.value,
        ratio_low=ratio.low,
        ratio_high=ratio.high,
        posterior=dict(fault.posterior),
        runner_up=second,
        runner_up_probability=second_probability,
        member_posterior=members,
        period_m=fault.period_m,
        matched_rolls=tuple(fault.rolls),
        trend_per_coil=trend,
        projected_coils=projected,
        quality_loss=fault.loss,
        quality_loss_m=fault.loss_m,
        advice=_advice(fault, context, members),
        reason=_reason(fault, context, ratio, began.onset_coil),
        evidence=_evidence(fault, context.log),
        cleared_coil=context.last_coil if cleared else None,
    )


def flag_id(line_id: str, cause: str, what: str, alarm_coil: str) -> UUID:
    """Return the id of a flag: the same alarm has the same one, however often it is computed."""
    return uuid5(_FLAG_NAMESPACE, f"{line_id}/{cause}/{what}/{alarm_coil}")


def _ratio(fault: OpenFault) -> _Ratio:
    """Compare the rate since the onset with the rate before: conditional binomial interval (Clopper-Pearson).

    Counts are posterior-weighted and need not be whole; the beta quantiles are those of the exact interval. The
    chance of a five-fold rate is the F probability of the ratio of two Gamma posteriors.
    """
    scale = fault.normal_m / max(fault.metres, 1e-9)
    low = float(stats.beta.ppf(0.025, fault.count, fault.normal_count + 1)) if fault.count > 0 else 0.0
    high = float(stats.beta.ppf(0.975, fault.count + 1, fault.normal_count))
    act_now = (
        stats.f.sf(_ACT_NOW_RATIO / fault.ratio, 2 * fault.count, 2 * fault.normal_count) if fault.count else 0.0
    )
    return _Ratio(fault.ratio, low / (1 - low) * scale, high / max(1 - high, 1e-12) * scale, float(act_now))


def _severity(probability: float, machines: int, ratio: _Ratio) -> int:
    """Return 4 act now, 3 plan this shift, 2 inspect (rules of docs/process-monitor.md)."""
    if ratio.act_now > _ACT_NOW_PROBABILITY:
        return 4
    return 3 if probability >= _SURE and ratio.low > _PLAN_RATIO and machines == 1 else 2


def runner_up(posterior: dict[str, float], cause: str) -> tuple[str | None, float]:
    """Return the most probable cause but for the given one and false alarm, and its probability."""
    others = {name: weight for name, weight in posterior.items() if name not in (cause, FALSE_ALARM)}
    if not others:
        return None, 0.0
    best = max(others, key=lambda name: others[name])
    return best, others[best]


def _evidence(fault: OpenFault, log: EvidenceLog) -> tuple[str, ...]:
    """Return the frames that show the fault most clearly, newest first."""
    entries = log.of(fault.group, fault.defect_class, fault.onset)
    best = sorted(entries, key=lambda each: (each.weight, each.number, each.place_m), reverse=True)
    newest = sorted(best[:_EVIDENCE_FRAMES], key=lambda each: (each.number, each.place_m), reverse=True)
    return tuple(each.frame_id for each in newest)


def _advice(fault: OpenFault, context: FlagContext, members: dict[str, float]) -> str:
    name = context.frame.classes[fault.defect_class]
    likely = max(members, key=lambda machine: members[machine])
    kinds = {machine.id: machine.kind for machine in context.frame.layout.machines}
    advice = context.pack.advice(name, kinds[likely])
    if len(members) > 1:
        advice = f"Look at {' and '.join(members)}: no camera tells them apart. For {likely}: {advice}"
    if fault.rolls:
        advice += f" The marks repeat every {fault.period_m:.3f} m, a turn of {' or '.join(fault.rolls)}."
    return advice


def _reason(fault: OpenFault, context: FlagContext, ratio: _Ratio, onset: str) -> str:
    group = context.frame.layout.groups[fault.group]
    name = context.frame.classes[fault.defect_class]
    probability = fault.posterior.get(group.group_id, 0.0)
    return (
        f"{name.replace('_', ' ')} from {' or '.join(group.machine_ids)} is {ratio.value:.1f} times as frequent as"
        f" before ({ratio.low:.1f} to {ratio.high:.1f}), since coil {onset}; probability {probability:.0%}."
    )


def worst_first(flags: tuple[Flag, ...]) -> tuple[Flag, ...]:
    """Return flags by severity, then money lost, then evidence."""
    return tuple(sorted(flags, key=lambda each: (-each.severity, -(each.quality_loss or 0.0), -each.peak)))
