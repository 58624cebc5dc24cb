"""A line's analysis as bytes, and back: what the monitor goes on from after a restart or when rows come late.

The bytes are a compressed .npz archive without pickled objects: every array of the state, and one JSON document
for the rest. They are read only by the format that wrote them, for the same cameras, groups and classes.
"""

import json
from dataclasses import asdict, astuple
from datetime import datetime
from io import BytesIO
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from services.contracts.errors import ConfigurationError
from services.domain.monitoring.analysis import LineAnalysis
from services.domain.monitoring.evidence_log import Entry, EvidenceLog
from services.domain.monitoring.frame import MonitorFrame
from services.domain.monitoring.landmark_events import WeldBook
from services.domain.monitoring.open_faults import CameraFault, OpenFault
from services.domain.monitoring.repairs import RepairWatch
from services.domain.monitoring.state import MonitorState

FORMAT: Final = 1
_DOCUMENT: Final = "document"
_SHARPNESS: Final = "sharpness"


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
    """Set an analysis to what it was when it was packed.

    Raises:
        ConfigurationError: The bytes are damaged, of another format, or of a line with other cameras, groups or
            classes; the analysis is as it was.
    """
    arrays, document = _read(data)
    if document.get("format") != FORMAT:
        raise ConfigurationError(
            f"the kept state has format {document.get('format')}, this program reads {FORMAT}: learn the line anew"
        )
    layout = _layout(analysis.monitor.frame)
    for what, names in document["layout"].items():
        if names != layout[what]:
            raise ConfigurationError(
                f"the kept state is of a line with {what} {', '.join(names)}, not {', '.join(layout[what])}"
            )
    monitor = analysis.monitor
    monitor.sharpness = arrays.pop(_SHARPNESS)
    monitor.state = MonitorState(**arrays, **document["state"])
    monitor.log = EvidenceLog(Entry(*each) for each in document["log"])
    monitor.faults = [OpenFault(**each) for each in document["faults"]]
    monitor.camera_faults = [CameraFault(**each) for each in document["camera_faults"]]
    analysis.welds = WeldBook(**document["welds"])
    analysis.repairs = [RepairWatch(**each) for each in document["repairs"]]
    until = document["maintained_until"]
    analysis.maintained_until = None if until is None else datetime.fromisoformat(until)
    analysis.judged = {name: (int(number), int(rows)) for name, (number, rows) in document["judged"].items()}


def _read(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        with np.load(BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        document = json.loads(arrays.pop(_DOCUMENT).tobytes())
    except (ValueError, KeyError, OSError, BadZipFile) as error:
        raise ConfigurationError(f"the kept state cannot be read: {error}") from error
    return arrays, document


def _layout(frame: MonitorFrame) -> dict[str, list[str]]:
    return {
        "cameras": list(frame.layout.cameras),
        "groups": [group.group_id for group in frame.layout.groups],
        "classes": list(frame.classes),
    }
