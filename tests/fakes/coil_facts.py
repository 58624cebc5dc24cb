"""Facts of the process monitor for tests: a coil record, a registered defect, a flag, with some fields changed."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from services.domain.monitoring.facts import (
    CameraExposure,
    CoilRecord,
    Flag,
    FlagKind,
    LandmarkEvent,
    MachineGroup,
    RegisteredDefect,
    Sighting,
    StreamPoint,
)

HOUR = timedelta(hours=1)
THEN = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
"""Half an hour ago: within the last day of data, never in the future."""

GROUPS = (
    MachineGroup("strip-1", "uncoiler-1+welder-1", ("uncoiler-1", "welder-1"), "cam-1"),
    MachineGroup("strip-1", "washer-1", ("washer-1",), "cam-2"),
    MachineGroup("strip-1", "skinpass-1", ("skinpass-1",), "cam-3"),
    MachineGroup("strip-1", "leveller-1+trimmer-1", ("leveller-1", "trimmer-1"), "cam-4"),
)


def a_coil(number: int = 0, ended_at: datetime = THEN, **changes: Any) -> CoilRecord:
    """Return coil C-<number> of the demo line: 1000 m, four cameras, a rolled_pit stream for every group."""
    fields: dict[str, Any] = {
        "line_id": "strip-1",
        "coil_id": f"C-{number}",
        "number": number,
        "material": "steel_strip",
        "started_at": ended_at - timedelta(minutes=5),
        "ended_at": ended_at,
        "start_m": 1000.0 * number,
        "length_m": 1000.0,
        "state": "monitored",
        "exposures": tuple(
            CameraExposure(f"cam-{n}", 2000, 950.0, 12, 9, 0.9 if n > 1 else None, 0.001) for n in range(1, 5)
        ),
        "points": tuple(StreamPoint(g.group_id, "rolled_pit", 2.0, 2.0, 900.0, 0.5) for g in GROUPS),
        "landmarks": (LandmarkEvent("seen", "welding_line", 1000.0 * number, ("cam-1", "cam-2")),),
        "defects": 1,
        "grade": "B",
        "grade_reason": "1 rolled_pit",
        "price": 900.0,
        "currency": "EUR",
        "quality_loss": {"skinpass-1": 80.0, "unattributed": 20.0},
        "quality_loss_m": {"skinpass-1": 8.0, "unattributed": 2.0},
    }
    return CoilRecord(**{**fields, **changes})


def a_defect(coil: int = 0, position_m: float = 1500.0, **changes: Any) -> RegisteredDefect:
    """Return a rolled pit of the skin-pass mill on coil C-<coil>, seen by cam-3 and cam-4, missed by cam-2."""
    sightings = tuple(
        Sighting(f"cam-{n}", str(uuid4()), "rolled_pit", 0.8, THEN + n * timedelta(seconds=9), position_m)
        for n in (3, 4)
    )
    fields: dict[str, Any] = {
        "defect_id": uuid4(),
        "line_id": "strip-1",
        "coil_id": f"C-{coil}",
        "position_m": position_m,
        "position_sd_m": 0.1,
        "sightings": sightings,
        "looked": ("cam-2",),
        "class_posterior": {"rolled_pit": 0.9, "inclusion": 0.1},
        "cause_posterior": {"skinpass-1": 0.95, "washer-1": 0.04, "none": 0.01},
        "landmark": False,
    }
    return RegisteredDefect(**{**fields, **changes})


def a_flag(**changes: Any) -> Flag:
    """Return a flag on the skin-pass mill for rolled pits since coil C-3, alarmed at C-5, severity 3."""
    fields: dict[str, Any] = {
        "flag_id": uuid4(),
        "line_id": "strip-1",
        "kind": FlagKind.MACHINE,
        "group_id": "skinpass-1",
        "machine_ids": ("skinpass-1",),
        "defect_class": "rolled_pit",
        "severity": 3,
        "onset_coil": "C-3",
        "onset_low_coil": "C-2",
        "onset_high_coil": "C-4",
        "onset_position_m": 3200.0,
        "onset_at": THEN - HOUR,
        "alarm_coil": "C-5",
        "alarm_at": THEN,
        "last_coil": "C-5",
        "coils_since_onset": 3,
        "detector": "cusum",
        "statistic": 9.1,
        "peak": 9.1,
        "threshold": 8.1,
        "arl0_coils": 500.0,
        "defects": 30.0,
        "exposure_m": 2700.0,
        "rate_per_km": 11.1,
        "baseline_per_km": 2.2,
        "rate_ratio": 5.0,
        "ratio_low": 3.4,
        "ratio_high": 7.1,
        "posterior": {"skinpass-1": 0.96, "washer-1": 0.03, "none": 0.01},
        "runner_up": "washer-1",
        "runner_up_probability": 0.03,
        "member_posterior": {"skinpass-1": 1.0},
        "period_m": 1.618,
        "matched_rolls": ("skinpass-1-work-top",),
        "trend_per_coil": None,
        "projected_coils": None,
        "quality_loss": 240.0,
        "quality_loss_m": 24.0,
        "advice": "change or grind the work roll",
        "reason": "rolled pits every 1.618 m since coil C-3",
        "evidence": (str(uuid4()), str(uuid4())),
        "cleared_coil": None,
    }
    return Flag(**{**fields, **changes})
