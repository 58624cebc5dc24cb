"""Runs a simulated line coil by coil into inspection rows with known truth."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from services.domain.registration.table import ROW_COLUMNS, UNKNOWN, Floats, InspectionTable
from services.domain.simulation.births import Births, born_in_block
from services.domain.simulation.sightings import CLEAN, Sightings, inspected_frames, seen_in_block
from services.domain.simulation.world import BLOCK_COILS, SimulatedLine, Stream

Codes = npt.NDArray[np.int64]

_CLEAN_CONFIDENCE: Final = (0.7, 1.0)
"""Confidence of a `no_defect` answer is spread evenly between these."""
_DIGITS_CONFIDENCE, _DIGITS_SPOT, _DIGITS_POSITION, _DIGITS_TIME = 3, 3, 4, 3


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedCoils:
    """What the cameras reported of n successive coils, and what was really there.

    Attributes:
        table: N rows, by coil, camera (in strip order) and frame.
        origin: (N,) index into `births` of the defect behind the row's label, or `FALSE_CALL`, `LENS`, `CLEAN`.
        births: All defects of these coils, in strip order.
        first_coil: Number of the first coil.
        frames_inspected: (n, J) frames that each camera really looked at, whether or not clean rows are kept.
    """

    table: InspectionTable
    origin: Codes
    births: Births
    first_coil: int
    frames_inspected: Codes


@dataclass(frozen=True, slots=True)
class Output:
    """How much of a row is made; sightings and truth are the same in any case.

    Attributes:
        clean_rows: Keep rows called `no_defect`; without them, exposure is in `frames_inspected`.
        frame_ids: Name every frame; without, all names are empty, which is much faster.
    """

    clean_rows: bool = True
    frame_ids: bool = True


def simulate_coils(
    line: SimulatedLine, first_coil: int, n_coils: int, output: Output = Output()
) -> SimulatedCoils:
    """Simulate some coils of a run; any division into calls gives the same rows.

    Calls that begin and end at multiples of `BLOCK_COILS` draw nothing twice.

    Args:
        line: The run.
        first_coil: Number of the first coil.
        n_coils: How many; what lies beyond the scenario's last coil is left out.
        output: How much of a row is made.

    Raises:
        ValueError: No coil of the scenario is asked for.
    """
    end = min(first_coil + n_coils, line.scenario.strip.coils)
    if first_coil < 0 or end <= first_coil:
        raise ValueError(f"coils {first_coil} to {first_coil + n_coils - 1} are not in the scenario")
    blocks = range(first_coil // BLOCK_COILS, (end - 1) // BLOCK_COILS + 1)
    parts = [_cut(_block(line, block, output), first_coil, end) for block in blocks]
    names = tuple(line.coil_id(coil) for coil in range(first_coil, end))
    shifts = np.cumsum([0, *(len(part.births) for part in parts[:-1])])
    table = _concatenated([part.table for part in parts])
    if line.scenario.tracking.coil_ids:
        table = replace(table, coils=names, coil=(table.coil - first_coil).astype(np.int32))
    else:
        table = replace(table, coil=np.full(len(table), UNKNOWN, dtype=np.int32))
    return SimulatedCoils(
        table=table,
        origin=np.concatenate(
            [
                np.where(part.origin >= 0, part.origin + shift, part.origin)
                for part, shift in zip(parts, shifts, strict=True)
            ]
        ),
        births=Births.joined([part.births for part in parts]),
        first_coil=first_coil,
        frames_inspected=np.concatenate([part.frames_inspected for part in parts]),
    )


def _concatenated(tables: list[InspectionTable]) -> InspectionTable:
    if len(tables) == 1:
        return tables[0]
    rows: dict[str, Any] = {
        name: np.concatenate([getattr(table, name) for table in tables]) for name in ROW_COLUMNS
    }
    return replace(tables[0], **rows)


def _block(line: SimulatedLine, block: int, output: Output) -> SimulatedCoils:
    """One block; its table's `coil` column holds numbers of coils of the whole run."""
    births = born_in_block(line, block)
    inspected = inspected_frames(line, block)
    seen = seen_in_block(line, block, births, inspected)
    cells = np.flatnonzero(inspected) if output.clean_rows else seen.frame
    rows = np.searchsorted(cells, seen.frame)
    origin = np.full(len(cells), CLEAN, dtype=np.int64)
    origin[rows] = seen.origin
    return SimulatedCoils(
        table=_table(line, block, cells, (rows, seen), output),
        origin=origin,
        births=births,
        first_coil=block * BLOCK_COILS,
        frames_inspected=inspected.sum(axis=2),
    )


def _table(
    line: SimulatedLine, block: int, cells: Codes, placed: tuple[Codes, Sightings], output: Output
) -> InspectionTable:
    scenario = line.scenario
    shape = (BLOCK_COILS, len(scenario.eyes), scenario.strip.frames_per_coil)
    coil, camera, frame = np.unravel_index(cells, shape)
    coil = coil + block * BLOCK_COILS
    rows, seen = placed
    label = np.full(len(cells), UNKNOWN, dtype=np.int32)
    label[rows] = seen.label
    spot = np.full((len(cells), 2), np.nan)
    spot[rows] = np.round(seen.spot, _DIGITS_SPOT)
    captured_s, position_m = _places(line, block, cells, (coil, camera, frame))
    return InspectionTable(
        cameras=scenario.camera_ids,
        coils=(),
        classes=scenario.classes,
        frame_id=_frame_ids(line, coil, camera, frame)
        if output.frame_ids
        else np.full(len(cells), "", dtype=object),
        camera=camera.astype(np.int32),
        coil=coil.astype(np.int32),
        captured_s=captured_s,
        position_m=position_m,
        label=label,
        confidence=_confidence(line, block, cells, placed),
        spot=spot,
    )


def _places(
    line: SimulatedLine, block: int, cells: Codes, at: tuple[Codes, Codes, Codes]
) -> tuple[Floats, Floats]:
    """Capture time, seconds, and reported position, metres; both at the frame's centre.

    A mark passes a station when the strip has run its distance from the entry, at the speed of the entry. Lengths
    within a coil grow by the elongation upstream of the camera; the scale begins anew at the head of each coil.
    """
    strip, tracking = line.scenario.strip, line.scenario.tracking
    coil, camera, frame = at
    in_coil_m = (frame + 0.5) * strip.frame_pitch_m + line.phase_m[camera]
    head_m = coil * strip.coil_m
    skew_s = np.array([eye.clock_skew_s for eye in line.scenario.eyes])
    passed_s = (head_m + in_coil_m + line.station_m[camera]) / line.scenario.line.speed_m_s
    captured_s: Floats = np.round(strip.start_s + passed_s + skew_s[camera], _DIGITS_TIME)
    if not tracking.positions:
        return captured_s, np.full(len(cells), np.nan)
    position_m = in_coil_m * line.camera_stretch[camera] + (0.0 if tracking.from_coil_start else head_m)
    if tracking.jitter_m > 0:
        count = BLOCK_COILS * len(line.scenario.eyes) * strip.frames_per_coil
        position_m = position_m + line.draws(Stream.ENCODER, block).normal(0, tracking.jitter_m, count)[cells]
    return captured_s, np.asarray(np.round(position_m, _DIGITS_POSITION), dtype=np.float64)


def _confidence(line: SimulatedLine, block: int, cells: Codes, placed: tuple[Codes, Sightings]) -> Floats:
    rows, seen = placed
    if len(rows) == len(cells):
        return np.round(seen.confidence, _DIGITS_CONFIDENCE)
    confidence = line.draws(Stream.CLEAN, block).uniform(*_CLEAN_CONFIDENCE, len(cells))
    confidence[rows] = seen.confidence
    return np.round(confidence, _DIGITS_CONFIDENCE)


def _frame_ids(line: SimulatedLine, coil: Codes, camera: Codes, frame: Codes) -> npt.NDArray[np.object_]:
    """Name frames after their camera and their number since the start of the run."""
    names = line.scenario.camera_ids
    numbers = coil * line.scenario.strip.frames_per_coil + frame
    ids = np.empty(len(numbers), dtype=object)
    ids[:] = [f"{names[j]}-{n:09d}" for j, n in zip(camera.tolist(), numbers.tolist(), strict=True)]
    return ids


def _cut(part: SimulatedCoils, first: int, end: int) -> SimulatedCoils:
    """Leave out the coils before `first` and from `end` on."""
    if part.first_coil >= first and part.first_coil + BLOCK_COILS <= end:
        return part
    rows = (part.table.coil >= first) & (part.table.coil < end)
    kept = (part.births.coil >= first) & (part.births.coil < end)
    before = int((part.births.coil < first).sum())
    origin = part.origin[rows]
    coils = slice(max(first - part.first_coil, 0), end - part.first_coil)
    return SimulatedCoils(
        table=part.table.take(rows),
        origin=np.where(origin >= 0, origin - before, origin),
        births=part.births.take(kept),
        first_coil=max(first, part.first_coil),
        frames_inspected=part.frames_inspected[coils],
    )
