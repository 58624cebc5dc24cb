"""Events of many coils on one lattice, so that a spectrum costs one short FFT per coil.

Positions of defects are often frame centres and so multiples of the frame pitch, which is a period of its own.
Taking the mean occupancy out of every coil removes it: under redraws of the frames all powers have mean 2 per
harmonic, and exactly 0 at the harmonics of the pitch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage, stats

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

CHANCE_POWER = 2.0
"""Mean power of a harmonic when positions are random."""

_STEP_PER_LENGTH = 0.12
"""Frequency step times the longest coil: neighbours lose at most 5 % of the power of three harmonics."""
_LEVEL_PEAKS = 24
"""Width of the running median in widths of a peak, 1 / longest coil, when coils are many."""
_LEVEL_PEAKS_AND_COILS = 200
"""Fewest widths times coils in it, so that the level of a few coils is not noise."""
_BINS_PER_TURN = 4
"""Bins in the shortest turn of the highest harmonic when positions are not frame centres."""
_SPARSE = 20
"""From this many frames for each occupied one on, redraws may hit a frame twice; it no longer matters."""
_ON_PITCH = 0.02
"""Share of the pitch by which frame centres may miss their lattice."""


@dataclass(frozen=True, slots=True, eq=False)
class EventGrid:
    """Counts of events on a lattice.

    Attributes:
        counts: One array (frames, bins per frame) for each coil. A frame is what redraws move as a whole.
        bin_m: Width of a bin.
        transform_length: Points of the FFT; frequencies are multiples of 1 / (bin_m * transform_length).
    """

    counts: tuple[Floats, ...]
    bin_m: float
    transform_length: int

    @property
    def frequency_step(self) -> float:
        """Distance of neighbouring frequencies, in turns per metre."""
        return 1.0 / (self.bin_m * self.transform_length)

    def frequencies(self, orders: Indices) -> Floats:
        """Return multiples of the frequency step in turns per metre."""
        return np.asarray(orders * self.frequency_step, dtype=np.float64)

    def harmonic_powers(self, orders: Indices, harmonics: int) -> Floats:
        """Return the power of each harmonic at multiples of the frequency step, shape (harmonics, orders).

        Where a broad stretch of the spectrum stands above chance, it is levelled: defects that last for several
        frames, or come in bursts, raise all low frequencies, while a period is a narrow peak.
        """
        spectrum = np.zeros((1, self.transform_length // 2 + 1))
        for each in self.counts:
            spectrum += self._spectra(each[np.newaxis])
        powers = self._normalised(spectrum)
        powers[0] /= self._level(powers[0])
        return np.asarray(self._gathered(powers, orders, harmonics)[0], dtype=np.float64)

    def redrawn_maxima(self, orders: Indices, weights: Floats, draws: int, rng: np.random.Generator) -> Floats:
        """Return the largest score of `draws` redraws, each with all frames of every coil shuffled.

        Args:
            orders: Multiples of the frequency step, shape (f,).
            weights: Of the harmonics at each of them, shape (harmonics, f), see `score`.
            draws: Number of redraws.
            rng: For the shuffles.
        """
        spectrum = np.zeros((draws, self.transform_length // 2 + 1))
        for each in self.counts:
            spectrum += self._spectra(_shuffled(each, draws, rng))
        powers = self._gathered(self._normalised(spectrum), orders, weights.shape[0])
        return np.asarray(score(powers, weights).max(axis=1), dtype=np.float64)

    def _spectra(self, counts: Floats) -> Floats:
        centred = counts - counts.mean(axis=1, keepdims=True)
        flat = centred.reshape(counts.shape[0], -1).astype(np.float32)
        spectra = fft.rfft(flat, self.transform_length, axis=1)
        return np.asarray(spectra.real**2 + spectra.imag**2, dtype=np.float64)

    def _normalised(self, spectrum: Floats) -> Floats:
        variance = sum(float(((each - each.mean(axis=0)) ** 2).sum()) for each in self.counts)
        return np.asarray(CHANCE_POWER * spectrum / variance, dtype=np.float64)

    def _level(self, powers: Floats) -> Floats:
        """Running median of the powers over what chance has there, never below 1."""
        coils = len(self.counts)
        chance = CHANCE_POWER * float(stats.chi2.median(2 * coils)) / (2 * coils)
        peaks = max(_LEVEL_PEAKS, _LEVEL_PEAKS_AND_COILS // coils)
        width = min(int(peaks / _STEP_PER_LENGTH), powers.size)
        return np.maximum(ndimage.median_filter(powers, size=width) / chance, 1.0)

    def _gathered(self, powers: Floats, orders: Indices, harmonics: int) -> Floats:
        folded = np.outer(np.arange(1, harmonics + 1), orders) % self.transform_length
        folded = np.minimum(folded, self.transform_length - folded)
        return np.asarray(powers[:, folded], dtype=np.float64)


def harmonic_weights(frequencies: Floats, frame_pitch_m: float | None, harmonics: int) -> Floats:
    """Return how much each harmonic of a comb counts, shape (harmonics, f), squares summing to 1.

    Frame centres blur a comb over one pitch, which damps harmonic k by sinc(k f pitch) squared. Without these
    weights harmonics that fold onto each other are counted twice, and a wrong period can win.
    """
    if frame_pitch_m is None:
        return np.full((harmonics, frequencies.size), 1 / np.sqrt(harmonics))
    damping = np.sinc(np.outer(np.arange(1, harmonics + 1), frequencies) * frame_pitch_m) ** 2
    return np.asarray(damping / np.sqrt((damping**2).sum(axis=0)), dtype=np.float64)


def score(powers: Floats, weights: Floats) -> Floats:
    """Return the weighted excess of harmonic powers (..., harmonics, f) over chance, shape (..., f)."""
    return np.asarray(((powers - CHANCE_POWER) * weights).sum(axis=-2), dtype=np.float64)


def event_grid(
    segments: Sequence[Floats], shortest_m: float, frame_pitch_m: float | None, harmonics: int
) -> EventGrid:
    """Count events on a lattice fine enough for turns of `shortest_m`.

    Args:
        segments: Event positions in metres, sorted, two or more in each coil.
        shortest_m: Shortest period of interest.
        frame_pitch_m: Distance of frame centres when positions are such; None: positions are exact.
        harmonics: Number of harmonics that must be resolved.
    """
    wanted_m = shortest_m / (_BINS_PER_TURN * harmonics)
    frame_m = wanted_m if frame_pitch_m is None else frame_pitch_m
    bins = 1 if frame_pitch_m is None or _on_lattice(segments, frame_m) else int(np.ceil(frame_m / wanted_m))
    counts = tuple(_counted(positions, frame_m, bins) for positions in segments)
    longest_m = max(float(positions[-1] - positions[0]) for positions in segments)
    bin_m = frame_m / bins
    length = max(int(np.ceil(longest_m / (bin_m * _STEP_PER_LENGTH))), *(each.size for each in counts))
    return EventGrid(counts, bin_m, int(fft.next_fast_len(length, real=True)))


def _on_lattice(segments: Sequence[Floats], frame_m: float) -> bool:
    misses = (np.abs(_beside(positions, frame_m)).max() for positions in segments)
    return bool(max(misses) <= _ON_PITCH)


def _beside(positions: Floats, frame_m: float) -> Floats:
    """Distance to the lattice that starts at the first event, in frames, -0.5 to 0.5."""
    scaled = (positions - positions[0]) / frame_m
    return np.asarray(scaled - np.rint(scaled), dtype=np.float64)


def _counted(positions: Floats, frame_m: float, bins: int) -> Floats:
    frames = np.rint((positions - positions[0]) / frame_m).astype(np.intp)
    within = np.clip(((_beside(positions, frame_m) + 0.5) * bins).astype(np.intp), 0, bins - 1)
    counts = np.zeros((int(frames[-1]) + 1, bins))
    np.add.at(counts, (frames, within), 1.0)
    return counts


def _shuffled(counts: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Redraw which frames hold which counts, shape (draws, frames, bins)."""
    occupied = np.flatnonzero(counts.any(axis=1))
    if occupied.size * _SPARSE > counts.shape[0]:
        return np.asarray(counts[rng.random((draws, counts.shape[0])).argsort(axis=1)], dtype=np.float64)
    redrawn = np.zeros((draws, *counts.shape))
    places = rng.integers(counts.shape[0], size=(draws, occupied.size))
    np.add.at(redrawn, (np.arange(draws)[:, np.newaxis], places), counts[occupied])
    return redrawn
