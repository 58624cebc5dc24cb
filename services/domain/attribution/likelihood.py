"""Likelihood of what the cameras saw at one place of the strip, for every possible birthplace of a defect.

Model (a thinned Poisson process): a defect of class c that source g leaves on the strip is visible at the first
camera behind g, survives the machines between cameras j - 1 and j with probability `survival[j, c]`, and is
reported by a camera that looks with probability `sensitivity[j, c]` under label l with probability
`confusion[c, l]`. A camera that looks at a place without a visible defect reports one with probability
`false_per_frame[j]`. A camera that did not look says nothing. The sum over "still visible" and "worn off" is a
forward recursion along the cameras.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.domain.attribution.parameters import CameraParameters

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int16]

NOT_SEEN = -1
"""The camera looked and reported nothing."""
NOT_LOOKED = -2
"""No frame of this camera shows the place: it says nothing, neither for nor against."""


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """How well each explanation fits each of D registered defects.

    Attributes:
        born: (D, G, C) probability of the pattern if source g left a defect of class c there.
        false: (D,) probability of the pattern if there was no defect at all.
    """

    born: Floats
    false: Floats


def likelihoods(
    labels: Labels,
    first_camera: npt.NDArray[np.int64],
    parameters: CameraParameters,
    asked: npt.NDArray[np.int64] | None = None,
) -> Likelihoods:
    """Return the likelihoods of D patterns.

    Args:
        labels: (D, J) label index each camera reported, `NOT_SEEN` or `NOT_LOOKED`; cameras in strip order.
        first_camera: (G,) index of the first camera behind each source, ascending.
        parameters: What is believed about the J cameras.
        asked: (D, J) frames of each camera that can be taken for a sighting there; None: one each.
    """
    defects, cameras = labels.shape
    sources, classes = len(first_camera), parameters.confusion.shape[0]
    visible = np.empty((sources, defects, classes))
    gone = np.zeros((sources, defects, classes))
    false = np.ones(defects)
    born = 0
    for camera in range(cameras):
        seen_clean, seen_visible = _emissions(labels[:, camera], camera, parameters)
        if asked is not None and (asked[:, camera] > 1).any():
            seen_clean = _of_several(labels[:, camera], camera, parameters, asked[:, camera])
        worn = visible[:born] * (1 - parameters.survival[camera])
        gone[:born] += worn
        visible[:born] -= worn
        if born < sources and first_camera[born] == camera:
            visible[born] = false[:, None]
            born += 1
        visible[:born] *= seen_visible
        gone[:born] *= seen_clean[:, None]
        false *= seen_clean
    return Likelihoods(np.moveaxis(visible + gone, 0, 1), false)


def detection_probability(
    looked: npt.NDArray[np.bool_], first_camera: npt.NDArray[np.int64], parameters: CameraParameters
) -> Floats:
    """Return (P, G, C): probability that a defect is reported at least once, for P patterns of looking cameras.

    Args:
        looked: (P, J) whether each camera looked.
        first_camera: (G,) index of the first camera behind each source.
        parameters: What is believed about the J cameras.
    """
    labels = np.where(looked, NOT_SEEN, NOT_LOOKED).astype(np.int16)
    silent = likelihoods(labels, first_camera, parameters)
    clean = np.where(looked, 1 - parameters.false_per_frame, 1.0)
    upstream = np.ones((len(looked), len(first_camera)))
    for source, camera in enumerate(first_camera):
        upstream[:, source] = np.prod(clean[:, :camera], axis=1)
    return 1 - silent.born / upstream[:, :, None]


def _of_several(column: Labels, camera: int, parameters: CameraParameters, asked: npt.NDArray[np.int64]) -> Floats:
    """Return (D,) probability of what one camera said of clean strip on any of some frames."""
    quiet = (1 - parameters.false_per_frame[camera]) ** asked
    called = (1 - quiet) * parameters.false_labels[camera][column.clip(0)]
    return np.asarray(np.where(column >= 0, called, np.where(column == NOT_SEEN, quiet, 1.0)), dtype=np.float64)


def _emissions(column: Labels, camera: int, parameters: CameraParameters) -> tuple[Floats, Floats]:
    """Return (D,) probability of what one camera said of clean strip, and (D, C) of a visible defect by class."""
    rate = parameters.false_per_frame[camera]
    sensitivity = parameters.sensitivity[camera]
    classes = len(sensitivity)
    clean = np.empty(classes + 2)
    clean[:classes] = rate * parameters.false_labels[camera]
    clean[NOT_LOOKED], clean[NOT_SEEN] = 1.0, 1 - rate
    visible = np.empty((classes + 2, classes))
    np.multiply(parameters.confusion.T, sensitivity, out=visible[:classes])
    visible[NOT_LOOKED], visible[NOT_SEEN] = 1.0, 1 - sensitivity
    return clean[column], visible[column]
