"""A flag as JSON: what `millsight analyse --json` prints and what receivers of alerts get."""

from math import isfinite
from typing import Any

from services.domain.monitoring.facts import CAMERA_PREFIX, Flag

_DIGITS = 6


def flag_document(flag: Flag) -> dict[str, Any]:
    """Return a flag as plain values, named as in `maintenance_report` (docs/sql.md); None: nothing is known."""
    single = len(flag.machine_ids) == 1
    camera = flag.group_id.removeprefix(CAMERA_PREFIX) if flag.group_id.startswith(CAMERA_PREFIX) else None
    return {
        "flag_id": str(flag.flag_id),
        "line_id": flag.line_id,
        "kind": flag.kind.value,
        "machine_id": flag.machine_ids[0] if single else None,
        "group_id": flag.group_id,
        "machine_ids": list(flag.machine_ids),
        "camera_id": camera,
        "defect_class": flag.defect_class,
        "severity": flag.severity,
        "onset_coil": flag.onset_coil,
        "onset_coil_low": flag.onset_low_coil,
        "onset_coil_high": flag.onset_high_coil,
        "onset_position_m": _rounded(flag.onset_position_m),
        "onset_at": flag.onset_at.isoformat(),
        "alarm_coil": flag.alarm_coil,
        "alarm_at": flag.alarm_at.isoformat(),
        "cleared_coil": flag.cleared_coil,
        "coils_since_onset": flag.coils_since_onset,
        "detector": flag.detector,
        "statistic": _rounded(flag.statistic),
        "peak": _rounded(flag.peak),
        "threshold": _rounded(flag.threshold),
        "arl0_coils": flag.arl0_coils,
        "defects_first_seen": _rounded(flag.defects),
        "exposure_m": _rounded(flag.exposure_m),
        "rate_per_km": _rounded(flag.rate_per_km),
        "baseline_per_km": _rounded(flag.baseline_per_km),
        "rate_ratio": _rounded(flag.rate_ratio),
        "ratio_ci_low": _rounded(flag.ratio_low),
        "ratio_ci_high": _rounded(flag.ratio_high),
        "attribution_prob": _rounded(flag.probability),
        "runner_up": flag.runner_up,
        "runner_up_prob": _rounded(flag.runner_up_probability),
        "posterior": {name: _rounded(weight) for name, weight in _by_weight(dict(flag.posterior))},
        "member_prior": {name: _rounded(weight) for name, weight in _by_weight(dict(flag.member_posterior))},
        "period_m": _rounded(flag.period_m),
        "matched_roll": flag.matched_rolls[0] if len(flag.matched_rolls) == 1 else None,
        "matched_rolls": list(flag.matched_rolls),
        "trend_per_coil": _rounded(flag.trend_per_coil),
        "projected_coils_to_limit": _projection(flag),
        "quality_loss": _rounded(flag.quality_loss),
        "quality_loss_m": _rounded(flag.quality_loss_m),
        "recommended_action": flag.advice,
        "reason": flag.reason,
        "evidence_frames": list(flag.evidence),
    }


def _projection(flag: Flag) -> dict[str, float | None] | None:
    if flag.projected_coils is None:
        return None
    return {name: _rounded(value) for name, value in zip(("p10", "p50", "p90"), flag.projected_coils, strict=True)}


def _by_weight(weights: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(weights.items(), key=lambda item: (-item[1], item[0]))


def _rounded(value: float | None) -> float | None:
    """Return six significant digits; JSON has no infinity, so that becomes None."""
    if value is None or not isfinite(value):
        return None
    return float(f"{value:.{_DIGITS}g}")
