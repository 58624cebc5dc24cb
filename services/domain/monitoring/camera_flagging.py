"""Turns a camera's open fault into a flag: which camera, what is wrong with it, what to do."""

from typing import Final

from services.domain.monitoring.facts import CAMERA_PREFIX, Flag, FlagKind
from services.domain.monitoring.flagging import FlagContext, flag_id, runner_up
from services.domain.monitoring.open_faults import CameraFault

_CAMERA_ADVICE: Final = {
    "invents": "Clean lens and light; look at its latest pictures; no machine is blamed for what only it reports.",
    "dirty_lens": "Clean the lens or the protecting window; what stays at one place of the image is not counted.",
    "blind": "Check focus, light and lens: it misses what its neighbours see; until then it is not counted.",
}
_CAMERA_REASON: Final = {
    "invents": "{camera} reports {ratio:.0f} times its usual number of defects that no other camera confirms,"
    " since coil {onset}.",
    "dirty_lens": "{camera} shows a blemish that does not move with the strip, since coil {onset}.",
    "blind": "{camera} reports far fewer defects than the other cameras and its own past let expect,"
    " since coil {onset}.",
}


def camera_flag(fault: CameraFault, context: FlagContext, *, cleared: bool) -> Flag:
    """Return the flag of a camera fault as it stands after the latest coil."""
    frame, state = context.frame, context.state
    camera = frame.layout.cameras[fault.camera]
    cause = CAMERA_PREFIX + camera
    began = fault.began
    posterior = dict(fault.posterior) or {cause: 1.0}
    second, second_probability = runner_up(posterior, cause)
    ratio = fault.calls / max(fault.expected, 1e-9)
    return Flag(
        flag_id=flag_id(frame.layout.line.id, cause, fault.kind, began.alarm_coil),
        line_id=frame.layout.line.id,
        kind=FlagKind.CAMERA,
        group_id=cause,
        machine_ids=(),
        defect_class=None,
        severity=2,
        onset_coil=began.onset_coil,
        onset_low_coil=began.low_coil,
        onset_high_coil=began.high_coil,
        onset_position_m=began.onset_m,
        onset_at=began.onset_at,
        alarm_coil=began.alarm_coil,
        alarm_at=began.alarm_at,
        last_coil=context.last_coil,
        coils_since_onset=state.coils - fault.onset,
        detector=fault.kind,
        statistic=fault.peak,
        peak=fault.peak,
        threshold=fault.limit,
        arl0_coils=frame.plan.arl0_coils,
        defects=fault.calls,
        exposure_m=0.0,
        rate_per_km=0.0,
        baseline_per_km=0.0,
        rate_ratio=ratio if fault.kind == "invents" else None,
        ratio_low=0.0,
        ratio_high=float("inf"),
        posterior=posterior,
        runner_up=second,
        runner_up_probability=second_probability,
        member_posterior={},
        period_m=None,
        matched_rolls=(),
        trend_per_coil=None,
        projected_coils=None,
        quality_loss=None,
        quality_loss_m=0.0,
        advice=_CAMERA_ADVICE[fault.kind],
        reason=fault.reason
        or _CAMERA_REASON[fault.kind].format(camera=camera, ratio=ratio, onset=began.onset_coil),
        evidence=(),
        cleared_coil=context.last_coil if cleared else None,
    )
