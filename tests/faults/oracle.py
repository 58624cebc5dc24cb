"""The oracle: every captured frame is one row, one dead letter or one counted drop, with the right verdict."""

import time
from dataclasses import dataclass

from tests.line import Line, cameras_of

_TOLERANCE = 0.02
"""INT8 inference differs a little between batch sizes; another frame's verdict differs by far more."""

_LATE_REPEATS_S = 3.0
_STANDSTILL_S = 60.0

Probabilities = dict[str, float]
"""What the served model says about one image, by class."""


@dataclass(frozen=True)
class Account:
    """Where the frames of a run went."""

    captured: int
    dropped: int
    rows: int
    distinct_rows: int
    rejected: int
    longest_stall_s: float

    @property
    def lost(self) -> int:
        return self.captured - self.dropped - self.distinct_rows - self.rejected

    @property
    def doubled(self) -> int:
        return self.rows - self.distinct_rows


def account_of(line: Line, run: str) -> Account:
    cameras = cameras_of(run)
    captured, dropped = line.query(
        "SELECT coalesce(sum(captured_total), 0), coalesce(sum(dropped_total), 0) FROM camera_status"
        " WHERE camera_id = ANY(%s)",
        cameras,
    )[0]
    rows, distinct = line.query(
        "SELECT count(*), count(DISTINCT (frame_id, model_name, model_version)) FROM inspections"
        " WHERE camera_id = ANY(%s)",
        cameras,
    )[0]
    (rejected,) = line.query("SELECT count(*) FROM rejected_frames WHERE camera_id = ANY(%s)", cameras)[0]
    (stall_s,) = line.query(
        "SELECT coalesce(max(extract(epoch FROM gap)), 0) FROM (SELECT stored_at - lag(stored_at)"
        " OVER (ORDER BY stored_at) AS gap FROM inspections WHERE camera_id = ANY(%s)) AS gaps",
        cameras,
    )[0]
    return Account(int(captured), int(dropped), int(rows), int(distinct), int(rejected), float(stall_s))


def settle(line: Line, run: str, frames: int) -> Account:
    """Wait until all frames of a run are accounted for, give late repeats 3 s, and return the account.

    A slow machine may take its time; what fails is a line that stands still for `_STANDSTILL_S`.
    """
    account = account_of(line, run)
    moved_at_s = time.monotonic()
    while account.captured < frames or account.lost > 0:
        time.sleep(0.5)
        before, account = account, account_of(line, run)
        if account != before:
            moved_at_s = time.monotonic()
        assert time.monotonic() - moved_at_s < _STANDSTILL_S, f"{run} stands still: {account}"
    time.sleep(_LATE_REPEATS_S)
    return account_of(line, run)


def wrong_verdicts(line: Line, run: str, expected: dict[tuple[int, int], Probabilities]) -> list[str]:
    """Rows whose verdict belongs to another image; every image of the suite has a size of its own."""
    rows = line.query(
        "SELECT frame_id, width_px, height_px, probabilities FROM inspections WHERE camera_id = ANY(%s)",
        cameras_of(run),
    )
    wrong = []
    for frame_id, width_px, height_px, probabilities in rows:
        alone = expected[(width_px, height_px)]
        worst = max(abs(probabilities[name] - alone[name]) for name in alone)
        if worst > _TOLERANCE:
            wrong.append(f"{frame_id} of {width_px}x{height_px}: a probability is off by {worst:.3f}")
    return wrong
