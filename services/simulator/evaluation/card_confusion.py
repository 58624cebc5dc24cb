"""The confusion of the real model, as its card tells it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from services.contracts.errors import ConfigurationError
from services.domain.simulation.scenario import Floats, Scenario

_FIGURES: Final = "coil_grouped_hold_out"
_ROUNDS: Final = 500


def with_card_confusion(scenario: Scenario, card: Path) -> Scenario:
    """Return the scenario as the model of a card would see it; defects it called no defect are missed on top.

    Raises:
        ConfigurationError: The card cannot be read or its classes are not as many as the scenario's.
    """
    confusion = card_confusion(card)
    if confusion.shape[0] != len(scenario.classes):
        raise ConfigurationError(
            f"model card {card}: it has {confusion.shape[0]} classes, not {len(scenario.classes)}"
        )
    return replace(scenario, confusion=confusion)


def card_confusion(card: Path) -> Floats:
    """Return (C, C) shares of labels for each true class, on coils that the model was not trained on.

    The card gives counts of right labels, of true classes and of labels, but not the matrix. What is wrong is
    spread so that all these counts are met and nothing else is assumed: iterative proportional fitting of the
    wrong labels to their margins (Deming and Stephan 1940). A row's lack to 1 was called `no_defect`.

    Raises:
        ConfigurationError: The card cannot be read.
    """
    try:
        figures = json.loads(card.read_text(encoding="utf-8"))["figures"][_FIGURES]
        classes = [each for each in figures["per_class"].values() if each["n"] > 0]
        right = np.array([float(each["recall"]["hits"]) for each in classes])
        total = np.array([float(each["n"]) for each in classes])
        called = np.array([float(_called(each)) for each in classes])
        missed = float(figures["called_no_defect"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"model card {card} has no figures of held-out coils: {error}") from error
    wrong = fitted(total - right, np.append(called - right, missed))
    counts = np.diag(right) + wrong[:, :-1]
    return np.asarray(counts / total[:, None], dtype=np.float64)


def _called(figures: dict[str, Any]) -> int:
    """Return how often a label was given: the denominator of its precision, 0 where it has none."""
    return int(figures["precision"]["n"])


def fitted(rows: Floats, columns: Floats) -> Floats:
    """Return (C, C + 1) wrong labels with these sums, nothing on the diagonal."""
    table = np.ones((len(rows), len(columns)))
    np.fill_diagonal(table, 0.0)
    for _ in range(_ROUNDS):
        table *= (rows / np.maximum(table.sum(axis=1), 1e-12))[:, None]
        table *= columns / np.maximum(table.sum(axis=0), 1e-12)
    return table
