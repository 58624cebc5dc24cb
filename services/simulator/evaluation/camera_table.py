"""What the runs say about cameras in trouble and about welds: whom they blame, and whether it is a machine."""

from collections.abc import Sequence
from typing import Final

from services.simulator.evaluation.camera_runs import HEALTHY, KINDS, NO_SPOTS
from services.simulator.evaluation.fault_runs import ONSET
from services.simulator.evaluation.figures import Figure, count_rate, mean, quantile, share
from services.simulator.evaluation.outcomes import MACHINE, FlagSeen, RunOutcome
from services.simulator.evaluation.tables import Row, Section, at_most

_PER_COILS: Final = 1000.0
_DETECTORS: Final = {
    "camera_false_positives": ("invents", "dirty_lens"),
    "dirty_lens": ("dirty_lens", "invents"),
    NO_SPOTS: ("dirty_lens", "invents"),
    "blind_camera": ("blind",),
    "dead_camera": ("silent",),
}
_TITLES: Final = {
    "camera_false_positives": "Camera: twenty times as many false calls",
    "dirty_lens": "Camera: dirty lens, 30 % of its frames, places in the image known",
    NO_SPOTS: "Camera: dirty lens, 30 % of its frames, places in the image unknown",
    "blind_camera": "Camera: blind, calls nothing a defect",
    "dead_camera": "Camera: dead, delivers no frames",
}


_ALLOWED: Final = "flags that the promise of 500 coils allows"


def cameras(runs: Sequence[RunOutcome], usual_per_coil: float) -> list[Section]:
    """Return a section for each kind of trouble, all positions of the camera together and one by one.

    Args:
        runs: Of all kinds, and those with all cameras sound.
        usual_per_coil: False flags per coil that the promise allows.
    """
    healthy = [run for run in runs if run.facts["kind"] == HEALTHY]
    twins = {(run.seed, run.facts["spots"]): _machine_flags(run) for run in healthy}
    sections = [_healthy(healthy)]
    for kind in KINDS:
        struck = [run for run in runs if run.facts["kind"] == kind]
        if struck:
            sections.append(_kind(kind, struck, twins, usual_per_coil))
    return sections


def _healthy(runs: Sequence[RunOutcome]) -> Section:
    coils = sum(run.coils - ONSET for run in runs)
    flags = sum(len(_machine_flags(run)) for run in runs)
    return Section(
        "Cameras: the same runs with all cameras sound",
        (Row("machine flags per 1,000 coils", count_rate(flags, max(coils, 1) / _PER_COILS)),),
    )


def _kind(
    kind: str,
    runs: Sequence[RunOutcome],
    twins: dict[tuple[int, bool], list[FlagSeen]],
    usual_per_coil: float,
) -> Section:
    coils = sum(run.coils - ONSET for run in runs)
    flags = [(run, flag) for run in runs for flag in _machine_flags(run)]
    usual = sum(len(twins[run.seed, run.facts["spots"]]) for run in runs)
    extra = [
        flag for run, flag in flags if _name(flag) not in {_name(t) for t in twins[run.seed, run.facts["spots"]]}
    ]
    delays = [delay for run in runs if (delay := _delay(run, kind)) is not None]
    wrong = sum(any(_wrong_camera(flag, run) for flag in run.flags) for run in runs)
    rows = [
        Row("machine flags after the onset", Figure(len(flags), None, None, coils)),
        Row("machine flags of the same runs with all cameras sound", Figure(usual, None, None, coils)),
        Row("machine flags that the sound runs do not have", Figure(len(extra), None, None, coils)),
        Row(_ALLOWED, Figure(coils * usual_per_coil, None, None, coils)),
        Row("machine flags per 1,000 coils", count_rate(len(flags), coils / _PER_COILS)),
        Row("camera found", share(len(delays), len(runs))),
        Row("coils until it is found, mean", mean([float(each) for each in delays])),
        Row("coils until it is found, P90", quantile([float(each) for each in delays], 0.9)),
        Row("runs that blame another camera", share(wrong, len(runs))),
    ]
    for camera in sorted({run.facts["camera"] for run in runs}):
        own = [run for run in runs if run.facts["camera"] == camera]
        found = sum(_delay(run, kind) is not None for run in own)
        caused = sum(len(_machine_flags(run)) for run in own)
        rows.append(Row(f"{camera}: found", share(found, len(own))))
        rows.append(Row(f"{camera}: machine flags", Figure(caused, None, None, sum(r.coils - ONSET for r in own))))
    about = "The value in the column n of machine flags is the number of coils watched after the onset."
    return Section(_TITLES[kind], tuple(rows), about)


def _machine_flags(run: RunOutcome) -> list[FlagSeen]:
    return [flag for flag in run.flags if flag.detector == MACHINE and flag.alarm >= ONSET]


def _name(flag: FlagSeen) -> tuple[str, str | None]:
    return flag.cause, flag.defect_class


def _delay(run: RunOutcome, kind: str) -> int | None:
    """Return coils from the onset to the first word about the camera, counting both; None: never."""
    camera = run.facts["camera"]
    at = [flag.alarm for flag in run.flags if _blames(flag, camera) and flag.detector in _DETECTORS[kind]]
    for detector in _DETECTORS[kind]:
        found = run.facts["findings"].get(f"{camera}:{detector}")
        at += [found] if found is not None and kind == "dead_camera" else []
    after = [each - ONSET + 1 for each in at if each >= ONSET]
    return min(after) if after else None


def _wrong_camera(flag: FlagSeen, run: RunOutcome) -> bool:
    blames_one = flag.cause.startswith("camera:") and flag.alarm >= ONSET
    return blames_one and not _blames(flag, run.facts["camera"])


def _blames(flag: FlagSeen, camera: str) -> bool:
    return flag.cause == f"camera:{camera}"


def welds(runs: Sequence[RunOutcome], usual_per_coil: float) -> Section:
    """Return what was said about welds at every joint.

    Args:
        runs: No machine is at fault in them.
        usual_per_coil: False flags per coil that the promise allows.
    """
    coils = sum(run.coils - run.learning for run in runs)
    flags = [flag for run in runs for flag in run.flags if flag.detector == MACHINE]
    marks = {"welding_line", "punching_hole", "crescent_gap"}
    of_marks = sum(flag.defect_class in marks for flag in flags)
    never = sum(flag.defect_class in {"welding_line", "punching_hole"} for flag in flags)
    missing = sum([40, "missing", "welding_line"] in run.facts["landmarks"] for run in runs)
    surplus = sum([50, "surplus", "welding_line"] in run.facts["landmarks"] for run in runs)
    others = sum(
        each not in ([40, "missing", "welding_line"], [50, "surplus", "welding_line"])
        for run in runs
        for each in run.facts["landmarks"]
    )
    return Section(
        "Welds at every joint, one missing, one too many",
        (
            Row("machine flags for weld or hole", Figure(never, None, None, coils), at_most(0)),
            Row("machine flags for weld, hole or notch", Figure(of_marks, None, None, coils)),
            Row("machine flags of all classes", Figure(len(flags), None, None, coils)),
            Row(_ALLOWED, Figure(coils * usual_per_coil, None, None, coils)),
            Row("missing weld reported", share(missing, len(runs))),
            Row("surplus weld reported", share(surplus, len(runs))),
            Row(
                "other missing or surplus marks reported, per 1,000 coils", count_rate(others, coils / _PER_COILS)
            ),
        ),
    )
