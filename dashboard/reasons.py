"""Says in the viewer's language why a machine is in its state; view `machine_health` says it in English."""

import re
from typing import Final

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
_COMPILED: Final = {key: re.compile(sentence, re.DOTALL) for key, sentence in _SENTENCES.items()}


def why(reason: str) -> str:
    """Return the sentence as bare text in the viewer's language; one unknown here is shown as it is stored."""
    for key, sentence in _COMPILED.items():
        found = sentence.fullmatch(reason)
        if found is not None:
            gaps = found.groupdict()
            defect = {"defect": class_word(gaps.pop("defect"))} if "defect" in gaps else {}
            return plain(key, **gaps, **defect)
    return clean(reason)
