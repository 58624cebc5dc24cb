"""Says in the viewer's language why a machine or a camera is in its state; the database says it in English."""

import re
from functools import partial
from typing import Final

from dashboard.language import strings
from dashboard.words import class_word, clean, plain

_SENTENCES: Final = {
    "why.flag": r"(?P<defect>.+?): (?P<times>\S+) times as often as normal since coil (?P<coil>.+)",
    "why.watch": r"(?P<defect>.+) stands out in the nightly list, without an alarm",
    "why.no_coil": r"no coil has been analysed on this line yet",
    "why.no_camera": r"no camera looks behind this machine",
    "why.offline": r"no camera of the line has delivered a frame in the last 15 minutes",
    "why.no_data": r"nobody inspected what this machine did on the last three coils",
    "why.learning": r"the normal defect rates of this line are being learnt",
    "why.ok": r"no more defects than normal",
}
_OF: Final = r"(?P<count>\d+) of (?P<total>\d+) frames"
_CAMERA: Final = r"(?P<camera>\S+)"
_SINCE: Final = r"since coil (?P<coil>.+)\."
_CAMERA_SENTENCES: Final = {
    "why.silent": r"No frame arrived, while other cameras of the line delivered;"
    r" (?P<expected>\d+) were expected\.",
    "why.black": rf"{_OF} are black: the median brightness is (?P<share>\S+) of white\.",
    "why.over_exposed": rf"{_OF} are over-exposed: the median frame has (?P<share>\S+) white pixels\.",
    "why.frozen": rf"{_OF} repeat an earlier picture while the strip moves; the longest run of equal pictures has"
    r" (?P<run>\d+)\.",
    "why.defocused": rf"{_OF} are blurred: the median sharpness is (?P<share>\S+) of the usual\.",
    "why.dirty_lens": rf"{_OF} with (?P<defect>\S+) show it at the same place of the image"
    r" \((?P<left>\S+) from the left, (?P<top>\S+) from the top\) while the strip moves\.",
    "why.flag_invents": rf"{_CAMERA} reports (?P<times>\S+) times its usual number of defects that no other camera"
    rf" confirms, {_SINCE}",
    "why.flag_dirty": rf"{_CAMERA} shows a blemish that does not move with the strip, {_SINCE}",
    "why.flag_blind": rf"{_CAMERA} reports far fewer defects than the other cameras and its own past let expect,"
    rf" {_SINCE}",
}
_COMPILED: Final = {key: re.compile(sentence, re.DOTALL) for key, sentence in _SENTENCES.items()}

_CAMERA_COMPILED: Final = {key: re.compile(sentence) for key, sentence in _CAMERA_SENTENCES.items()}


def why(reason: str) -> str:
    """Return the sentence as bare text in the viewer's language; one unknown here is shown as it is stored."""
    for key, sentence in _COMPILED.items():
        found = sentence.fullmatch(reason)
        if found is not None:
            return _said(key, found)
    return clean(reason)


def camera_why(reasons: str) -> str:
    """Return the sentences on a camera's open conditions, which the database joins, in the viewer's language."""
    for key, sentence in _CAMERA_COMPILED.items():
        reasons = sentence.sub(partial(_said, key), reasons)
    return reasons


def condition_word(kind: str) -> str:
    """Return what can be wrong with a camera as people say it; a kind unknown here is shown as it is stored."""
    return strings().get(f"condition.{kind}", clean(kind).replace("_", " "))


def _said(key: str, found: re.Match[str]) -> str:
    gaps = found.groupdict()
    defect = {"defect": class_word(gaps.pop("defect"))} if "defect" in gaps else {}
    return plain(key, **gaps, **defect)
