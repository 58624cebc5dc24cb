"""Machine or lens? What is wrong with a camera, told from its own pictures of one coil or stretch of time.

A blemish fixed in the image while the strip moves is dirt on lens or window, not a defect of the strip; a picture
that is black, white, blurred or always the same tells nothing about the strip. Thresholds marked [E] are
engineering judgement, without a published source: far from what a working camera shows, yet reached by a bad one.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain import fixed_place

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LEAST_FRAMES: Final = 20
"""Fewer frames say nothing about light, focus and repetition: 10 s at 2 frames/s [E]."""
BLACK_BELOW: Final = 0.02
"""Brightness of a covered lens or a dead lamp: 5 grey levels of 255, sensor noise included [E]."""
BLACK_SATURATED: Final = 0.001
"""A black picture with more white pixels than this shows something after all [E]."""
OVER_EXPOSED_ABOVE: Final = 0.5
"""Share of white pixels; a strip that glares fills part of a frame, a wrong exposure most of it [E]."""
FROZEN_RUN: Final = 5
"""So many equal pictures in a row: the noise of a working sensor lets no two be equal [E]."""
FROZEN_SHARE: Final = 0.5
"""Share of frames that equal one of the last few: a ring of old buffers played over and over [E]."""
DEFOCUSED_BELOW: Final = 0.4
"""Of the usual sharpness; a blur of one pixel (sigma) takes more than half of the Laplacian's variance [E]."""
SILENT_AFTER: Final = 10
"""Frames that must be missing before a camera counts as silent: a late start is no silence [E]."""

UNKNOWN_HASH: Final = 0
"""Picture hash of a frame that nobody hashed; it equals no other."""

_RING: Final = 8  # frames back that a repeated picture is looked for: more buffers than drivers keep


class CameraCondition(StrEnum):
    """What can be wrong with a camera."""

    SILENT = "silent"
    """No frames, while other cameras of the line had some."""
    BLACK = "black"
    """Pictures without light."""
    OVER_EXPOSED = "over_exposed"
    """Pictures that are mostly white."""
    FROZEN = "frozen"
    """The same picture again and again while the strip moves."""
    DEFOCUSED = "defocused"
    """Pictures with much less detail than this camera usually gives."""
    DIRTY_LENS = "dirty_lens"
    """Defects that stay at one place of the image while the strip moves."""


@dataclass(frozen=True, slots=True)
class CameraFinding:
    """One thing that is wrong with a camera.

    Attributes:
        kind: What it is.
        reason: One sentence for people, with the figures behind it.
        frames: Frames that show it; for a silent camera the frames that are missing.
        share: `frames` as a share of all frames that were looked at, 0 to 1.
        place: Where a blemish sits in the image, column then row, 0 to 1; defects of any class within
            `fixed_place.RADIUS` of it may be the blemish again. None for the other conditions.
    """

    kind: CameraCondition
    reason: str
    frames: int
    share: float
    place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class CameraFrames:
    """What one camera delivered on one coil or in one stretch of time: N frames, in any order.

    Attributes:
        captured_s: (N,) capture time, seconds.
        brightness: (N,) mean grey level, 0 to 1; NaN where unknown, as in the next two.
        saturated: (N,) share of white pixels, 0 to 1.
        sharpness: (N,) variance of the Laplacian, grey levels squared.
        picture_hash: (N,) equal for equal pictures; `UNKNOWN_HASH` where unknown.
        label: (N,) codes into `classes`; negative: the camera looked and found nothing.
        spot: (N, 2) where in the image the evidence peaks, column then row, 0 to 1; NaN where unknown.
        classes: Names behind `label`.
        strip_moved: Whether the strip moved; of a strip that stands, equal pictures and fixed spots are no news.
    """

    captured_s: Floats
    brightness: Floats
    saturated: Floats
    sharpness: Floats
    picture_hash: npt.NDArray[np.int64]
    label: npt.NDArray[np.integer]
    spot: Floats
    classes: tuple[str, ...]
    strip_moved: bool = True

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.captured_s)


def camera_findings(
    frames: CameraFrames, usual_sharpness: float | None, expected_frames: int = 0
) -> tuple[CameraFinding, ...]:
    """Return what is wrong with a camera, in the order of `CameraCondition`; nothing: the camera works.

    Black and over-exposed pictures show nothing of the strip, so nothing else is said about them.

    Args:
        frames: What it delivered.
        usual_sharpness: Median sharpness of this camera when it worked; None: not known yet, focus is not judged.
        expected_frames: How many frames it should have delivered while other cameras of the line did; 0: none.
    """
    for finding in (silent(expected_frames, len(frames)), black(frames), over_exposed(frames)):
        if finding is not None:
            return (finding,)
    found = (frozen(frames), defocused(frames, usual_sharpness), dirty_lens(frames))
    return tuple(each for each in found if each is not None)


def silent(expected_frames: int, seen_frames: int) -> CameraFinding | None:
    """Judge whether a camera fell silent: not one frame where `SILENT_AFTER` or more were expected."""
    if seen_frames or expected_frames < SILENT_AFTER:
        return None
    reason = f"No frame arrived, while other cameras of the line delivered; {expected_frames} were expected."
    return CameraFinding(CameraCondition.SILENT, reason, expected_frames, 1.0)


def black(frames: CameraFrames) -> CameraFinding | None:
    """Judge whether the pictures are black: median brightness below `BLACK_BELOW` and hardly a white pixel."""
    known = ~np.isnan(frames.brightness) & ~np.isnan(frames.saturated)
    if int(known.sum()) < LEAST_FRAMES:
        return None
    median = float(np.median(frames.brightness[known]))
    if median >= BLACK_BELOW or float(np.median(frames.saturated[known])) > BLACK_SATURATED:
        return None
    dark = int((frames.brightness[known] < BLACK_BELOW).sum())
    reason = f"{_of(dark, known)} are black: the median brightness is {median:.1%} of white."
    return _finding(CameraCondition.BLACK, reason, dark, known)


def over_exposed(frames: CameraFrames) -> CameraFinding | None:
    """Judge whether the pictures are white: the median share of white pixels is above `OVER_EXPOSED_ABOVE`."""
    known = ~np.isnan(frames.saturated)
    if int(known.sum()) < LEAST_FRAMES:
        return None
    median = float(np.median(frames.saturated[known]))
    if median <= OVER_EXPOSED_ABOVE:
        return None
    white = int((frames.saturated[known] > OVER_EXPOSED_ABOVE).sum())
    reason = f"{_of(white, known)} are over-exposed: the median frame has {median:.0%} white pixels."
    return _finding(CameraCondition.OVER_EXPOSED, reason, white, known)


def frozen(frames: CameraFrames) -> CameraFinding | None:
    """Judge whether the picture stands still while the strip moves.

    Either `FROZEN_RUN` frames in a row are equal, or more than `FROZEN_SHARE` of all frames equal one of the eight
    before them, which is how a driver looks that hands out old buffers in turn. A folder of pictures played in a
    loop repeats at a longer distance and does not count.
    """
    known = frames.picture_hash != UNKNOWN_HASH
    if not frames.strip_moved or int(known.sum()) < LEAST_FRAMES:
        return None
    hashes = frames.picture_hash[known]
    hashes = hashes[np.lexsort((hashes, frames.captured_s[known]))]
    run = _longest_run(hashes)
    repeated = int(_repeats(hashes).sum())
    if run < FROZEN_RUN and repeated <= FROZEN_SHARE * len(hashes):
        return None
    reason = (
        f"{_of(repeated, known)} repeat an earlier picture while the strip moves;"
        f" the longest run of equal pictures has {run}."
    )
    return _finding(CameraCondition.FROZEN, reason, repeated, known)


def defocused(frames: CameraFrames, usual_sharpness: float | None) -> CameraFinding | None:
    """Judge whether the pictures lost their detail: median sharpness below `DEFOCUSED_BELOW` of the usual one."""
    known = ~np.isnan(frames.sharpness)
    if usual_sharpness is None or usual_sharpness <= 0 or int(known.sum()) < LEAST_FRAMES:
        return None
    limit = DEFOCUSED_BELOW * usual_sharpness
    median = float(np.median(frames.sharpness[known]))
    if median >= limit:
        return None
    blurred = int((frames.sharpness[known] < limit).sum())
    reason = (
        f"{_of(blurred, known)} are blurred: the median sharpness is {median / usual_sharpness:.0%} of the usual."
    )
    return _finding(CameraCondition.DEFOCUSED, reason, blurred, known)


def dirty_lens(frames: CameraFrames) -> CameraFinding | None:
    """Judge whether defects stay at one place of the image; the class with the clearest case is named.

    Of at least `fixed_place.LEAST_SPOTS` spots of a class, `fixed_place.LEAST_SHARE` must crowd at one place, and
    more of them than chance or a machine that marks the strip in a lane explains (`fixed_place.chance_of`).
    """
    if not frames.strip_moved:
        return None
    located = ~np.isnan(frames.spot).any(axis=1) & (frames.label >= 0)
    cases: list[tuple[float, int, Floats]] = []
    for code in np.unique(frames.label[located]).tolist():
        spots = frames.spot[located & (frames.label == code)]
        if fixed_place.is_fixed(spots):
            cases.append((fixed_place.chance_of(spots), code, spots))
    if not cases:
        return None
    _, code, spots = min(cases, key=lambda each: each[:2])
    crowd, name = int(fixed_place.crowd_of(spots).sum()), frames.classes[code]
    column, row = np.median(spots, axis=0).tolist()
    reason = (
        f"{crowd} of {len(spots)} frames with {name} show it at the same place of the image"
        f" ({column:.0%} from the left, {row:.0%} from the top) while the strip moves."
    )
    return CameraFinding(CameraCondition.DIRTY_LENS, reason, crowd, crowd / len(frames), (column, row))


def _longest_run(hashes: npt.NDArray[np.int64]) -> int:
    ends = np.flatnonzero(np.append(hashes[1:] != hashes[:-1], [True]))
    return int(np.diff(ends, prepend=-1).max())


def _repeats(hashes: npt.NDArray[np.int64]) -> Flags:
    repeats = np.zeros(len(hashes), dtype=np.bool_)
    for back in range(1, min(_RING, len(hashes) - 1) + 1):
        repeats[back:] |= hashes[back:] == hashes[:-back]
    return repeats


def _of(count: int, known: Flags) -> str:
    return f"{count} of {int(known.sum())} frames"


def _finding(kind: CameraCondition, reason: str, count: int, known: Flags) -> CameraFinding:
    return CameraFinding(kind, reason, count, count / int(known.sum()))
