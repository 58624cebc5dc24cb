"""A line's analysis as bytes, and back: what the monitor goes on from after a restart or when rows come late.

The bytes are a compressed .npz archive without pickled objects: every array of the state, and one JSON document
for the rest. They are read only by the format that wrote them, for the same cameras, groups and classes.
"""

import json
import zlib
from dataclasses import asdict, astuple, dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from services.contracts.errors import ConfigurationError
from services.domain.monitoring.analysis import LineAnalysis
from services.domain.monitoring.beginning import Beginning
from services.domain.monitoring.evidence_log import Entry, EvidenceLog
from services.domain.monitoring.frame import MonitorFrame
from services.domain.monitoring.landmark_events import WeldBook
from services.domain.monitoring.monitor import LineMonitor
from services.domain.monitoring.open_faults import CameraFault, OpenFault
from services.domain.monitoring.repairs import RepairWatch
from services.domain.monitoring.state import GROWING, MonitorState

FORMAT: Final = 1
_DOCUMENT: Final = "document"
_SHARPNESS: Final = "sharpness"
_DAMAGED: Final = (ValueError, KeyError, TypeError, AttributeError, EOFError, OSError, BadZipFile, zlib.error)
"""What reading bytes can raise that are no archive, or one that was cut or altered."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """What an analysis remembers beside its monitor."""

    welds: WeldBook
    repairs: list[RepairWatch]
    maintained_until: datetime | None
    judged: dict[str, tuple[int, int]]


def pack_checkpoint(analysis: LineAnalysis) -> bytes:
    """Return everything an analysis remembers."""
    monitor = analysis.monitor
    values = monitor.state.as_values()
    arrays: dict[str, Any] = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    document = {
        "format": FORMAT,
        "layout": _layout(monitor.frame),
        "state": {name: value for name, value in values.items() if name not in arrays},
        "log": [astuple(each) for each in monitor.log],
        "faults": [asdict(each) for each in monitor.faults],
        "camera_faults": [asdict(each) for each in monitor.camera_faults],
        "welds": asdict(analysis.welds),
        "repairs": [asdict(each) for each in analysis.repairs],
        "maintained_until": None if analysis.maintained_until is None else analysis.maintained_until.isoformat(),
        "judged": analysis.judged,
    }
    text = np.frombuffer(json.dumps(document, separators=(",", ":")).encode(), dtype=np.uint8)
    packed = BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **(arrays | {_DOCUMENT: text, _SHARPNESS: monitor.sharpness}))
    return packed.getvalue()


def unpack_checkpoint(data: bytes, analysis: LineAnalysis) -> None:
    """Set an analysis to what it was when it was packed; it knows the line's versions of then.

    Raises:
        ConfigurationError: The bytes are damaged, of another format, or of a line with other cameras, groups or
            classes; the analysis is as it was.
    """
    try:
        arrays, document = _read(data)
        kept = document["format"]
    except _DAMAGED as error:
        raise ConfigurationError(f"the kept state cannot be read: {error!r}") from error
    if kept != FORMAT:
        raise ConfigurationError(
            f"the kept state has format {kept}, this program reads {FORMAT}: learn the line anew"
        )
    frame = _frame_of(document, analysis)
    try:
        monitor, rest = _monitor(arrays, document, frame), _rest(document)
    except _DAMAGED as error:
        raise ConfigurationError(
            f"the kept state does not fit this program ({error!r}): learn the line anew"
        ) from error
    analysis.monitor = monitor
    analysis.welds, analysis.repairs = rest.welds, rest.repairs
    analysis.maintained_until, analysis.judged = rest.maintained_until, rest.judged


def _read(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    with np.load(BytesIO(data), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return arrays, json.loads(arrays.pop(_DOCUMENT).tobytes())


def _frame_of(document: dict[str, Any], analysis: LineAnalysis) -> MonitorFrame:
    """Return the set-up of the line's version that the state is of: the present one, else the newest that fits."""
    kept = document.get("layout", {})
    frames = (analysis.monitor.frame, *analysis.frames())
    for frame in frames:
        if _layout(frame) == kept:
            return frame
    present = _layout(frames[1])
    for what, names in present.items():
        if kept.get(what) != names:
            raise ConfigurationError(
                f"the kept state is of a line with {what} {', '.join(kept.get(what, ()))}, not {', '.join(names)}:"
                " learn the line anew"
            )
    raise ConfigurationError("the kept state says more of its line than this program knows: learn the line anew")


def _monitor(arrays: dict[str, Any], document: dict[str, Any], frame: MonitorFrame) -> LineMonitor:
    sharpness = arrays.pop(_SHARPNESS)
    state = MonitorState(**arrays, **document["state"])
    for name, value in MonitorState.new(frame).as_values().items():
        fixed = 1 if name in GROWING else 0
        if np.shape(getattr(state, name))[fixed:] != np.shape(value)[fixed:]:
            raise ValueError(f"{name} has another shape")
    return LineMonitor(
        frame=frame,
        state=state,
        log=EvidenceLog(Entry(*each) for each in document["log"]),
        faults=[OpenFault(**_begun(each)) for each in document["faults"]],
        camera_faults=[CameraFault(**_begun(each)) for each in document["camera_faults"]],
        sharpness=sharpness,
    )


def _begun(fault: dict[str, Any]) -> dict[str, Any]:
    return fault | {"began": Beginning(**fault["began"])}


def _rest(document: dict[str, Any]) -> _Rest:
    until = document["maintained_until"]
    return _Rest(
        welds=WeldBook(**document["welds"]),
        repairs=[RepairWatch(**each) for each in document["repairs"]],
        maintained_until=None if until is None else datetime.fromisoformat(until),
        judged={name: (int(number), int(rows)) for name, (number, rows) in document["judged"].items()},
    )


def _layout(frame: MonitorFrame) -> dict[str, list[str]]:
    return {
        "cameras": list(frame.layout.cameras),
        "groups": [group.group_id for group in frame.layout.groups],
        "classes": list(frame.classes),
    }
