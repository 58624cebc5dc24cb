"""A model card as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_SETS = (
    ("coil_grouped_hold_out", "coil-grouped (what a new coil gets)"),
    ("coil_grouped_hold_out_defects_only", "coil-grouped, no_defect left out"),
    ("coil_grouped_folds", "coil-grouped folds (other weights, every coil held out once)"),
    ("random_split", "random split (coils on both sides)"),
    ("random_split_defects_only", "random split, no_defect left out"),
    ("rendered_frames", "rendered frames"),
)


def card_lines(card: Mapping[str, Any]) -> Iterator[str]:
    """Return what a person wants to know of a version first; what the card does not hold is left out."""
    yield f"{card.get('model_name')} version {card.get('model_version')}, {card.get('date', 'no date')}"
    yield f"architecture: {card.get('architecture', '-')}"
    yield f"precision:    {card.get('precision', '-')}"
    yield f"labels:       {', '.join(card.get('labels', []))}"
    yield from _data(card.get("data", {}))
    yield f"command:      {card.get('command', '-')}"
    yield ""
    figures = card.get("figures", {})
    for key, title in _SETS:
        report = figures.get(key)
        if report:
            yield _accuracy(title, report)
    yield from _further(figures)
    yield ""
    for label, line in figures.get("coil_grouped_hold_out", {}).get("per_class", {}).items():
        yield f"  {label:<14} {_share(line['recall'])}"
    yield ""
    for limit in card.get("limits", []):
        yield f"limit: {limit}"


def _data(data: Mapping[str, Any]) -> Iterator[str]:
    for key in ("training", "held_out"):
        if key in data:
            yield f"{key + ':':<13} {data[key]['images']} images of {data[key]['coils']} coils"
    split = data.get("split")
    if split:
        yield f"split:        {split['kind']}, seed {split['seed']}, {split['file']}"


def _accuracy(title: str, report: Mapping[str, Any]) -> str:
    ece = f", ECE {100 * report['ece']:.1f} %" if "ece" in report else ""
    spread = report.get("top1_bootstrap95_by_coil")
    by_coil = f", by coil {100 * spread[0]:.1f} to {100 * spread[1]:.1f} %" if spread else ""
    return f"{title}: top-1 {_share(report['top1'])}{by_coil}, macro-F1 {report['macro_f1']:.3f}{ece}"


def _further(figures: Mapping[str, Any]) -> Iterator[str]:
    gate = figures.get("no_defect_gate")
    if gate:
        yield f"clean strip called a defect: {_share(gate['clean_windows_called_a_defect'])}"
        yield f"defects called a defect:     {_share(gate['defect_frames_called_a_defect'])}"
    int8 = figures.get("int8_against_fp32")
    if int8:
        yield f"INT8 {_share(int8['int8_top1'])} against fp32 {_share(int8['fp32_top1'])}"
    parity = figures.get("parity")
    if parity:
        yield f"exported file against trained network: {parity['largest_probability_difference']:.1e} at most"
    heat = figures.get("evidence_in_box")
    if heat:
        yield f"evidence peak inside a marked box: {_share(heat)}"


def _share(share: Mapping[str, Any]) -> str:
    if share.get("value") is None:
        return "-"
    low, high = share["wilson95"]
    return f"{100 * share['value']:.1f} % ({100 * low:.1f} to {100 * high:.1f}, n = {share['n']})"
