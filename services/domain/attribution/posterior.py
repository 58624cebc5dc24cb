"""Posterior of the birthplace of single defects: Bayes' rule over sources, classes and 'none: false alarm'."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.domain.attribution.likelihood import Likelihoods

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Posterior:
    """Where D defects come from.

    Attributes:
        born: (D, G, C) probability of each source and class.
        false: (D,) probability that no defect was there; with `born` it sums to 1.
    """

    born: Floats
    false: Floats


def posterior(likelihood: Likelihoods, prior: Floats, prior_none: float) -> Posterior:
    """Weigh the likelihoods with prior probabilities per place.

    Args:
        likelihood: Of D patterns.
        prior: (G, C) probability that a source leaves a defect of a class at one place.
        prior_none: Probability that nothing is there.
    """
    weight = likelihood.born * prior
    none = likelihood.false * prior_none
    total = weight.sum(axis=(1, 2)) + none
    return Posterior(weight / total[:, None, None], none / total)
