"""Do a fault's marks repeat along the strip, and which roll turns once per repeat?"""

from math import pi
from typing import Final

import numpy as np

from services.domain.monitoring.evidence_log import EvidenceLog, segments_m
from services.domain.monitoring.frame import MonitorFrame
from services.domain.monitoring.open_faults import OpenFault
from services.domain.periodicity.rolls import RollCandidate, match_rolls
from services.domain.periodicity.search import find_period
from services.domain.registration.coil import RegisteredCoil

_LEAST_MARKS: Final = 20
_AGAIN: Final = 2.0
_MARGIN: Final = 0.8
_MM_PER_M: Final = 1000.0
_SHORTEST_M, _LONGEST_M = 0.3, 6.0
_LATEST_MARKS: Final = 1500


def look_for_period(fault: OpenFault, log: EvidenceLog, frame: MonitorFrame, coil: RegisteredCoil) -> None:
    """Look for a period in the marks of a fault, when there are twice as many as at the last look.

    Only a group with rolls at or before it can have one. The redraws of the significance test are seeded with the
    fault's own coil, so that computing again gives the same answer.
    """
    marks = log.of(fault.group, fault.defect_class, fault.onset)[-_LATEST_MARKS:]
    candidates = roll_candidates(frame, fault.group)
    if not candidates or len(marks) < max(_LEAST_MARKS, int(_AGAIN * fault.looked_at)):
        return
    fault.looked_at = len(marks)
    pitch = float(coil.pitch_m.max())
    turns = [pi * each.diameter_m * each.stretch for each in candidates]
    shortest = max(_MARGIN * min(turns), 1.2 * pitch, 1e-3)
    longest = max(max(turns) / _MARGIN, 2 * shortest)
    rng = np.random.default_rng([fault.alarm, fault.group, fault.defect_class])
    period = find_period(segments_m(marks), shortest, longest, pitch or None, rng)
    if period is None:
        return
    own = [each for each in candidates if each.machine_id in frame.layout.groups[fault.group].machine_ids]
    match = match_rolls(period, own)
    match = match if match.options else match_rolls(period, candidates)
    fault.period_m = match.options[0].period_m if match.options else period.period_m
    fault.rolls = list(match.ambiguity_set)


def roll_candidates(frame: MonitorFrame, group: int) -> list[RollCandidate]:
    """Return the rolls that touch the strip at or before a group, as they would mark it on the line's scale."""
    layout = frame.layout
    first = int(layout.first_camera[group])
    camera = layout.cameras[first]
    place = layout.station_m[first]
    return [
        RollCandidate(
            roll.id,
            machine.id,
            roll.diameter_mm / _MM_PER_M,
            *roll.slip_range,
            layout.line.stretch_after(machine.id, camera) / float(layout.stretch[first]),
        )
        for machine in layout.machines
        if machine.position_m <= place
        for roll in machine.rolls
    ]
