"""Sets a monitor up: joins the line, the classes that occur on it and its material pack."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from services.domain.material import MaterialPack
from services.domain.monitoring.frame import Floats, MonitorFrame
from services.domain.registration.coil import LandmarkRule
from services.domain.registration.layout import LineLayout
from services.domain.topology import Line

_PRIOR_TEMPER: Final = 0.5
"""A pack's class priors are engineering judgement: their logarithms count half against what the cameras show."""
_M_PER_KM: Final = 1000.0


def monitor_frame(line: Line, classes: Sequence[str], pack: MaterialPack) -> MonitorFrame:
    """Return the set-up of a line's monitor.

    Args:
        line: As it stands; at least one camera must look at it.
        classes: Defect classes that may occur, without `no_defect`.
        pack: Of the material that runs on the line.

    Raises:
        ValueError: No camera of the line stands behind a machine.
    """
    layout = LineLayout.of(line)
    if not layout.groups:
        raise ValueError(f"line {line.id!r} has no camera behind a machine: nothing can be told apart")
    names = tuple(classes)
    always = [name for name in names if name in pack.landmarks.always]
    beside = tuple(names.index(name) for name in names if name in pack.landmarks.beside)
    rule = LandmarkRule(names.index(always[0]) if always else None, beside, pack.landmarks.beside_m)
    return MonitorFrame(
        layout=layout,
        classes=names,
        watched=np.array([name not in pack.landmarks.always for name in names], dtype=np.bool_),
        landmarks=rule,
        prior_rate=_prior_rates(layout, names, pack),
        cause_weight=_cause_weights(layout, names, pack),
        plan=line.monitoring,
    )


def member_prior(frame: MonitorFrame, group: int, defect_class: str, pack: MaterialPack) -> dict[str, float]:
    """Return machine id -> prior probability within one group: what the class usually points to."""
    ids = set(frame.layout.groups[group].machine_ids)
    return pack.machine_prior(defect_class, [each for each in frame.layout.machines if each.id in ids])


def _prior_rates(layout: LineLayout, classes: Sequence[str], pack: MaterialPack) -> Floats:
    per_machine = np.array([pack.profile(name).typical_rate_per_km / _M_PER_KM for name in classes])
    machines = np.array([len(group.machine_ids) for group in layout.groups], dtype=np.float64)
    return np.asarray(machines[:, None] * per_machine[None, :], dtype=np.float64)


def _cause_weights(layout: LineLayout, classes: Sequence[str], pack: MaterialPack) -> Floats:
    """Return (G, C) weights with mean 1 over the groups of each class."""
    weights = np.ones((len(layout.groups), len(classes)))
    for column, name in enumerate(classes):
        prior = pack.machine_prior(name, layout.machines)
        for row, group in enumerate(layout.groups):
            weights[row, column] = sum(prior[machine] for machine in group.machine_ids)
    tempered = np.maximum(weights, 1e-6) ** _PRIOR_TEMPER
    return np.asarray(tempered / tempered.mean(axis=0), dtype=np.float64)
