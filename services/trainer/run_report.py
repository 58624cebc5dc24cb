"""The report of a model version: curves, topology, confusion, recall, reliability, as PNG files and one HTML page.

Everything is drawn from the model card, so a report can be made of any version at any time.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from services.contracts.errors import ConfigurationError

PAGE = "report.html"
_INK, _SOFT = "#0b4f8a", "#b8c4d0"
_DPI = 110
_DARK_SHARE = 0.5
_GROUPED = "coil_grouped_hold_out"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}"
    "img{max-width:100%}table{border-collapse:collapse}td,th{padding:.3rem .8rem;border-bottom:1px solid #d0d7de}"
)

Card = Mapping[str, Any]


def write_report(card: Card, directory: Path) -> Path:
    """Write the pictures and the page; return the page. What the card does not hold is left out.

    Raises:
        ConfigurationError: The directory cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        pictures = {}
        for name, (title, draw) in _PICTURES.items():
            figure = draw(card)
            if figure is None:
                continue
            path = directory / f"{name}.png"
            figure.savefig(path, dpi=_DPI)
            pictures[title] = path
        page = directory / PAGE
        page.write_text(_page(card, pictures), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"The report cannot be written to {directory}: {error.strerror}.") from error
    return page


def _sheet(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _curve(card: Card, key: str, label: str) -> Figure | None:
    epochs = card.get("training", {}).get("epochs", [])
    if not epochs:
        return None
    figure, axes = _sheet(7, 4)
    axes.plot([each["epoch"] for each in epochs], [each[key] for each in epochs], color=_INK, marker="o", ms=3)
    sizes = [each["image_px"] for each in epochs]
    for index, size in enumerate(sizes):
        if index == 0 or size != sizes[index - 1]:
            axes.axvline(epochs[index]["epoch"] - 0.5, color=_SOFT, lw=1)
            axes.annotate(
                f"{size} px", (epochs[index]["epoch"] - 0.4, 1), xycoords=("data", "axes fraction"), va="top"
            )
    axes.set(xlabel="epoch", ylabel=label)
    return figure


def _accuracy(card: Card) -> Figure | None:
    figure = _curve(card, "accuracy", "accuracy on augmented training batches")
    if figure is not None:
        figure.axes[0].set_ylim(0, 1)
    return figure


def _loss(card: Card) -> Figure | None:
    return _curve(card, "loss", "loss on augmented training batches (nats)")


def _confusion(card: Card) -> Figure | None:
    given = card.get("figures", {}).get("confusion")
    if not given:
        return None
    counts = np.array(given["rows_true"], float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = _sheet(8, 7)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(given["labels"]))
    axes.set_xticks(ticks, given["labels"], rotation=45, ha="right")
    axes.set_yticks(ticks, given["labels"])
    axes.set(xlabel="called", ylabel="true class (held-out coils)")
    for row, column in np.argwhere(counts > 0):
        shade = "white" if shares[row, column] > _DARK_SHARE else "black"
        axes.text(column, row, f"{counts[row, column]:.0f}", ha="center", va="center", color=shade, fontsize=8)
    return figure


def _recall(card: Card) -> Figure | None:
    lines = card.get("figures", {}).get(_GROUPED, {}).get("per_class", {})
    known = {label: line["recall"] for label, line in lines.items() if line["recall"]["value"] is not None}
    if not known:
        return None
    figure, axes = _sheet(7, 0.4 * len(known) + 1.2)
    for place, share in enumerate(known.values()):
        axes.plot(share["wilson95"], [place, place], color=_SOFT, lw=4, solid_capstyle="butt")
        axes.plot(share["value"], place, "o", color=_INK)
    axes.set_yticks(range(len(known)), [f"{label} (n = {share['n']})" for label, share in known.items()])
    axes.invert_yaxis()
    axes.set(xlabel="recall on held-out coils, Wilson 95 %", xlim=(0, 1))
    return figure


def _reliability(card: Card) -> Figure | None:
    bins = card.get("figures", {}).get("reliability")
    if not bins:
        return None
    figure, axes = _sheet(5, 5)
    axes.plot([0, 1], [0, 1], color=_SOFT, ls="--")
    most = max(each["n"] for each in bins)
    axes.scatter(
        [each["confidence"] for each in bins], [each["right"] for each in bins],
        s=[20 + 180 * each["n"] / most for each in bins], color=_INK,
    )  # fmt: skip
    axes.set(xlabel="mean confidence", ylabel="share of right answers", xlim=(0, 1), ylim=(0, 1))
    return figure


def _topology(card: Card) -> Figure:
    classes = len(card.get("labels", []))
    located = "located" in str(card.get("architecture", ""))
    pooling = "marks 1 x 1,\nlocated pooling" if located else "average pooling"
    blocks = (
        ("image", "224 x 224 x 3, uint8"), ("standardise", "per image"), ("conv 7 x 7, pool", "56 x 56 x 64"),
        ("3 residual blocks", "56 x 56 x 256"), ("4 residual blocks", "28 x 28 x 512"),
        ("6 residual blocks", "14 x 14 x 1024"), ("3 residual blocks", "7 x 7 x 2048"),
        (pooling, "2048"), ("Dense 128, ReLU", "128"), ("Dense, softmax", f"{classes}"),
    )  # fmt: skip
    figure, axes = _sheet(13, 1.8)
    for place, (name, shape) in enumerate(blocks):
        box = {"boxstyle": "round", "facecolor": "white", "edgecolor": _INK}
        axes.text(place, 0.6, name, ha="center", va="center", fontsize=8, bbox=box)
        axes.text(place, 0.1, shape, ha="center", va="center", fontsize=7)
    axes.set(xlim=(-0.6, len(blocks) - 0.4), ylim=(0, 1))
    axes.axis("off")
    return figure


_PICTURES: Mapping[str, tuple[str, Callable[[Card], Figure | None]]] = {
    "topology": ("Topology", _topology),
    "accuracy": ("Accuracy by epoch", _accuracy),
    "loss": ("Loss by epoch", _loss),
    "confusion": ("Confusion matrix", _confusion),
    "recall": ("Recall by class", _recall),
    "reliability": ("Reliability", _reliability),
}


def _page(card: Card, pictures: Mapping[str, Path]) -> str:
    title = escape(f"{card.get('model_name')} version {card.get('model_version')}")
    parts = [
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{title}</title><style>{_STYLE}</style>",
        f"<h1>{title}</h1><p>{escape(str(card.get('date')))}, {escape(str(card.get('architecture')))}</p>",
        _figures(card),
    ]
    for name, path in pictures.items():
        source = base64.b64encode(path.read_bytes()).decode()
        parts.append(f"<h2>{escape(name)}</h2><img alt='{escape(name)}' src='data:image/png;base64,{source}'>")
    parts += [f"<p>{escape(limit)}</p>" for limit in card.get("limits", [])]
    return "\n".join([*parts, "</html>\n"])


def _figures(card: Card) -> str:
    rows = ["<table><tr><th>frames</th><th>top-1</th><th>95 %</th><th>n</th><th>macro-F1</th><th>ECE</th></tr>"]
    for key, report in card.get("figures", {}).items():
        if isinstance(report, dict) and "top1" in report:
            share = report["top1"]
            ece = f"{100 * report['ece']:.1f} %" if "ece" in report else "-"
            low, high = report.get("top1_bootstrap95_by_coil", share["wilson95"])
            rows.append(
                f"<tr><td>{escape(key.replace('_', ' '))}</td><td>{100 * share['value']:.1f} %</td>"
                f"<td>{100 * low:.1f} to {100 * high:.1f}</td><td>{share['n']}</td>"
                f"<td>{report['macro_f1']:.3f}</td><td>{ece}</td></tr>"
            )
    return "".join([*rows, "</table>"])
