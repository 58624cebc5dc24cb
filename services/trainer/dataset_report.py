"""The check of a labelled set as one HTML file with pictures, readable without a network."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from html import escape

import cv2

from services.contracts.errors import RejectedMessage
from services.contracts.image_path import decode_for_model
from services.trainer.dataset import Dataset
from services.trainer.dataset_check import Findings, Pair

_PICTURE_PX = 112
_PER_CLASS = 6
_MAX_PAIRS = 24
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}"
    "table{border-collapse:collapse}td,th{padding:.3rem .8rem;border-bottom:1px solid #d0d7de;text-align:left}"
    "figure{display:inline-block;margin:.4rem;font-size:.8rem;max-width:16rem;vertical-align:top}"
    ".bad,.note{border-left:.4rem solid #b42318;padding-left:.8rem}.note{border-color:#b7791f}"
)


def html_report(dataset: Dataset, findings: Findings, title: str) -> str:
    """Return the report: what spoils training, what is doubtful, classes with examples, duplicates."""
    parts = [
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title>",
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>",
        f"<p>{len(dataset.entries)} images, {len(findings.counts)} classes,"
        f" {_group_count(dataset)}, {len(findings.unreadable)} unreadable files.</p>",
        *(f"<p class='bad'>{escape(sentence)}</p>" for sentence in findings.spoils),
        *(f"<p class='note'>{escape(sentence)}</p>" for sentence in findings.warnings),
        "" if findings.spoils else "<p>Nothing here would spoil training.</p>",
        "<h2>Classes</h2>",
        *_classes(dataset, findings),
        *_pairs(dataset, "Under two labels", findings.contradictions),
        *_pairs(dataset, "Byte-identical", findings.identical),
        *_pairs(dataset, "Near-duplicates", findings.alike),
        *_unreadable(findings),
        "</html>\n",
    ]
    return "\n".join(parts)


def _group_count(dataset: Dataset) -> str:
    return f"{len({entry.group for entry in dataset.entries})} groups" if dataset.has_groups else "no groups"


def _classes(dataset: Dataset, findings: Findings) -> Iterator[str]:
    yield "<table><tr><th>class</th><th>images</th><th>groups</th></tr>"
    for label, count in sorted(findings.counts.items()):
        groups = {entry.group for entry in dataset.entries if entry.label == label}
        shown = len(groups) if dataset.has_groups else "–"
        yield f"<tr><td>{escape(label)}</td><td>{count}</td><td>{shown}</td></tr>"
    yield "</table>"
    for label in sorted(findings.counts):
        own = [index for index, entry in enumerate(dataset.entries) if entry.label == label]
        step = max(1, len(own) // _PER_CLASS)
        yield f"<h3>{escape(label)}</h3>"
        yield from (_figure(dataset, index) for index in own[::step][:_PER_CLASS])


def _pairs(dataset: Dataset, title: str, pairs: Iterable[Pair]) -> Iterator[str]:
    found = list(pairs)
    if not found:
        return
    shown = "" if len(found) <= _MAX_PAIRS else f", the first {_MAX_PAIRS} of them"
    yield f"<h2>{escape(title)}: {len(found)} pairs{shown}</h2>"
    for one, other in found[:_MAX_PAIRS]:
        yield f"<div>{_figure(dataset, one)}{_figure(dataset, other)}</div>"


def _unreadable(findings: Findings) -> Iterator[str]:
    if findings.unreadable:
        yield "<h2>Unreadable files</h2><ul>"
        yield from (f"<li>{escape(path)}: {escape(reason)}</li>" for path, reason in findings.unreadable[:500])
        yield "</ul>"


def _figure(dataset: Dataset, index: int) -> str:
    entry = dataset.entries[index]
    caption = escape(f"{entry.image_path} · {entry.label}" + (f" · {entry.group}" if entry.group else ""))
    try:
        pixels = decode_for_model((dataset.directory / entry.image_path).read_bytes(), _PICTURE_PX)
    except (OSError, RejectedMessage):
        return f"<figure>cannot be read<figcaption>{caption}</figcaption></figure>"
    coded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    source = base64.b64encode(coded.tobytes()).decode()
    return f"<figure><img alt='' src='data:image/jpeg;base64,{source}'><figcaption>{caption}</figcaption></figure>"
